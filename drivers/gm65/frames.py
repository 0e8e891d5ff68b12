"""Frames of the GM65 family: ``7E 00 | type | length | address 2 | data | CRC 2`` to the module,
``02 00 | 00 | length | data | CRC 2`` back.

The CRC runs over all between the head and itself; ``AB CD`` in its place tells the module not to
look. A code's payload comes without any frame, behind the answer to the trigger. Source: domain
card.md §7, mark B; vectors in gm65.toml.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from enum import IntEnum

LONGEST_DATA = 255
WRITTEN = bytes.fromhex("02000001003331")
"""How a module answers each command that writes."""
_HEAD = b"\x7e\x00"
_ANSWER_HEAD = b"\x02\x00\x00"
_UNCHECKED = b"\xab\xcd"


class Kind(IntEnum):
    """What a command does with a register."""

    READ = 0x07
    WRITE = 0x08
    SAVE = 0x09
    """All registers to flash; the address and the one byte of data are 0."""


@dataclass(frozen=True)
class Answer:
    """An answer whose CRC is right, with the register's content."""

    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Damaged:
    """Something began like an answer and was none; its bytes are dropped."""


def crc(octets: bytes) -> bytes:
    """CRC-16/XMODEM, high byte first."""
    return binascii.crc_hqx(octets, 0).to_bytes(2, "big")


def encode(kind: Kind, address: int, data: bytes, *, checked: bool = True) -> bytes:
    """A command.

    Args:
        data: 1..255 bytes to write; to read, one byte with the number of registers.
        checked: False puts AB CD in the CRC's place.
    """
    if not 1 <= len(data) <= LONGEST_DATA:
        raise ValueError(f"a command holds 1 to {LONGEST_DATA} bytes, not {len(data)}")
    octets = bytes([kind, len(data)]) + address.to_bytes(2, "big") + data
    return _HEAD + octets + (crc(octets) if checked else _UNCHECKED)


def take_answer(held: bytearray, length: int) -> Answer | Damaged | None:
    """Cut the first answer with so many bytes of data out of what was received.

    What stands before it is dropped, what follows stays, as does the beginning of an answer that
    is not complete.

    Returns:
        None when there is none yet.
    """
    head = _ANSWER_HEAD + bytes([length])
    total = len(head) + length + 2
    damaged = False
    while True:
        start = held.find(head)
        if start < 0:
            del held[: len(held) - _begun(held, head)]
            break
        del held[:start]
        if len(held) < total:
            break
        frame = bytes(held[:total])
        if frame[-2:] == crc(frame[2:-2]):
            del held[:total]
            return Answer(frame[len(head) : -2])
        damaged = True
        # A lost byte makes a frame swallow the head of the next.
        del held[0]
    return Damaged() if damaged else None


def _begun(held: bytearray, head: bytes) -> int:
    """How many bytes at the end of `held` are the beginning of `head`."""
    return next(size for size in range(len(head) - 1, -1, -1) if held.endswith(head[:size]))


class PayloadReader:
    """Cuts one code's payload out of the bytes behind a trigger's answer, however they arrive.

    Args:
        end: the module's end mark, empty when it sends none.
        longest: bytes of payload; a longer one is dropped up to its end.
    """

    def __init__(self, end: bytes, longest: int) -> None:
        self._end = end
        self._longest = longest
        self._held = bytearray()
        self._skipping = False
        self.dropped = False
        """A payload was too long."""

    @property
    def begun(self) -> bool:
        """A payload has begun and its end has not come."""
        return bool(self._held) or self._skipping

    def feed(self, data: bytes) -> bytes | None:
        """The payload that these bytes complete; None when there is none yet."""
        self._held += data
        self._skip_late_answers()
        while self._end and self._end in self._held:
            payload, _, rest = self._held.partition(self._end)
            self._held = rest
            too_long = self._skipping or len(payload) > self._longest
            self._skipping = False
            self.dropped = self.dropped or too_long
            if payload and not too_long:
                return bytes(payload)
            self._skip_late_answers()
        if len(self._held) >= self._longest + max(1, len(self._end)):
            self._skipping = True
        if self._skipping:
            # The end mark may have begun in the last bytes.
            del self._held[: len(self._held) - max(0, len(self._end) - 1)]
        return None

    def silence(self) -> bytes | None:
        """The line has fallen silent: that ends a payload without end mark, and cuts another."""
        payload = bytes(self._held)
        self._held.clear()
        self._skipping = False
        return None if self._end else payload or None

    def _skip_late_answers(self) -> None:
        """Answers to a command that was repeated, or to a stop, are no part of a code."""
        while not self._skipping and self._held.startswith(WRITTEN):
            del self._held[: len(WRITTEN)]
