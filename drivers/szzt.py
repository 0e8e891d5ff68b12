"""The SZZT encrypting PIN pad (ZT588, ZT598) on a serial line.

What is sent follows `szzt.toml`, where each assumption has its mark.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from drivers.device import most_urgent
from drivers.pin_block import BLOCK, LONGEST_PIN, SHORTEST_PIN, key_check_value, wipe
from drivers.pin_pad import (
    PadFault,
    PadGone,
    PadIdentity,
    PadNote,
    PadReason,
    PadStatus,
    PinCancelled,
    PinTimeout,
)
from drivers.szzt_line import SzztLine, SzztTimes, szzt_facts

_HEX = b"0123456789ABCDEF"
_LEAST_CHECK = 3


class SzztPinPad:
    """`PinPad` on a serial port. The port is opened by the first command, and again after it
    was lost."""

    def __init__(
        self,
        port: str,
        baud: int | None = None,
        times: SzztTimes | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        self._facts = facts or szzt_facts()
        self._line = SzztLine(
            port, baud or self._facts["frame"]["baud"], times or SzztTimes(), self._facts
        )
        self._state = threading.Lock()
        self._reading = False
        self._cancelled = threading.Event()

    def load_master_key(self, key: bytearray) -> None:
        length = self._facts["plain_length"].get(str(len(key)))
        if length is None or len(key) < 16:
            raise ValueError(f"a master key has 16 or 24 bytes, not {len(key)}")
        keys, types = self._facts["keys"], self._facts["key_types"]
        head = f"1{keys['master']}{types['master']}{length}".encode()
        text = bytearray(len(head) + 2 * len(key))
        text[: len(head)] = head
        for index, octet in enumerate(key):
            text[len(head) + 2 * index] = _HEX[octet >> 4]
            text[len(head) + 2 * index + 1] = _HEX[octet & 0x0F]
        try:
            check = self._check_value(self._line.command(text))
        finally:
            wipe(text)
        if check != key_check_value(key)[: len(check)]:
            raise PadFault(0xE7, "the pad holds another key than it was given")

    def load_pin_key(self, key_under_master: bytes) -> bytes:
        length = self._facts["encrypted_length"].get(str(len(key_under_master)))
        if length is None or len(key_under_master) < 16:
            raise ValueError(f"a PIN key has 16 or 24 bytes, not {len(key_under_master)}")
        keys, types = self._facts["keys"], self._facts["key_types"]
        head = f"2{keys['master']}{keys['pin']}{types['pin']}{length}"
        return self._check_value(
            self._line.command((head + key_under_master.hex().upper()).encode())
        )

    def read_pin(
        self,
        pan12: bytes,
        minimum: int,
        maximum: int,
        timeout: float,
        count: Callable[[int], None],
    ) -> bytes:
        if len(pan12) != 12 or any(digit not in _HEX for digit in pan12):
            raise ValueError("12 account digits are needed")
        if not SHORTEST_PIN <= minimum <= maximum <= LONGEST_PIN:
            raise ValueError(f"no PIN of {minimum} to {maximum} digits")
        if not timeout > 0:
            raise ValueError("a PIN needs time")
        with self._state:
            self._cancelled.clear()
            self._reading = True
        end = time.monotonic() + timeout
        try:
            self._start_entry(pan12, minimum, maximum, timeout)
            return self._entry(maximum, end, count)
        finally:
            with self._state:
                self._reading = False
            # The pad forgets what was typed, and a finished block too.
            if self._line.open:
                with contextlib.suppress(PadGone, PadFault):
                    self._line.command(b"5032")
                self._line.keys.clear()

    def cancel(self) -> None:
        with self._state:
            if self._reading:
                self._cancelled.set()

    def status(self) -> PadStatus:
        try:
            answer = self._line.command(b"3")
        except PadGone:
            return PadStatus(PadReason.GONE)
        except PadFault as fault:
            if fault.code == self._facts["status"]["battery_low"]:
                return PadStatus(None, frozenset({PadNote.BATTERY_LOW}))
            return PadStatus(PadReason.FAULT)
        return _status_of(answer)

    def close(self) -> None:
        self._line.close()

    # --- PIN entry ---------------------------------------------------------------------------

    def _start_entry(self, pan12: bytes, minimum: int, maximum: int, timeout: float) -> None:
        facts = self._facts["pin"]
        seconds = min(255, math.ceil(timeout))
        for control, value in (("3", facts["mask"]), ("4", minimum), ("5", maximum)):
            self._line.command(f"5{control}{value:02X}".encode())
        self._line.command(f"52{seconds:02X}".encode())
        head = f"6{self._facts['keys']['pin']}{facts['format']}{facts['hint']}{maximum:02d}"
        self._line.keys.clear()
        self._line.command(head.encode() + pan12)

    def _entry(self, maximum: int, end: float, count: Callable[[int], None]) -> bytes:
        """Follow the keys until the entry is over."""
        facts = self._facts["pin"]
        typed = 0
        while True:
            if self._cancelled.is_set():
                raise PinCancelled(by_resident=False)
            if time.monotonic() >= end:
                raise PinTimeout("no PIN within the time allowed")
            if not self._line.keys:
                self._line.wait_for_keys(end)
                continue
            key = self._line.keys.popleft()
            before = typed
            if key == facts["mask"]:
                typed = min(typed + 1, maximum)
            elif key == facts["clear_last"]:
                typed = max(typed - 1, 0)
            elif key == facts["clear_all"]:
                typed = 0
            elif key == facts["cancel"]:
                raise PinCancelled(by_resident=True)
            elif key == facts["expired"]:
                raise PinTimeout("the pad's time for a PIN ran out")
            if typed != before:
                count(typed)
            full = facts["ends_at_maximum"] and typed == maximum
            if key == facts["enter"] or full:
                block = self._block()
                if block is not None:
                    return block

    def _block(self) -> bytes | None:
        """Fetch the finished block; None when the pad says that the entry is still open."""
        facts = self._facts["pin"]
        try:
            answer = self._line.command(b"7")
        except PadFault as fault:
            if fault.code == facts["not_finished"]:
                return None
            if fault.code == facts["timed_out"]:
                raise PinTimeout("the pad's time for a PIN ran out") from None
            raise
        # 1 answer byte, track 2, PIN length 2, then the block.
        try:
            block = bytes.fromhex(answer[5:].decode("ascii"))
        except ValueError:
            block = b""
        if len(block) != BLOCK:
            raise PadGone("the pad gave no PIN block")
        return block

    @staticmethod
    def _check_value(answer: bytes) -> bytes:
        try:
            check = bytes.fromhex(answer[1:].decode("ascii"))
        except ValueError:
            check = b""
        if len(check) < _LEAST_CHECK:
            raise PadGone("the pad gave no check value")
        return check[:BLOCK]


def _status_of(information: bytes) -> PadStatus:
    """What the answer to command 3 says: 1 answer byte, user 50, scan codes 48, settings 20,
    function 8, then the texts."""
    if len(information) < 139:
        return PadStatus(PadReason.GONE)
    try:
        settings = bytes.fromhex(information[99:119].decode("ascii"))
    except ValueError:
        return PadStatus(PadReason.GONE)
    texts = information[127:].decode("ascii", "replace")
    identity = PadIdentity(
        model=texts[0:6].strip(),
        hardware=texts[6:9].strip(),
        software=texts[9:12].strip(),
        serial=texts[16:20].strip(),
    )
    return PadStatus(most_urgent(_obstacles(settings[0]), PadReason), identity=identity)


def _obstacles(settings: int) -> Iterator[PadReason]:
    """What the first byte of the settings says."""
    if settings & 0x01:
        yield PadReason.NO_KEY
    if settings & 0x02:
        yield PadReason.BUSY
