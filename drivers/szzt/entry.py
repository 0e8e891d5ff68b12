"""One PIN entry at an SZZT pad, from its start to its block."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drivers.pin_block import BLOCK
from drivers.pin_pad import (
    PadFault,
    PadGone,
    PadReset,
    PadTampered,
    PadTrouble,
    PinCancelled,
    PinTimeout,
)
from drivers.szzt.information import Information, read_information
from drivers.szzt.line import SzztLine, SzztTimes


@dataclass(frozen=True)
class Wanted:
    """What the resident is asked for; see `drivers.pin_pad.PinPad.read_pin`."""

    pan12: bytes
    minimum: int
    maximum: int
    timeout: float
    count: Callable[[int], None]
    cancelled: threading.Event


class SzztEntry:
    """Used once: `run`."""

    def __init__(
        self, line: SzztLine, times: SzztTimes, facts: dict[str, Any], wanted: Wanted
    ) -> None:
        self._line = line
        self._times = times
        self._facts = facts
        self._wanted = wanted
        self._tells = False
        self._maybe_finished = False
        self._heard = time.monotonic()

    def run(self) -> bytes:
        """The encrypted block. Raises as `PinPad.read_pin`."""
        end = time.monotonic() + self._wanted.timeout
        self._start()
        block = self._follow(end)
        if self._wanted.cancelled.is_set():
            raise PinCancelled(by_resident=False)
        return block

    def _start(self) -> None:
        facts, wanted = self._facts["pin"], self._wanted
        seconds = min(255, math.ceil(wanted.timeout))
        for control, value in (
            ("3", facts["mask"]),
            ("4", wanted.minimum),
            ("5", wanted.maximum),
            ("2", seconds),
        ):
            self._line.command(f"5{control}{value:02X}".encode())
        form = self._facts["formats"][facts["format"]]
        key = self._facts["keys"]["pin"]
        head = f"6{key}{form}{facts['hint']}{wanted.maximum:02d}"
        self._line.keys.clear()
        self._line.listening = True
        self._line.command(head.encode() + wanted.pan12)
        if facts["watched"]:
            information = self._information()
            self._tells = information is not None and information.takes_keys
            # Somebody may have typed while answers were repeated. Otherwise a pad that does not
            # say now that an entry is open never tells that it lost one.
            self._maybe_finished = not self._tells

    def _follow(self, end: float) -> bytes:
        facts, line, wanted = self._facts["pin"], self._line, self._wanted
        typed = 0
        while True:
            if wanted.cancelled.is_set():
                raise PinCancelled(by_resident=False)
            if time.monotonic() >= end:
                raise PinTimeout("no PIN within the time allowed")
            if not line.keys:
                block = self._unasked()
                if block is not None:
                    return block
                line.wait_for_keys(end)
                continue
            key, before = line.keys.popleft(), typed
            self._heard = time.monotonic()
            if key == facts["mask"]:
                typed = min(typed + 1, wanted.maximum)
            elif key == facts["clear_last"]:
                typed = max(typed - 1, 0)
            elif key == facts["clear_all"]:
                typed = 0
            elif key == facts["cancel"]:
                raise PinCancelled(by_resident=True)
            elif key == facts["expired"]:
                raise PinTimeout("the pad's time for a PIN ran out")
            if typed != before:
                wanted.count(typed)
            full = facts["ends_at_maximum"] and typed == wanted.maximum
            if key == facts["enter"] or full:
                block = self._block()
                if block is not None:
                    return block

    def _unasked(self) -> bytes | None:
        """A block although no key said that there is one: the pad may have lost the entry, or the
        line its last key. None while the entry is open, or keys came that say more."""
        if self._maybe_finished:
            self._maybe_finished = False
            return self._block()
        if not self._tells or time.monotonic() - self._heard < self._times.watch:
            return None
        self._heard = time.monotonic()
        information = self._information()
        if information is None or information.takes_keys or self._line.keys:
            return None
        if not information.has_master_key:
            raise PadTampered(0, "the master key is gone", PadTrouble.KEYS_LOST)
        block = self._block()
        if block is None:
            raise PadReset("the pad forgot the entry")
        return block

    def _information(self) -> Information | None:
        return read_information(self._line.command(b"3"))

    def _block(self) -> bytes | None:
        """Fetch the finished block; None when the pad says that there is none."""
        try:
            answer = self._line.command(b"7")
        except PadFault as fault:
            if fault.code == self._facts["pin"]["not_finished"]:
                return None
            if fault.trouble is PadTrouble.TIMED_OUT:
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
