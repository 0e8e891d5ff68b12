"""Claim, settle, try again: leases, fencing, order, priority and backoff."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from offline_queue.errors import LeaseLost
from offline_queue.message import Claim, Priority, State
from offline_queue.queue import Queue
from tests.offline_queue.queue_world import (
    LIMITS,
    HandClock,
    behind_its_back,
    claimed,
    drain,
    open_queue,
)

ENDINGS: dict[str, Callable[[Queue, Claim], None]] = {
    "confirm": lambda queue, claim: queue.confirm(claim, "r-1"),
    "bury": lambda queue, claim: queue.bury(claim, "refused"),
    "retry": lambda queue, claim: queue.retry(claim, "timeout"),
    "release": lambda queue, claim: queue.release(claim),
}


def fill(queue: Queue, *keys: str, order: str = "") -> None:
    for key in keys:
        queue.enqueue("rating", key.encode(), key=key, order=order)


def test_oldest_first_and_nothing_twice(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    fill(queue, "a", "b", "c")
    assert [claimed(queue, f"w-{n}").key for n in range(3)] == ["a", "b", "c"]
    assert queue.claim("w-4") is None
    assert [(row.state, row.owner) for row in queue.rows()] == [
        (State.LEASED, f"w-{n}") for n in range(3)
    ]


def test_priority_goes_before_age(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    for key, priority in (
        ("bulk", Priority.BULK),
        ("normal", Priority.NORMAL),
        ("urgent", Priority.URGENT),
        ("urgent-2", Priority.URGENT),
    ):
        queue.enqueue("rating", b"", key=key, priority=priority)
    assert drain(queue) == ["urgent", "urgent-2", "normal", "bulk"]


def test_a_confirmed_row_keeps_its_receipt_over_a_restart(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    fill(queue, "a")
    queue.confirm(claimed(queue), "receipt/42")
    queue.close()
    (row,) = open_queue(tmp_path).rows(State.CONFIRMED)
    assert (row.key, row.receipt, row.owner) == ("a", "receipt/42", None)


def test_a_dead_row_keeps_its_reason_and_is_not_delivered(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    fill(queue, "a", "b")
    queue.bury(claimed(queue), "rejected:E1042")
    assert drain(queue) == ["b"]
    queue.hurry()
    assert queue.claim("worker") is None
    (row,) = queue.rows(State.DEAD)
    assert (row.key, row.reason) == ("a", "rejected:E1042")


@pytest.mark.parametrize("late", ENDINGS)
@pytest.mark.parametrize("first", ENDINGS)
def test_a_claim_ends_once(tmp_path: Path, first: str, late: str) -> None:
    queue = open_queue(tmp_path)
    fill(queue, "a")
    claim = claimed(queue)
    ENDINGS[first](queue, claim)
    before = queue.rows()
    with pytest.raises(LeaseLost):
        ENDINGS[late](queue, claim)
    assert queue.rows() == before


@pytest.mark.parametrize("late", ENDINGS)
def test_a_late_worker_settles_nothing(tmp_path: Path, late: str) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    fill(queue, "a")
    slow = claimed(queue, "slow")
    clock.pass_(LIMITS.lease_seconds)
    quick = claimed(queue, "quick")
    assert (quick.key, quick.attempts) == ("a", 0)
    assert quick.epoch > slow.epoch
    with pytest.raises(LeaseLost):
        ENDINGS[late](queue, slow)
    queue.confirm(quick, "r-2")
    assert [row.receipt for row in queue.rows()] == ["r-2"]


def test_a_lease_holds_to_its_end_and_then_says_so(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    fill(queue, "a", "b")
    claimed(queue)
    clock.pass_(LIMITS.lease_seconds - 0.001)
    assert claimed(queue).key == "b"
    clock.pass_(0.001)
    assert claimed(queue).key == "a"
    assert [row.reason for row in queue.rows()] == ["lease-over", None]


def test_a_worker_that_is_late_but_alone_may_still_confirm(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    fill(queue, "a")
    claim = claimed(queue)
    clock.pass_(10 * LIMITS.lease_seconds)
    queue.confirm(claim, "r-1")
    assert queue.claim("worker") is None


def test_one_order_is_delivered_one_after_the_other(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    fill(queue, "a1", "a2", "a3", order="a")
    fill(queue, "b1", "b2", order="b")
    fill(queue, "free")
    first = claimed(queue)
    assert first.key == "a1"
    other = claimed(queue)
    assert [other.key, claimed(queue).key, queue.claim("worker")] == ["b1", "free", None]
    queue.retry(first, "timeout")
    assert queue.claim("worker") is None
    queue.confirm(other, "r-1")
    assert claimed(queue).key == "b2"
    clock.pass_(LIMITS.backoff_cap)
    again = claimed(queue)
    assert again.key == "a1"
    queue.bury(again, "refused")
    assert drain(queue) == ["a2", "a3"]


def test_an_urgent_row_does_not_overtake_within_its_order(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    fill(queue, "a1", order="a")
    queue.enqueue("rating", b"", key="a2", order="a", priority=Priority.URGENT)
    assert drain(queue) == ["a1", "a2"]


def test_a_new_row_of_a_settled_order_is_ready(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    fill(queue, "a1", order="a")
    drain(queue)
    fill(queue, "a2", order="a")
    assert drain(queue) == ["a2"]


def test_release_counts_no_attempt_and_keeps_the_place(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    fill(queue, "a", "b")
    queue.release(claimed(queue))
    again = claimed(queue)
    assert (again.key, again.attempts) == ("a", 0)


def test_backoff_doubles_up_to_its_cap(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock, random=lambda: 0.999999)
    fill(queue, "a")
    waits = []
    for attempt in range(7):
        claim = claimed(queue)
        assert claim.attempts == attempt
        queue.retry(claim, "timeout")
        due = queue.next_due()
        assert due is not None
        waits.append(due)
        clock.pass_(due)
    assert waits == pytest.approx([2, 4, 8, 16, 30, 30, 30], abs=0.01)


def test_many_attempts_overflow_nothing(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    fill(queue, "a")
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE message SET attempts = 100000")
    queue.retry(claimed(queue), "timeout")
    assert queue.next_due() == LIMITS.backoff_cap / 2
    clock.pass_(LIMITS.backoff_cap)
    assert claimed(queue).attempts == 100_001


def test_jitter_spreads_over_the_whole_delay(tmp_path: Path) -> None:
    draws = iter([0.0, 0.25, 0.5, 0.75])
    clock = HandClock()
    queue = open_queue(tmp_path, clock, random=lambda: next(draws))
    fill(queue, "a", "b", "c", "d")
    for claim in [claimed(queue) for _ in range(4)]:
        queue.retry(claim, "timeout")
    order = []
    for wait in (0.0, 0.5, 0.5, 0.5):
        clock.pass_(wait)
        order.append(claimed(queue).key)
        assert queue.claim("worker") is None
    assert order == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("after", "wait"), [(20, 20), (0.1, 1), (None, 1), (86_400, 600)])
def test_the_other_side_may_ask_for_more_time_within_limits(
    tmp_path: Path, after: float | None, wait: float
) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    fill(queue, "a")
    queue.retry(claimed(queue), "overloaded", after=after)
    assert queue.next_due() == wait
    clock.pass_(wait - 0.001)
    assert queue.claim("worker") is None
    clock.pass_(0.001)
    assert claimed(queue).attempts == 1


def test_hurry_makes_due_what_waits_and_nothing_else(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    fill(queue, "leased", "waits", "dead")
    fill(queue, "o1", "o2", order="o")
    claimed(queue)
    queue.retry(claimed(queue), "timeout")
    queue.bury(claimed(queue), "refused")
    claimed(queue)
    assert queue.hurry() == 1
    assert [claimed(queue).key, queue.claim("worker")] == ["waits", None]
    assert queue.hurry() == 0


def test_next_due_tells_a_scheduler_how_long_to_sleep(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    assert queue.next_due() is None
    fill(queue, "a", "b")
    assert queue.next_due() == 0
    queue.retry(claimed(queue), "timeout")
    assert queue.next_due() == 0
    claim = claimed(queue)
    assert queue.next_due() == 1
    clock.pass_(5)
    assert queue.next_due() == 0
    queue.confirm(claimed(queue), "r-1")
    assert queue.next_due() == LIMITS.lease_seconds - 5
    queue.confirm(claim, "r-1")
    assert queue.next_due() is None


@pytest.mark.parametrize(
    ("ending", "word"),
    [("retry", "no line"), ("retry", "12345678901234"), ("bury", ""), ("bury", "r" * 65),
     ("confirm", ""), ("confirm", "r\n"), ("confirm", "r" * 257)],
)  # fmt: skip
def test_reasons_and_receipts_are_short_words(tmp_path: Path, ending: str, word: str) -> None:
    queue = open_queue(tmp_path)
    fill(queue, "a")
    claim = claimed(queue)
    with pytest.raises(ValueError, match=r"has|holds"):
        getattr(queue, ending)(claim, word)
    queue.confirm(claim, "r-1")


def test_an_owner_is_a_short_word(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    fill(queue, "a")
    with pytest.raises(ValueError, match="owner"):
        queue.claim("a b")
    assert claimed(queue).key == "a"
