"""The PIN pad as the terminal uses it: a fresh key each entry, a count of keys, a block out."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.pin_block import (
    PinFormat,
    fresh_pin_key,
    key_check_value,
    open_pin_block,
    pan_for_card_number,
    wipe,
    wrap_pin_key,
)
from drivers.pin_pad import PadReason, PadReset, PadStatus, PinPad
from kiosk.steps import Reporter


@dataclass
class PinEntered:
    """An encrypted PIN block and what opens it, once, into a buffer that is wiped after use."""

    block: bytes = field(repr=False)
    pan: bytes = field(repr=False)
    _key: bytearray = field(repr=False)
    _form: PinFormat = PinFormat.ISO_0

    def digits(self) -> bytearray:
        """The PIN as ASCII digits in a buffer that the caller zeroes.

        Raises:
            drivers.pin_block.MalformedPinBlock: the block does not open under the key.
        """
        return open_pin_block(self.block, self._key, self.pan, self._form)

    def wipe(self) -> None:
        """Zero the key; the block can't be opened any more."""
        wipe(self._key)


class PinStream:
    """One entry of a PIN: reports the count of keys, ends with the block."""

    lane = "pad"

    def __init__(self, station: PadStation, pan: bytes) -> None:
        self._station = station
        self._pan = pan
        self._cancelled = threading.Event()

    def run(self, report: Reporter) -> PinEntered:
        """See `drivers.pin_pad.PinPad.read_pin` for what it raises."""
        return self._station.read(self._pan, report, self._cancelled)

    def cancel(self) -> None:
        """From any thread, before it runs too."""
        self._cancelled.set()


class PadStation:
    """One pad and its master key.

    Args:
        open_pad: opens the device; called again after it was gone.
        master_key: 16 bytes; loaded into the pad in the clear where ``load_master`` is set
            (a demonstration; in the field the key was loaded in a ceremony).
        length: digits of the PIN, minimum and maximum.
        seconds: the pad's own time limit for a whole entry.

    Attributes:
        failed: it could not be used when it was looked at last.
    """

    lane = "pad"

    def __init__(
        self,
        open_pad: Callable[[], PinPad],
        master_key: Callable[[], bytearray],
        *,
        load_master: bool,
        length: tuple[int, int],
        seconds: float,
    ) -> None:
        self._open_pad = open_pad
        self._master_key = master_key
        self._load_master = load_master
        self._length = length
        self._seconds = seconds
        self._pad: PinPad | None = None
        self.failed = False

    def entry(self, card_number: str) -> PinStream:
        """A new entry for the card with this number (part of the PIN block)."""
        return PinStream(self, pan_for_card_number(card_number))

    def read(self, pan: bytes, report: Reporter, cancelled: threading.Event) -> PinEntered:
        """Let the resident type; blocking, on the pad's worker. A pad that was without power for
        a moment is asked once more, from the first digit."""
        try:
            return self._read_once(pan, report, cancelled)
        except PadReset:
            report(0)
            return self._read_once(pan, report, cancelled)

    def _read_once(self, pan: bytes, report: Reporter, cancelled: threading.Event) -> PinEntered:
        pin_key = fresh_pin_key()
        try:
            pad = self._opened()
            self._load(pad, pin_key)
            block = pad.read_pin(pan, *self._length, self._seconds, report, cancelled)
        except BaseException:
            wipe(pin_key)
            raise
        return PinEntered(block, pan, pin_key, pad.block_format)

    def look(self) -> PadStatus:
        """Ask the pad how it stands; on the pad's worker. That it has no master key yet is no
        obstacle where each entry loads it."""
        status = self._opened().status()
        if self._load_master and status.reason is PadReason.NO_KEY:
            return dataclasses.replace(status, reason=None)
        return status

    def close(self) -> None:
        """Close the device."""
        if self._pad is not None:
            self._pad.close()
            self._pad = None

    def _opened(self) -> PinPad:
        if self._pad is None:
            self._pad = self._open_pad()
        return self._pad

    def _load(self, pad: PinPad, pin_key: bytearray) -> None:
        master = self._master_key()
        try:
            if self._load_master:
                pad.load_master_key(master)
            pad.load_pin_key(wrap_pin_key(pin_key, master), key_check_value(pin_key))
        finally:
            wipe(master)
