"""Looking at a queue: all is seen, and the file stays as it was, whoever else has it open."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from offline_queue.database import SchemaTooNew
from offline_queue.errors import KeysWrong, QueueUnavailable, RowForged
from offline_queue.glance import Glance, SchemaOlder
from offline_queue.message import State, Trust
from offline_queue.queue import Queue
from tests.offline_queue.first_schema import old_file
from tests.offline_queue.queue_world import (
    DEVICE_KEY,
    LIMITS,
    START,
    HandClock,
    behind_its_back,
    claimed,
    open_queue,
)

Content = dict[str, bytes]


def filled(folder: Path) -> Queue:
    """An open queue: one row confirmed, two dead and of these one repeated, two waiting."""
    folder.mkdir(exist_ok=True)
    queue = open_queue(folder)
    for number in range(1, 5):
        queue.enqueue("rating", b"b%d" % number, key=f"k-{number}")
    queue.confirm(claimed(queue), "r-1")
    queue.bury(claimed(queue), "forbidden")
    queue.bury(claimed(queue), "invalid")
    queue.desk.replay(2, "k-2-again")
    return queue


def closed(folder: Path) -> None:
    filled(folder).close()


def killed(folder: Path) -> None:
    """The files that are left when the process dies: what was stored stands in the WAL."""
    alive = folder.with_name("alive")
    with contextlib.closing(filled(alive)):
        shutil.copytree(alive, folder)
    assert (folder / "queue.sqlite-wal").stat().st_size


def content(folder: Path) -> Content:
    return {file.name: file.read_bytes() for file in folder.iterdir() if "-shm" not in file.name}


def glance(folder: Path, key: bytes = DEVICE_KEY) -> Glance:
    return Glance(folder / "queue.sqlite", key, HandClock(), limits=LIMITS)


@pytest.mark.parametrize("left", [closed, killed])
def test_all_is_seen_and_nothing_is_changed(left: Callable[[Path], None], tmp_path: Path) -> None:
    folder = tmp_path / "queue"
    left(folder)
    before = content(folder)
    with glance(folder) as seen:
        assert seen.metrics().open == 2
        assert seen.undecided() == {"invalid": 1}
        assert [row.key for row in seen.rows(State.DEAD)] == ["k-2", "k-3"]
        assert [row.seq for row in seen.rows(limit=2, after=2)] == [3, 4]
        newest, row = seen.newest(), seen.row(2)
        assert newest is not None and newest.replaces == 2
        assert row is not None and row.replaced == 5
        assert seen.body(5) == b"b2"
        assert seen.row(9) is None and seen.body(9) is None
        assert seen.faults() == 0
        room = seen.room()
        assert room.used > 0 and room.ballast == ("queue.sqlite.ballast" in before)
        assert seen.trust is Trust.UNKNOWN
        told: list[int] = []
        assert seen.verify(told.append).whole
        assert told == [1, 2, 3, 4, 5]
    assert content(folder) == before


def test_it_works_beside_who_works_on_the_file(tmp_path: Path) -> None:
    with contextlib.closing(filled(tmp_path)) as queue, glance(tmp_path) as seen:
        with behind_its_back(tmp_path) as other:
            other.execute("BEGIN IMMEDIATE")
            assert seen.metrics().open == 2
            other.execute("ROLLBACK")
        queue.confirm(claimed(queue), "r-2")
        assert seen.metrics().open == 1


def test_no_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        glance(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_before_is_left_to_the_next_start(tmp_path: Path) -> None:
    old_file(tmp_path)
    before = content(tmp_path)
    with pytest.raises(SchemaOlder):
        glance(tmp_path)
    assert content(tmp_path) == before


def test_a_file_of_a_newer_program_is_named(tmp_path: Path) -> None:
    closed(tmp_path)
    with behind_its_back(tmp_path) as file:
        file.execute("PRAGMA user_version = 9")
    with pytest.raises(SchemaTooNew):
        glance(tmp_path)


def test_other_keys_are_named(tmp_path: Path) -> None:
    closed(tmp_path)
    with pytest.raises(KeysWrong):
        glance(tmp_path, bytes(16))


@pytest.mark.parametrize("garbage", [b"", b"no database" * 1000])
def test_what_is_no_database_is_named_and_left(garbage: bytes, tmp_path: Path) -> None:
    (tmp_path / "queue.sqlite").write_bytes(garbage)
    with pytest.raises(QueueUnavailable) as told:
        glance(tmp_path)
    assert told.value.errorname == "SQLITE_NOTADB"
    assert content(tmp_path) == {"queue.sqlite": garbage}


def test_a_row_that_was_changed_is_named(tmp_path: Path) -> None:
    closed(tmp_path)
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE message SET kind = 'other' WHERE seq = 4")
    with glance(tmp_path) as seen:
        with pytest.raises(RowForged):
            seen.body(4)
        assert 4 in seen.verify().broken


def test_a_clock_before_the_file_s_time_is_noticed(tmp_path: Path) -> None:
    closed(tmp_path)
    early = HandClock(START - 86_400)
    with Glance(tmp_path / "queue.sqlite", DEVICE_KEY, early, limits=LIMITS) as seen:
        assert seen.trust is Trust.BEHIND


def test_a_wal_that_hides_commits_is_found_and_left(tmp_path: Path) -> None:
    folder = tmp_path / "queue"
    killed(folder)
    wal = folder / "queue.sqlite-wal"
    with wal.open("r+b") as file:
        file.seek(wal.stat().st_size * 2 // 3)
        file.write(b"\xa5" * 16)
    (folder / "queue.sqlite-shm").unlink()
    before = content(folder)
    with pytest.raises(QueueUnavailable) as told:
        glance(folder)
    assert told.value.errorname == "SQLITE_CORRUPT"
    # Whoever opens it for work finds the damage, too.
    assert content(folder) == before and not (folder / "queue.sqlite-shm").exists()
