"""Lines of a slip in columns: an ASCII sign takes one, a Chinese one two."""

from __future__ import annotations

from drivers.receipt_printer import Unprintable

# Punctuation that never begins a line.
_NOT_FIRST = frozenset("，。、；：？！）》」』”’％·,.;:?!)%")


def encoded(text: str, four_bytes: bool) -> bytes:
    """GB 18030 of a text, in one, two and, where the printer has them, four bytes a sign.

    Raises:
        Unprintable: the printer lacks some.
    """
    signs = {sign: _sign(sign) for sign in text}
    lacking = {sign for sign, octets in signs.items() if not octets or len(octets) == 4}
    if four_bytes:
        lacking = {sign for sign in lacking if not signs[sign]}
    if lacking:
        raise Unprintable(frozenset(lacking))
    return b"".join(signs[sign] for sign in text)


def columns(text: str) -> int:
    """The width of a text in columns."""
    return sum(1 if sign.isascii() else 2 for sign in text)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most so many columns, at least one; ASCII words stay whole where
    they fit a line, and no line begins with punctuation that closes."""
    lines, line = [], ""
    for piece in _pieces(text, width):
        if columns(line) + columns(piece) <= width:
            line += piece
        elif piece in _NOT_FIRST and columns(line[:-1]) + columns(piece) <= width and line[:-1]:
            lines.append(line[:-1])
            line = line[-1] + piece
        else:
            lines.append(line.rstrip())
            line = "" if piece == " " else piece
    return [*lines, line.rstrip()]


def row(label: str, value: str, width: int) -> list[str]:
    """A label at the left edge and its value at the right one; below it, moved in, where
    both do not fit."""
    if columns(label) + 1 + columns(value) <= width:
        return [label + " " * (width - columns(label) - columns(value)) + value]
    return [*wrapped(label, width), *("  " + part for part in wrapped(value, width - 2))]


def _sign(sign: str) -> bytes:
    try:
        return sign.encode("gb18030")
    except UnicodeEncodeError:
        return b""


def _pieces(text: str, width: int) -> list[str]:
    """What may not be broken: words of ASCII, and every other sign by itself."""
    found: list[str] = []
    word = ""
    for sign in text:
        if sign.isascii() and sign != " " and columns(word) < width:
            word += sign
            continue
        if word:
            found.append(word)
        word = sign if sign.isascii() and sign != " " else ""
        if not word:
            found.append(sign)
    return [*found, word] if word else found
