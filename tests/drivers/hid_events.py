"""Key events by the test's own hand: linux/input.h of a machine like this one."""

from __future__ import annotations

import struct

ENTER, LEFT_SHIFT, LEFT_ALT, F1 = 28, 42, 56, 59
SYN, KEY, MSC, LED = 0, 1, 4, 17
SYN_REPORT, SYN_DROPPED = 0, 3
A_CODE = b"SSC1-aZ 9~"
KEYS_OF_A_CODE = [
    (31, True), (31, True), (46, True), (2, False), (12, False),
    (30, False), (44, True), (57, False), (10, False), (41, True),
]  # fmt: skip
"""Key codes and whether shift is held; from linux/input-event-codes.h and a US keyboard."""


def event(at: float, kind: int, code: int, value: int) -> bytes:
    return struct.pack("@llHHi", int(at), round(at % 1 * 1e6), kind, code, value)


class Typist:
    """Types keys one after the other, as a keyboard with one report a change does."""

    def __init__(self, pace: float = 0.002, at: float = 1000.0) -> None:
        self.at = at
        self.pace = pace

    def report(self, *changes: tuple[int, int]) -> bytes:
        """Key code and value of what changed, between scan code and report."""
        self.at += self.pace / 2
        events = [
            event(self.at, MSC, 4, 0x70004) + event(self.at, KEY, key, value)
            for key, value in changes
        ]
        return b"".join(events) + event(self.at, SYN, SYN_REPORT, 0)

    def key(self, key: int, shift: bool = False) -> bytes:
        held = ((LEFT_SHIFT, 1),) if shift else ()
        freed = ((LEFT_SHIFT, 0),) if shift else ()
        return self.report(*held, (key, 1)) + self.report((key, 0), *freed)

    def keys(self, keys: list[tuple[int, bool]]) -> bytes:
        return b"".join(self.key(key, shift) for key, shift in keys)

    def code(self) -> bytes:
        """`A_CODE` and Enter."""
        return self.keys(KEYS_OF_A_CODE) + self.key(ENTER)

    def pause(self, seconds: float) -> bytes:
        self.at += seconds
        return b""
