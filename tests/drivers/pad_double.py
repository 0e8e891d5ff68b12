"""A PIN pad on a pseudo-terminal, scripted by the test: no logic of its own but framing."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import tty
from collections.abc import Callable
from functools import reduce
from operator import xor
from pathlib import Path

from drivers.szzt_line import SzztTimes

QUICK = SzztTimes(answer=0.1, damaged=0.03, look=0.01, write=1)


def framed(text: bytes) -> bytes:
    inner = f"{len(text):03d}".encode() + text + b"\x03"
    return b"\x02" + inner + f"{reduce(xor, inner):02X}".encode()


INFORMATION = (
    b"3" + b" " * 50 + b"0" * 48 + b"02001E2A0406333700" + b"00" + b"FUNCTION" + b"ZT598 "
    b"1.02.131100042"
)


class PadDouble:
    """`answer` maps a command's text to the raw bytes to send; None keeps silent.

    By default each command gets the frame that `answers` has for its first byte, or else that
    byte echoed.
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        self.commands: list[bytes] = []
        self.answers: dict[bytes, bytes] = {
            b"1": b"108D7B4FB",
            b"2": b"2A1B2C3D4",
            b"3": INFORMATION,
            b"7": b"70006" + b"0123456789ABCDEF",
        }
        self.answer: Callable[[bytes], bytes | None] = self.usual
        self.seen = threading.Condition()
        self.plug()

    def usual(self, text: bytes) -> bytes:
        return framed(self.answers.get(text[:1], text[:1]))

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
        os.write(self.master, data)

    def wait_for(self, text: bytes, count: int = 1) -> None:
        """Wait until a command that begins so was received so many times."""
        with self.seen:
            assert self.seen.wait_for(
                lambda: sum(got.startswith(text) for got in self.commands) >= count, 10
            )

    def _serve(self, master: int) -> None:
        held = b""
        with contextlib.suppress(OSError):
            while self.plugged:
                if not select.select([master], [], [], 0.01)[0]:
                    continue
                held += os.read(master, 4096)
                while len(held) >= 7 and len(held) >= 7 + int(held[1:4]):
                    size = 7 + int(held[1:4])
                    frame, held = held[:size], held[size:]
                    assert frame == framed(frame[4:-3])
                    reply = self.answer(frame[4:-3])
                    with self.seen:
                        self.commands.append(frame[4:-3])
                        self.seen.notify_all()
                    if reply:
                        os.write(master, reply)


def soon(action: Callable[[], object], after: float = 0.02) -> threading.Thread:
    """Run this in a moment, on a thread."""

    def run() -> None:
        time.sleep(after)
        action()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
