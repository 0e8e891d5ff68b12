"""The commands of the social security card that a terminal sends, by name.

Bytes as observed on issued cards; status words and files are described in `apdu.status` and
`apdu.profile`.
"""

from __future__ import annotations

import functools
from enum import IntEnum

from apdu.command import SHORT_NC, SHORT_NE, Command

_EIGHT = "authentication works on parts of 8 bytes"
_CLA = 0x00
_CLA_PROPRIETARY = 0x80
_SFI_OFFSETS = 0x100
_OFFSETS = 0x8000

READ_SELECTED = 0
"""SFI value that names the currently selected file."""


class Ins(IntEnum):
    """Instruction bytes, with the names used in messages and traces."""

    CARD_BLOCK = 0x16
    APPLICATION_UNBLOCK = 0x18
    APPLICATION_BLOCK = 0x1E
    VERIFY = 0x20
    UNBLOCK_PIN = 0x24
    """P2 tells whether the old PIN stays (unblock) or a new one comes with it (reload)."""
    CHANGE_PIN = 0x5E
    EXTERNAL_AUTHENTICATE = 0x82
    GET_CHALLENGE = 0x84
    INTERNAL_AUTHENTICATE = 0x88
    SELECT = 0xA4
    READ_BINARY = 0xB0
    READ_RECORD = 0xB2
    GET_RESPONSE = 0xC0
    UPDATE_BINARY = 0xD6
    UPDATE_RECORD = 0xDC

    @property
    def label(self) -> str:
        """For example ``READ RECORD``."""
        return self.name.replace("_", " ")


class Select(IntEnum):
    """P1 of SELECT when a file is named by its two-byte identifier; cards differ."""

    ANY = 0x00
    FILE_HERE = 0x02
    """An elementary file under the current application."""


class ReadMode(IntEnum):
    """Low three bits of P2 of READ RECORD, telling what P1 means."""

    BY_TAG = 0
    """P1 is the item's tag (record identifier)."""
    BY_NUMBER = 4
    """P1 is the record number, from 1."""
    ALL_FROM = 5
    """P1 is the first record number; the card returns all records from there."""


def select_by_name(name: bytes) -> Command:
    """SELECT an application by its name (AID), 5..16 bytes; answers with its FCI."""
    if not 5 <= len(name) <= 16:
        raise ValueError(f"an application name has 5..16 bytes, not {len(name)}")
    return Command(_CLA, Ins.SELECT, 0x04, 0x00, name, SHORT_NE)


def select_by_fid(fid: int, how: Select = Select.ANY) -> Command:
    """SELECT a file by its two-byte identifier."""
    return Command(_CLA, Ins.SELECT, how, 0x00, fid.to_bytes(2, "big"), SHORT_NE)


@functools.cache
def read_record(
    p1: int, mode: ReadMode, *, sfi: int = READ_SELECTED, ne: int = SHORT_NE
) -> Command:
    """READ RECORD.

    Args:
        p1: record number or tag, by `mode`.
        mode: what `p1` means.
        sfi: short identifier of the file, 1..30; `READ_SELECTED` for the selected one.
        ne: most bytes expected, 1..256: whatever there is (Le 00), or exactly one record.

    Raises:
        ValueError: a part is out of range.
    """
    if not 0 <= sfi <= 30:
        raise ValueError(f"SFI {sfi} is not in 0..30")
    return Command(_CLA, Ins.READ_RECORD, p1, sfi << 3 | mode, ne=ne)


def update_record(number: int, record: bytes) -> Command:
    """UPDATE RECORD `number` (from 1) of the selected file with tag, length and value, in plain
    (mark B)."""
    if not 1 <= number <= 0xFE:
        raise ValueError(f"record {number} is not in 1..254 (numbers are bytes)")
    if not 1 <= len(record) <= SHORT_NC:
        raise ValueError(f"a record of {len(record)} bytes does not go into one command")
    return Command(_CLA, Ins.UPDATE_RECORD, number, ReadMode.BY_NUMBER, record)


