"""Events of a keyboard on Linux (linux/input.h), as the simulated scanner types them.

An event is a time of two C longs (seconds, microseconds), type and code of two bytes each and a
value of four. Each report ends with SYN_REPORT.
"""

from __future__ import annotations

import struct
import sys
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

EV_SYN, EV_KEY, EV_MSC = 0x00, 0x01, 0x04
_SYN_REPORT, _SYN_DROPPED = 0, 3
_MSC_SCAN = 4
UP, DOWN, REPEAT = 0, 1, 2


@cache
def facts() -> dict[str, Any]:
    """The keyboard's data (``hid_scanner.toml``)."""
    text = files("hw_sim.hid_scanner").joinpath("hid_scanner.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _places() -> dict[str, tuple[int, bool]]:
    """Character -> key and whether shift is held."""
    places: dict[str, tuple[int, bool]] = {}
    for first, (plain, shifted) in facts()["rows"].items():
        for key, (lower, upper) in enumerate(zip(plain, shifted, strict=True), int(first)):
            places[upper] = (key, True)
            places[lower] = (key, False)
    return places


Strokes = list[tuple[int, int]]
"""Key and what it does; one report each."""


def strokes(character: str) -> list[Strokes]:
    """The reports that type a character; one that no key has goes as Alt and its GBK number."""
    keys = facts()["keys"]
    if character in _places():
        key, shifted = _places()[character]
        hold, free = ([(keys["shift"], DOWN)], [(keys["shift"], UP)]) if shifted else ([], [])
        return [[*hold, (key, DOWN)], [(key, UP), *free]]
    number = str(int.from_bytes(character.encode("gb18030"), "big"))
    pad = [keys["digits"][int(digit)] for digit in number]
    typed = [[(key, change)] for key in pad for change in (DOWN, UP)]
    return [[(keys["alt"], DOWN)], *typed, [(keys["alt"], UP)]]


def stroke(key: int) -> list[Strokes]:
    """The reports of one key, pressed and let go."""
    return [[(key, DOWN)], [(key, UP)]]


def report(changes: Strokes, now: float) -> bytes:
    """One report: a scan code and a key for each change, and its end."""
    parts = [
        _event(now, EV_MSC, _MSC_SCAN, 0x70000 + key) + _event(now, EV_KEY, key, change)
        for key, change in changes
    ]
    return b"".join(parts) + _event(now, EV_SYN, _SYN_REPORT, 0)


def overrun(now: float) -> bytes:
    """What the kernel says in place of events that it had no room for."""
    return _event(now, EV_SYN, _SYN_DROPPED, 0) + _event(now, EV_SYN, _SYN_REPORT, 0)


def _event(now: float, kind: int, code: int, value: int) -> bytes:
    long = struct.calcsize("l")
    seconds = int(now)
    return (
        seconds.to_bytes(long, sys.byteorder)
        + int((now - seconds) * 1_000_000).to_bytes(long, sys.byteorder)
        + kind.to_bytes(2, sys.byteorder)
        + code.to_bytes(2, sys.byteorder)
        + value.to_bytes(4, sys.byteorder, signed=True)
    )
