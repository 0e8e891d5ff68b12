"""An item's value as the call interface writes it, and back.

Text as it is, digits and dates (YYYYMMDD) as digits, bytes in hexadecimal (a photo: mark C; others
I), integers in decimals (mark I), the parts of a B-TLV or of a cyclic record joined by ``^``. An
empty text is a blank field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import assert_never

from apdu import formats
from apdu.dictionary import Fields, FieldValue, Item
from apdu.formats import Format, Unreadable
from apdu.ministry.address import PARTS
from apdu.ministry.desk import is_hex
from apdu.ministry.error_numbers import Number, Refusal

_TEXTS = (Format.AN, Format.ANS)
_DATE_DIGITS = 8


def text_of(item: Item, value: FieldValue) -> str:
    """The text of what `Item.decode` has read.

    What is not of its format is shown as other libraries show it: digits as the bytes say, text
    with U+FFFD where bytes are broken.

    Raises:
        Refusal: ILLEGAL_CHARACTERS: a part holds the separator of parts.
    """
    if isinstance(value, Mapping):
        return text_of_parts(item.parts, value)
    if value is None:
        return PARTS * (len(item.parts) - 1)
    if isinstance(value, Unreadable):
        if item.form in _TEXTS:
            return formats.text_bytes(value.raw).decode(formats.ENCODING, errors="replace")
        return value.raw.hex().upper()
    if isinstance(value, date):
        return f"{value.year:04}{value.month:02}{value.day:02}"
    if isinstance(value, bytes):
        return value.hex().upper()
    return str(value)


def text_of_parts(items: Sequence[Item], values: Fields) -> str:
    """The texts of parts or of a cyclic record's fields, joined. Raises as `text_of`."""
    texts = [text_of(item, values.get(item.field)) for item in items]
    if any(PARTS in text for text in texts):
        raise Refusal(Number.ILLEGAL_CHARACTERS)
    return PARTS.join(texts)


def value_of(item: Item, text: str) -> FieldValue:
    """The value that `text` names, ready to be stored.

    Raises:
        Refusal: LENGTH, ILLEGAL_CHARACTERS, BAD_PARAMETER for another number of parts,
            ILLEGAL_INPUT for what cannot be such a value.
    """
    value = _parsed(item, text)
    try:
        item.encode_value(value)
    except ValueError:
        raise Refusal(Number.ILLEGAL_INPUT) from None
    return value


def _parsed(item: Item, text: str) -> FieldValue:
    if not item.parts:
        return _plain(item, text)
    texts = text.split(PARTS)
    if len(texts) != len(item.parts) and text:
        raise Refusal(Number.BAD_PARAMETER)
    if not any(texts):
        return None
    pairs = zip(item.parts, texts, strict=True)
    return {part.field: _plain(part, text) for part, text in pairs}


def _plain(item: Item, text: str) -> str | bytes | date | int | None:
    length = item.length or 0
    match item.form:
        case Format.AN | Format.ANS:
            return _characters(text.rstrip(" "), item.form, length) or None
        case _ if not text:
            return None
        case Format.CN | Format.CN_HEX | Format.CN_MONTH:
            return _within(_digits(text, hexadecimal=item.form is Format.CN_HEX), 2 * length)
        case Format.CN_DATE:
            return _day(_digits(text))
        case Format.INT:
            return int(_within(_digits(text), 3 * length))
        case Format.B | Format.TRANSPARENT:
            return _bytes(_within(text, 2 * length))
        case Format.B_TLV:
            raise ValueError("a B-TLV has parts")
        case _:
            assert_never(item.form)


def _characters(text: str, form: Format, length: int) -> str:
    if "\0" in text:
        raise Refusal(Number.ILLEGAL_CHARACTERS)
    try:
        size = len(text.encode("ascii" if form is Format.AN else formats.ENCODING))
    except UnicodeEncodeError:
        raise Refusal(Number.ILLEGAL_CHARACTERS) from None
    if size > length:
        raise Refusal(Number.LENGTH)
    return text


def _digits(text: str, *, hexadecimal: bool = False) -> str:
    if not (is_hex(text) if hexadecimal else text.isascii() and text.isdecimal()):
        raise Refusal(Number.ILLEGAL_CHARACTERS)
    return text.upper()


def _within(text: str, most: int) -> str:
    if len(text) > most:
        raise Refusal(Number.LENGTH)
    return text


def _day(digits: str) -> date:
    if len(digits) != _DATE_DIGITS:
        raise Refusal(Number.LENGTH)
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise Refusal(Number.ILLEGAL_INPUT) from None


def _bytes(text: str) -> bytes:
    if not is_hex(text):
        raise Refusal(Number.ILLEGAL_CHARACTERS)
    if len(text) % 2:
        raise Refusal(Number.LENGTH)
    # Filling behind a content would not be told from it: the file is filled up anyway.
    return bytes.fromhex(text)
