"""An SQLite WAL, read without SQLite: which frames were committed, and whether damage hides any.

SQLite takes a WAL up to the first frame whose checksum fails and drops the rest without a word:
after a power cut that is what was never acknowledged, after damage it is acknowledged rows. The
difference shows: a frame's checksum goes on from the one that stands in the frame before it, so
frames behind a damaged one still prove that they were written.

Written is not acknowledged: a process that is killed within its commit leaves frames that nobody
counts, and another one that lives on writes over the first of them only. How many count stands in
the wal-index (``-shm``), which is written last; where there is none, as after a power cut, all that
prove themselves count.

Format: sqlite.org/fileformat2.html §4 (WAL header, frame header, checksum algorithm) and
walformat.html §2.1 (header of the wal-index).
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_HEADER = 32
_INDEX_HEADER = 48
_INDEX_FORMAT = 3_007_000
_FRAME_HEADER = 24
_MAGIC = 0x377F0682
_MASK = 0xFFFFFFFF

_Sums = tuple[int, int]


class Frame(NamedTuple):
    """A page's later version.

    Attributes:
        page: its number.
        offset: where its bytes begin in the WAL.
        sound: its checksum holds.
    """

    page: int
    offset: int
    sound: bool


@dataclass(frozen=True)
class Wal:
    """What a WAL holds.

    Attributes:
        frames: those of its last generation up to the last commit that can be proven.
        hides: SQLite would stop before that commit.
        torn: something stands behind it that was begun and perhaps committed.
    """

    frames: tuple[Frame, ...] = ()
    hides: bool = False
    torn: bool = False


class _Found(NamedTuple):
    frame: Frame
    salts: bytes
    commit: bool


def read_wal(path: Path, page_size: int) -> Wal:
    """The WAL at a path; an empty one when there is no file.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
            order = "<" if _magic(header) == _MAGIC else ">"
            if _magic(header) & ~1 != _MAGIC:
                order = "<" if sys.byteorder == "little" else ">"
            header_sums = _sums(order, header[:24]) if len(header) == _HEADER else None
            header_holds = (
                header_sums is not None
                and _magic(header) & ~1 == _MAGIC
                and (header[24:32] == struct.pack(">II", *header_sums))
            )
            found: list[_Found] = []
            # The header's own word counts only when it holds; a frame then proves itself by
            # the one before it.
            before = header[24:32]
            offset = _HEADER
            while len(data := file.read(_FRAME_HEADER + page_size)) == _FRAME_HEADER + page_size:
                number, size = struct.unpack_from(">II", data)
                sums = _sums(order, data[:8] + data[24:], before)
                sound = data[16:24] == struct.pack(">II", *sums)
                before = data[16:24]
                frame = Frame(number, offset + _FRAME_HEADER, sound)
                found.append(_Found(frame, data[8:16], size > 0))
                offset += len(data)
    except FileNotFoundError:
        return Wal()
    salts = header[16:24] if header_holds else _first_sound_salts(found)
    cut_off = data[8:16] == salts
    counted = _counted(path, salts) if header_holds else None
    if counted is not None and counted <= len(found):
        found, cut_off = found[:counted], False
    return _committed(found, salts, header_holds, cut_off)


def hides_commits(path: Path, page_size: int) -> bool:
    """Whether SQLite would drop acknowledged commits of a WAL. Two readings must agree: another
    process may be writing it.

    Raises:
        OSError: it cannot be read.
    """
    found = read_wal(path, page_size)
    return found.hides and read_wal(path, page_size) == found


def _committed(found: list[_Found], salts: bytes, header_holds: bool, cut_off: bool) -> Wal:
    last = proven = -1
    unbroken = header_holds
    for index, (frame, own_salts, commit) in enumerate(found):
        sound = frame.sound and own_salts == salts
        unbroken = unbroken and sound
        if sound and commit:
            last = index
            if unbroken:
                proven = index
    # Before a proven commit no other generation can stand, only damaged salts.
    frames = tuple(frame for frame, _salts, _commit in found[: last + 1])
    behind = [own_salts == salts for _frame, own_salts, _commit in found[last + 1 :]]
    torn = cut_off or any(behind) or (bool(found) and not header_holds)
    return Wal(frames, hides=last > proven, torn=torn)


def _counted(wal: Path, salts: bytes) -> int | None:
    """How many frames of the generation with these salts SQLite counts; None without a wal-index
    of it that holds. It is in the machine's own byte order, but for the salts."""
    try:
        with wal.with_name(wal.name.removesuffix("-wal") + "-shm").open("rb") as file:
            header, twin = file.read(_INDEX_HEADER), file.read(_INDEX_HEADER)
    except FileNotFoundError:
        return None
    if len(header) < _INDEX_HEADER or header != twin or header[32:40] != salts:
        return None
    order = "<" if sys.byteorder == "little" else ">"
    (version,) = struct.unpack_from(f"{order}I", header)
    (frames,) = struct.unpack_from(f"{order}I", header, 16)
    sums = struct.unpack_from(f"{order}II", header, 40)
    holds = version == _INDEX_FORMAT and sums == _sums(order, header[:40])
    return int(frames) if holds else None


def _first_sound_salts(found: list[_Found]) -> bytes:
    return next((salts for frame, salts, _commit in found if frame.sound), b"")


def _magic(header: bytes) -> int:
    return int.from_bytes(header[:4], "big")


def _sums(order: str, data: bytes, start: bytes = bytes(8)) -> _Sums:
    first, second = struct.unpack(">II", start)
    words: Iterator[int] = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for word in words:
        first = (first + word + second) & _MASK
        second = (second + next(words) + first) & _MASK
    return first, second
