"""A PIN pad on a pseudo-terminal, scripted by the test: no logic of its own but framing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import reduce
from operator import xor
from pathlib import Path

from drivers.szzt.line import SzztTimes
from tests.drivers.serial_double import SerialDouble

QUICK = SzztTimes(answer=0.1, probe=0.1, damaged=0.03, look=0.01, watch=0.1, write=1)


def framed(text: bytes) -> bytes:
    inner = f"{len(text):03d}".encode() + text + b"\x03"
    return b"\x02" + inner + f"{reduce(xor, inner):02X}".encode()


INFORMATION = (
    b"3" + b" " * 50 + b"0" * 48 + b"02001E2A0406333700" + b"00" + b"FUNCTION" + b"ZT598 "
    b"1.02.131100042"
)


class PadDouble(SerialDouble):
    """By default each command gets the frame that `answers` has for its first byte, or else that
    byte echoed."""

    def __init__(self, link: Path) -> None:
        self.answers: dict[bytes, bytes] = {
            b"1": b"108D7B4FB",
            b"2": b"2A1B2C3D4",
            b"3": INFORMATION,
            b"7": b"70006" + b"0123456789ABCDEF",
        }
        super().__init__(link)

    def usual(self, command: bytes) -> bytes:
        return framed(self.answers.get(command[:1], command[:1]))

    def cut(self, held: bytes) -> tuple[bytes, bytes] | None:
        if len(held) < 7 or len(held) < 7 + int(held[1:4]):
            return None
        size = 7 + int(held[1:4])
        frame, rest = held[:size], held[size:]
        assert frame == framed(frame[4:-3])
        return frame[4:-3], rest


def soon(action: Callable[[], object], after: float = 0.02) -> threading.Thread:
    """Run this in a moment, on a thread."""

    def run() -> None:
        time.sleep(after)
        action()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
