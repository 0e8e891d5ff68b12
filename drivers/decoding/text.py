"""A payload as text, for people to look at; what a code means is decided on its bytes."""

from __future__ import annotations


def text_of(payload: bytes) -> str | None:
    """The text of a payload: UTF-8, or else GB 18030, in which GB 2312 and GBK are contained.

    Returns:
        None when it is neither. Control characters stay in it.
    """
    for encoding in ("utf-8", "gb18030"):
        try:
            return payload.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
