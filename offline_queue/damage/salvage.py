"""What can be proven of a damaged queue, brought over into a new file; the rest told exactly.

Every version of every leaf page is looked at, in the file and in its WAL, whatever became of the
pages above. No page is believed: a row comes over when its header and its body open the seal. Of
several versions of a row the one furthest on its way counts, by epoch and state, so that a stale
page takes nothing back. What indexes and purge ranges tell beyond that are the losses.
"""

from __future__ import annotations

import bisect
import contextlib
import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from offline_queue.damage.image import Image
from offline_queue.damage.layout import Layout, Table
from offline_queue.damage.losses import Range, SalvageReport, as_ranges, gaps, size
from offline_queue.damage.pages import (
    INDEX_BRANCH,
    INDEX_LEAF,
    PAGE_SIZE,
    TABLE_BRANCH,
    TABLE_LEAF,
    Page,
    Unsound,
    Value,
    record,
    serial_types,
    whole,
)
from offline_queue.damage.proof import Keyring, Proof, Row
from offline_queue.database import MOST_VERSIONS, immediate

_LARGE = ("message", "body")
"""The tables whose rows are proven one by one; a source's number is its place here, and indexes
count from there on by their number of fields."""

_MESSAGE, _BODY = range(len(_LARGE))

_WAY = ("behind", "leased", "sent", "waiting", "ready", "dead", "confirmed")
"""The states of one epoch in the order in which a row passes through them."""

_AGAIN: Row = {"state": "ready", "due": 0, "owner": None, "unsure": 1}
"""Of a row that somebody held: what became of the delivery is not known."""

_UNSETTLED: Row = {"receipt": None, "settled": None, "replaced": None}

# A stale page may have made an earlier row open again.
_LINE_UP = """
    UPDATE message SET state = 'behind', due = 0
    WHERE settled IS NULL AND state <> 'behind' AND ordering <> '' AND EXISTS (
        SELECT 1 FROM message AS earlier
        WHERE earlier.ordering = message.ordering AND earlier.ordering <> ''
            AND earlier.settled IS NULL AND earlier.seq < message.seq)
"""

_DEEPEST = 20
"""Levels of a b-tree at most; a damaged branch may lead in a circle."""

_ROWS_AT_ONCE = 500


class _Place(NamedTuple):
    source: int
    address: int
    cell: int


def salvage(
    damaged: Path, target: sqlite3.Connection, keyring: Keyring, *, finding: str
) -> SalvageReport:
    """Bring over what can be proven.

    Args:
        damaged: the copy of the file, its WAL beside it. Neither is changed.
        target: an empty queue.
        finding: what was wrong, for the report.

    Raises:
        KeysWrong: there are rows, but no keys to prove them by.
        sqlite3.Error, OSError: the disk.
    """
    # Ends with an upgrade from version 1; a new file has nothing to upgrade.
    target.execute("DROP TABLE IF EXISTS seal_key")
    # An unnamed file: SQLite keeps it in memory as long as it is small.
    with Image(damaged, PAGE_SIZE) as image, contextlib.closing(sqlite3.connect("")) as seen:
        return _Salvage(image, target, seen).run(damaged, keyring, finding)


def schema_of(damaged: Path, layouts: Sequence[Layout]) -> int:
    """The version of a damaged file's schema: of a newer one as its header says, else that of
    the layouts (version 1 first) which its messages have; the last when there are none.

    Raises:
        OSError: the disk.
    """
    newest = len(layouts)
    counts = [0] * newest
    with Image(damaged, PAGE_SIZE) as image:
        if newest < (image.user_version() or 0) <= MOST_VERSIONS:
            return image.user_version() or 0
        for address in range(len(image)):
            for _rowid, fields in image.entries(address, TABLE_LEAF):
                for index, layout in enumerate(layouts):
                    counts[index] += layout.tables["message"].row(0, fields) is not None
            # Free pages may still hold what an older schema left.
            if counts[-1]:
                break
    return next((version for version in range(newest, 0, -1) if counts[version - 1]), newest)


