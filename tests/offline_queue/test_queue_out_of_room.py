"""The whole queue on a disk of two megabytes: what is stored is delivered, settled and purged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offline_queue.errors import QueueUnavailable
from offline_queue.message import Claim, State
from offline_queue.queue import Queue
from offline_queue.room import Admission, Level, SpaceExhausted
from offline_queue.space import BallastEvent
from tests.offline_queue import bare_rows
from tests.offline_queue.bare_rows import KIB
from tests.offline_queue.queue_world import (
    DEVICE_KEY,
    LIMITS,
    HandClock,
    behind_its_back,
    claimed,
    drain,
    open_queue,
)
from tests.offline_queue.tiny_disk import TinyDisk, tiny_disk

TINY = dataclasses.replace(LIMITS, open_rows=10_000, space=bare_rows.LIMITS)

MADE, RELEASED = BallastEvent.MADE, BallastEvent.RELEASED

SETTLING: dict[str, Callable[[Queue, Claim], object]] = {
    "claim": lambda queue, claim: queue.claim("other"),
    "confirm": lambda queue, claim: queue.confirm(claim, "r-1"),
    "bury": lambda queue, claim: queue.bury(claim, "refused"),
    "retry": lambda queue, claim: queue.retry(claim, "timeout", lane_failed=True),
    "release": lambda queue, claim: queue.release(claim),
    "pause": lambda queue, claim: queue.pause("main", "refused", 5),
    "hurry": lambda queue, claim: queue.hurry(),
    "purge": lambda queue, claim: queue.purge(),
    "unsettled": lambda queue, claim: queue.desk.unsettled(),
    "settle": lambda queue, claim: queue.desk.settle("k-20", "r-1"),
    "reject": lambda queue, claim: queue.desk.reject("k-20", "refused"),
    "forget": lambda queue, claim: queue.desk.forget(3),
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[TinyDisk]:
    with tiny_disk(tmp_path) as disk:
        yield disk


def stocked(disk: TinyDisk, clock: HandClock | None = None) -> Queue:
    """Opened anew: the WAL has no blocks yet. One row each is confirmed, waiting and dead."""
    queue = open_queue(disk.path, limits=TINY)
    for number in range(30):
        queue.enqueue("rating", b"x" * 1_000, key=f"k-{number}")
    queue.confirm(claimed(queue), "r-1")
    queue.retry(claimed(queue), "timeout", after=500)
    queue.bury(claimed(queue), "refused")
    queue.close()
    return open_queue(disk.path, clock, limits=TINY)


def healthy(disk: TinyDisk, queue: Queue) -> bool:
    """SQLite's own opinion, and the chain's."""
    report = queue.desk.verify()
    with behind_its_back(disk.path) as file:
        found = file.execute("PRAGMA quick_check").fetchall()
    return (found, report.lost, report.broken) == ([("ok",)], (), ())


@pytest.mark.parametrize("action", SETTLING)
def test_what_ends_or_shrinks_something_goes_on_when_others_fill_the_disk(
    disk: TinyDisk, action: str
) -> None:
    clock = HandClock()
    queue = stocked(disk, clock)
    claim = claimed(queue)
    clock.pass_(5_000 if action == "purge" else 1)
    with behind_its_back(disk.path) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    before = queue.rows()
    disk.fill()
    assert queue.room().level is Level.FULL
    SETTLING[action](queue, claim)
    assert disk.free > 0, "nothing was given up, so nothing was written"
    # Of these the row does not tell.
    assert queue.rows() != before or action in ("pause", "forget")
    assert healthy(disk, queue)
    queue.close()


def test_everything_is_delivered_on_a_full_disk_and_then_there_is_room_again(
    disk: TinyDisk,
) -> None:
    events: list[BallastEvent] = []
    stocked(disk).close()
    disk.fill()
    clock = HandClock()
    path = disk.path / "queue.sqlite"
    queue = Queue(path, DEVICE_KEY, clock, limits=TINY, ballast_told=events.append)
    for admission in Admission:
        with pytest.raises(SpaceExhausted) as caught:
            queue.enqueue("alarm", b"x", key="more", admission=admission)
        assert caught.value.room.level is Level.FULL
    queue.hurry()
    assert sorted(drain(queue)) == sorted(
        f"k-{number}" for number in range(30) if number not in (0, 2)
    )
    assert events == [RELEASED]
    clock.pass_(LIMITS.retention_seconds + 10)
    assert queue.purge() > 20
    assert healthy(disk, queue)
    disk.clear()
    assert queue.enqueue("rating", b"x", key="more").fresh
    assert events == [RELEASED, MADE]
    assert queue.room().level is Level.FREE
    queue.close()


@pytest.mark.parametrize("admission", Admission)
def test_a_full_queue_lets_in_by_admission(disk: TinyDisk, admission: Admission) -> None:
    queue = open_queue(disk.path, limits=TINY)
    disk.fill(leave=700 * KIB)
    stored = 0
    with pytest.raises(SpaceExhausted) as caught:
        while True:
            queue.enqueue("rating", b"x" * 2_000, key=f"k-{stored}", admission=admission)
            stored += 1
    assert stored > 10
    assert not caught.value.room.level.admits(admission)
    assert caught.value.room.level.admits(Admission.RESERVED) is (admission != Admission.RESERVED)
    assert len(queue.rows(State.READY, 10_000)) == stored
    assert len(drain(queue)) == stored
    assert healthy(disk, queue)
    queue.close()


def test_a_dead_row_is_not_repeated_where_there_is_no_room(disk: TinyDisk) -> None:
    queue = stocked(disk)
    disk.fill()
    (dead,) = queue.rows(State.DEAD)
    with pytest.raises(SpaceExhausted):
        queue.desk.replay(dead.seq, "again")
    disk.clear()
    assert queue.desk.replay(dead.seq, "again").fresh
    queue.close()


def test_when_all_is_given_up_it_is_told_and_nothing_changes(disk: TinyDisk) -> None:
    queue = stocked(disk)
    claim = claimed(queue)
    with behind_its_back(disk.path) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    (disk.path / "queue.sqlite.ballast").unlink()
    disk.fill()
    before = queue.rows()
    with pytest.raises(QueueUnavailable, match="SQLITE_FULL"):
        queue.confirm(claim, "r-1")
    assert queue.rows() == before
    assert healthy(disk, queue)
    disk.clear()
    queue.confirm(claim, "r-1")
    queue.close()


def test_what_is_set_right_at_opening_has_the_ballast_too(disk: TinyDisk) -> None:
    stocked(disk).close()
    with behind_its_back(disk.path) as file:
        file.execute("UPDATE message SET state = 'behind' WHERE seq = 20")
    # Room for the shared memory and no more.
    disk.fill(leave=32 * KIB)
    queue = open_queue(disk.path, limits=TINY)
    assert queue.rows(State.BEHIND) == ()
    assert not queue.room().ballast
    queue.close()


def test_a_file_that_another_holds_is_no_reason_to_spend_the_ballast(disk: TinyDisk) -> None:
    queue = stocked(disk)
    claim = claimed(queue)
    disk.fill()
    with behind_its_back(disk.path) as file:
        file.execute("BEGIN IMMEDIATE")
        with pytest.raises(QueueUnavailable, match="SQLITE_BUSY"):
            queue.confirm(claim, "r-1")
        file.execute("ROLLBACK")
    assert queue.room().ballast
    queue.close()
