"""The commands of the social security card that a terminal sends, by name.

Bytes as observed on issued cards; status words and files are described in `apdu.status` and
`apdu.profile`.
"""

from __future__ import annotations

from enum import Enum

from apdu.command import SHORT_NE, Command

_EIGHT = "authentication works on parts of 8 bytes"
_CLA = 0x00

READ_SELECTED = 0
"""SFI value that names the currently selected file."""


class Ins(Enum):
    """Instruction bytes, with the names used in messages and traces."""

    VERIFY = 0x20
    CHANGE_PIN = 0x5E
    EXTERNAL_AUTHENTICATE = 0x82
    GET_CHALLENGE = 0x84
    INTERNAL_AUTHENTICATE = 0x88
    SELECT = 0xA4
    READ_BINARY = 0xB0
    READ_RECORD = 0xB2
    GET_RESPONSE = 0xC0

    @property
    def label(self) -> str:
        """For example ``READ RECORD``."""
        return self.name.replace("_", " ")


class Select(Enum):
    """P1 of SELECT when a file is named by its two-byte identifier; cards differ."""

    ANY = 0x00
    FILE_HERE = 0x02
    """An elementary file under the current application."""


class ReadMode(Enum):
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
    return Command(_CLA, Ins.SELECT.value, 0x04, 0x00, name, SHORT_NE)


def select_by_fid(fid: int, how: Select = Select.ANY) -> Command:
    """SELECT a file by its two-byte identifier."""
    return Command(_CLA, Ins.SELECT.value, how.value, 0x00, fid.to_bytes(2, "big"), SHORT_NE)


def read_record(p1: int, mode: ReadMode, *, sfi: int = READ_SELECTED) -> Command:
    """READ RECORD with Le 00.

    Args:
        p1: record number or tag, by `mode`.
        mode: what `p1` means.
        sfi: short identifier of the file, 1..30; `READ_SELECTED` for the selected one.

    Raises:
        ValueError: a part is out of range.
    """
    if not 0 <= sfi <= 30:
        raise ValueError(f"SFI {sfi} is not in 0..30")
    return Command(_CLA, Ins.READ_RECORD.value, p1, sfi << 3 | mode.value, ne=SHORT_NE)


def read_binary(sfi: int, ne: int) -> Command:
    """READ BINARY of the first `ne` bytes of the transparent file with this SFI, 1..30."""
    if not 1 <= sfi <= 30:
        raise ValueError(f"SFI {sfi} is not in 1..30")
    return Command(_CLA, Ins.READ_BINARY.value, 0x80 | sfi, 0x00, ne=ne)


def verify(pin: bytearray) -> Command:
    """VERIFY the holder's PIN, 2..8 packed bytes. The buffer is kept: wipe it afterwards."""
    if not 2 <= len(pin) <= 8:
        raise ValueError("a packed PIN has 2..8 bytes")
    return Command(_CLA, Ins.VERIFY.value, 0x00, 0x00, pin)


def get_challenge(length: int = 8) -> Command:
    """GET CHALLENGE of 4, 8 or 16 bytes; good for one authentication."""
    if length not in (4, 8, 16):
        raise ValueError(f"a challenge has 4, 8 or 16 bytes, not {length}")
    return Command(_CLA, Ins.GET_CHALLENGE.value, 0x00, 0x00, ne=length)


def internal_authenticate(factor: bytes, data: bytes) -> Command:
    """INTERNAL AUTHENTICATE: the card proves itself over 8 bytes `factor` and 8 bytes `data`."""
    if not len(factor) == len(data) == 8:
        raise ValueError(_EIGHT)
    return Command(_CLA, Ins.INTERNAL_AUTHENTICATE.value, 0x00, 0x00, factor + data, ne=8)


def external_authenticate(key_id: int, cryptogram: bytes, data: bytes) -> Command:
    """EXTERNAL AUTHENTICATE by the card's key `key_id`: our 8-byte cryptogram and its data."""
    if not len(cryptogram) == len(data) == 8:
        raise ValueError(_EIGHT)
    body = bytearray(cryptogram + data)
    return Command(_CLA, Ins.EXTERNAL_AUTHENTICATE.value, 0x00, key_id, body)


def get_response(ne: int) -> Command:
    """GET RESPONSE of `ne` bytes, 1..256, after 61xx."""
    return Command(_CLA, Ins.GET_RESPONSE.value, 0x00, 0x00, ne=ne)
