"""A damaged file and its WAL as the versions of its pages, each with an address.

Nothing here changes a byte: opening the file by SQLite would end with its WAL gone.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from offline_queue.damage.pages import (
    INDEX_BRANCH,
    TABLE_BRANCH,
    Fetch,
    Page,
    Unsound,
    Value,
    record,
    whole,
)
from offline_queue.damage.wal import read_wal


class Image:
    """A file and, beside it, its WAL.

    Addresses count the pages of the file from 0, then the committed frames of the WAL.

    Args:
        page_size: bytes; not taken from the file, whose header may be what is damaged.

    Raises:
        OSError: the files cannot be read.
    """

    def __init__(self, path: Path, page_size: int) -> None:
        self.page_size = page_size
        self._open: list[BinaryIO] = []
        self._file = self._opened(path)
        self._wal_file = self._opened(path.with_name(path.name + "-wal"))
        self.file_pages = -(-self._size(self._file) // page_size)
        wal = read_wal(path.with_name(path.name + "-wal"), page_size)
        self.wal_torn = wal.torn
        self._frames = wal.frames
        self._versions: defaultdict[int, list[int]] = defaultdict(list)
        for index, frame in enumerate(wal.frames):
            self._versions[frame.page].append(index)

    def __enter__(self) -> Image:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        for file in self._open:
            file.close()

    def __len__(self) -> int:
        return self.file_pages + len(self._frames)

    def number(self, address: int) -> int:
        """Which page this is a version of."""
        if address < self.file_pages:
            return address + 1
        return self._frames[address - self.file_pages].page

    def read(self, address: int) -> bytes:
        """A version of a page; what is cut off is zeros."""
        if address < self.file_pages:
            file, offset = self._file, address * self.page_size
        else:
            file, offset = self._wal_file, self._frames[address - self.file_pages].offset
        assert file is not None
        file.seek(offset)
        return file.read(self.page_size).ljust(self.page_size, b"\0")

    def sound(self, address: int) -> bool:
        """Whether the WAL's checksum holds; the file's own pages have none."""
        return address < self.file_pages or self._frames[address - self.file_pages].sound

    def versions(self, number: int) -> Iterator[int]:
        """The addresses of a page's versions, the newest first."""
        for index in reversed(self._versions.get(number, ())):
            yield self.file_pages + index
        if 0 < number <= self.file_pages:
            yield number - 1

    def fetches(self, address: int) -> tuple[Fetch, ...]:
        """Ways to the overflow pages of what stands at an address: as they were when it was
        written, as they are last, and as they stand in the file without its WAL."""

        def as_of(bound: int) -> Fetch:
            def fetch(number: int) -> bytes | None:
                found = (version for version in self.versions(number) if version <= bound)
                version = next(found, None)
                return None if version is None else self.read(version)

            return fetch

        return tuple(as_of(bound) for bound in (address, len(self), self.file_pages - 1))

    def user_version(self) -> int | None:
        """The version of the schema as the header has it; None without a header."""
        header = self.read(next(self.versions(1))) if len(self) else b""
        if not header.startswith(b"SQLite format 3\0"):
            return None
        return int.from_bytes(header[60:64], "big")

    def tree(self, root: int) -> list[tuple[int, tuple[Value, ...]]]:
        """The rows of a small b-tree, as (rowid, fields), as far as they can be read. The rowid
        is 0 where the table has none."""
        visited: set[int] = set()
        rows: list[tuple[int, tuple[Value, ...]]] = []
        ahead = [root]
        while ahead:
            number = ahead.pop()
            if number in visited:
                continue
            visited.add(number)
            below, found = self._sound_version(number)
            ahead += below
            rows += found
        return rows

    def _sound_version(self, number: int) -> tuple[list[int], list[tuple[int, tuple[Value, ...]]]]:
        for address in self.versions(number):
            if not self.sound(address):
                continue
            try:
                page = Page(number, self.read(address))
                cells = [page.cell(index) for index in range(len(page))]
                below = [cell.child for cell in cells if cell.child]
                if page.kind in (INDEX_BRANCH, TABLE_BRANCH):
                    below.append(page.last_child)
                if page.kind == TABLE_BRANCH:
                    return below, []
                fetch = self.fetches(address)[0]
                return below, [(cell.rowid, record(whole(cell, fetch))) for cell in cells]
            except Unsound:
                continue
        return [], []

    def entries(self, address: int, *kinds: int) -> list[tuple[int, tuple[Value, ...]]]:
        """What stands on a page of one of these kinds, as (rowid, fields), when every entry is
        sound and ends on the page; else nothing. So an index gives evidence, though nothing
        proves a single entry."""
        try:
            page = Page(self.number(address), self.read(address))
            if page.kind not in kinds:
                return []
            cells = [page.cell(index) for index in range(len(page))]
            return [(cell.rowid, record(cell.payload)) for cell in cells]
        except Unsound:
            return []

    def _opened(self, path: Path) -> BinaryIO | None:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return None
        self._open.append(file)
        return file

    @staticmethod
    def _size(file: BinaryIO | None) -> int:
        return 0 if file is None else os.fstat(file.fileno()).st_size
