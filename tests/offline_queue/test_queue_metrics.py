"""What staff see, what is kept how long, and that no question grows with the backlog."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from offline_queue.message import Metrics, State
from tests.offline_queue.queue_world import (
    LIMITS,
    HandClock,
    behind_its_back,
    claimed,
    open_queue,
    stock,
)


def test_metrics_of_an_empty_queue(tmp_path: Path) -> None:
    assert open_queue(tmp_path).metrics() == Metrics(
        states=dict.fromkeys(State, 0),
        kinds={},
        oldest_seconds=None,
        dead_reasons={},
        confirmed_seconds=None,
        pauses=(),
    )


def test_metrics_count_every_state_kind_and_reason(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    for key in ("confirmed", "dead", "dead-2", "dead-3"):
        queue.enqueue("rating", b"", key=key)
    queue.confirm(claimed(queue), "r-1")
    for reason in ("refused", "refused", "expired"):
        queue.bury(claimed(queue), reason)
    clock.pass_(7)
    queue.enqueue("rating", b"", key="confirmed-2")
    queue.confirm(claimed(queue), "r-2")
    queue.enqueue("audit", b"", key="waiting")
    queue.retry(claimed(queue), "timeout")
    queue.enqueue("audit", b"", key="sent", lane="other")
    queue.retry(claimed(queue), "timeout", unsure=True)
    queue.pause("other", "unauthorized", 30)
    clock.pass_(0.25)
    queue.enqueue("audit", b"", key="leased", order="o")
    claimed(queue)
    queue.enqueue("rating", b"", key="behind", order="o")
    queue.enqueue("rating", b"", key="ready")
    clock.pass_(0.25)
    queue.enqueue("rating", b"", key="ready-2")
    metrics = queue.metrics()
    twice = {State.READY: 2, State.CONFIRMED: 2}
    assert metrics.states == dict.fromkeys(State, 1) | twice | {State.DEAD: 3}
    assert metrics.kinds == {"audit": 3, "rating": 3}
    assert metrics.open == 6
    assert (metrics.oldest_seconds, metrics.confirmed_seconds) == (0.5, 0.5)
    assert metrics.dead_reasons == {"refused": 2, "expired": 1}
    assert json.loads(json.dumps(metrics.as_json())) == {
        "open": 6,
        "states": {
            "ready": 2,
            "behind": 1,
            "waiting": 1,
            "leased": 1,
            "sent": 1,
            "confirmed": 2,
            "dead": 3,
        },
        "kinds": {"audit": 3, "rating": 3},
        "oldest_seconds": 0.5,
        "dead_reasons": {"refused": 2, "expired": 1},
        "confirmed_seconds": 0.5,
        "pauses": [{"lane": "other", "seconds": 29.5, "reason": "unauthorized", "failures": 1}],
    }


def test_the_oldest_of_one_kind_counts(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    for key in ("old", "young"):
        queue.enqueue("rating", b"", key=key)
        clock.pass_(3)
    assert queue.metrics().oldest_seconds == 6


def test_rows_are_the_oldest_of_a_state(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    for number in range(5):
        queue.enqueue("rating", b"", key=f"k-{number}")
    queue.bury(claimed(queue), "refused")
    assert [row.key for row in queue.rows(State.READY, limit=2)] == ["k-1", "k-2"]
    assert [row.key for row in queue.rows(limit=2)] == ["k-0", "k-1"]
    assert queue.rows(State.LEASED) == ()


def test_purge_takes_old_confirmed_rows_with_their_bodies_and_no_other(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    for key in ("old", "dead", "waits", "young", "ready"):
        queue.enqueue("rating", b"", key=key)
    queue.confirm(claimed(queue), "r-1")
    queue.bury(claimed(queue), "refused")
    queue.retry(claimed(queue), "timeout")
    clock.pass_(LIMITS.retention_seconds / 2)
    while (claim := queue.claim("worker")) is not None and claim.key != "young":
        queue.release(claim)
        queue.retry(claimed(queue), "timeout")
    assert claim is not None
    queue.confirm(claim, "r-2")
    clock.pass_(LIMITS.retention_seconds / 2 - 0.001)
    assert queue.purge() == 0
    clock.pass_(0.001)
    assert queue.purge() == 1
    assert [row.key for row in queue.rows()] == ["dead", "waits", "young", "ready"]
    with behind_its_back(tmp_path) as file:
        assert file.execute("SELECT seq FROM body").fetchall() == [(2,), (3,), (4,), (5,)]


def test_purge_of_many_and_no_sequence_is_given_twice(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock, limits=dataclasses.replace(LIMITS, open_rows=5_000))
    stock(tmp_path, [f"k-{number}" for number in range(1_100)])
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE message SET state = 'confirmed', settled = 1, receipt = 'r-1'")
    clock.pass_(LIMITS.retention_seconds)
    assert queue.purge() == 1_099
    assert queue.enqueue("rating", b"", key="next").seq == 1_101


BACKLOGS = {
    "ready": ("", "SELECT 1"),
    "behind": ("o", "SELECT 1"),
    "waiting": ("", "UPDATE message SET state = 'waiting', due = 9000000000000"),
    "leased": ("", "UPDATE message SET state = 'leased', due = 9000000000000, owner = 'w'"),
    "confirmed": ("", "UPDATE message SET state = 'confirmed', settled = 9, receipt = 'r-1'"),
    "dead": ("", "UPDATE message SET state = 'dead', settled = 9, reason = 'refused'"),
}


@pytest.mark.parametrize("backlog", BACKLOGS)
def test_the_work_does_not_grow_with_the_backlog(tmp_path: Path, backlog: str) -> None:
    """Counted in SQLite's own instructions, so no clock is needed."""
    few, many = (_instructions(tmp_path / str(rows), rows, backlog) for rows in (20, 1_000))
    assert many <= few * 1.05


def _instructions(folder: Path, rows: int, backlog: str) -> int:
    folder.mkdir()
    order, change = BACKLOGS[backlog]
    queue = open_queue(folder, limits=dataclasses.replace(LIMITS, open_rows=10**6))
    stock(folder, [f"k-{number}" for number in range(rows)], order=order)
    with behind_its_back(folder) as file:
        file.execute(change)
    # The first row counts the backlog.
    queue.enqueue("rating", b"", key="first", order="p")
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    queue._access._connection.set_progress_handler(step, 1)
    for key in ("second", "third"):
        queue.enqueue("rating", b"", key=key)
        queue.enqueue("rating", b"", key=f"{key}-of-o", order="o")
        assert queue.next_due() == 0
        queue.confirm(claimed(queue), "r-1")
        queue.retry(claimed(queue), "timeout")
    queue._access._connection.set_progress_handler(None, 1)
    assert steps > 100
    return steps
