"""The code scanner itself: its registers, its ways of reading, and what is before its window.

It knows no wire and reads no clock: every call says the time, in seconds of a monotonic clock.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache
from importlib.resources import files
from typing import Any

from hw_sim.scanner.frames import DONE, Command, Kind, answer
from hw_sim.serial_device import Illegal

_KEYBOARD = 0b01
"""The interface by which codes go out: not this line but USB."""
LONGEST_PAYLOAD = 4296
"""Bytes; the largest QR code holds so many (version 40-L, alphanumeric, ISO/IEC 18004)."""


@cache
def facts() -> dict[str, Any]:
    """The scanner's data (``scanner.toml``)."""
    text = files("hw_sim.scanner").joinpath("scanner.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class _Mode(IntEnum):
    """How it reads: bits 1-0 of the register of that name."""

    MANUAL = 0b00
    COMMAND = 0b01
    CONTINUOUS = 0b10
    SENSING = 0b11


@dataclass(frozen=True)
class Shown:
    """A code in front of the window.

    Attributes:
        since, until: when it came, or may be read again, and when it is taken away.
        hold: stays after it was read.
    """

    payload: bytes
    since: float
    until: float
    hold: bool


class ScanModule:
    """A module of the GM65 family.

    Args:
        decode_seconds: from trigger and code both there to the code read.
        boxed: it is set as it comes from the box, not as an installer leaves it.

    Attributes:
        saves: how often its settings went to flash.
    """

    def __init__(self, decode_seconds: float, *, boxed: bool = False) -> None:
        self._decode_seconds = decode_seconds
        self._at: dict[str, int] = facts()["registers"]
        self._saved = bytearray(facts()["limits"]["highest-register"] + 1)
        for table in ("box",) if boxed else ("box", "settings"):
            for address, value in facts()[table].items():
                self._saved[int(address, 16)] = value
        self._registers = bytearray(self._saved)
        self._triggered_at: float | None = None
        self._shown: Shown | None = None
        self.saves = 0

    @property
    def triggered(self) -> bool:
        """True while it looks for a code because it was told to."""
        return self._triggered_at is not None

    @property
    def looking(self) -> bool:
        """True while it looks for a code, told or not."""
        return self.triggered or self._mode in (_Mode.CONTINUOUS, _Mode.SENSING)

    @property
    def baud(self) -> int:
        """Bits per second of its line, 0 where its registers name none."""
        at = self._at["baud-low"]
        divisor = int.from_bytes(self._registers[at : at + 2], "little")
        return int(facts()["bauds"].get(f"{divisor:04X}", 0))

    @property
    def on_serial(self) -> bool:
        """Codes go out by the serial line, or by a serial line over USB."""
        return self._registers[self._at["interface"]] & 0b11 != _KEYBOARD

    @property
    def _mode(self) -> _Mode:
        return _Mode(self._registers[self._at["mode"]] & 0b11)

    def shows(self, now: float) -> bool:
        """True while a code is in front of the window."""
        return self._shown is not None and now < self._shown.until

    @property
    def tail(self) -> bytes:
        """What follows a code."""
        setting = self._registers[self._at["tail"]]
        return bytes(facts()["tails"][str(setting >> 5 & 0b11)]) if setting & 1 else b""

    def show(self, payload: bytes, now: float, seconds: float, *, hold: bool) -> None:
        """Put a code in front of the window, in place of another.

        Raises:
            ValueError: no QR code holds this.
        """
        if not 1 <= len(payload) <= LONGEST_PAYLOAD:
            raise ValueError(f"a code holds 1 to {LONGEST_PAYLOAD} bytes, not {len(payload)}")
        self._shown = Shown(payload, now, now + seconds, hold)

    def power_cycle(self) -> None:
        """What was not saved is as before; it looks for nothing."""
        self._registers = bytearray(self._saved)
        self._triggered_at = None

    def command(self, command: Command, now: float) -> bytes | Illegal:
        """Obey; returns the answer, or why it gives none."""
        size = command.data[0] or 256 if command.kind is Kind.READ else len(command.data)
        if command.address + size > len(self._registers):
            return Illegal("no such register", command.address.to_bytes(2, "big"))
        match command.kind:
            case Kind.READ:
                return answer(bytes(self._registers[command.address : command.address + size]))
            case Kind.SAVE:
                if (command.address, command.data) != (0, b"\x00"):
                    return Illegal("a save has address and data 0", command.data)
                self._saved[:] = self._registers
                self._saved[self._at["trigger"]] = 0
                self.saves += 1
                return DONE
            case Kind.WRITE:
                return self._write(command, now)

    def _write(self, command: Command, now: float) -> bytes | Illegal:
        written = {command.address + place: value for place, value in enumerate(command.data)}
        if self._at["special"] in written:
            return Illegal("resets and sleep are not simulated", command.data)
        before = bytes(self._registers)
        for address, value in written.items():
            self._registers[address] = value
        if not self.baud:
            self._registers[:] = before
            return Illegal("no such speed", command.data)
        if self._at["trigger"] in written:
            told = written[self._at["trigger"]] & 1 and self._mode is _Mode.COMMAND
            self._triggered_at = now if told else None
        return DONE

    def look(self, now: float) -> bytes | None:
        """The code that it has read by now, once; None when there is none."""
        if self._shown is not None and now >= self._shown.until:
            self._shown = None
        if not self.looking:
            return None
        since = self._triggered_at or 0.0
        if self._shown is not None:
            ready = max(since, self._shown.since) + self._decode_seconds
            if now >= ready:
                return self._read(self._shown, now)
        limit = self._registers[self._at["read-time"]] / 10
        if self.triggered and limit and now >= since + limit:
            self._end_trigger()
        return None

    def _read(self, shown: Shown, now: float) -> bytes:
        """A code that is held on is read again by the next trigger, or unasked in a while."""
        again = 0.0 if self.triggered else self._registers[self._at["interval"]] / 10
        self._shown = replace(shown, since=now + again) if shown.hold else None
        self._end_trigger()
        return shown.payload

    def _end_trigger(self) -> None:
        self._triggered_at = None
        self._registers[self._at["trigger"]] = 0
