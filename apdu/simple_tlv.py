"""SIMPLE-TLV (ISO/IEC 7816-4 §5.2.1): one-byte tag, length, value.

Item records of the social security card are of this kind. A B-TLV item's value is a sequence of
them again: decode the value once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from apdu.errors import MalformedAnswer

_LONG = 0xFF
"""As length byte: two more bytes hold the length. As tag: never used, so it is padding."""
_PADDING = b"\x00\xff"


class Record(NamedTuple):
    """One item.

    Attributes:
        tag: 0x01..0xFE.
        value: 0..65535 bytes; not shown by repr.
        whole: False where the card stores fewer bytes than the record says; `decode` makes none
            such.
    """

    tag: int
    value: bytes
    whole: bool = True

    def __repr__(self) -> str:
        return f"Record(tag={self.tag:02X}, {len(self.value)} bytes)"


def encode(records: Iterable[Record]) -> bytes:
    """The records one after another.

    Raises:
        ValueError: a tag outside 01..FE or a value over 65535 bytes.
    """
    out = bytearray()
    for record in records:
        if not 0x01 <= record.tag <= 0xFE:
            raise ValueError(f"{record.tag:#x} is no SIMPLE-TLV tag")
        length = len(record.value)
        if length > 0xFFFF:
            raise ValueError(f"a SIMPLE-TLV value of {length} bytes")
        out.append(record.tag)
        out += bytes((length,)) if length < _LONG else b"\xff" + length.to_bytes(2, "big")
        out += record.value
    return bytes(out)


def decode(data: bytes, *, skip_padding: bool = False) -> tuple[Record, ...]:
    """The records in `data`.

    Args:
        data: the records and nothing else.
        skip_padding: also allow 00 and FF bytes between and after records; cards fill their
            records with them.

    Raises:
        MalformedAnswer: a length runs past the end, or a tag is 00 or FF.
    """
    records, at, size = [], 0, len(data)
    while at < size:
        tag = data[at]
        if tag in _PADDING:
            if not skip_padding:
                raise MalformedAnswer("a record with an impossible tag")
            at += 1
            continue
        start = at + 2
        if start <= size and data[at + 1] != _LONG:
            length = data[at + 1]
        else:
            length, start = _long_length(data, at + 1)
        at = start + length
        if at > size:
            raise MalformedAnswer("a record longer than the answer")
        records.append(Record(tag, data[start:at]))
    return tuple(records)


def _long_length(data: bytes, at: int) -> tuple[int, int]:
    """The length in the two bytes behind `at`, and where its value starts."""
    if at + 3 > len(data):
        raise MalformedAnswer("a record without length")
    return int.from_bytes(data[at + 1 : at + 3], "big"), at + 3
