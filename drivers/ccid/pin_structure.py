"""Bytes of secure PIN entry (PC/SC part 10, revision 2.02): what a reader offers, and the
structures that tell it where in a command the digits go.

Numbers of several bytes are little-endian, only the control codes in the list of features are
big-endian (part 10, 2.2). Unverified on hardware.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum

CHINESE = 0x0804
"""Windows language identifier of Chinese in China."""
LONGEST_BLOCK = 15
"""Bytes; the field has four bits."""


class Feature(IntEnum):
    """Features of a reader that are used here, by tag."""

    VERIFY_PIN_DIRECT = 0x06
    MODIFY_PIN_DIRECT = 0x07
    IFD_PIN_PROPERTIES = 0x0A
    GET_TLV_PROPERTIES = 0x12


class Property(IntEnum):
    """Properties of a reader's keys that are used here, by tag."""

    LCD_LAYOUT = 0x01
    SHORTEST_PIN = 0x06
    LONGEST_PIN = 0x07


_FEATURES = frozenset(int(each) for each in Feature)
_PROPERTIES = frozenset(int(each) for each in Property)


class PinCoding(Enum):
    """How the reader writes digits; bits 1 and 0 of bmFormatString."""

    BINARY = 0
    BCD = 1
    """Two digits a byte, the first in the high nibble."""
    ASCII = 2


class PinEnd(IntEnum):
    """What ends an entry; bits of bEntryValidationCondition."""

    LONGEST = 1
    KEY = 2
    TIME = 4


class Confirm(IntEnum):
    """Bits of bConfirmPIN."""

    NEW_TWICE = 1
    OLD_FIRST = 2


class MalformedList(ValueError):
    """A reader's list of features or properties is cut off, or has members of another form."""


@dataclass(frozen=True)
class PinPlace:
    """Where and how the digits stand in the command.

    Attributes:
        coding: of the digits, left-aligned.
        block: bytes that they take, 0..15; 0 leaves it to the reader.
        position: of the block behind Lc, 0..15.
        in_bytes: the position counts bytes, else bits.
    """

    coding: PinCoding
    block: int
    position: int = 0
    in_bytes: bool = True

    def encode(self) -> bytes:
        """bmFormatString, bmPINBlockString and bmPINLengthFormat: no length goes into the
        command."""
        if not (0 <= self.block <= LONGEST_BLOCK and 0 <= self.position <= 15):
            raise ValueError("block and position have four bits")
        return bytes([self.in_bytes << 7 | self.position << 3 | self.coding.value, self.block, 0])


@dataclass(frozen=True)
class PinEntry:
    """What verifying and changing have in common.

    Attributes:
        place: of the digits.
        shortest, longest: digits of a PIN.
        command: with fill where the digits go.
        seconds: for the entry, 0..255; 0 leaves it to the reader.
        seconds_after_key: the same from the first key on.
        end: bits of `PinEnd`.
        messages: how many lines the reader shows; 0 none, 255 as it likes.
        language: Windows language identifier.
    """

    place: PinPlace
    shortest: int
    longest: int
    command: bytes
    seconds: int = 0
    seconds_after_key: int = 0
    end: int = PinEnd.KEY
    messages: int = 0xFF
    language: int = CHINESE

    def _head(self) -> bytes:
        return bytes([self.seconds, self.seconds_after_key]) + self.place.encode()

    def _lengths(self) -> bytes:
        return bytes([self.longest, self.shortest])

    def _tail(self) -> bytes:
        """bTeoPrologue of zeros (T=1 only; the driver below numbers blocks), then the command."""
        return bytes(3) + _packed("<L", len(self.command)) + self.command


@dataclass(frozen=True)
class PinVerification(PinEntry):
    """PIN_VERIFY_STRUCTURE."""

    message: int = 0

    def encode(self) -> bytes:
        """19 bytes and the command. Raises ValueError: a field does not take its value."""
        shown = _packed("<BBHB", self.end, self.messages, self.language, self.message)
        return self._head() + self._lengths() + shown + self._tail()


@dataclass(frozen=True)
class PinModification(PinEntry):
    """PIN_MODIFY_STRUCTURE.

    Attributes:
        old_at, new_at: bytes behind Lc where the old and the new PIN begin.
        confirm: bits of `Confirm`.
        prompts: indices of the reader's texts for old PIN, new PIN, new PIN again.
    """

    old_at: int = 0
    new_at: int = 0
    confirm: int = Confirm.OLD_FIRST | Confirm.NEW_TWICE
    prompts: tuple[int, int, int] = (0, 1, 2)

    def encode(self) -> bytes:
        """24 bytes and the command. Raises ValueError: a field does not take its value."""
        offsets = bytes([self.old_at, self.new_at])
        shown = _packed("<BBBH", self.confirm, self.end, self.messages, self.language)
        head = self._head() + offsets + self._lengths()
        return head + shown + bytes(self.prompts) + self._tail()


def _packed(form: str, *values: int) -> bytes:
    """Raises ValueError: one does not take its value."""
    try:
        return struct.pack(form, *values)
    except struct.error as error:
        raise ValueError(str(error)) from None


def features(answer: bytes) -> dict[Feature, int]:
    """The control codes of the features that a reader offers and we know; later entries of a tag
    replace earlier ones.

    Raises:
        MalformedList: `answer` is no list of features.
    """
    found: dict[Feature, int] = {}
    for tag, value in _members(answer):
        if len(value) != 4:
            raise MalformedList("a feature's control code has 4 bytes")
        if tag in _FEATURES:
            found[Feature(tag)] = int.from_bytes(value, "big")
    return found


def properties(answer: bytes) -> dict[Property, int]:
    """What GET_TLV_PROPERTIES says about the keys, as far as we know it.

    Raises:
        MalformedList: `answer` is no list of properties.
    """
    return {
        Property(tag): int.from_bytes(value, "little")
        for tag, value in _members(answer)
        if tag in _PROPERTIES
    }


def pin_properties(answer: bytes) -> dict[Property, int]:
    """The same from the older IFD_PIN_PROPERTIES, which has 4 bytes (3 in its first form).

    Raises:
        MalformedList: it has another length.
    """
    if len(answer) not in (3, 4):
        raise MalformedList("PIN properties have 4 bytes")
    return {Property.LCD_LAYOUT: int.from_bytes(answer[:2], "little")}


def _members(listed: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(listed):
        end = at + 2 + listed[at + 1] if at + 1 < len(listed) else len(listed) + 1
        if end > len(listed):
            raise MalformedList("a list of a reader is cut off")
        yield listed[at], listed[at + 2 : end]
        at = end
