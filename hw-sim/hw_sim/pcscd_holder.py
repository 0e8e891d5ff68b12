"""Inside the namespaces of a PcscdWorld: starts pcscd and the card slots, and ends with its parent.

``python -m hw_sim.pcscd_holder DIRECTORY [--shared]``; requests come as one JSON object a line on
standard input, answers go to standard output. The end of standard input ends everything, so a
parent that was killed leaves nothing behind; the children die with this process too.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hw_sim.pcscd import CONTACT_NAME, PSAM_NAME, RUN_DIRECTORY, VPCD_LIBRARY

# Each stanza has two slots, at its port and the next: ports need space between them. They lie below
# the kernel's range for outgoing connections (32768 on): a card that looks for a reader that is
# not there may be given the reader's own port to connect from, and then has reached itself.
_STANZAS: Mapping[str, tuple[str, int]] = {
    "contact": (CONTACT_NAME, 0x6D00),
    "psam": (PSAM_NAME, 0x6D10),
}
_READY_SECONDS = 8.0
_DRIVERS = Path("/usr/lib/pcsc/drivers")
_PR_SET_PDEATHSIG = 1
_SIOCSIFFLAGS, _IFF_UP_RUNNING = 0x8914, 0x41


class _HolderError(Exception):
    """Something of the world cannot be started; the message says what."""


class _Holder:
    def __init__(self, directory: Path, *, shared: bool) -> None:
        self._directory = directory
        self._run = RUN_DIRECTORY if shared else directory / "run"
        self._daemon: subprocess.Popen[bytes] | None = None
        self._host: subprocess.Popen[bytes] | None = None
        (directory / "config").mkdir()
        (directory / "drivers").mkdir()
        for stanza in _STANZAS:
            # The driver keeps its slots in static variables: two stanzas of one library file
            # both talk to the second one's card, or hang. A copy of the file is a new library.
            shutil.copy(VPCD_LIBRARY, directory / "drivers" / f"{stanza}.so")

    def isolate(self) -> None:
        """Own /run/pcscd, no driver of real readers, and a loopback of our own."""
        self._run.mkdir()
        if not RUN_DIRECTORY.exists():
            _mount("-t", "tmpfs", "tmpfs", str(RUN_DIRECTORY.parent))
            RUN_DIRECTORY.mkdir()
        _mount("--bind", str(self._run), str(RUN_DIRECTORY))
        _mount("-t", "tmpfs", "tmpfs", str(_DRIVERS))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
            request = struct.pack("16sH14x", b"lo", _IFF_UP_RUNNING)
            fcntl.ioctl(anything, _SIOCSIFFLAGS, request)

    def start(self) -> None:
        control = self._directory / "slots"
        addresses = [f"--{name}=127.0.0.1:{port}" for name, (_, port) in _STANZAS.items()]
        command = [sys.executable, "-m", "hw_sim.cards.host", "--lifeline", "--control"]
        self._host = self._spawn([*command, str(control), *addresses], "slots.log")
        self.plug()
        self._wait_for(control, self._host, "the card slots")

    def plug(self, *, contact: bool = True) -> None:
        """(Re)starts pcscd with or without the contact reader."""
        stanzas = [
            f'FRIENDLYNAME "{name}"\nDEVICENAME /dev/null:{port:#06X}\n'
            f"LIBPATH {self._directory}/drivers/{stanza}.so\nCHANNELID {port:#06X}\n"
            for stanza, (name, port) in _STANZAS.items()
            if contact or stanza != "contact"
        ]
        (self._directory / "config" / "yikatong").write_text("\n".join(stanzas))
        self.restart()

    def restart(self) -> None:
        """Kills pcscd, as a crash does, and starts it again at the same socket path."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
        for leftover in ("pcscd.comm", "pcscd.pid"):
            (self._run / leftover).unlink(missing_ok=True)
        command = ["pcscd", "--foreground", "--config", str(self._directory / "config")]
        self._daemon = self._spawn(command, "pcscd.log")
        self._wait_for(self._run / "pcscd.comm", self._daemon, "pcscd")

    def stop(self) -> None:
        for child in (self._host, self._daemon):
            if child is not None:
                child.kill()
                child.wait()
        for leftover in ("pcscd.comm", "pcscd.pid"):
            (self._run / leftover).unlink(missing_ok=True)
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def pids(self) -> dict[str, int]:
        children = {"pcscd": self._daemon, "slots": self._host}
        return {name: child.pid for name, child in children.items() if child is not None}

    def _spawn(self, command: Sequence[str], log: str) -> subprocess.Popen[bytes]:
        with (self._directory / log).open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self._directory,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                },
                preexec_fn=_die_with_parent,
            )

    def _wait_for(self, path: Path, child: subprocess.Popen[bytes], what: str) -> None:
        """Until the child listens at ``path``. Raises _HolderError."""
        deadline = time.monotonic() + _READY_SECONDS
        while child.poll() is None and time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(str(path))
                    return
                except OSError:
                    time.sleep(0.01)
        raise _HolderError(f"{what} did not start")


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise _HolderError(f"mount refused: {done.stderr.strip()}")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Until standard input ends; 1 when the world could not be started."""
    parser = argparse.ArgumentParser(prog="python -m hw_sim.pcscd_holder", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--shared", action="store_true", help="no namespaces: the system's paths")
    options = parser.parse_args(arguments)
    # Whoever started us may press Ctrl-C in the same terminal: the pipe decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    holder = _Holder(options.directory, shared=options.shared)

    def begin() -> None:
        if not options.shared:
            holder.isolate()
        holder.start()

    actions: Mapping[str, Callable[[], None]] = {
        "restart": holder.restart,
        "unplug": lambda: holder.plug(contact=False),
        "plug": holder.plug,
    }
    try:
        if not _perform(begin, holder):
            return 1
        for line in sys.stdin:
            _perform(actions[json.loads(line)["do"]], holder)
    finally:
        holder.stop()
    return 0


def _perform(action: Callable[[], None], holder: _Holder) -> bool:
    reply: dict[str, object]
    try:
        action()
        reply = {"ok": True, "pids": holder.pids}
    except (_HolderError, OSError) as error:
        reply = {"ok": False, "error": str(error)}
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()
    return bool(reply["ok"])


if __name__ == "__main__":
    sys.exit(main())
