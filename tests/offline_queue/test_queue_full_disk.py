"""A disk of two megabytes, filled to the brim by others and by the queue itself."""

from __future__ import annotations

import multiprocessing
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offline_queue.room import Admission, Level, SpaceExhausted
from offline_queue.space import BallastEvent
from tests.offline_queue.bare_rows import KIB, LIMITS, BareRows
from tests.offline_queue.full_disk_world import LEFT, confirm_all, refused, stocked
from tests.offline_queue.tiny_disk import SIZE, TinyDisk, ext4_disk, tiny_disk

MADE, RELEASED, MISSING = BallastEvent.MADE, BallastEvent.RELEASED, BallastEvent.MISSING


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[TinyDisk]:
    with tiny_disk(tmp_path) as disk:
        yield disk


@pytest.mark.parametrize("left", LEFT)
def test_everything_stored_can_be_settled_on_a_disk_that_others_filled(
    disk: TinyDisk, left: int
) -> None:
    queue = stocked(disk)
    disk.fill(leave=left)
    assert disk.free == left
    stored = queue.rows()
    assert refused(queue) is Level.FULL
    assert confirm_all(queue) == stored
    assert queue.rows("done") == stored
    assert queue.healthy()
    # When the WAL has room for one transaction, it is written back and anew each time.
    assert queue.events == ([RELEASED] if left < 16 * KIB else [])
    assert refused(queue) is Level.FULL
    assert queue.purge() == len(stored)
    assert queue.healthy()
    released = queue.events == [RELEASED]
    disk.clear()
    queue.store()
    assert queue.level() is Level.FREE
    assert queue.events == ([RELEASED, MADE] if released else [])
    assert queue.ballast.stat().st_blocks * 512 >= LIMITS.ballast_bytes
    assert queue.rows() == [1]


def test_settling_goes_on_while_others_take_all_that_is_given_up(disk: TinyDisk) -> None:
    """A log that runs away fills the disk again at once."""
    queue = stocked(disk)
    stored = queue.rows()
    for seq in stored:
        disk.fill()
        assert queue.confirm() == seq
        assert queue.rows("done") == stored[:seq]
    disk.fill()
    assert queue.purge() == len(stored)
    assert queue.events == [RELEASED]
    assert 0 < queue.ballast.stat().st_blocks * 512 < LIMITS.ballast_bytes
    assert queue.healthy()


