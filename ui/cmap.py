"""Which characters a font file can draw: its `cmap` table, read without any library.

`pygame.font.Font.metrics` can't be asked: it answers with numbers for characters that the font
doesn't have. Formats 4 and 12 (OpenType 1.9, "cmap") are all that Unicode fonts of today use.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_UNICODE_ENCODINGS = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3))
"""(platform, encoding), the fullest first."""


class FontFormatError(ValueError):
    """The file is no OpenType font, has no such face, or no Unicode `cmap`."""


@dataclass(frozen=True)
class Coverage:
    """Sorted, disjoint ranges of code points: ``starts[i] <= code <= ends[i]``."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def __contains__(self, code: object) -> bool:
        if not isinstance(code, int):
            return False
        index = bisect_right(self.starts, code) - 1
        return index >= 0 and code <= self.ends[index]


def read_coverage(path: Path, face: int = 0) -> Coverage:
    """Read the character coverage of one face.

    Args:
        path: .ttf, .otf or collection (.ttc).
        face: index inside a collection; 0 for a plain font.

    Raises:
        FontFormatError: see there.
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        try:
            return _merge(_subtable_ranges(_cmap_table(file, face)))
        except (struct.error, IndexError) as error:
            raise FontFormatError(f"{path.name}: cut short or damaged") from error


def _cmap_table(file: BinaryIO, face: int) -> bytes:
    offset = 0
    if file.read(4) == b"ttcf":
        _version, count = struct.unpack(">II", file.read(8))
        if not 0 <= face < count:
            raise FontFormatError(f"no face {face} among {count}")
        file.seek(12 + 4 * face)
        (offset,) = struct.unpack(">I", file.read(4))
    elif face != 0:
        raise FontFormatError("not a collection")
    file.seek(offset)
    kind, count = struct.unpack(">4sH6x", file.read(12))
    if kind not in (b"\x00\x01\x00\x00", b"OTTO", b"true"):
        raise FontFormatError("not an OpenType font")
    for tag, _sum, start, length in struct.iter_unpack(">4sIII", file.read(16 * count)):
        if tag == b"cmap":
            file.seek(start)
            return file.read(length)
    raise FontFormatError("no cmap table")


def _subtable_ranges(table: bytes) -> list[tuple[int, int]]:
    (count,) = struct.unpack_from(">2xH", table)
    records = {
        (platform, encoding): offset
        for platform, encoding, offset in struct.iter_unpack(">HHI", table[4 : 4 + 8 * count])
    }
    for key in _UNICODE_ENCODINGS:
        if key in records:
            subtable = table[records[key] :]
            (kind,) = struct.unpack_from(">H", subtable)
            if kind == 12:
                return _format_12(subtable)
            if kind == 4:
                return _format_4(subtable)
    raise FontFormatError("no Unicode cmap of format 4 or 12")


def _format_12(table: bytes) -> list[tuple[int, int]]:
    (groups,) = struct.unpack_from(">12xI", table)
    return [
        (start, end) for start, end, _ in struct.iter_unpack(">III", table[16 : 16 + 12 * groups])
    ]


def _format_4(table: bytes) -> list[tuple[int, int]]:
    (double,) = struct.unpack_from(">6xH", table)
    count = double // 2
    ends = struct.unpack_from(f">{count}H", table, 14)
    starts = struct.unpack_from(f">{count}H", table, 16 + double)
    deltas = struct.unpack_from(f">{count}H", table, 16 + 2 * double)
    offsets_at = 16 + 3 * double
    offsets = struct.unpack_from(f">{count}H", table, offsets_at)
    ranges = []
    for index, (start, end, delta, offset) in enumerate(
        zip(starts, ends, deltas, offsets, strict=True)
    ):
        if offset == 0:
            ranges += [(code, code) for code in range(start, end + 1) if (code + delta) & 0xFFFF]
            continue
        first = offsets_at + 2 * index + offset
        glyphs = struct.unpack_from(f">{end - start + 1}H", table, first)
        ranges += [(start + i, start + i) for i, glyph in enumerate(glyphs) if glyph]
    return [(start, end) for start, end in ranges if start != 0xFFFF]


def _merge(ranges: list[tuple[int, int]]) -> Coverage:
    starts: list[int] = []
    ends: list[int] = []
    for start, end in sorted(ranges):
        if ends and start <= ends[-1] + 1:
            ends[-1] = max(end, ends[-1])
        else:
            starts.append(start)
            ends.append(end)
    return Coverage(tuple(starts), tuple(ends))
