"""A code module on a pseudo-terminal, scripted by the test: no logic of its own but framing."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from collections.abc import Callable
from pathlib import Path

from drivers.gm65 import Gm65Scanner, Gm65Times

QUICK = Gm65Times(
    answer=0.15, damaged=0.03, look=0.01, margin=0.05, piece=0.1, quiet=0.05, stop=0.1, write=1
)

TRIGGER = bytes.fromhex("7E000801000201ABCD")
STOP = bytes.fromhex("7E00080100020012FB")
CHECK = bytes.fromhex("7E0007010002016723")
ACK = bytes.fromhex("02000001003331")


class ScannerDouble:
    """`answer` maps a command to the raw bytes to send; None keeps silent.

    By default each command is acknowledged; `show` puts payloads behind the next triggers' ones.
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        self.commands: list[bytes] = []
        self.shown: list[bytes] = []
        self.answer: Callable[[bytes], bytes | None] = self.usual
        self.seen = threading.Condition()
        self.plug()

    def usual(self, command: bytes) -> bytes:
        return ACK + (self.shown.pop(0) if command == TRIGGER and self.shown else b"")

    def show(self, *raw: bytes) -> None:
        self.shown += raw

    def plug(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.master)
        tty.setraw(self.slave)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self.slave))
        self.plugged = True
        self.thread = threading.Thread(target=self._serve, args=(self.master,), daemon=True)
        self.thread.start()

    def unplug(self) -> None:
        self.link.unlink(missing_ok=True)
        # A master that a thread still reads does not hang up when it is closed.
        self.plugged = False
        self.thread.join(10)
        for descriptor in (self.slave, self.master):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.master, data) :]

    def wait_for(self, command: bytes, count: int = 1) -> None:
        """Wait until this command was received so many times."""
        with self.seen:
            assert self.seen.wait_for(lambda: self.commands.count(command) >= count, 10)

    def _serve(self, master: int) -> None:
        held = b""
        with contextlib.suppress(OSError):
            while self.plugged:
                if not select.select([master], [], [], 0.01)[0]:
                    continue
                held += os.read(master, 4096)
                while len(held) >= 9:
                    size = 8 + held[3] if held[2] == 8 else 9
                    command, held = held[:size], held[size:]
                    assert command[:2] == b"\x7e\x00"
                    reply = self.answer(command)
                    if reply:
                        self.send(reply)
                    with self.seen:
                        self.commands.append(command)
                        self.seen.notify_all()


class Waiting:
    """A scanner and whoever waits for its codes."""

    def __init__(self, scanner: Gm65Scanner) -> None:
        self.scanner = scanner
        self.cancelled = threading.Event()

    def read_code(self) -> bytes:
        self.cancelled = threading.Event()
        return self.scanner.read_code(self.cancelled)

    def cancel(self) -> None:
        self.cancelled.set()

    def check(self) -> None:
        self.scanner.check()

    def close(self) -> None:
        self.scanner.close()
