"""Lanes that rest, rows that age, deliveries of which nobody knows, and rows whose time is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from offline_queue.message import HEAD_START, Priority, State
from offline_queue.queue import EXPIRED, Queue
from tests.offline_queue.queue_world import LIMITS, HandClock, claimed, drain, open_queue


def put(queue: Queue, key: str, lane: str = "main", **named: object) -> None:
    queue.enqueue("rating", key.encode(), key=key, lane=lane, **named)  # type: ignore[arg-type]


def test_a_lane_that_is_paused_rests_alone(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    put(queue, "a", "alarms")
    put(queue, "e", "events")
    queue.pause("alarms", "unauthorized", 30)
    assert claimed(queue).key == "e"
    assert queue.claim("worker") is None
    assert queue.next_due() == 30
    (pause,) = queue.metrics().pauses
    assert (pause.lane, pause.reason, pause.seconds) == ("alarms", "unauthorized", 30)
    clock.pass_(30)
    assert queue.metrics().pauses == ()
    assert claimed(queue).key == "a"


def test_a_pause_is_never_made_shorter_by_another(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    put(queue, "a", "alarms")
    queue.pause("alarms", "unauthorized", 30)
    queue.pause("alarms", "unauthorized", 3)
    clock.pass_(29)
    assert queue.claim("worker") is None


def test_other_processes_see_the_pause(tmp_path: Path) -> None:
    one, other = open_queue(tmp_path), open_queue(tmp_path)
    put(one, "a", "alarms")
    one.pause("alarms", "unauthorized", 30)
    assert other.claim("worker") is None


def test_failures_in_a_row_open_the_breaker_and_one_success_closes_it(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    for key in "abc":
        put(queue, key)
    for failures in range(1, LIMITS.breaker_failures):
        queue.retry(claimed(queue), "unreachable", lane_failed=True)
        assert queue.metrics().pauses == (), failures
        clock.pass_(60)
    claim = claimed(queue)
    queue.retry(claim, "unreachable", lane_failed=True)
    (pause,) = queue.metrics().pauses
    # Full jitter of the first backoff: half of it by these tests' random numbers.
    assert (pause.seconds, pause.failures) == (1.0, LIMITS.breaker_failures)
    assert queue.claim("worker") is None
    clock.pass_(1)
    again = claimed(queue)
    queue.retry(again, "unreachable", lane_failed=True)
    assert queue.metrics().pauses[0].seconds == 2.0
    clock.pass_(2)
    queue.confirm(claimed(queue), "r-1")
    assert queue.metrics().pauses == ()
    clock.pass_(600)
    queue.retry(claimed(queue), "unreachable", lane_failed=True)
    assert queue.metrics().pauses == ()


def test_what_a_lane_is_asked_to_wait_it_waits(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    for number in range(LIMITS.breaker_failures):
        put(queue, f"k-{number}")
        queue.retry(claimed(queue), "overloaded", lane_failed=True, after=40)
    assert queue.metrics().pauses[0].seconds == 40


def test_when_the_line_is_back_no_lane_rests(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    put(queue, "a", "alarms")
    queue.pause("alarms", "unauthorized", 30)
    assert queue.hurry() == 0
    assert claimed(queue).key == "a"


@pytest.mark.parametrize("later", [Priority.NORMAL, Priority.BULK])
def test_what_waits_long_goes_before_what_is_more_urgent(tmp_path: Path, later: Priority) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    put(queue, "old", priority=later)
    clock.pass_(HEAD_START[later] - 1)
    put(queue, "younger", priority=Priority.URGENT)
    clock.pass_(2)
    put(queue, "youngest", priority=Priority.URGENT)
    assert drain(queue) == ["younger", "old", "youngest"]


def test_rows_of_several_lanes_come_in_one_order(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    for number, lane in enumerate(["x", "y", "x", "z", "y"]):
        put(queue, f"k-{number}", lane)
        clock.pass_(1)
    assert drain(queue) == [f"k-{number}" for number in range(5)]


def test_who_may_have_delivered_is_told_to_the_next(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    put(queue, "k-1")
    first = claimed(queue)
    assert not first.unsure
    queue.retry(first, "timeout", unsure=True)
    (row,) = queue.rows(State.SENT)
    assert row.unsure and row.due_seconds == 1.0
    clock.pass_(1)
    second = claimed(queue)
    assert second.unsure
    queue.retry(second, "turned-away")
    assert queue.rows(State.WAITING)[0].unsure
    clock.pass_(60)
    queue.release(claimed(queue))
    assert claimed(queue).unsure


def test_a_worker_that_dies_leaves_doubt(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    put(queue, "k-1")
    claimed(queue)
    clock.pass_(LIMITS.lease_seconds)
    assert claimed(queue).unsure


def test_nothing_is_in_doubt_of_a_row_that_was_given_back(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    put(queue, "k-1")
    queue.release(claimed(queue))
    assert not claimed(queue).unsure


def test_what_is_not_delivered_in_its_time_is_dead(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    put(queue, "short", expires_after=10, order="o")
    put(queue, "next", order="o")
    put(queue, "long", expires_after=100)
    clock.pass_(10)
    assert drain(queue) == ["next", "long"]
    (dead,) = queue.rows(State.DEAD)
    assert (dead.key, dead.reason) == ("short", EXPIRED)


def test_a_clock_that_jumps_expires_nothing(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    put(queue, "k-1", expires_after=10)
    clock.jump(10**8)
    assert claimed(queue).key == "k-1"