class _Salvage:
    def __init__(self, image: Image, target: sqlite3.Connection, seen: sqlite3.Connection) -> None:
        self._image = image
        self._target = target
        self._layout = Layout(target)
        self._told = self._layout.roots(image)
        # Tables are made in the same order, and their first page stays where it is.
        made = {name: table.root for name, table in self._layout.tables.items()}
        self._roots = made | self._told
        self._seen = seen
        seen.execute(
            "CREATE TABLE seen (seq INTEGER, source INTEGER, address INTEGER, cell INTEGER,"
            " PRIMARY KEY (seq, source, address, cell)) WITHOUT ROWID"
        )
        self._unprovable: list[int] = []
        self._unsure = 0

    def run(self, damaged: Path, keyring: Keyring, finding: str) -> SalvageReport:
        self._small_tables()
        for address in range(len(self._image)):
            self._seen.executemany(
                "INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", self._evidence(address)
            )
        purged = self._bring_all(keyring)
        with immediate(self._target):
            self._target.execute(_LINE_UP)
        recovered, there = self._recovered()
        certain, head = self._head(there, purged)
        unprovable = as_ranges(seq for seq in self._unprovable if seq <= head)
        kept = [file for file in damaged.parent.iterdir() if file.name.startswith(damaged.name)]
        return SalvageReport(
            finding=finding,
            recovered=recovered,
            unsure=self._unsure,
            unprovable=unprovable,
            lost=tuple(gaps((*there, *purged, *unprovable), head)),
            purged=size(purged),
            last_seen=head,
            tail_unknown=not certain,
            kept=str(damaged.parent),
            kept_bytes=sum(file.stat().st_size for file in kept),
        )

    def _small_tables(self) -> None:
        """Bring over every table of settings."""
        with immediate(self._target):
            for name, table in self._layout.tables.items():
                if name in _LARGE:
                    continue
                found = self._image.tree(self._roots[name])
                rows = [row for entry in found if (row := table.row(*entry)) is not None]
                if not rows and name not in self._told:
                    rows = self._strays(table)
                for row in rows:
                    try:
                        table.insert(self._target, row, replace=True)
                    except sqlite3.IntegrityError:
                        continue

    def _strays(self, table: Table) -> list[dict[str, Value]]:
        """The rows of the newest page on which all are of a table's shape."""
        for address in reversed(range(len(self._image))):
            found = self._image.entries(address, TABLE_LEAF)
            rows = [row for entry in found if (row := table.row(*entry)) is not None]
            if rows and len(rows) == len(found):
                return rows
        return []

    def _evidence(self, address: int) -> Iterator[tuple[int, int, int, int]]:
        """The sequences on a page: of rows with their places, of index entries alone."""
        number = self._image.number(address)
        try:
            page = Page(number, self._image.read(address))
        except Unsound:
            return
        if page.kind == TABLE_LEAF:
            for index in range(len(page)):
                try:
                    cell = page.cell(index)
                    types = serial_types(cell.payload)
                except Unsound:
                    continue
                for source, name in enumerate(_LARGE):
                    if cell.rowid > 0 and self._layout.tables[name].fits(types):
                        yield cell.rowid, source, address, index
        else:
            for _rowid, fields in self._image.entries(address, INDEX_LEAF, INDEX_BRANCH):
                match fields:
                    case (*_, int(seq)) if seq > 0:
                        yield seq, len(_LARGE) + len(fields), 0, 0
                    case _:
                        continue

    def _bring_all(self, keyring: Keyring) -> list[Range]:
        """Bring over the rows; returns the ranges that left before."""
        places = self._seen.execute(
            "SELECT seq, source, address, cell FROM seen WHERE source < ? ORDER BY seq",
            (len(_LARGE),),
        )
        rows = (
            (seq, [_Place(*place) for _seq, *place in group])
            for seq, group in itertools.groupby(places, key=lambda row: int(row[0]))
        )
        first = next(rows, None)
        if first is None and not self._rows("purged") and not self._rows("key_ring"):
            return []
        proof = keyring(self._target)
        purged = self._proven_ranges(proof)
        every = itertools.chain(() if first is None else (first,), rows)
        while batch := list(itertools.islice(every, _ROWS_AT_ONCE)):
            with immediate(self._target):
                for seq, found in batch:
                    if _within(seq, purged):
                        continue
                    if not self._bring(seq, found, proof):
                        self._unprovable.append(seq)
        return purged

    def _proven_ranges(self, proof: Proof) -> list[Range]:
        ranges: list[Range] = []
        with immediate(self._target):
            for row in self._rows("purged"):
                match row:
                    case {"first": int(first), "last": int(last)} if proof.purged(row):
                        ranges.append((first, last))
                    case _:
                        self._target.execute("DELETE FROM purged WHERE first = :first", dict(row))
        return sorted(ranges)

    def _bring(self, seq: int, places: Sequence[_Place], proof: Proof) -> bool:
        """Bring over the latest version of a row that can be proven; False when none can."""
        bodies: list[Row] = []
        for place in places:
            if place.source == _BODY:
                bodies += [row for row in self._read(place, seq) if row not in bodies]
        messages: list[Row] = []
        for place in places:
            if place.source == _MESSAGE:
                messages += [row for row in self._read(place, seq) if row not in messages]
        messages.sort(key=_progress, reverse=True)
        for message, body in itertools.product(messages, bodies):
            if proof.message({**body, **message}):
                return self._store(message, body)
        return False

    def _read(self, place: _Place, seq: int) -> Iterator[Row]:
        table = self._layout.tables[_LARGE[place.source]]
        cell = Page(self._image.number(place.address), self._image.read(place.address)).cell(
            place.cell
        )
        for fetch in self._image.fetches(place.address):
            try:
                row = table.row(seq, record(whole(cell, fetch)))
            except Unsound:
                continue
            if row is not None:
                yield row
            if not cell.overflow:
                return

    def _store(self, message: Row, body: Row) -> bool:
        tables = self._layout.tables
        unsure = message["state"] == "leased"
        kept = {**message, **_AGAIN} if unsure else message
        for version in (kept, {**message, **_AGAIN, **_UNSETTLED}):
            try:
                tables["message"].insert(self._target, version)
            except sqlite3.IntegrityError:
                # The seal does not cover what changes with delivery.
                unsure = True
                continue
            tables["body"].insert(self._target, body)
            self._unsure += unsure
            return True
        return False

    def _recovered(self) -> tuple[dict[str, int], list[Range]]:
        states = dict(
            self._target.execute("SELECT state, count(*) FROM message GROUP BY state").fetchall()
        )
        sequences = self._target.execute("SELECT seq FROM message ORDER BY seq")
        return states, list(as_ranges(int(seq) for (seq,) in sequences))

    def _head(self, there: Sequence[Range], purged: Sequence[Range]) -> tuple[bool, int]:
        """The last sequence, and whether it is certain that no other came after it."""
        (confirmed,) = self._seen.execute(
            "SELECT max(seq) FROM (SELECT seq FROM seen GROUP BY seq"
            " HAVING count(DISTINCT source) > 1)"
        ).fetchone()
        head = max((confirmed or 0, *(last for _first, last in (*there, *purged))))
        certain = any(self._end_of_tree(name) == head for name in _LARGE)
        return certain and not self._image.wal_torn, head

    def _end_of_tree(self, table: str) -> int | None:
        """The last rowid of a table, when every page down to it is sound."""
        number = self._roots[table]
        for _depth in range(_DEEPEST):
            newest = next(self._image.versions(number), None)
            if newest is None or not self._image.sound(newest):
                return None
            try:
                page = Page(number, self._image.read(newest))
                if page.kind == TABLE_BRANCH:
                    number = page.last_child
                    continue
                types = [serial_types(page.cell(index).payload) for index in range(len(page))]
                fits = page.kind == TABLE_LEAF and all(
                    self._layout.tables[table].fits(kinds) for kinds in types
                )
                return page.cell(len(page) - 1).rowid if fits and len(page) else None
            except Unsound:
                return None
        return None

    def _rows(self, table: str) -> list[Row]:
        names = [column.name for column in self._layout.tables[table].columns]
        found = self._target.execute(f"SELECT {', '.join(names)} FROM {table}")
        return [dict(zip(names, row, strict=True)) for row in found]


def _within(seq: int, ranges: Sequence[Range]) -> bool:
    """Whether one of the ranges, which rise and do not overlap, holds the sequence."""
    place = bisect.bisect_right(ranges, seq, key=lambda gap: gap[0])
    return place > 0 and seq <= ranges[place - 1][1]


def _progress(message: Row) -> tuple[int, int]:
    epoch, state = message["epoch"], message["state"]
    assert isinstance(epoch, int)
    return epoch, _WAY.index(state) if isinstance(state, str) and state in _WAY else -1
