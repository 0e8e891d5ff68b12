"""Which characters a font file draws, from its ``cmap`` (OpenType 1.9): formats 4 and 12.

The screen has a reader of its own; the engineer's tool stands apart from it.
"""

from __future__ import annotations

import struct
from pathlib import Path

_UNICODE = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3))
"""(platform, encoding) of Unicode subtables, the fullest first."""


class NoFont(ValueError):
    """The file is no OpenType font with a Unicode cmap that can be read."""


def covered(path: Path) -> frozenset[int]:
    """All code points that the font maps to a glyph. Raises NoFont, OSError."""
    data = path.read_bytes()
    try:
        return frozenset(_read(data))
    except (struct.error, IndexError):
        pass
    raise NoFont(f"{path.name} is damaged")


def _read(data: bytes) -> set[int]:
    kind, tables = struct.unpack_from(">4sH", data)
    if kind not in (b"OTTO", b"\x00\x01\x00\x00", b"true"):
        raise NoFont("no OpenType font")
    directory = {
        data[at : at + 4]: struct.unpack_from(">II", data, at + 8)
        for at in range(12, 12 + 16 * tables, 16)
    }
    if b"cmap" not in directory:
        raise NoFont("no cmap table")
    start, length = directory[b"cmap"]
    table = data[start : start + length]
    (count,) = struct.unpack_from(">H", table, 2)
    subtables = {}
    for at in range(4, 4 + 8 * count, 8):
        platform, encoding, offset = struct.unpack_from(">HHI", table, at)
        subtables[platform, encoding] = offset
    for wanted in _UNICODE:
        if wanted in subtables:
            subtable = table[subtables[wanted] :]
            (layout,) = struct.unpack_from(">H", subtable)
            if layout == 12:
                return _segmented_coverage(subtable)
            if layout == 4:
                return _segments(subtable)
    raise NoFont("no Unicode cmap of format 4 or 12")


def _segmented_coverage(table: bytes) -> set[int]:
    (groups,) = struct.unpack_from(">I", table, 12)
    codes: set[int] = set()
    for at in range(16, 16 + 12 * groups, 12):
        first, last, glyph = struct.unpack_from(">III", table, at)
        if last > 0x10FFFF or first > last:
            raise NoFont("a group outside Unicode")
        codes.update(range(first if glyph else first + 1, last + 1))
    return codes


def _segments(table: bytes) -> set[int]:
    (doubled,) = struct.unpack_from(">H", table, 6)
    codes: set[int] = set()
    for at in range(0, doubled, 2):
        (last,) = struct.unpack_from(">H", table, 14 + at)
        (first,) = struct.unpack_from(">H", table, 16 + doubled + at)
        (delta,) = struct.unpack_from(">H", table, 16 + 2 * doubled + at)
        here = 16 + 3 * doubled + at
        (offset,) = struct.unpack_from(">H", table, here)
        for code in range(first, last + 1):
            glyph = code
            if offset:
                (glyph,) = struct.unpack_from(">H", table, here + offset + 2 * (code - first))
                if glyph == 0:
                    continue
            if (glyph + delta) & 0xFFFF:
                codes.add(code)
    return codes
