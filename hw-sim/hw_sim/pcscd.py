"""A pcscd of our own, with virtual readers and the simulated cards behind them.

vpcd listens on all interfaces and only one pcscd can own /run/pcscd, so both live in private
mount and network namespaces; the daemon's socket is reached through a private directory. Programs
find it by PCSCLITE_CSOCK_NAME, which libpcsclite reads once, before its first call. Without the
right to make namespaces the system's paths are used, one world a machine, with a warning.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

from hw_sim.cards.host import SlotsClient

CONTACT_NAME = "Yikatong Contact Reader"
PSAM_NAME = "Yikatong PSAM Slot"
CONTACT_READER = f"{CONTACT_NAME} 00 00"
PSAM_READER = f"{PSAM_NAME} 00 00"
"""PC/SC names; each reader also shows a second slot ``00 01`` that stays empty."""
RUN_DIRECTORY = Path("/run/pcscd")
VPCD_LIBRARY = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_STOP_SECONDS = 3.0
_LOCK_NAME = "yikatong-sim-pcscd.lock"


class PcscdUnavailable(Exception):
    """pcscd cannot run here; the message says why. Cards can still be hosted without it."""


class PcscdBroken(PcscdUnavailable):
    """pcscd is installed and may run, and still did not start: something to look into."""


class PcscdWorld:
    """One pcscd with the readers CONTACT_READER and PSAM_READER, and its card slots.

    Args:
        namespaces: ``False`` uses the system's /run/pcscd at once.
    """

    def __init__(self, *, namespaces: bool = True) -> None:
        self._namespaces = namespaces
        self._directory: Path | None = None
        self._holder: subprocess.Popen[str] | None = None
        self._lock: int | None = None
        self._asking = threading.Lock()
        self._pids: Mapping[str, int] = {}

    @property
    def csock_name(self) -> str:
        """Value of PCSCLITE_CSOCK_NAME; the same until stop()."""
        return str((self._running / "run" if self._namespaces else RUN_DIRECTORY) / "pcscd.comm")

    @property
    def environment(self) -> dict[str, str]:
        """What a client program needs in its environment."""
        return {"PCSCLITE_CSOCK_NAME": self.csock_name}

    @property
    def control(self) -> Path:
        """Control socket of the card slots."""
        return self._running / "slots"

    @property
    def slots(self) -> SlotsClient:
        """Inserts and pulls cards."""
        return SlotsClient(self.control)

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of ``pcscd`` and ``slots``."""
        return self._pids

    def start(self) -> None:
        """Raises PcscdUnavailable or its kind PcscdBroken; then nothing is left running."""
        if self._holder is not None:
            raise RuntimeError("started twice")
        if shutil.which("pcscd", path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
            raise PcscdUnavailable("pcscd is not installed")
        if not VPCD_LIBRARY.exists():
            raise PcscdUnavailable("the vpcd driver (vsmartcard-vpcd) is not installed")
        if self._namespaces and not _namespaces_allowed():
            self._namespaces = False
        if not self._namespaces:
            self._lock = _take_system()
            warnings.warn(
                "no namespaces: the virtual readers listen on all interfaces", stacklevel=2
            )
        try:
            self._start_holder()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends pcscd and the card slots; harmless when they do not run."""
        if self._holder is not None:
            assert self._holder.stdin is not None
            assert self._holder.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                self._holder.stdin.close()
            try:
                self._holder.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                # Its children die with it.
                self._holder.kill()
                self._holder.wait()
            self._holder.stdout.close()
            self._holder = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._pids = {}

    def restart_daemon(self) -> None:
        """Kills pcscd and starts it again; cards stay in their slots, the socket path stays."""
        self._ask("restart")

    def unplug_reader(self) -> None:
        """The contact reader disappears. vpcd has no way to take one reader away, so the daemon
        restarts without it: clients also see the service go and come."""
        self._ask("unplug")

    def plug_reader(self) -> None:
        """The contact reader comes back, with the card that is in it; restarts the daemon."""
        self._ask("plug")

    def __enter__(self) -> PcscdWorld:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _running(self) -> Path:
        if self._directory is None:
            raise RuntimeError("the world is not started")
        return self._directory

    def _start_holder(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="yikatong-pcscd-"))
        command = [*_unshare()] if self._namespaces else []
        command += [sys.executable, "-m", "hw_sim.pcscd_holder", str(self._directory)]
        if not self._namespaces:
            command.append("--shared")
        path = os.pathsep.join(filter(None, (os.environ.get("PATH"), "/usr/sbin", "/sbin")))
        modules = os.pathsep.join(entry for entry in sys.path if entry)
        self._holder = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PATH": path, "PYTHONPATH": modules},
        )
        self._await_reply()

    def _ask(self, action: str) -> None:
        if self._holder is None or self._holder.stdin is None:
            raise RuntimeError("the world is not started")
        with self._asking:
            self._holder.stdin.write(json.dumps({"do": action}) + "\n")
            self._holder.stdin.flush()
            self._await_reply()

    def _await_reply(self) -> None:
        assert self._holder is not None
        assert self._holder.stdout is not None
        line = self._holder.stdout.readline()
        if not line:
            raise PcscdBroken("the process around pcscd ended")
        reply = json.loads(line)
        if not reply["ok"]:
            raise PcscdBroken(reply["error"])
        self._pids = reply["pids"]


@contextlib.contextmanager
def world_for_this_process() -> Iterator[PcscdWorld]:
    """A running world that this process's own PC/SC calls use. Raises PcscdUnavailable.

    libpcsclite keeps the first socket name that it saw: enter this once a process, before any
    PC/SC call (a fixture of the whole test session).
    """
    with PcscdWorld() as world:
        os.environ.update(world.environment)
        try:
            yield world
        finally:
            for name in world.environment:
                os.environ.pop(name, None)


def _unshare() -> tuple[str, ...]:
    as_user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return ("unshare", *as_user, "--mount", "--net", "--")


def _namespaces_allowed() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = [*_unshare(), "mount", "-t", "tmpfs", "tmpfs", "/usr/lib/pcsc/drivers"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _take_system() -> int:
    """The lock of the system's /run/pcscd. Raises PcscdUnavailable."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(str(RUN_DIRECTORY / "pcscd.comm")) == 0:
            raise PcscdUnavailable("no namespaces, and another pcscd is running")
    try:
        RUN_DIRECTORY.mkdir(exist_ok=True)
    except OSError:
        raise PcscdUnavailable("no namespaces, and /run/pcscd cannot be made") from None
    if not os.access(RUN_DIRECTORY, os.W_OK):
        raise PcscdUnavailable("no namespaces, and /run/pcscd is not ours to write")
    lock = os.open(RUN_DIRECTORY / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise PcscdUnavailable("no namespaces, and another simulated hall is running") from None
    return lock
