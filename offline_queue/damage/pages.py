"""Records on the pages of an SQLite file, read without SQLite and without the tree above them.

SQLite finds a row from its table's root downwards, so that one destroyed page above hides every
row below it. A leaf page tells by itself what stands on it, and the caller proves each row.

Format: sqlite.org/fileformat2.html, §1.6 (pages and cells) and §2.1 (records).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

Value = int | float | str | bytes | None

PAGE_SIZE = 4096
"""Bytes of a page in every file of ours; SQLite's own default, made sure of at open."""

INDEX_BRANCH = 0x02
TABLE_BRANCH = 0x05
INDEX_LEAF = 0x0A
TABLE_LEAF = 0x0D

_BRANCHES = (INDEX_BRANCH, TABLE_BRANCH)
_INTEGER_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_LONGEST_PAYLOAD = 1 << 24

Fetch = Callable[[int], bytes | None]
"""A page by its number, padded to its size; None when there is none."""


class Unsound(Exception):
    """The bytes are not what should stand there."""


class Cell(NamedTuple):
    """One entry of a page.

    Attributes:
        child: number of the page below, on a branch.
        rowid: on a table's page.
        payload: what of the record stands on this page.
        size: bytes of the whole record; 0 where there is none.
        overflow: number of the page where it goes on, or 0.
    """

    child: int
    rowid: int
    payload: bytes
    size: int
    overflow: int


class Page:
    """A page of a b-tree.

    Args:
        number: from 1; the first page begins with the file's header of 100 bytes.
        data: all its bytes; nothing is reserved at its end.

    Raises:
        Unsound: it is no such page, or its head makes no sense.
    """

    def __init__(self, number: int, data: bytes) -> None:
        start = 100 if number == 1 else 0
        self._data = data
        self.kind = data[start]
        if self.kind not in (INDEX_BRANCH, TABLE_BRANCH, INDEX_LEAF, TABLE_LEAF):
            raise Unsound
        (count,) = struct.unpack_from(">H", data, start + 3)
        pointers = start + (12 if self.kind in _BRANCHES else 8)
        if pointers + 2 * count > len(data):
            raise Unsound
        self._pointers = struct.unpack_from(f">{count}H", data, pointers)
        self._lowest = pointers + 2 * count
        self.last_child = 0
        if self.kind in _BRANCHES:
            (self.last_child,) = struct.unpack_from(">I", data, start + 8)

    def __len__(self) -> int:
        return len(self._pointers)

    def cell(self, index: int) -> Cell:
        """The entry at an index from 0.

        Raises:
            Unsound: it does not lie on the page.
        """
        at, child = self._pointers[index], 0
        if at < self._lowest:
            raise Unsound
        try:
            if self.kind in _BRANCHES:
                (child,) = struct.unpack_from(">I", self._data, at)
                at += 4
            if self.kind == TABLE_BRANCH:
                return Cell(child, _varint(self._data, at)[0], b"", 0, 0)
            size, at = _varint(self._data, at)
            rowid = 0
            if self.kind == TABLE_LEAF:
                rowid, at = _varint(self._data, at)
            local = self._local(size)
            payload = self._data[at : at + local]
            if len(payload) < local:
                raise Unsound
            overflow = 0
            if local < size:
                (overflow,) = struct.unpack_from(">I", self._data, at + local)
        except (IndexError, struct.error):
            raise Unsound from None
        return Cell(child, rowid, payload, size, overflow)

    def sound_cells(self) -> Iterator[Cell]:
        """Every entry that can be read."""
        for index in range(len(self)):
            try:
                yield self.cell(index)
            except Unsound:
                continue

    def _local(self, size: int) -> int:
        """How many bytes of a record stand on the page itself (§1.6, "overflow")."""
        if not 0 < size <= _LONGEST_PAYLOAD:
            raise Unsound
        usable = len(self._data)
        least = (usable - 12) * 32 // 255 - 23
        most = usable - 35 if self.kind == TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        if size <= most:
            return size
        fitting = least + (size - least) % (usable - 4)
        return fitting if fitting <= most else least


def whole(cell: Cell, fetch: Fetch) -> bytes:
    """The record of an entry, with what stands on overflow pages.

    Raises:
        Unsound: the chain of pages breaks off.
    """
    parts, missing, following = [cell.payload], cell.size - len(cell.payload), cell.overflow
    while missing > 0:
        data = fetch(following)
        if data is None or not following:
            raise Unsound
        (following,) = struct.unpack_from(">I", data)
        parts.append(data[4 : 4 + missing])
        missing -= len(parts[-1])
    return b"".join(parts)


def serial_types(payload: bytes) -> tuple[int, ...]:
    """The type of each field, from a record's beginning.

    Raises:
        Unsound: the head is cut off or makes no sense.
    """
    types = []
    try:
        size, at = _varint(payload, 0)
        if not at <= size <= len(payload):
            raise Unsound
        while at < size:
            kind, at = _varint(payload, at)
            if kind < 0 or kind in (10, 11):
                raise Unsound
            types.append(kind)
    except IndexError:
        raise Unsound from None
    if at != size:
        raise Unsound
    return tuple(types)


def record(payload: bytes) -> tuple[Value, ...]:
    """The fields of a whole record.

    Raises:
        Unsound: its length is not what its head says.
    """
    types = serial_types(payload)
    at, values = _varint(payload, 0)[0], []
    for kind in types:
        size = field_size(kind)
        values.append(_value(kind, payload[at : at + size]))
        at += size
    if at != len(payload):
        raise Unsound
    return tuple(values)


def field_size(kind: int) -> int:
    """Bytes of a field of a serial type."""
    if kind >= 12:
        return (kind - 12) // 2
    return 8 if kind == 7 else _INTEGER_SIZES.get(kind, 0)


def _value(kind: int, data: bytes) -> Value:
    if kind == 0:
        return None
    if kind in (8, 9):
        return kind - 8
    if len(data) < field_size(kind):
        raise Unsound
    if kind >= 12:
        # As everywhere in the queue: a flipped bit in a text stops nobody, the seal notices it.
        return data.decode("utf-8", "replace") if kind % 2 else data
    if kind == 7:
        (number,) = struct.unpack(">d", data)
        assert isinstance(number, float)
        return number
    return int.from_bytes(data, "big", signed=True)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A signed 64-bit number and where the next byte stands."""
    value = data[at]
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    for count in range(1, 9):
        byte = data[at + count]
        if count == 8:
            value = value << 8 | byte
            return (value - (1 << 64) if value >> 63 else value), at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + count + 1
    raise AssertionError("nine bytes end a varint")
