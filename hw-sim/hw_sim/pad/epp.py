"""What an SZZT encrypting PIN pad (密码键盘) knows and answers; no wire, no thread.

It holds keys, collects the digits of one PIN and gives them out as an encrypted block only.
Frames, faults and the pseudo-terminal are in `hw_sim.pad.device`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from hw_sim.pad.epp_fields import PadRefused, facts, hex_bytes, key_bytes, number, pin_length
from hw_sim.pad.epp_keys import KeyType, PadKey, key_type, pin_block

_PAN = re.compile(rb"[0-9A-F]{12}")


class EntryState(Enum):
    """Where a PIN entry is."""

    NONE = "none"
    RUNNING = "running"
    DONE = "done"
    TIMED_OUT = "timed-out"


@dataclass
class _Settings:
    seconds: int
    mask: int
    minimum: int
    maximum: int
    beep: int
    baud: str
    sound: bool = True
    enabled: bool = False
    hex_mode: str = "7"


class PinPad:
    """The pad's firmware: `command` for frames, `press` for fingers, `tick` for its time limit.

    Args:
        keys: what its battery-backed memory holds, number -> key.
        clock: seconds, monotonic.

    Attributes:
        keys: the key slots now.
        beeps: how often it has beeped.
        opened: the housing was opened: no keys, and none are taken (I).
        sends_idle_keys: keys pressed outside of an entry send their bytes too (I).
    """

    def __init__(
        self, keys: dict[int, PadKey] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.keys: dict[int, PadKey] = dict(keys or {})
        self.beeps = 0
        self.opened = False
        self.sends_idle_keys = False
        self._clock = clock
        self._settings = _Settings(**facts()["defaults"])
        self._bare: dict[str, int] = facts()["bare"]
        self._state = EntryState.NONE
        self._digits = bytearray()
        self._limit = 0
        self._pan = b""
        self._form = 0
        self._pin_key = 0
        self._block = b""
        self._block_length = 0
        self._touched_at = 0.0
        self._asked_early = False

    @property
    def entry(self) -> EntryState:
        """Where the PIN entry is."""
        return self._state

    @property
    def count(self) -> int:
        """How many digits are held."""
        return len(self._digits)

    def power_cycle(self) -> None:
        """Forget everything but the keys."""
        self._close(EntryState.NONE)
        self._settings = _Settings(**facts()["defaults"])

    def open_housing(self) -> None:
        """Destroy the keys, and take none."""
        self.opened = True
        self.keys.clear()
        self._close(EntryState.NONE)

    # --- fingers and time ----------------------------------------------------------------------

    def press(self, key: str) -> bytes:
        """One key: ``0``..``9``, ``00``, ``enter``, ``clear``, ``erase`` or ``cancel``.

        Returns the bare bytes that go to the host.
        """
        sent = self.tick()
        if self._state is not EntryState.RUNNING:
            return sent + (self._idle(key) if self.sends_idle_keys else b"")
        self._touched_at = self._clock()
        if key.isdecimal():
            room = self._limit - len(self._digits)
            new = key[:room]
            self._digits += bytes(int(digit) for digit in new)
            return sent + bytes([self._settings.mask]) * len(new)
        if key == "enter":
            if len(self._digits) < self._settings.minimum:
                self.beeps += 1
                return sent
            self._finish()
        elif key == "erase":
            if self._digits:
                self._digits[-1] = 0
                del self._digits[-1:]
        elif key == "clear":
            self._wipe_digits()
        elif key == "cancel":
            self._close(EntryState.NONE)
        else:
            raise ValueError(f"the pad has no key {key!r}")
        return sent + bytes([self._bare[key]])

    def _idle(self, key: str) -> bytes:
        if key.isdecimal():
            return bytes([self._settings.mask]) * len(key)
        return bytes([self._bare[key]])

    def tick(self) -> bytes:
        """Look at the clock; returns the time-limit byte when the entry has just ended by it."""
        if self._state is not EntryState.RUNNING:
            return b""
        if self._clock() - self._touched_at < self._settings.seconds:
            return b""
        self._close(EntryState.TIMED_OUT)
        return bytes([self._bare["time-limit"]])

    def _finish(self) -> None:
        key = self.keys[self._pin_key]
        self._block = key.encrypt(pin_block(self._digits, self._pan, self._form))
        self._block_length = len(self._digits)
        self._wipe_digits()
        self._settings.enabled = False
        self._state = EntryState.DONE

    def _wipe_digits(self) -> None:
        self._digits[:] = bytes(len(self._digits))
        self._digits.clear()

    def _close(self, state: EntryState) -> None:
        self._wipe_digits()
        self._block = b""
        self._block_length = 0
        self._settings.enabled = False
        self._state = state

    # --- commands ------------------------------------------------------------------------------

    def command(self, text: bytes) -> bytes:
        """Answer one command's text with an answer's text.

        Raises:
            PadRefused: the answer is one error byte.
        """
        if not text:
            raise PadRefused("command-length")
        name, parameters = text[:1], text[1:]
        match name:
            case b"1":
                return name + self._load_plain(parameters)
            case b"2":
                return name + self._load_encrypted(parameters)
            case b"3":
                return name + self._information()
            case b"5":
                self._control(parameters)
            case b"6":
                self._start_entry(parameters)
            case b"7":
                return name + self._pin()
            case _:
                raise PadRefused("general")
        return name

    def _load_plain(self, parameters: bytes) -> bytes:
        slot, kind = number(parameters[0:2]), key_type(parameters[2:3])
        value = key_bytes(parameters[3:4], parameters[4:], "plain")
        return self._store(slot, PadKey(kind, value))

    def _load_encrypted(self, parameters: bytes) -> bytes:
        source, slot = number(parameters[0:2]), number(parameters[2:4])
        kind = key_type(parameters[4:5])
        enciphered = key_bytes(parameters[5:6], parameters[6:], "encrypted")
        master = self.keys.get(source)
        if master is None:
            raise PadRefused("master-key-required", wrong=False)
        if master.type is not KeyType.MASTER:
            raise PadRefused("key-not-compatible")
        return self._store(slot, PadKey(kind, master.decrypt(enciphered)))

    def _store(self, slot: int, key: PadKey) -> bytes:
        if self.opened:
            raise PadRefused("authorisation-required", wrong=False)
        self.keys[slot] = key
        return key.check_value().hex().upper().encode()

    def _information(self) -> bytes:
        fixed, settings = facts()["information"], self._settings
        has_master = any(key.type is KeyType.MASTER for key in self.keys.values())
        flags = (not has_master) | settings.enabled << 1 | settings.sound << 2
        numbers = bytes([
            flags, 0, settings.seconds, settings.mask, settings.minimum, settings.maximum,
            ord(settings.baud), ord(settings.hex_mode), settings.beep, 0,
        ])  # fmt: skip
        text = fixed["user"].ljust(50) + fixed["scan_codes"] + numbers.hex().upper()
        for field in ("function_code", "model", "hardware", "software", "date", "serial"):
            text += fixed[field]
        return str(text).encode()

    def _control(self, parameters: bytes) -> None:
        if len(parameters) != 3:
            raise PadRefused("command-length")
        value = hex_bytes(parameters[1:])[0]
        settings = self._settings
        match parameters[:1]:
            case b"0":
                self._switch(value)
            case b"2":
                settings.seconds = value
            case b"3":
                settings.mask = value
            case b"4":
                settings.minimum = pin_length(value)
            case b"5":
                settings.maximum = pin_length(value)
            case b"6" if chr(value) in "07":
                settings.hex_mode = chr(value)
            case b"6" if chr(value) in "HIJKLMNO":
                settings.baud = str("HIJKLMNO".index(chr(value)))
            case b"8":
                settings.beep = value
            case _:
                raise PadRefused("incorrect-parameter")

    def _switch(self, value: int) -> None:
        match chr(value):
            case "0":
                self.power_cycle()
            case "1":
                self.keys.clear()
                self.power_cycle()
            case "2":
                self._settings.enabled = False
                self._close(EntryState.NONE)
            case "3":
                # Clear digits never leave this pad: the flag is all that "plain input" switches.
                self._settings.enabled = True
            case "4" | "5":
                self._settings.sound = chr(value) == "5"
            case "=":
                self.beeps += 1
            case _:
                raise PadRefused("incorrect-parameter")

    def _start_entry(self, parameters: bytes) -> None:
        if len(parameters) < 6:
            raise PadRefused("command-length")
        slot = number(parameters[0:2])
        key = self.keys.get(slot)
        if key is None:
            raise PadRefused("key-not-found", wrong=False)
        if key.type is not KeyType.PIN:
            raise PadRefused("key-not-compatible")
        pan = parameters[6:]
        form = facts()["formats"].get(parameters[2:3].decode("latin-1"))
        if form is None or not _PAN.fullmatch(pan):
            raise PadRefused("incorrect-parameter")
        limit = pin_length(number(parameters[4:6]))
        self._close(EntryState.RUNNING)
        self._settings.enabled = True
        self._limit = min(limit, self._settings.maximum)
        self._pan, self._form, self._pin_key = pan, form, slot
        self._asked_early = False
        self._touched_at = self._clock()

    def _pin(self) -> bytes:
        match self._state:
            case EntryState.DONE:
                block = self._block.hex().upper()
                return f"00{self._block_length:02d}{block}".encode()
            case EntryState.TIMED_OUT:
                raise PadRefused("input-timed-out", wrong=False)
            case EntryState.NONE:
                # A host that does not know of a power failure may well ask.
                raise PadRefused("incorrect-data", wrong=False)
            case EntryState.RUNNING:
                # Whoever lost an answer can't know; whoever asks again and again does not listen.
                asked, self._asked_early = self._asked_early, True
                raise PadRefused("incorrect-data", wrong=asked)
        assert_never(self._state)
