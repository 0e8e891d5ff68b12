"""What can be proven of a damaged queue, brought over into a new file; the rest told exactly.

Every version of every leaf page is looked at, in the file and in its WAL, whatever became of the
pages above. No page is believed: a row comes over when its header and its body open the seal. Of
several versions of a row the one furthest on its way counts, by epoch and state, so that a stale
page takes nothing back. What indexes and purge ranges tell beyond that are the losses.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from offline_queue.database import immediate
from offline_queue.errors import KeysWrong
from offline_queue.image import Image
from offline_queue.layout import Layout
from offline_queue.losses import Range, SalvageReport, as_ranges, gaps
from offline_queue.pages import (
    TABLE_BRANCH,
    TABLE_LEAF,
    Page,
    Unsound,
    Value,
    record,
    serial_types,
    whole,
)

Row = Mapping[str, Value]

Prove = Callable[[Row], bool]
"""Whether a row's seal holds. It gets the columns of ``message`` and ``body`` by name; the types
are those of the schema, the values may be anything."""

Keyring = Callable[[Sequence[Row]], Prove]
"""Makes a `Prove` from the rows of ``seal_key`` that could be read. Raises `KeysWrong` when the
keys at hand are not those of the file."""

_LARGE = ("message", "body")
"""The tables whose rows are proven one by one; a source's number is its place here, and indexes
count from there on by their number of fields."""

_MESSAGE, _BODY = range(len(_LARGE))

_WAY = ("behind", "leased", "sent", "waiting", "ready", "dead", "confirmed")
"""The states of one epoch in the order in which a row passes through them."""

_UNDER_WAY = ("leased", "sent")

_AGAIN: Row = {"state": "ready", "due": 0, "owner": None}

_UNSETTLED: Row = {"receipt": None, "settled": None}

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
    with Image(damaged, Layout(target).page_size) as image:
        return _Salvage(image, target).run(damaged, keyring, finding)


class _Salvage:
    def __init__(self, image: Image, target: sqlite3.Connection) -> None:
        self._image = image
        self._target = target
        self._layout = Layout(target)
        self._roots = self._layout.roots(image)
        # An unnamed file: SQLite keeps it in memory as long as it is small.
        self._seen = sqlite3.connect("", isolation_level=None)
        self._seen.execute(
            "CREATE TABLE seen (seq INTEGER, source INTEGER, address INTEGER, cell INTEGER,"
            " PRIMARY KEY (seq, source, address, cell)) WITHOUT ROWID"
        )
        self._unprovable: list[int] = []
        self._unsure = 0

    def run(self, damaged: Path, keyring: Keyring, finding: str) -> SalvageReport:
        owned = self._small_tables()
        self._seen.execute("BEGIN")
        for address in range(len(self._image)):
            self._seen.executemany(
                "INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", self._evidence(address, owned)
            )
        purged = self._ranges("purged")
        self._bring_all(keyring, purged)
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
            last_seen=head,
            tail_unknown=not certain,
            kept=str(damaged.parent),
            kept_bytes=sum(file.stat().st_size for file in kept),
        )

    def _small_tables(self) -> set[int]:
        """Bring over every table of settings and say which pages are theirs."""
        owned: set[int] = set()
        with immediate(self._target):
            for name, table in self._layout.tables.items():
                if name in _LARGE:
                    continue
                pages, found = self._image.tree(self._roots[name])
                owned |= pages
                for rowid, fields in found:
                    row = table.row(rowid, fields)
                    if row is None:
                        continue
                    try:
                        table.insert(self._target, row, replace=True)
                    except sqlite3.IntegrityError:
                        continue
        return owned

    def _evidence(self, address: int, owned: set[int]) -> Iterator[tuple[int, int, int, int]]:
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
        elif number not in owned:
            for fields in self._image.index_entries(address):
                match fields:
                    case (*_, int(seq)) if seq > 0:
                        yield seq, len(_LARGE) + len(fields), 0, 0
                    case _:
                        continue

    def _ranges(self, table: str) -> list[Range]:
        if table not in self._layout.tables:
            return []
        return self._target.execute(f"SELECT first, last FROM {table} ORDER BY first").fetchall()

    def _bring_all(self, keyring: Keyring, purged: Sequence[Range]) -> None:
        keys = self._rows("seal_key")
        places = self._seen.execute(
            "SELECT seq, source, address, cell FROM seen WHERE source < ? ORDER BY seq",
            (len(_LARGE),),
        )
        rows = (
            (seq, [_Place(*place) for _seq, *place in group])
            for seq, group in itertools.groupby(places, key=lambda row: int(row[0]))
            if not any(first <= seq <= last for first, last in purged)
        )
        first = next(rows, None)
        if first is None:
            return
        prove = keyring(keys)
        brought = 0
        todo = itertools.chain((first,), rows)
        while batch := list(itertools.islice(todo, _ROWS_AT_ONCE)):
            with immediate(self._target):
                for seq, found in batch:
                    if self._bring(seq, found, prove):
                        brought += 1
                    else:
                        self._unprovable.append(seq)
        if not keys and not brought:
            raise KeysWrong("no seal key of the damaged file can be read")

    def _bring(self, seq: int, places: Sequence[_Place], prove: Prove) -> bool:
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
            if prove({**body, **message}):
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
        unsure = message["state"] in _UNDER_WAY
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
        ends = [end for name in _LARGE if (end := self._end_of_tree(name)) is not None]
        certain = bool(ends) and not self._image.wal_torn
        return certain, max(head, *ends) if ends else head

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


def _progress(message: Row) -> tuple[int, int]:
    epoch, state = message["epoch"], message["state"]
    assert isinstance(epoch, int)
    return epoch, _WAY.index(state) if isinstance(state, str) and state in _WAY else -1
