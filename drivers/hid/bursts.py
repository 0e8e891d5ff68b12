"""From the key events of a keyboard to codes that a scanner typed: bursts that end with Enter.

Events are ``struct input_event`` of linux/input.h: seconds and microseconds (a C long each), type,
code, value. A burst is handed on whole or not at all. A person's typing is slower than any scanner
and is dropped, as is whatever has a pause, a key that is no character of `keys.toml`, or a
hole where the kernel says that events were lost.
"""

from __future__ import annotations

import struct
import tomllib
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from importlib import resources

from drivers.code_scanner import LONGEST_CODE

EVENT = struct.Struct("@llHHi")
"""24 bytes where a long has 8, 16 where it has 4."""
_PRESSED = 1
_MICRO = 1e-6


class _Type(IntEnum):
    SYN = 0
    KEY = 1


class _Syn(IntEnum):
    REPORT = 0
    DROPPED = 3


@dataclass(frozen=True)
class HidTimes:
    """Seconds, between events by the kernel's own stamps.

    Attributes:
        key: how long a key may take on average within a code; people need 0.08 and more, scanners
            0.01 and less (I).
        gap: longest pause within a code.
        rest: silence after which a burst that was spoiled is over, though no Enter came; also how
            long after opening a code is believed to have begun before.
        drain: limit for dropping what came while nobody waited.
        look: longest wait before a cancellation is looked for again.
    """

    key: float = 0.05
    gap: float = 0.1
    rest: float = 0.5
    drain: float = 0.5
    look: float = 0.03


@dataclass(frozen=True)
class Keys:
    """Which key is which character.

    Attributes:
        plain, shifted: key code -> character, without and with shift.
    """

    plain: dict[int, int]
    shifted: dict[int, int]
    shift: frozenset[int]
    end: frozenset[int]


@cache
def us_keys() -> Keys:
    """The keys of `keys.toml`."""
    facts = tomllib.loads(resources.files("drivers.hid").joinpath("keys.toml").read_text("utf-8"))
    plain: dict[int, int] = {}
    shifted: dict[int, int] = {}
    for row in facts["row"]:
        plain.update(enumerate(row["plain"].encode("ascii"), row["first"]))
        shifted.update(enumerate(row["shifted"].encode("ascii"), row["first"]))
    return Keys(plain, shifted, frozenset(facts["shift"]), frozenset(facts["end"]))


@dataclass
class BurstReader:
    """Cuts codes out of events, however their bytes arrive.

    Args:
        longest: bytes; a longer code is dropped up to its end.
    """

    times: HidTimes
    keys: Keys = field(default_factory=us_keys)
    longest: int = LONGEST_CODE
    _held: bytearray = field(default_factory=bytearray, repr=False)
    _typed: bytearray = field(default_factory=bytearray, repr=False)
    _spoiled: bool = False
    _first_at: float = 0.0
    _last_at: float = 0.0
    _shift: set[int] = field(default_factory=set)
    _deaf: bool = False

    @property
    def begun(self) -> bool:
        """A burst is under way, good or spoiled."""
        return bool(self._typed) or self._spoiled

    def feed(self, data: bytes) -> list[bytes]:
        """The codes that these bytes complete, in their order."""
        self._held += data
        whole = len(self._held) - len(self._held) % EVENT.size
        events = bytes(self._held[:whole])
        del self._held[:whole]
        codes: list[bytes] = []
        for seconds, micro, kind, code, value in EVENT.iter_unpack(events):
            done = self._event(seconds + micro * _MICRO, kind, code, value)
            if done:
                codes.append(done)
        return codes

    def spoil(self, at: float) -> None:
        """What is under way at this time is no whole code, as far as anybody knows."""
        self._typed.clear()
        self._spoiled = True
        self._last_at = at

    def spoil_begun(self) -> None:
        """Drop the burst that is under way, up to its end."""
        if self.begun:
            self.spoil(self._last_at)

    def _event(self, at: float, kind: int, code: int, value: int) -> bytes:
        """The code that this event completes, else nothing."""
        if kind == _Type.SYN and code == _Syn.DROPPED:
            # What follows up to the next report is the rest of a torn one.
            self._deaf = True
            self._shift.clear()
            self.spoil(at)
        elif kind == _Type.SYN and code == _Syn.REPORT:
            self._deaf = False
        elif kind == _Type.KEY and not self._deaf:
            if value == _PRESSED:
                return self._press(at, code)
            if value == 0:
                self._shift.discard(code)
        return b""

    def _press(self, at: float, code: int) -> bytes:
        self._pause(at)
        if code in self.keys.end:
            return self._finish(at)
        if code in self.keys.shift:
            self._shift.add(code)
            return b""
        character = (self.keys.shifted if self._shift else self.keys.plain).get(code)
        if character is None or len(self._typed) == self.longest:
            self.spoil(at)
        elif not self._spoiled:
            self._typed.append(character)
        return b""

    def _pause(self, at: float) -> None:
        if self.begun:
            pause = at - self._last_at
            if pause >= self.times.rest:
                self._reset()
            elif not 0 <= pause <= self.times.gap:
                self.spoil(at)
        if not self.begun:
            self._first_at = at
        self._last_at = at

    def _finish(self, at: float) -> bytes:
        code = bytes(self._typed)
        slow = at - self._first_at > len(code) * self.times.key
        self._reset()
        return b"" if slow else code

    def _reset(self) -> None:
        self._typed.clear()
        self._spoiled = False
