"""Item formats of the card's files: text, digits, dates and bytes, written into fixed lengths.

What we write is strict. What we read is lenient, because issued cards are not strict: text is
padded with 00 or with blanks, versions end in NUL, fields are longer than they should be. A value
that nobody can read, such as ASCII digits where a packed date belongs, is reported as
`Unreadable`, never guessed at and never a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import assert_never

_BLANKS = b"\x00 \xff"
_FILLING = b"\x00\xff"
"""Behind the content of a transparent file; a blank there may belong to the content."""
ENCODING = "gb18030"


class Format(Enum):
    """How an item's value is written."""

    AN = "an"
    """Letters and digits: ASCII, left-aligned, padded with 00."""
    ANS = "ans"
    """Any text: GB 18030, left-aligned, padded with 00."""
    CN = "cn"
    """Digits, two a byte (BCD), left-aligned, padded with nibble F."""
    CN_HEX = "cn-hex"
    """As CN; issued cards use the nibbles A..F here too."""
    CN_DATE = "cn-date"
    """Digits YYYYMMDD, two a byte."""
    CN_MONTH = "cn-month"
    """Digits YYYYMM, two a byte."""
    INT = "int"
    """An unsigned integer, big-endian."""
    B = "b"
    """Bytes as they are."""
    B_TLV = "b-tlv"
    """Item records inside the value. To this module plain bytes: `apdu.dictionary` takes them
    apart."""
    TRANSPARENT = "transparent"
    """The content of a transparent file: at most so many bytes, filled up with 00."""


@dataclass(frozen=True, repr=False)
class Unreadable:
    """A stored value that is not of its format.

    Attributes:
        raw: the bytes found; not shown by repr.
    """

    raw: bytes

    def for_staff(self) -> str:
        """The bytes in hexadecimal and, where all of them are, as ASCII characters. Personal
        data: only for whoever may see the whole card."""
        plain = self.raw.isascii() and self.raw.decode("ascii").isprintable()
        return self.raw.hex().upper() + (f" “{self.raw.decode('ascii')}”" if plain else "")

    def __repr__(self) -> str:
        return f"Unreadable({len(self.raw)} bytes)"


Value = str | bytes | date | int
"""What an item holds, by its format: text, digits and months `str`, CN_DATE `date`, INT `int`,
B and TRANSPARENT `bytes`."""


def encode(form: Format, value: Value, length: int) -> bytes:
    """Write `value` into exactly `length` bytes.

    Raises:
        ValueError: another type than the format's, foreign characters, or too long. The text
            never repeats the value.
    """
    match form:
        case Format.AN:
            return _pad(_to_bytes(_text(value), "ascii"), length, b"\x00")
        case Format.ANS:
            return _pad(_to_bytes(_text(value), ENCODING), length, b"\x00")
        case Format.CN:
            return _digits(_text(value), length, "0123456789")
        case Format.CN_HEX:
            return _digits(_text(value), length, "0123456789ABCDEF")
        case Format.CN_DATE:
            if not isinstance(value, date):
                raise ValueError("a date is needed")
            return _digits(f"{value:%Y%m%d}".rjust(8, "0"), length, "0123456789")
        case Format.CN_MONTH:
            if not _is_month(_text(value)):
                raise ValueError("a month YYYYMM is needed")
            return _digits(_text(value), length, "0123456789")
        case Format.INT:
            return _integer(value, length)
        case Format.B | Format.B_TLV:
            if not isinstance(value, bytes) or len(value) != length:
                raise ValueError(f"exactly {length} bytes are needed")
            return value
        case Format.TRANSPARENT:
            if not isinstance(value, bytes) or value != value.rstrip(_FILLING):
                raise ValueError("bytes that do not end in filling are needed")
            return _pad(value, length, b"\x00")
        case _:
            assert_never(form)


def blank(form: Format, length: int) -> bytes:
    """The stored form of a field that holds nothing, `length` bytes; `decode` reads it as None,
    except in a B field, where it cannot be told from a value."""
    match form:
        case Format.AN | Format.ANS | Format.B | Format.B_TLV | Format.TRANSPARENT:
            return bytes(length)
        case Format.CN | Format.CN_HEX | Format.CN_DATE | Format.CN_MONTH | Format.INT:
            return b"\xff" * length
        case _:
            assert_never(form)


Read = Value | Unreadable | None
"""What is read: None where the field is blank, `Unreadable` where it is not of its format."""


def decode(form: Format, raw: bytes, length: int) -> Read:
    """Read a stored value leniently; never raises.

    Args:
        form: the item's format.
        raw: the value as stored.
        length: the item's declared length. A longer value loses what is only padding.
    """
    return reader(form, length)(raw)


