"""Texts as callers outside give and take them: GBK, where they end with a zero byte."""

from __future__ import annotations

from apdu.ministry.error_numbers import Number, Refusal

_ENCODING = "gb18030"
"""Of which GBK is a part: rare names take four bytes."""


def to_gbk(text: str) -> bytes:
    """A text as callers outside take it, without the zero byte at its end.

    Raises:
        Refusal: ILLEGAL_CHARACTERS: it cannot be written, or would end too early.
    """
    if "\0" in text:
        raise Refusal(Number.ILLEGAL_CHARACTERS)
    try:
        return text.encode(_ENCODING)
    except UnicodeEncodeError:
        raise Refusal(Number.ILLEGAL_CHARACTERS) from None


def from_gbk(text: bytes) -> str:
    """A text as callers outside give it. Raises as `to_gbk`."""
    if b"\0" in text:
        raise Refusal(Number.ILLEGAL_CHARACTERS)
    try:
        return text.decode(_ENCODING)
    except UnicodeDecodeError:
        raise Refusal(Number.ILLEGAL_CHARACTERS) from None
