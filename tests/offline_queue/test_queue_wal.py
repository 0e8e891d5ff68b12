"""Frames in the WAL that were written and never counted are no damage; counted ones are."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_queue.damage.aside import beside
from offline_queue.damage.wal import read_wal
from offline_queue.database import PAGE_SIZE, DatabaseDamaged, immediate, open_durable

FRAME = 24 + PAGE_SIZE
MIGRATIONS = (("CREATE TABLE t (x BLOB) STRICT",),)
FILES = ("", "-wal", "-shm")


def write(connection: sqlite3.Connection, pages: int) -> None:
    with immediate(connection):
        connection.execute("INSERT INTO t VALUES (zeroblob(?))", (pages * PAGE_SIZE,))


def copied(path: Path, folder: Path, files: tuple[str, ...] = FILES) -> Path:
    """As a kill of every process would leave it."""
    folder.mkdir()
    for suffix in files:
        shutil.copyfile(beside(path, suffix), folder / beside(path, suffix).name)
    return folder / path.name


def wal_of(path: Path) -> Path:
    return beside(path, "-wal")


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple[Path, sqlite3.Connection]]:
    """A database that a process has open, with some frames in its WAL."""
    path = tmp_path / "q"
    with contextlib.closing(open_durable(path, migrations=MIGRATIONS)) as connection:
        write(connection, 1)
        yield path, connection


def test_what_somebody_left_who_was_killed_within_a_commit_is_no_damage(
    tmp_path: Path, busy: tuple[Path, sqlite3.Connection]
) -> None:
    path, alive = busy
    before = wal_of(path).stat().st_size
    other = copied(path, tmp_path / "other")
    with contextlib.closing(open_durable(other, migrations=MIGRATIONS)) as killed:
        for _ in range(2):
            write(killed, 3)
        left = wal_of(other).read_bytes()[before:]
    # The killed one's frames are there, and the wal-index knows nothing of them.
    with wal_of(path).open("ab") as file:
        file.write(left)
    write(alive, 1)
    assert wal_of(path).stat().st_size == before + len(left), "all of them were written over"
    found = read_wal(wal_of(path), PAGE_SIZE)
    assert not found.hides and not found.torn
    after = copied(path, tmp_path / "after")
    with contextlib.closing(open_durable(after, migrations=MIGRATIONS)) as opened:
        assert opened.execute("SELECT count(*) FROM t").fetchone() == (2,)
    # Without the wal-index nobody can tell them from acknowledged ones.
    assert read_wal(wal_of(copied(path, tmp_path / "bare", FILES[:2])), PAGE_SIZE).hides


@pytest.mark.parametrize("files", [FILES, FILES[:2]], ids=["counted", "uncounted"])
def test_a_damaged_frame_that_counts_is_damage(
    tmp_path: Path, busy: tuple[Path, sqlite3.Connection], files: tuple[str, ...]
) -> None:
    path, alive = busy
    for _ in range(3):
        write(alive, 1)
    after = copied(path, tmp_path / "after", files)
    with wal_of(after).open("r+b") as file:
        file.seek(32 + FRAME + 100)
        file.write(b"damage")
    with pytest.raises(DatabaseDamaged, match="committed frames"):
        open_durable(after, migrations=MIGRATIONS)


@pytest.mark.parametrize("at", [0, 16, 32, 40, 60, 95])
def test_a_wal_index_that_does_not_hold_is_not_asked(
    tmp_path: Path, busy: tuple[Path, sqlite3.Connection], at: int
) -> None:
    path, alive = busy
    write(alive, 1)
    after = copied(path, tmp_path / "after")
    index = beside(after, "-shm")
    octets = bytearray(index.read_bytes())
    octets[at] ^= 1
    index.write_bytes(octets)
    with wal_of(after).open("r+b") as file:
        file.seek(32 + FRAME + 100)
        file.write(b"damage")
    assert read_wal(wal_of(after), PAGE_SIZE).hides