def reader(form: Format, length: int) -> Callable[[bytes], Read]:
    """What reads values of this format and length, as `decode`; for whoever reads many."""
    match form:
        case Format.AN | Format.ANS:
            return _read_text
        case Format.B:
            return lambda raw: _exactly(raw, length)
        case Format.TRANSPARENT:
            return lambda raw: raw[:length].rstrip(_FILLING) or None
        case Format.INT:
            return lambda raw: _read_integer(raw, length)
        case Format.B_TLV:
            return lambda raw: _field(raw, length)
        case Format.CN:
            return lambda raw: _read_decimals(raw, length)
        case Format.CN_HEX:
            return lambda raw: _read_digits(raw, length)
        case Format.CN_DATE:
            return lambda raw: _read_date(raw, length)
        case Format.CN_MONTH:
            return lambda raw: _read_month(raw, length)
        case _:
            assert_never(form)


def _field(raw: bytes, length: int) -> bytes | Unreadable | None:
    """The value without what follows it; None where it is nothing but one kind of padding. 20 is
    also a pair of digits (民族 code 20): only three bytes and more of it are blank."""
    field = raw[:length]
    if not field:
        return None
    first = field[0]
    if (first in (0x00, 0xFF) or (first == 0x20 and len(field) >= 3)) and (
        field.count(first) == len(field)
    ):
        return None
    return field if len(raw) == length else _exactly(raw, length)


def text_bytes(raw: bytes) -> bytes:
    """Stored text without its padding: for texts that go on in a second item, where a
    character may be cut in the middle."""
    return raw.rstrip(_BLANKS)


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise ValueError("text is needed")
    return value


def _to_bytes(text: str, encoding: str) -> bytes:
    if text != text.rstrip("\x00 "):
        raise ValueError("text that ends in padding would not come back")
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        raise ValueError(f"text that {encoding} cannot write") from None


def _pad(data: bytes, length: int, padding: bytes) -> bytes:
    if len(data) > length:
        raise ValueError(f"{len(data)} bytes do not fit into {length}")
    return data.ljust(length, padding)


def _digits(text: str, length: int, alphabet: str) -> bytes:
    if any(character not in alphabet for character in text):
        raise ValueError("a character that is no digit")
    if len(text) > 2 * length:
        raise ValueError(f"{len(text)} digits do not fit into {length} bytes")
    return bytes.fromhex(text.ljust(2 * length, "F"))


def _integer(value: Value, length: int) -> bytes:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("an integer is needed")
    # All FF is what erased memory holds: it would be read as blank.
    if not 0 <= value < (1 << 8 * length) - 1:
        raise ValueError(f"an integer that does not fit into {length} bytes")
    return value.to_bytes(length, "big")


def _read_integer(raw: bytes, length: int) -> int | Unreadable | None:
    field = _exactly(raw, length)
    if isinstance(field, Unreadable):
        return None if not raw.strip(b"\xff") else field
    return int.from_bytes(field, "big") if field.strip(b"\xff") else None


def _exactly(raw: bytes, length: int) -> bytes | Unreadable:
    if len(raw) == length:
        return raw
    excess = raw[length:].strip(_BLANKS)
    return raw[:length] if len(raw) >= length and not excess else Unreadable(raw)


def _read_text(raw: bytes) -> str | Unreadable | None:
    text = raw.rstrip(_BLANKS)
    if not text:
        return None
    try:
        return text.decode("ascii") if text.isascii() else text.decode(ENCODING)
    except UnicodeDecodeError:
        return Unreadable(raw)


def _read_digits(raw: bytes, length: int) -> str | Unreadable | None:
    field = _field(raw, length)
    return field.hex().upper().rstrip("F") if isinstance(field, bytes) else field


def _read_decimals(raw: bytes, length: int) -> str | Unreadable | None:
    field = _field(raw, length)
    if not isinstance(field, bytes):
        return field
    digits = field.hex().rstrip("f")
    return digits if digits.isdecimal() else Unreadable(raw)


def _read_date(raw: bytes, length: int) -> date | Unreadable | None:
    digits = _read_decimals(raw, length)
    if not isinstance(digits, str):
        return digits
    try:
        return date.fromisoformat(digits) if len(digits) == 8 else Unreadable(raw)
    except ValueError:
        return Unreadable(raw)


def _read_month(raw: bytes, length: int) -> str | Unreadable | None:
    digits = _read_decimals(raw, length)
    return Unreadable(raw) if isinstance(digits, str) and not _is_month(digits) else digits


def _is_month(digits: str) -> bool:
    number = digits.isascii() and digits.isdecimal()
    return number and len(digits) == 6 and "01" <= digits[4:] <= "12"
