"""A pcscd of the test's own, with as many virtual readers as a scene wants.

Only inside private mount and network namespaces (see `pcscd_scenes`): vpcd listens on all
interfaces, and only one pcscd can own /run/pcscd.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from apdu.errors import CardError
from drivers.events import ReaderAttached
from drivers.pcsc.monitor import MonitorTimes
from drivers.pcsc.service import PcscService
from tests.drivers.event_box import EventBox
from tests.drivers.socket_card import SocketCard

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
SOCKET = Path("/run/pcscd/pcscd.comm")
AS_USER = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
UNSHARE = ["unshare", *AS_USER, "--mount", "--net", "--"]
"""Begins the command of a process that may call `settle_in`."""
PORT, STEP = 0x6D40, 0x10
"""Below the range of outgoing connections, as the simulated hall's (hw_sim.pcscd_holder)."""
COMMAND = b"\x00\x84\x00\x00\x08"


def slot_names(stanzas: int) -> list[str]:
    """PC/SC names of the slots, in the service's order."""
    return [f"Scene Reader {stanza} 00 {slot:02}" for stanza in range(stanzas) for slot in (0, 1)]


def slot_ports(stanzas: int) -> list[int]:
    """Where a card connects to be in the slot of the same place in `slot_names`."""
    return [PORT + STEP * stanza + slot for stanza in range(stanzas) for slot in (0, 1)]


CONTACT, SECOND = slot_names(1)


def settle_in() -> None:
    """Make fresh namespaces fit for a pcscd; see `UNSHARE`."""
    SOCKET.parent.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(SOCKET.parent)], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Daemon:
    """The pcscd of this process's namespaces.

    Args:
        directory: where its configuration, drivers and log are written.
        stanzas: of its configuration; each is a reader with two slots.
    """

    def __init__(self, directory: Path, stanzas: int) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        (directory / "config").mkdir()
        self.configure(stanzas)

    def configure(self, stanzas: int) -> None:
        """Another number of readers, from the next start on."""
        text = ""
        for stanza in range(stanzas):
            # The driver keeps its slots in static variables: each reader needs a file of its own.
            library = self._directory / f"driver-{stanza}.so"
            shutil.copy(DRIVER, library)
            port = PORT + STEP * stanza
            text += (
                f'FRIENDLYNAME "Scene Reader {stanza}"\nDEVICENAME /dev/null:{port:#06X}\n'
                f"LIBPATH {library}\nCHANNELID {port:#06X}\n\n"
            )
        (self._directory / "config" / "readers").write_text(text)

    def start(self) -> None:
        path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
        with (self._directory / "pcscd.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["pcscd", "--foreground", "--config", str(self._directory / "config")],
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": path},
            )
        while not SOCKET.exists():
            assert self._process.poll() is None, "pcscd ended"
            time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def kill(self) -> None:
        """As a crash does, and as its supervisor tidies up."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        for leftover in ("pcscd.comm", "pcscd.pid"):
            (SOCKET.parent / leftover).unlink(missing_ok=True)

    def freeze(self) -> None:
        """It answers nobody until `thaw`; its socket still takes connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def readers(stanzas: int) -> Iterator[tuple[Daemon, PcscService, EventBox]]:
    """A running pcscd and our service, which has reported its readers into a box."""
    with tempfile.TemporaryDirectory() as directory:
        daemon, box = Daemon(Path(directory), stanzas), EventBox()
        service = PcscService(times=MonitorTimes(retry_last=0.3))
        daemon.start()
        try:
            service.start(box)
            names = slot_names(stanzas)
            assert box.take(len(names)) == [ReaderAttached(name) for name in names]
            yield daemon, service, box
        finally:
            service.stop()
            daemon.stop()


@contextlib.contextmanager
def hall() -> Iterator[tuple[Daemon, PcscService, EventBox, SocketCard]]:
    """One reader, and a card not yet inserted."""
    with readers(1) as (daemon, service, box):
        card = SocketCard(("127.0.0.1", PORT))
        try:
            yield daemon, service, box, card
        finally:
            card.remove()


def raises(kind: type[CardError], call: Callable[[], object]) -> None:
    try:
        call()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")
