"""A queue opened, or begun, on a disk of two megabytes that is full."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_queue.room import Level
from offline_queue.space import BallastEvent
from tests.offline_queue.bare_rows import KIB, LIMITS, BareRows
from tests.offline_queue.full_disk_world import LEFT, confirm_all, refused, stocked
from tests.offline_queue.tiny_disk import SIZE, TinyDisk, tiny_disk

MADE, RELEASED = BallastEvent.MADE, BallastEvent.RELEASED


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[TinyDisk]:
    with tiny_disk(tmp_path) as disk:
        yield disk


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
def test_a_full_disk_does_not_keep_the_queue_shut(disk: TinyDisk, left: int, closed: bool) -> None:
    before = stocked(disk)
    if closed:
        stored = before.rows()
        before.close()
        assert not (disk.path / "q-wal").exists()
    else:
        stored = _leave_as_killed(before, disk.path)
    disk.fill(leave=left)
    queue = BareRows(disk.path / "q")
    assert queue.rows() == stored
    assert queue.healthy()
    assert refused(queue) is Level.FULL
    assert confirm_all(queue) == stored
    # The shared memory takes 32 KiB; a WAL that was left behind is written anew in place.
    assert queue.events in ([], [RELEASED])
    assert left >= 32 * KIB or queue.events == [RELEASED]
    queue.close()
    disk.clear()
    after = BareRows(disk.path / "q")
    assert after.rows("done") == stored
    assert after.level() is Level.FREE
    assert after.ballast.stat().st_blocks * 512 >= LIMITS.ballast_bytes


def _leave_as_killed(queue: BareRows, folder: Path) -> list[int]:
    """Only the database and its WAL, as they are after the power went."""
    for _ in range(20):
        queue.store()
    stored = queue.rows()
    kept = {name: (folder / name).read_bytes() for name in ("q", "q-wal")}
    queue.close()
    for name, content in kept.items():
        (folder / name).write_bytes(content)
    return stored


def test_opening_needs_the_ballast_for_the_shared_memory(disk: TinyDisk) -> None:
    stocked(disk).close()
    (disk.path / "q.ballast").unlink()
    disk.fill()
    with pytest.raises(sqlite3.OperationalError) as caught:
        BareRows(disk.path / "q")
    assert caught.value.sqlite_errorname == "SQLITE_IOERR_SHMSIZE"
    disk.clear()
    queue = BareRows(disk.path / "q")
    assert len(queue.rows()) == 60
    assert queue.level() is Level.FREE


def test_what_is_done_before_opening_may_have_the_ballast_as_well(disk: TinyDisk) -> None:
    """A copy before a migration, or of a damaged file."""
    queue = stocked(disk)
    queue.close()
    disk.fill()

    def connect() -> sqlite3.Connection:
        with (disk.path / "copy").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 64 * KIB)
        return sqlite3.connect(queue.path, isolation_level=None)

    with contextlib.closing(queue.space.open(connect)) as connection:
        assert connection.execute("SELECT count(*) FROM message").fetchone() == (60,)
    assert queue.events == [RELEASED]


@pytest.mark.parametrize("left", [0, 4 * KIB, 16 * KIB, 32 * KIB])
def test_a_queue_cannot_begin_on_a_full_disk_and_leaves_nothing_behind(
    disk: TinyDisk, left: int
) -> None:
    disk.fill(leave=left)
    with pytest.raises(sqlite3.OperationalError, match=r"full|I/O"):
        BareRows(disk.path / "q")
    assert [file.name for file in disk.path.iterdir()] == ["filler"]
    assert disk.free == left


def test_a_queue_begun_where_the_ballast_does_not_fit_stores_nothing_yet(disk: TinyDisk) -> None:
    disk.fill(leave=300 * KIB)
    queue = BareRows(disk.path / "q")
    assert refused(queue) is Level.FULL
    assert queue.events == []
    assert not queue.ballast.exists()
    disk.clear()
    queue.store()
    assert queue.events == [MADE]


def test_when_no_file_can_be_made_the_ballast_gives_its_inode(tmp_path: Path) -> None:
    with tiny_disk(tmp_path, f"size={SIZE},nr_inodes=12") as disk:
        stocked(disk, 3).close()
        files = 0
        with contextlib.suppress(OSError):
            for files in range(20):
                (disk.path / f"f{files}").touch()
        (disk.path / "f0").unlink()
        queue = BareRows(disk.path / "q")
        assert queue.events[0] is RELEASED
        assert len(confirm_all(queue)) == 3
        assert queue.healthy()
        queue.close()