def stocked_in_the_wal(disk: TinyDisk, rows: int = 40) -> BareRows:
    """A slow reader kept the rows from being written back: the database still has to grow."""
    queue = BareRows(disk.path / "q")
    queue.store()
    reader = sqlite3.connect(queue.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM message").fetchall()
    for _ in range(rows - 1):
        queue.store()
    reader.close()
    assert queue.path.stat().st_size < queue.pragma("page_count") * 4096 - 64 * KIB
    return queue


def test_what_the_database_still_has_to_grow_by_is_not_free(disk: TinyDisk) -> None:
    queue = stocked(disk, 1)
    queue.connection.execute("PRAGMA wal_autocheckpoint = 0")
    for _ in range(8):
        queue.store()
    owed = queue.pragma("page_count") * 4096 - queue.path.stat().st_size
    assert queue.room().free == disk.free - owed < disk.free


def test_without_a_ballast_a_full_disk_takes_no_settlement(disk: TinyDisk) -> None:
    """What all this is for; here the ballast was not released but lost."""
    queue = stocked_in_the_wal(disk)
    queue.connection.execute("PRAGMA wal_autocheckpoint = 0")
    assert queue.confirm() == 1
    queue.ballast.unlink()
    disk.fill()
    stored = queue.rows()
    for action in (queue.checkpoint, queue.confirm, queue.purge):
        with pytest.raises(sqlite3.OperationalError) as caught:
            action()
        assert caught.value.sqlite_errorname == "SQLITE_FULL"
    assert refused(queue) is Level.FULL
    assert queue.rows() == stored
    assert queue.healthy()
    disk.clear()
    assert confirm_all(queue) == stored


def test_the_ballast_holds_what_the_database_still_has_to_grow_by(disk: TinyDisk) -> None:
    queue = stocked_in_the_wal(disk)
    disk.fill()
    stored = queue.rows()
    assert confirm_all(queue) == stored
    assert queue.events == [MADE, RELEASED]
    assert queue.path.stat().st_size == queue.pragma("page_count") * 4096
    assert queue.healthy()


def test_the_ballast_comes_back_only_when_there_is_more_than_it_takes(disk: TinyDisk) -> None:
    queue = stocked(disk)
    disk.fill()
    assert queue.confirm() == 1
    lacking = LIMITS.ballast_bytes - queue.ballast.stat().st_blocks * 512
    assert lacking > 0
    enough = lacking + LIMITS.full.free
    seen = []
    for left in range(0, enough + 64 * KIB, 8 * KIB):
        disk.clear()
        disk.fill(leave=left)
        room = queue.room()
        assert (room.level < Level.FULL) is room.ballast
        seen.append(room.ballast)
    assert seen == sorted(seen)
    assert enough <= seen.index(True) * 8 * KIB < enough + 16 * KIB
    # Less room again is no reason to give it up: only a write that fails is.
    disk.fill(leave=LIMITS.full.free // 2)
    assert queue.level() is Level.FULL
    assert queue.ballast.exists()
    assert queue.events == [RELEASED, MADE]


@pytest.mark.parametrize("admission", Admission)
def test_a_queue_that_fills_the_disk_itself_stops_before_it_is_full(
    disk: TinyDisk, admission: Admission
) -> None:
    queue = BareRows(disk.path / "q")
    disk.fill(leave=900 * KIB)
    stored = []
    with pytest.raises(SpaceExhausted) as caught:
        while True:
            stored.append(queue.store(admission))
    expected = {
        Admission.ORDINARY: Level.CRITICAL_ONLY,
        Admission.CRITICAL: Level.RESERVED_ONLY,
        Admission.RESERVED: Level.FULL,
    }
    assert caught.value.room.level is expected[admission]
    assert len(stored) > 20
    assert queue.rows() == stored
    assert queue.ballast.exists()
    assert queue.healthy()
    assert confirm_all(queue) == stored
    assert queue.events == [MADE]


def test_a_row_larger_than_what_is_free_spends_no_ballast(disk: TinyDisk) -> None:
    queue = stocked(disk)
    stored = queue.rows()
    with pytest.raises(sqlite3.OperationalError) as caught:
        queue.store(Admission.RESERVED, b"x" * SIZE)
    assert caught.value.sqlite_errorname == "SQLITE_FULL"
    assert queue.ballast.exists()
    assert queue.events == []
    assert queue.rows() == stored
    assert queue.healthy()


def test_shared_memory_that_cannot_grow_is_want_of_room(tmp_path: Path) -> None:
    """A WAL of more than 4,062 pages needs a second 32 KiB; SQLite calls that an I/O error."""
    with tiny_disk(tmp_path, f"size={24 * 1024 * KIB}") as disk:
        queue = stocked(disk, 4)
        reader = sqlite3.connect(queue.path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM message").fetchall()
        wal = disk.path / "q-wal"
        frame = 4096 + 24
        number = 0
        while wal.stat().st_size < 4_060 * frame:
            number += 1
            queue.connection.execute("UPDATE body SET sealed = ? WHERE seq = 1", (b"%d" % number,))
        disk.fill(leave=16 * KIB)
        names = []
        for more in range(8):
            try:
                queue.connection.execute(
                    "UPDATE body SET sealed = ? WHERE seq = 1", (b"-%d" % more,)
                )
            except sqlite3.OperationalError as error:
                names.append(error.sqlite_errorname)
                break
        assert names == ["SQLITE_IOERR_SHMSIZE"]
        assert queue.confirm() == 1
        assert queue.events == [RELEASED]
        assert queue.healthy()
        reader.close()


@pytest.mark.parametrize("left", ["short", "sparse", "folder", "nothing"])
def test_a_ballast_that_is_no_help_is_told_and_loses_nothing(disk: TinyDisk, left: str) -> None:
    queue = stocked(disk)
    stored = queue.rows()
    queue.ballast.unlink()
    match left:
        case "short":
            queue.ballast.write_bytes(b"x" * 4096)
        case "sparse":
            with queue.ballast.open("wb") as file:
                file.truncate(LIMITS.ballast_bytes)
        case "folder":
            queue.ballast.mkdir()
        case _:
            pass
    disk.fill()
    assert refused(queue) is Level.FULL
    with pytest.raises(sqlite3.OperationalError, match="full"):
        queue.confirm()
    assert queue.rows() == stored
    assert queue.healthy()
    disk.clear()
    level = queue.level()
    assert level is (Level.WARN if left == "folder" else Level.FREE)
    assert queue.events[-1] is (MISSING if left == "folder" else MADE)
    assert confirm_all(queue) == stored


def test_two_processes_share_one_ballast(disk: TinyDisk) -> None:
    mine = stocked(disk)
    stored = mine.rows()
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as other:
        disk.fill()
        settled, events = other.apply(_settle_some, (disk.path / "q", 20))
        assert settled == stored[:20]
        assert events == [RELEASED]
        assert not mine.room().ballast
        assert refused(mine) is Level.FULL
        assert confirm_all(mine) == stored[20:]
        assert mine.events == []
        disk.clear()
        assert mine.level() is Level.FREE
        assert mine.events == [MADE]
        assert other.apply(_settle_some, (disk.path / "q", 1)) == ([], [])
    assert mine.rows("done") == stored
    assert mine.healthy()


def _settle_some(path: Path, count: int) -> tuple[list[int], list[BallastEvent]]:
    queue = BareRows(path)
    settled = [seq for _ in range(count) if (seq := queue.confirm()) is not None]
    queue.close()
    return settled, queue.events


def test_two_that_meet_the_full_disk_at_once_both_go_on(disk: TinyDisk) -> None:
    one = stocked(disk)
    two = BareRows(disk.path / "q")
    disk.fill()
    # As if the other had released it between our failure and our release.
    one.ballast.unlink()
    assert two.confirm() == 1
    assert one.confirm() == 2
    assert one.events == two.events == []


def test_what_ext4_is_given_back_it_hands_out_again_at_once(tmp_path: Path) -> None:
    """It does so only after a commit of its own journal. Other files come and go meanwhile."""
    with ext4_disk(tmp_path) as disk:
        if disk is None:
            pytest.skip("no loop device can be had here")
        queue = stocked(disk)
        assert queue.ballast.stat().st_blocks * 512 >= LIMITS.ballast_bytes
        stored = queue.rows()
        for seq in stored:
            disk.fill()
            assert queue.confirm() == seq
        assert refused(queue) is Level.FULL
        assert queue.purge() == len(stored)
        assert queue.events == [RELEASED]
        assert queue.healthy()
        queue.close()
        disk.fill()
        queue = BareRows(disk.path / "q")
        assert queue.healthy()
        disk.clear()
        assert queue.level() is Level.FREE
        assert queue.ballast.stat().st_blocks * 512 >= LIMITS.ballast_bytes
        queue.close()


rounds = st.tuples(
    st.sampled_from([0, 4, 16, 32, 144, 208, 288, 600, None]),
    st.sampled_from(Admission),
    st.integers(0, 80),
    st.integers(1, 40),
    st.sampled_from(["nothing", "purge", "reopen"]),
)
"""What another file leaves, in KiB, if it is there; rows stored; rows settled; and then."""


@given(rounds=st.lists(rounds, min_size=1, max_size=6))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_history_of_a_tiny_disk_loses_a_row_or_stops_settling(
    disk: TinyDisk, rounds: list[tuple[int | None, Admission, int, int, str]]
) -> None:
    with tempfile.TemporaryDirectory(dir=disk.path) as folder:
        disk.clear()
        path = Path(folder) / "q"
        queue = BareRows(path)
        ready, done = [queue.store() for _ in range(30)], list[int]()
        queue.close()
        queue = BareRows(path)

        def settle(number: int) -> None:
            for _ in range(number):
                assert queue.confirm() == (ready[0] if ready else None)
                done.extend(ready[:1])
                del ready[:1]

        for left, admission, stores, settlements, then in rounds:
            disk.clear()
            if left is not None:
                disk.fill(leave=left * KIB)
            for _ in range(stores):
                level = queue.level()
                try:
                    seq = queue.store(admission)
                except SpaceExhausted as exhausted:
                    assert exhausted.room.level == level
                    assert not level.admits(admission)
                    break
                assert level.admits(admission)
                ready.append(seq)
            settle(settlements)
            if then == "purge":
                assert queue.purge() == len(done)
                done.clear()
            elif then == "reopen":
                queue.close()
                queue = BareRows(path)
            assert queue.rows() == ready
            assert queue.rows("done") == done
            assert queue.healthy()
        disk.clear()
        settle(len(ready))
        assert queue.purge() == len(done)
        assert queue.level() is Level.FREE
        assert queue.ballast.exists()
        queue.close()
