"""Scenes with the real pcscd and its virtual reader driver, each in a process of its own.

``unshare --mount --net -- python -m tests.drivers.pcscd_scenes NAME``: libpcsclite remembers one
daemon a process, vpcd listens on all interfaces, and only one pcscd can own /run/pcscd.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import smartcard.scard

from apdu.errors import (
    CardAbsent,
    CardError,
    CardMute,
    CardRemoved,
    CardReset,
    ReaderBusy,
    ReaderGone,
)
from drivers.card_service import find_reader
from drivers.events import (
    CardInserted,
    CardMuted,
    CardTaken,
    ReaderAttached,
    ReaderDetached,
    ServiceLost,
    ServiceRestored,
)
from drivers.pcsc.monitor import MonitorTimes
from drivers.pcsc.service import PcscService
from drivers.worker import DeviceStuck, Worker
from tests.drivers.event_box import EventBox
from tests.drivers.socket_card import ATR, OTHER_ATR, SocketCard

PORT = 0x8D40
CONTACT, SECOND = "Scene Reader 00 00", "Scene Reader 00 01"
COMMAND = b"\x00\x84\x00\x00\x08"
EXCLUSIVE, T0_OR_T1 = 1, 3


class Daemon:
    """The pcscd of this process's namespaces."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "reader").write_text(
            f'FRIENDLYNAME "Scene Reader"\nDEVICENAME /dev/null:{PORT:#06X}\n'
            f"LIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so\nCHANNELID {PORT:#06X}\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
        with (self.directory.parent / "pcscd.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["pcscd", "--foreground", "--config", str(self.directory)],
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": path},
            )
        while not Path("/run/pcscd/pcscd.comm").exists():
            assert self.process.poll() is None, "pcscd ended"
            time.sleep(0.01)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)


@contextlib.contextmanager
def hall() -> Iterator[tuple[Daemon, PcscService, EventBox, SocketCard]]:
    """A running pcscd, our service reporting into a box, and a card not yet inserted."""
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "config"
        config.mkdir()
        daemon, box = Daemon(config), EventBox()
        service = PcscService(times=MonitorTimes(retry_last=0.3))
        card = SocketCard(("127.0.0.1", PORT))
        daemon.start()
        try:
            service.start(box)
            assert box.take(2) == [ReaderAttached(CONTACT), ReaderAttached(SECOND)]
            yield daemon, service, box, card
        finally:
            card.remove()
            service.stop()
            daemon.stop()


def raises(kind: type[CardError], call: Callable[[], object]) -> None:
    try:
        call()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


def insert_use_remove() -> None:
    with hall() as (_daemon, service, box, card):
        name = find_reader(service.readers(), "Scene").name
        raises(CardAbsent, lambda: service.connect(name))
        raises(ReaderGone, lambda: service.connect("No Such Reader"))
        card.insert()
        assert box.take(1) == [CardInserted(CONTACT, ATR)]
        connection = service.connect(name)
        assert connection.atr == ATR
        with connection.transaction():
            assert connection.transmit(bytearray(COMMAND)) == b"\x90\x00"
        before = len(card.controls)
        assert connection.reset() == ATR
        assert 2 in card.controls[before:]
        connection.close()
        card.wait_for_control(0)
        card.remove()
        assert box.take(1) == [CardTaken(CONTACT)]


def torn_in_a_command() -> None:
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        connection = service.connect(CONTACT)
        card.answer = lambda command: card.remove()
        raises(CardRemoved, lambda: connection.transmit(COMMAND))
        raises(CardRemoved, lambda: connection.transmit(COMMAND))
        connection.close()
        assert box.take(1) == [CardTaken(CONTACT)]


def swapped() -> None:
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        connection = service.connect(CONTACT)
        card.remove()
        card.atr = OTHER_ATR
        card.insert()
        assert box.take(2) == [CardTaken(CONTACT), CardInserted(CONTACT, OTHER_ATR)]
        raises(CardRemoved, connection.reset)
        raises(CardRemoved, lambda: connection.transmit(COMMAND))
        connection.close()


def mute() -> None:
    with hall() as (_daemon, service, box, card):
        card.atr = b"\xff"
        card.insert()
        assert box.take(1) == [CardMuted(CONTACT)]
        raises(CardMute, lambda: service.connect(CONTACT))
        card.remove()
        assert box.take(1) == [CardTaken(CONTACT)]


