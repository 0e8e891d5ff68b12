"""A queue's file with everything in it, ways to destroy parts of it, and what must hold after."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from offline_queue.damage.image import Image
from offline_queue.damage.layout import Layout
from offline_queue.damage.losses import SalvageReport, size
from offline_queue.damage.pages import PAGE_SIZE, TABLE_LEAF, Page, Unsound, serial_types
from offline_queue.damage.proof import Proof
from offline_queue.damage.recovery import open_recovered
from offline_queue.database import open_durable
from offline_queue.errors import RowForged
from offline_queue.schema import MIGRATIONS
from tests.offline_queue.queue_world import (
    DEVICE_KEY,
    START,
    HandClock,
    body_of,
    claimed,
    open_queue,
    stock,
)

NAME = "queue.sqlite"


def keyring(connection: sqlite3.Connection) -> Proof:
    """Proves by the keys of the tests."""
    return Proof(connection, DEVICE_KEY)


@dataclass(frozen=True)
class Stocked:
    """A queue's files, whole.

    Attributes:
        folder: where they are; nobody has them open.
        keys: of every row, by sequence.
    """

    folder: Path
    keys: dict[int, str]

    def copy(self, folder: Path) -> Path:
        """The same files in an empty folder."""
        folder.mkdir(exist_ok=True)
        for file in self.folder.iterdir():
            shutil.copy(file, folder / file.name)
        return folder / NAME


def stocked(folder: Path, rows: int, *, wal: bool) -> Stocked:
    """Rows of every state; ``wal``: the newer half of all changes is in the WAL alone."""
    made = folder / "made"
    made.mkdir()
    clock = HandClock(START)
    open_queue(made, clock).close()
    half = rows // 2
    first, second = [f"k-{n}" for n in range(half)], [f"k-{n}" for n in range(half, rows)]
    stock(made, first[:-10])
    stock(made, first[-10:], order="o-1")
    with contextlib.closing(open_queue(made, clock)) as queue:
        for n in range(60):
            claim = claimed(queue)
            match n % 4:
                case 0:
                    queue.confirm(claim, "r-1")
                case 1:
                    queue.bury(claim, "refused")
                case 2:
                    queue.retry(claim, "timeout")
                case _:
                    pass
    # As long as one connection stays open, no other one's end empties the WAL.
    with contextlib.closing(sqlite3.connect(made / NAME, isolation_level=None)) as kept:
        kept.execute("SELECT count(*) FROM message").fetchone()
        kept.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        kept.execute("CREATE TABLE gone (b BLOB)")
        kept.execute("INSERT INTO gone VALUES (zeroblob(50000))")
        for at in range(0, len(second), 20):
            stock(made, second[at : at + 20])
        # Its pages are free from now on.
        kept.execute("DROP TABLE gone")
        if not wal:
            kept.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        whole = folder / "whole"
        whole.mkdir()
        for suffix in ("", "-wal"):
            file = made / (NAME + suffix)
            if file.stat().st_size:
                shutil.copy(file, whole / file.name)
    return Stocked(whole, dict(enumerate(first + second, 1)))


def rows_by_page(path: Path) -> dict[int, set[int]]:
    """The sequences of the rows that stand on each page of a whole file without WAL, with the
    pages on which long ones go on."""
    found: dict[int, set[int]] = {}
    with contextlib.closing(open_durable(path, migrations=MIGRATIONS)) as file:
        tables = [Layout(file).tables[name] for name in ("message", "body")]
    with Image(path, PAGE_SIZE) as image:
        for number in range(1, len(image) + 1):
            page = page_or_none(number, image.read(number - 1))
            if page is None or page.kind != TABLE_LEAF:
                continue
            for index in range(len(page)):
                cell = page.cell(index)
                if not any(table.fits(serial_types(cell.payload)) for table in tables):
                    continue
                on, following = number, cell.overflow
                found.setdefault(on, set()).add(cell.rowid)
                while following:
                    found.setdefault(following, set()).add(cell.rowid)
                    following = int.from_bytes(image.read(following - 1)[:4], "big")
    return found


def page_or_none(number: int, data: bytes) -> Page | None:
    """A page of a b-tree, if it is one."""
    try:
        return Page(number, data)
    except Unsound:
        return None


@dataclass(frozen=True)
class Outcome:
    """What became of a damaged file."""

    report: SalvageReport | None
    rows: set[int]
    unprovable: set[int]


def reopened(path: Path, keys: dict[int, str]) -> Outcome:
    """Open it whatever became of it; every row that is there and proven is one that was
    enqueued, as it was, and the books balance.

    Raises:
        DatabaseError, KeysWrong: it stays refused.
    """
    connection, report = open_recovered(path, migrations=MIGRATIONS, keyring=keyring)
    with contextlib.closing(connection):
        if report is not None:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            evident = report.rows + size(report.unprovable) + size(report.lost) + report.purged
            assert evident == report.last_seen <= max(keys)
            assert report.tail_unknown or report.last_seen == max(keys)
    rows, unprovable = set(), set()
    with contextlib.closing(open_queue(path.parent)) as queue:
        for row in queue.rows(limit=10**6):
            try:
                body = queue.desk.body(row.seq)
            except RowForged:
                unprovable.add(row.seq)
                continue
            assert row.key == keys[row.seq]
            assert body == body_of(row.key)
            rows.add(row.seq)
    if report is not None:
        assert not unprovable
        assert report.rows == len(rows)
    return Outcome(report, rows, unprovable)


def roots(path: Path) -> dict[str, int]:
    """The first page of every table and index."""
    with contextlib.closing(sqlite3.connect(path)) as file:
        return dict(file.execute("SELECT name, rootpage FROM sqlite_schema"))


def destroy(path: Path, *numbers: int) -> bytes:
    """Fill pages with nonsense; the file as it is then."""
    data = bytearray(path.read_bytes())
    for number in numbers:
        data[(number - 1) * PAGE_SIZE : number * PAGE_SIZE] = b"\x5a" * PAGE_SIZE
    path.write_bytes(data)
    return bytes(data)


def salvaged(path: Path, keys: dict[int, str]) -> SalvageReport:
    """The report of a file that must be salvaged."""
    report = reopened(path, keys).report
    assert report is not None
    return report
