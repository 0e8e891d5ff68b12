"""The far end of a serial line as a test plays it: a pseudo-terminal and what came over it."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path


class SerialDouble(ABC):
    """Keeps commands; `answer` maps each to the raw bytes to send, or to None for silence.

    A device says how its commands are cut out of what was held (`cut`), and what it usually
    answers (`usual`).
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        self.commands: list[bytes] = []
        self.answer: Callable[[bytes], bytes | None] = self.usual
        self.seen = threading.Condition()
        self.plug()

    @abstractmethod
    def usual(self, command: bytes) -> bytes | None:
        """The answer while a test asks for no other."""

    @abstractmethod
    def cut(self, held: bytes) -> tuple[bytes, bytes] | None:
        """The first whole command and what follows it; None while there is none."""

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
        """Wait until a command that begins so was received so many times."""
        with self.seen:
            assert self.seen.wait_for(
                lambda: sum(got.startswith(command) for got in self.commands) >= count, 10
            )

    def _serve(self, master: int) -> None:
        held = b""
        with contextlib.suppress(OSError):
            while self.plugged:
                if not select.select([master], [], [], 0.01)[0]:
                    continue
                held += os.read(master, 4096)
                while (found := self.cut(held)) is not None:
                    command, held = found
                    reply = self.answer(command)
                    with self.seen:
                        self.commands.append(command)
                        self.seen.notify_all()
                    if reply:
                        self.send(reply)
