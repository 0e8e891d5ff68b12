"""What is waited for by time alone."""

from __future__ import annotations

import pytest

from kiosk.clock import VirtualClock
from kiosk.timers import Timers, seconds_left


def test_nothing_awaited_means_no_wake() -> None:
    assert Timers().next_wake(5.0) is None


def test_the_soonest_moment_counts() -> None:
    timers = Timers(deadline=9.0, attract=60.0)
    assert timers.next_wake(5.0) == pytest.approx(4.0)
    assert timers.next_wake(10.0) == 0.0


@pytest.mark.parametrize(
    ("now", "shown", "wake"), [(0.0, 10, 1.0), (0.25, 10, 0.75), (9.5, 1, 0.5)]
)
def test_a_countdown_wakes_when_its_number_changes(now: float, shown: int, wake: float) -> None:
    timers = Timers(idle=10.0)
    assert seconds_left(timers.shown, now) == shown
    assert timers.next_wake(now) == pytest.approx(wake)
    if shown > 1:
        assert seconds_left(timers.shown, now + wake) == shown - 1


def test_the_warning_is_shown_before_the_idle_time() -> None:
    assert Timers(idle=3.0, warned_until=8.0).shown == 8.0


def test_virtual_time_does_not_go_back() -> None:
    clock = VirtualClock()
    before = clock.time()
    clock.move_to(2.5)
    assert clock.time() - before == pytest.approx(2.5)
    with pytest.raises(ValueError, match="go back"):
        clock.move_to(1.0)
