from __future__ import annotations

import pytest

from ui.inputs import Touched, TouchedNothing
from ui.scene import Focusable, Rect, Role, Scene
from ui.touch import DEBOUNCE_SECONDS, KEY_DEBOUNCE_SECONDS, STALE_SECONDS, TouchTracker

OK = Focusable("ok", Role.BUTTON, Rect(10, 10, 100, 100))
BACK = Focusable("back", Role.BUTTON, Rect(200, 10, 100, 100))
SCENE = Scene((400, 400), (), (OK, BACK))
EMPTY = Scene((400, 400), (), ())
FINGER, SECOND = ("finger", 1, 1), ("finger", 1, 2)
ON_OK, ON_BACK, BESIDE = (20.0, 20.0), (210.0, 20.0), (350.0, 350.0)


@pytest.fixture
def tracker() -> TouchTracker:
    return TouchTracker()


def tap(tracker: TouchTracker, at: tuple[float, float], now: float) -> object:
    tracker.down(FINGER, at, SCENE, now)
    return tracker.up(FINGER, at, now)


def test_down_and_up_on_one_thing_touches_it(tracker: TouchTracker) -> None:
    tracker.down(FINGER, ON_OK, SCENE, 0.0)
    assert tracker.pressed == "ok"
    assert tracker.up(FINGER, (100.0, 100.0), 0.1) == Touched("ok")
    assert tracker.pressed == ""


def test_leaving_takes_it_back_and_returning_restores_it(tracker: TouchTracker) -> None:
    tracker.down(FINGER, ON_OK, SCENE, 0.0)
    tracker.move(FINGER, ON_BACK)
    assert tracker.pressed == ""
    tracker.move(FINGER, ON_OK)
    assert tracker.pressed == "ok"
    tracker.move(FINGER, ON_BACK)
    assert tracker.up(FINGER, ON_BACK, 0.1) == TouchedNothing()


def test_beside_everything(tracker: TouchTracker) -> None:
    assert tap(tracker, BESIDE, 0.0) == TouchedNothing()


def test_second_finger_is_ignored(tracker: TouchTracker) -> None:
    tracker.down(FINGER, ON_OK, SCENE, 0.0)
    tracker.down(SECOND, ON_BACK, SCENE, 0.01)
    tracker.move(SECOND, BESIDE)
    assert tracker.up(SECOND, ON_BACK, 0.02) is None
    assert tracker.pressed == "ok"
    assert tracker.up(FINGER, ON_OK, 0.03) == Touched("ok")


def test_bounce_on_the_same_thing_is_dropped(tracker: TouchTracker) -> None:
    assert tap(tracker, ON_OK, 1.0) == Touched("ok")
    assert tap(tracker, ON_OK, 1.0 + DEBOUNCE_SECONDS * 0.9) is None
    # A trembling hand goes on: each touch begins the time anew.
    assert tap(tracker, ON_OK, 1.0 + DEBOUNCE_SECONDS * 1.5) is None
    assert tap(tracker, ON_OK, 1.0 + DEBOUNCE_SECONDS * 2.6) == Touched("ok")


def test_a_key_may_be_pressed_twice_in_a_row(tracker: TouchTracker) -> None:
    keys = Scene((400, 400), (), (Focusable("key.L", Role.KEY, OK.rect),))

    def tap_key(now: float) -> object:
        tracker.down(FINGER, ON_OK, keys, now)
        return tracker.up(FINGER, ON_OK, now)

    assert tap_key(1.0) == Touched("key.L")
    assert tap_key(1.0 + KEY_DEBOUNCE_SECONDS * 0.9) is None
    assert tap_key(1.0 + KEY_DEBOUNCE_SECONDS * 2.0) == Touched("key.L")
    assert KEY_DEBOUNCE_SECONDS < DEBOUNCE_SECONDS


def test_another_thing_answers_at_once(tracker: TouchTracker) -> None:
    assert tap(tracker, ON_OK, 1.0) == Touched("ok")
    assert tap(tracker, ON_BACK, 1.1) == Touched("back")


def test_what_went_away_is_not_touched(tracker: TouchTracker) -> None:
    tracker.down(FINGER, ON_OK, SCENE, 0.0)
    tracker.scene_changed(EMPTY)
    assert tracker.pressed == ""
    assert tracker.up(FINGER, ON_OK, 0.1) == TouchedNothing()


def test_finger_from_the_last_screen_presses_nothing_new(tracker: TouchTracker) -> None:
    tracker.down(FINGER, BESIDE, EMPTY, 0.0)
    tracker.scene_changed(SCENE)
    assert tracker.up(FINGER, ON_OK, 0.1) == TouchedNothing()


def test_thing_that_stays_can_be_touched_across_screens(tracker: TouchTracker) -> None:
    tracker.down(FINGER, ON_OK, SCENE, 0.0)
    tracker.scene_changed(Scene((400, 400), (), (OK,)))
    assert tracker.up(FINGER, ON_OK, 0.1) == Touched("ok")


def test_lost_finger_blocks_nobody_for_long(tracker: TouchTracker) -> None:
    tracker.down(FINGER, ON_OK, SCENE, 0.0)
    tracker.down(SECOND, ON_BACK, SCENE, STALE_SECONDS)
    assert tracker.up(SECOND, ON_BACK, STALE_SECONDS + 0.1) == Touched("back")


def test_same_finger_may_come_down_twice(tracker: TouchTracker) -> None:
    tracker.down(FINGER, ON_OK, SCENE, 0.0)
    tracker.down(FINGER, ON_BACK, SCENE, 0.1)
    assert tracker.up(FINGER, ON_BACK, 0.2) == Touched("back")


def test_later_thing_lies_above() -> None:
    above = Focusable("above", Role.BUTTON, OK.rect)
    assert Scene((400, 400), (), (OK, above)).at(*ON_OK) == above
