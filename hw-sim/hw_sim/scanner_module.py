"""The code scanner itself: its registers, its trigger, and what is in front of its window.

It knows no wire and reads no clock: every call says the time, in seconds of a monotonic clock.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from hw_sim.scanner_frames import DONE, Command, Illegal, Kind, answer

_ON_COMMAND = 0b01
LONGEST_PAYLOAD = 4296
"""Bytes; the largest QR code holds so many (version 40-L, alphanumeric, ISO/IEC 18004)."""


@cache
def facts() -> dict[str, Any]:
    """The scanner's data (``scanner.toml``)."""
    return tomllib.loads(files("hw_sim").joinpath("scanner.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Shown:
    """A code in front of the window.

    Attributes:
        since, until: when it came and when it is taken away.
        hold: stays after it was read.
    """

    payload: bytes
    since: float
    until: float
    hold: bool


class ScanModule:
    """A module of the GM65 family that reads on command.

    Args:
        decode_seconds: from trigger and code both there to the code read.
    """

    def __init__(self, decode_seconds: float) -> None:
        self._decode_seconds = decode_seconds
        self._at: dict[str, int] = facts()["registers"]
        self._saved = bytearray(facts()["limits"]["highest-register"] + 1)
        for address, value in facts()["settings"].items():
            self._saved[int(address, 16)] = value
        self._registers = bytearray(self._saved)
        self._triggered_at: float | None = None
        self._shown: Shown | None = None

    @property
    def triggered(self) -> bool:
        """True while it looks for a code."""
        return self._triggered_at is not None

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
                return DONE
            case Kind.WRITE:
                return self._write(command, now)

    def _write(self, command: Command, now: float) -> bytes | Illegal:
        written = {command.address + place: value for place, value in enumerate(command.data)}
        mode = written.get(self._at["mode"], self._registers[self._at["mode"]])
        if mode & 0b11 != _ON_COMMAND:
            return Illegal("only reading on command is simulated", command.data)
        for address, value in written.items():
            self._registers[address] = value
        if self._at["trigger"] in written:
            self._triggered_at = now if written[self._at["trigger"]] & 1 else None
        return DONE

    def look(self, now: float) -> bytes | None:
        """The code that it has read by now, once; None when there is none."""
        if self._shown is not None and now >= self._shown.until:
            self._shown = None
        if self._triggered_at is None:
            return None
        if self._shown is not None:
            ready = max(self._triggered_at, self._shown.since) + self._decode_seconds
            if now >= ready:
                payload = self._shown.payload
                self._end_trigger()
                if not self._shown.hold:
                    self._shown = None
                return payload
        limit = self._registers[self._at["read-time"]] / 10
        if limit and now >= self._triggered_at + limit:
            self._end_trigger()
        return None

    def _end_trigger(self) -> None:
        self._triggered_at = None
        self._registers[self._at["trigger"]] = 0