def others_on_the_same_card() -> None:
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        ours, theirs = service.connect(CONTACT), service.connect(CONTACT)
        theirs.reset()
        raises(CardReset, lambda: ours.transmit(COMMAND))
        raises(CardReset, ours.begin)
        ours.reset()
        assert ours.transmit(COMMAND) == b"\x90\x00"
        theirs.close()
        raises(CardReset, lambda: ours.transmit(COMMAND))
        ours.close()
        scard: Any = smartcard.scard
        _code, context = scard.SCardEstablishContext(0)
        _code, handle, _protocol = scard.SCardConnect(context, CONTACT, EXCLUSIVE, T0_OR_T1)
        raises(ReaderBusy, lambda: service.connect(CONTACT))
        scard.SCardDisconnect(handle, 2)
        scard.SCardReleaseContext(context)
        service.connect(CONTACT).close()


def a_transaction_keeps_others_waiting() -> None:
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        order: list[str] = []
        ours, theirs = service.connect(CONTACT), service.connect(CONTACT)
        begun = threading.Event()

        def intrude() -> None:
            begun.set()
            theirs.transmit(COMMAND)
            order.append("theirs")

        with ours.transaction():
            other = threading.Thread(target=intrude)
            other.start()
            begun.wait(10)
            for _ in range(20):
                ours.transmit(COMMAND)
            order.append("ours")
        other.join(10)
        assert order == ["ours", "theirs"]
        ours.close()
        theirs.close()


def pcscd_restarts() -> None:
    with hall() as (daemon, service, box, card):
        card.insert()
        box.take(1)
        connection = service.connect(CONTACT)
        daemon.stop()
        card.remove()
        lost = box.take(3)
        assert lost == [ReaderDetached(CONTACT), ReaderDetached(SECOND), ServiceLost()]
        raises(ReaderGone, lambda: connection.transmit(COMMAND))
        raises(ReaderGone, lambda: service.connect(CONTACT))
        connection.close()
        daemon.start()
        assert box.take(3) == [ServiceRestored(), ReaderAttached(CONTACT), ReaderAttached(SECOND)]
        card.insert()
        assert box.take(1) == [CardInserted(CONTACT, ATR)]
        connection = service.connect(CONTACT)
        assert connection.transmit(COMMAND) == b"\x90\x00"
        connection.close()


def a_stuck_card_hangs_alone() -> None:
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        outcomes: queue.Queue[Any] = queue.Queue()
        worker = Worker("contact")
        card.answer = lambda command: None

        def read() -> bytes:
            connection = service.connect(CONTACT)
            try:
                return connection.transmit(COMMAND)
            finally:
                connection.close()

        job = worker.submit(read, outcomes.put)
        threading.Timer(0.2, lambda: outcomes.put(job.abandon())).start()
        assert outcomes.get(timeout=10) is True
        assert worker.abandoned
        try:
            worker.submit(read, outcomes.put)
            raise AssertionError("a stuck device took work")
        except DeviceStuck:
            pass
        # Nothing but the card's leaving ends the call; then the device is in service again.
        card.remove()
        assert box.take(1) == [CardTaken(CONTACT)]
        while worker.busy:
            time.sleep(0.01)
        assert outcomes.empty()
        card.answer = lambda command: b"\x90\x00"
        card.insert()
        box.take(1)
        worker.submit(read, outcomes.put)
        assert outcomes.get(timeout=10).result() == b"\x90\x00"
        worker.close()


def an_idle_monitor_sleeps() -> None:
    class Counting:
        waits = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(smartcard.scard, name)

        def SCardGetStatusChange(self, *arguments: Any) -> Any:
            self.waits += 1
            return smartcard.scard.SCardGetStatusChange(*arguments)

    with hall() as (_daemon, _service, _box, card):
        scard, box = Counting(), EventBox()
        second = PcscService(scard)
        second.start(box)
        box.take(2)
        card.insert()
        box.take(1)
        time.sleep(0.5)
        quiet = scard.waits
        time.sleep(1)
        second.stop()
        assert scard.waits - quiet <= 1, "the monitor wakes without news"


SCENES = {
    scene.__name__: scene
    for scene in (
        insert_use_remove,
        torn_in_a_command,
        swapped,
        mute,
        others_on_the_same_card,
        a_transaction_keeps_others_waiting,
        pcscd_restarts,
        a_stuck_card_hangs_alone,
        an_idle_monitor_sleeps,
    )
}


def main() -> None:
    Path("/run/pcscd").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/pcscd"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    SCENES[sys.argv[1]]()


if __name__ == "__main__":
    main()
