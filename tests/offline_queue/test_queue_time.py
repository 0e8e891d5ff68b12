"""No change of the wall clock delays, hurries or reorders anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.offline_queue.queue_world import (
    LIMITS,
    START,
    HandClock,
    claimed,
    drain,
    open_queue,
)

YEAR = 365 * 86_400.0
LAG = 1.0
"""Seconds by which the time in the file may lag behind the last claim."""


@pytest.mark.parametrize("jump", [-YEAR, -60, 60, YEAR])
def test_a_jump_while_running_changes_nothing(tmp_path: Path, jump: float) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    for key in ("waits", "leased", "ready"):
        queue.enqueue("rating", b"", key=key)
    queue.retry(claimed(queue), "timeout")
    lost = claimed(queue)
    assert lost.key == "leased"
    clock.jump(jump)
    queue.enqueue("rating", b"", key="after")
    assert queue.next_due() == 0
    assert drain(queue) == ["ready", "after"]
    assert queue.next_due() == 1
    clock.pass_(1)
    assert drain(queue) == ["waits"]
    assert queue.next_due() == LIMITS.lease_seconds - 1
    clock.pass_(LIMITS.lease_seconds - 1)
    assert drain(queue) == ["leased"]


@pytest.mark.parametrize("wall", [0.0, START - YEAR, START - 1])
def test_a_clock_that_is_behind_after_a_reboot_delays_nothing(tmp_path: Path, wall: float) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    for key in ("waits", "leased", "ready"):
        queue.enqueue("rating", b"", key=key)
    clock.pass_(3_000)
    queue.retry(claimed(queue), "overloaded", after=30)
    claimed(queue)
    queue.close()
    clock.reboot(wall)
    queue = open_queue(tmp_path, clock)
    queue.enqueue("rating", b"", key="after")
    assert drain(queue) == ["ready", "after"]
    clock.pass_(30 + LAG)
    assert drain(queue) == ["waits"]
    clock.pass_(LIMITS.lease_seconds - 30)
    assert drain(queue) == ["leased"]


def test_a_clock_that_is_ahead_after_a_reboot_makes_all_due(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    for key in ("waits", "leased"):
        queue.enqueue("rating", b"", key=key)
    queue.retry(claimed(queue), "overloaded", after=500)
    claimed(queue)
    queue.close()
    clock.reboot(START + YEAR)
    queue = open_queue(tmp_path, clock)
    assert drain(queue) == ["waits", "leased"]
    queue.enqueue("rating", b"", key="later")
    queue.retry(claimed(queue), "overloaded", after=500)
    queue.close()
    clock.reboot(START)
    queue = open_queue(tmp_path, clock)
    clock.pass_(500 + LAG)
    assert drain(queue) == ["later"]


def test_a_process_whose_clock_was_ahead_holds_up_nobody(tmp_path: Path) -> None:
    """Its lease ends a year later by its own time; the other process takes that time over."""
    here, ahead = HandClock(), HandClock(START + YEAR)
    queue, other = open_queue(tmp_path, here), open_queue(tmp_path, ahead)
    queue.enqueue("rating", b"", key="a")
    assert claimed(other).key == "a"
    assert queue.claim("worker") is None
    here.pass_(LIMITS.lease_seconds - 1)
    assert queue.claim("worker") is None
    here.pass_(1)
    assert claimed(queue).key == "a"


def test_a_row_from_a_process_that_was_ahead_has_no_negative_age(tmp_path: Path) -> None:
    queue, other = open_queue(tmp_path), open_queue(tmp_path, HandClock(START + YEAR))
    other.enqueue("rating", b"", key="a")
    assert queue.metrics().oldest_seconds == 0


@pytest.mark.parametrize("wall", [0.0, START - YEAR])
def test_ages_are_never_negative_and_survive_a_bad_clock(tmp_path: Path, wall: float) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    queue.enqueue("rating", b"", key="a")
    queue.enqueue("rating", b"", key="b")
    queue.confirm(claimed(queue), "r-1")
    clock.jump(-YEAR)
    clock.pass_(90)
    assert (queue.metrics().oldest_seconds, queue.metrics().confirmed_seconds) == (90, 90)
    queue.close()
    clock.reboot(wall)
    queue = open_queue(tmp_path, clock)
    metrics = queue.metrics()
    assert metrics.oldest_seconds is not None
    assert metrics.confirmed_seconds is not None
    assert 0 <= metrics.oldest_seconds <= 90
    assert 0 <= metrics.confirmed_seconds <= 90


def test_retention_is_not_cut_short_by_a_jump(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    for key in ("a", "b"):
        queue.enqueue("rating", b"", key=key)
    queue.confirm(claimed(queue), "r-1")
    clock.jump(YEAR)
    assert queue.purge() == 0
    clock.pass_(LIMITS.retention_seconds)
    assert queue.purge() == 1


def test_asking_an_idle_queue_writes_nothing(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    queue.enqueue("rating", b"", key="a")
    queue.retry(claimed(queue), "timeout", after=500)
    wal = tmp_path / "queue.sqlite-wal"
    before = wal.stat().st_size
    for _ in range(50):
        clock.pass_(5)
        assert queue.claim("worker") is None
        assert queue.next_due() is not None
        queue.metrics()
    assert wal.stat().st_size == before
