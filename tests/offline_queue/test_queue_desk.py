"""What staff and tools do: replay, forget, settle by another way, look at one row."""

from __future__ import annotations

from pathlib import Path

import pytest

from offline_queue.errors import KeyConflict, LeaseLost, NotDead, QueueFull, RowForged
from offline_queue.message import State, Trust
from offline_queue.queue import Queue
from tests.offline_queue.queue_world import (
    LIMITS,
    START,
    HandClock,
    behind_its_back,
    claimed,
    drain,
    open_queue,
)


def with_a_dead_row(path: Path, clock: HandClock | None = None) -> Queue:
    queue = open_queue(path, clock)
    queue.enqueue("rating", b"body", key="k-1", lane="events", order="o", expires_after=5)
    queue.bury(claimed(queue), "invalid")
    return queue


def test_a_dead_row_is_repeated_once_under_another_key(tmp_path: Path) -> None:
    clock = HandClock()
    queue = with_a_dead_row(tmp_path, clock)
    clock.pass_(60)
    assert queue.desk.replay(1, "k-2").seq == 2
    old, new = queue.rows()
    assert (old.state, old.reason, old.replaced) == (State.DEAD, "invalid", 2)
    assert (new.state, new.replaces, new.lane) == (State.READY, 1, "events")
    with pytest.raises(NotDead):
        queue.desk.replay(1, "k-3")
    claim = claimed(queue)
    assert (claim.key, claim.body, claim.unsure) == ("k-2", b"body", False)
    assert queue.desk.verify().whole


def test_a_repeated_row_keeps_its_place_in_its_order(tmp_path: Path) -> None:
    queue = with_a_dead_row(tmp_path)
    queue.enqueue("rating", b"other", key="k-5", order="o")
    queue.desk.replay(1, "k-2")
    assert drain(queue) == ["k-5", "k-2"]


@pytest.mark.parametrize("seq", [0, 2, 99])
def test_only_a_dead_row_can_be_repeated(tmp_path: Path, seq: int) -> None:
    queue = with_a_dead_row(tmp_path)
    queue.enqueue("rating", b"x", key="k-9")
    for act in (lambda: queue.desk.replay(seq, "k-2"), lambda: queue.desk.forget(seq)):
        with pytest.raises(NotDead):
            act()


def test_a_replay_that_fails_decides_nothing(tmp_path: Path) -> None:
    queue = with_a_dead_row(tmp_path)
    queue.enqueue("rating", b"x", key="k-9")
    with pytest.raises(KeyConflict):
        queue.desk.replay(1, "k-9")
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE body SET sealed = zeroblob(40) WHERE seq = 1")
    with pytest.raises(RowForged):
        queue.desk.replay(1, "k-2")
    assert queue.rows()[0].replaced is None
    queue.desk.forget(1)
    assert queue.rows()[0].replaced == 0


def test_a_replay_needs_room(tmp_path: Path) -> None:
    queue = with_a_dead_row(tmp_path)
    for number in range(LIMITS.open_rows):
        queue.enqueue("rating", b"x", key=f"n-{number}")
    with pytest.raises(QueueFull):
        queue.desk.replay(1, "k-2")
    queue.desk.forget(1)


def test_dead_rows_stay_until_somebody_decides(tmp_path: Path) -> None:
    clock = HandClock()
    queue = with_a_dead_row(tmp_path, clock)
    queue.enqueue("rating", b"x", key="k-9")
    clock.pass_(LIMITS.retention_seconds + 1)
    assert queue.purge() == 0
    queue.desk.forget(1)
    assert queue.purge() == 1


def test_rows_go_by_another_way_and_their_receipts_come_back(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    for key in ("k-1", "k-2", "k-3"):
        queue.enqueue("rating", key.encode(), key=key, order="o")
    held = claimed(queue)
    messages = queue.desk.unsettled()
    assert [(each.seq, each.key, each.body) for each in messages] == [
        (1, "k-1", b"k-1"), (2, "k-2", b"k-2"), (3, "k-3", b"k-3"),
    ]  # fmt: skip
    assert (messages[0].wall, messages[0].trust) == (START, Trust.UNKNOWN)
    assert "k-1'" not in repr(messages[0].body) or "body" not in repr(messages[0])
    assert [each.seq for each in queue.desk.unsettled(after=1, most=1)] == [2]
    assert queue.desk.settle("k-1", "r-1")
    with pytest.raises(LeaseLost):
        queue.confirm(held, "r-1")
    assert queue.desk.reject("k-2", "forbidden")
    assert not queue.desk.settle("k-2", "r-2")
    assert not queue.desk.settle("unknown", "r-2")
    last = claimed(queue)
    assert (last.key, last.unsure) == ("k-3", True)
    states = {row.key: (row.state, row.receipt, row.reason) for row in queue.rows()}
    assert states["k-1"] == (State.CONFIRMED, "r-1", None)
    assert states["k-2"] == (State.DEAD, None, "forbidden")
    assert queue.desk.unsettled(after=3) == ()


def test_a_broken_row_goes_by_no_way(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"a", key="k-1")
    queue.enqueue("rating", b"b", key="k-2")
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE message SET kind = 'alarm' WHERE seq = 1")
    assert [each.key for each in queue.desk.unsettled()] == ["k-2"]


def test_one_row_and_its_body(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"secret", key="k-1")
    row = queue.desk.row(1)
    assert row is not None and row.key == "k-1" and "secret" not in repr(row)
    assert queue.desk.body(1) == b"secret"
    assert queue.desk.row(2) is None and queue.desk.body(2) is None
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE message SET kind = 'alarm'")
    with pytest.raises(RowForged):
        queue.desk.body(1)


def test_what_is_known_of_the_wall_clock_stands_in_the_row(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    queue.enqueue("rating", b"", key="k-1")
    assert queue.learn_time(-LIMITS.clock_tolerance) is Trust.CONFIRMED
    queue.enqueue("rating", b"", key="k-2")
    assert queue.learn_time(LIMITS.clock_tolerance + 1) is Trust.WRONG
    queue.enqueue("rating", b"", key="k-3")
    clock.pass_(5)
    queue.claim("worker")
    queue.close()
    clock.reboot(START - 86_400)
    queue = open_queue(tmp_path, clock)
    queue.enqueue("rating", b"", key="k-4")
    found = [(row.trust, row.wall) for row in queue.rows()]
    assert found == [
        ("unknown", START), ("confirmed", START), ("wrong", START), ("behind", START - 86_400),
    ]  # fmt: skip


def test_a_row_names_the_start_of_the_machine(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    clock.pass_(2.5)
    queue.enqueue("rating", b"", key="k-1")
    with behind_its_back(tmp_path) as file:
        boot, monotonic = file.execute("SELECT boot, monotonic FROM message").fetchone()
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    assert monotonic == 2500