def read_binary(sfi: int, ne: int, *, offset: int = 0) -> Command:
    """READ BINARY of `ne` bytes, 1..256, of a transparent file.

    Args:
        sfi: short identifier of the file, 1..30; `READ_SELECTED` for the selected one.
        ne: bytes to read.
        offset: where to begin: below 256 with a short identifier, else below 32768.

    Raises:
        ValueError: a part is out of range.
    """
    p1, p2 = _place(sfi, offset)
    return Command(_CLA, Ins.READ_BINARY, p1, p2, ne=ne)


def update_binary(sfi: int, offset: int, data: bytes) -> Command:
    """UPDATE BINARY with 1..255 bytes from `offset` on; the place as in `read_binary`."""
    if not 1 <= len(data) <= SHORT_NC:
        raise ValueError(f"{len(data)} bytes do not go into one command")
    p1, p2 = _place(sfi, offset)
    return Command(_CLA, Ins.UPDATE_BINARY, p1, p2, data)


def _place(sfi: int, offset: int) -> tuple[int, int]:
    """P1 and P2 of the BINARY commands: the short form has one byte for the offset."""
    if not 0 <= sfi <= 30:
        raise ValueError(f"SFI {sfi} is not in 0..30")
    if not 0 <= offset < (_SFI_OFFSETS if sfi else _OFFSETS):
        raise ValueError(f"offset {offset} has more bytes than P1 and P2 leave")
    return (0x80 | sfi, offset) if sfi else (offset >> 8, offset & 0xFF)


def verify(pin: bytearray) -> Command:
    """VERIFY the holder's PIN, 2..8 packed bytes. The buffer is kept: wipe it afterwards."""
    if not 2 <= len(pin) <= 8:
        raise ValueError("a packed PIN has 2..8 bytes")
    return Command(_CLA, Ins.VERIFY, 0x00, 0x00, pin)


def pin_status() -> Command:
    """VERIFY without data: asks for the tries left. Some cards take it for a wrong PIN: send it
    only where the profile says that they do not (`PinRules.status_query`)."""
    return Command(_CLA, Ins.VERIFY, 0x00, 0x00)


def change_pin(pins: bytearray) -> Command:
    """CHANGE PIN with the old one, FF and the new one, packed (mark B). The buffer is kept: wipe
    it afterwards."""
    if not 5 <= len(pins) <= 17:
        raise ValueError("two packed PINs have 2..8 bytes each, and FF between them")
    return Command(_CLA_PROPRIETARY, Ins.CHANGE_PIN, 0x01, 0x00, pins)


def get_challenge(length: int = 8) -> Command:
    """GET CHALLENGE of 4, 8 or 16 bytes; good for one authentication."""
    if length not in (4, 8, 16):
        raise ValueError(f"a challenge has 4, 8 or 16 bytes, not {length}")
    return Command(_CLA, Ins.GET_CHALLENGE, 0x00, 0x00, ne=length)


def internal_authenticate(factor: bytes, data: bytes) -> Command:
    """INTERNAL AUTHENTICATE: the card proves itself over 8 bytes `factor` and 8 bytes `data`."""
    if not len(factor) == len(data) == 8:
        raise ValueError(_EIGHT)
    return Command(_CLA, Ins.INTERNAL_AUTHENTICATE, 0x00, 0x00, factor + data, ne=8)


def external_authenticate(key_id: int, cryptogram: bytes, data: bytes) -> Command:
    """EXTERNAL AUTHENTICATE by the card's key `key_id`: our 8-byte cryptogram and its data."""
    if not len(cryptogram) == len(data) == 8:
        raise ValueError(_EIGHT)
    body = bytearray(cryptogram + data)
    return Command(_CLA, Ins.EXTERNAL_AUTHENTICATE, 0x00, key_id, body)
