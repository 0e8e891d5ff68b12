"""The SZZT encrypting PIN pad (ZT588, ZT598) on a serial line.

What is sent follows `szzt.toml`, where each assumption has its mark.
"""

from __future__ import annotations

import contextlib
import hmac
import threading
from collections.abc import Callable
from typing import Any

from drivers.pin_block import (
    BLOCK,
    LONGEST_PIN,
    SHORTEST_PIN,
    PinFormat,
    is_single_des,
    key_check_value,
    wipe,
)
from drivers.pin_pad import (
    KeyMismatch,
    PadFault,
    PadGone,
    PadNote,
    PadReason,
    PadStatus,
    PadTampered,
    PadTrouble,
)
from drivers.szzt.entry import SzztEntry, Wanted
from drivers.szzt.information import read_information
from drivers.szzt.line import SzztLine, SzztTimes, szzt_facts

_HEX = b"0123456789ABCDEF"
_KEY_LENGTHS = (16, 24)
_LEAST_CHECK = 3


class SzztPinPad:
    """`PinPad` on a serial port. The port is opened by the first command, and again after it
    was lost.

    Args:
        baud: of the line; None tries all of ``szzt.toml``.
    """

    def __init__(
        self,
        port: str,
        baud: int | None = None,
        times: SzztTimes | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        self._facts = facts or szzt_facts()
        self._times = times or SzztTimes()
        bauds = self._facts["frame"]["bauds"] if baud is None else [baud]
        self._line = SzztLine(port, bauds, self._times, self._facts)
        self._had_keys = False
        self._tampered = False
        self._pin_key_lost = False

    @property
    def block_format(self) -> PinFormat:
        return PinFormat(self._facts["pin"]["format"])

    @property
    def ignored_keys(self) -> int:
        return self._line.ignored

    def load_master_key(self, key: bytearray) -> None:
        if len(key) not in _KEY_LENGTHS:
            raise ValueError(f"a master key has 16 or 24 bytes, not {len(key)}")
        if is_single_des(key):
            raise ValueError("a master key of equal halves is single DES")
        keys, types = self._facts["keys"], self._facts["key_types"]
        length = self._facts["plain_length"][str(len(key))]
        head = f"1{keys['master']}{types['master']}{length}".encode()
        text = bytearray(len(head) + 2 * len(key))
        text[: len(head)] = head
        for index, octet in enumerate(key):
            text[len(head) + 2 * index] = _HEX[octet >> 4]
            text[len(head) + 2 * index + 1] = _HEX[octet & 0x0F]
        try:
            answer = self._command(text)
        finally:
            wipe(text)
        _compare(answer, key_check_value(key))
        self._holds_keys()

    def load_pin_key(self, key_under_master: bytes, check_value: bytes) -> None:
        if len(key_under_master) not in _KEY_LENGTHS:
            raise ValueError(f"a PIN key has 16 or 24 bytes, not {len(key_under_master)}")
        keys, types = self._facts["keys"], self._facts["key_types"]
        length = self._facts["encrypted_length"][str(len(key_under_master))]
        head = f"2{keys['master']}{keys['pin']}{types['pin']}{length}"
        lost, self._pin_key_lost = self._pin_key_lost, True
        try:
            answer = self._command((head + key_under_master.hex().upper()).encode())
        except PadFault:
            # A pad that refuses a key leaves the slot as it was (I).
            self._pin_key_lost = lost
            raise
        _compare(answer, check_value)
        self._pin_key_lost = False
        self._holds_keys()

    def read_pin(
        self,
        pan12: bytes,
        minimum: int,
        maximum: int,
        timeout: float,
        count: Callable[[int], None],
        cancelled: threading.Event,
    ) -> bytes:
        if len(pan12) != 12 or any(digit not in _HEX for digit in pan12):
            raise ValueError("12 account digits are needed")
        if not SHORTEST_PIN <= minimum <= maximum <= LONGEST_PIN:
            raise ValueError(f"no PIN of {minimum} to {maximum} digits")
        if not timeout > 0:
            raise ValueError("a PIN needs time")
        if self._pin_key_lost:
            raise KeyMismatch("no PIN key was loaded since one was lost")
        wanted = Wanted(pan12, minimum, maximum, timeout, count, cancelled)
        try:
            return SzztEntry(self._line, self._times, self._facts, wanted).run()
        except PadTampered:
            self._tampered = True
            raise
        finally:
            self._line.listening = False
            # The pad forgets what was typed, and a finished block too.
            if self._line.open:
                with contextlib.suppress(PadGone, PadFault):
                    self._line.command(b"5032")

    def status(self) -> PadStatus:
        try:
            answer = self._line.command(b"3")
        except PadGone:
            return PadStatus(PadReason.GONE)
        except PadTampered:
            return PadStatus(PadReason.TAMPERED)
        except PadFault as fault:
            if fault.trouble is PadTrouble.BATTERY_LOW:
                return PadStatus(None, frozenset({PadNote.BATTERY_LOW}))
            return PadStatus(PadReason.FAULT)
        information = read_information(answer)
        if information is None:
            return PadStatus(PadReason.GONE)
        if information.has_master_key:
            self._holds_keys()
        elif self._had_keys or self._tampered:
            return PadStatus(PadReason.TAMPERED, identity=information.identity)
        return information.status

    def close(self) -> None:
        self._line.close()

    def _command(self, text: bytes | bytearray) -> bytes:
        """To load a key."""
        try:
            return self._line.command(text)
        except PadTampered as tampered:
            self._tampered |= self._had_keys or tampered.trouble is PadTrouble.LOCKED
            raise

    def _holds_keys(self) -> None:
        self._had_keys, self._tampered = True, False


def _compare(answer: bytes, expected: bytes) -> None:
    """The check value behind an answer's first byte with the one that it must be."""
    try:
        check = bytes.fromhex(answer[1:].decode("ascii"))[:BLOCK]
    except ValueError:
        check = b""
    if len(check) < _LEAST_CHECK:
        raise PadGone("the pad gave no check value")
    if not hmac.compare_digest(check, expected[: len(check)]):
        raise KeyMismatch("the pad's check value is not that of the key")
