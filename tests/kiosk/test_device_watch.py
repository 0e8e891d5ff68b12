"""Looking at devices on their lanes: when, what of a look that hangs, what during a visit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest

from drivers.device import DeviceKind
from drivers.watch import Back, Change, Lost, Silence, Silent, WatchTimes
from kiosk.clock import VirtualClock
from kiosk.device_watch import DeviceLane, DeviceSeen, DeviceWatch
from kiosk.executor import Result
from tests.kiosk.terminal_double import HandExecutor, HandJob

TIMES = WatchTimes(jitter=0)
SILENCE = 20.0
PRINTER, SENSORS = DeviceKind.PRINTER, DeviceKind.SENSORS


class Reason(Enum):
    GONE = "gone"
    JAM = "jam"


@dataclass(frozen=True)
class Look:
    reason: Reason | None = None
    notes: frozenset[Enum] = frozenset()


class Device:
    def __init__(self) -> None:
        self.looks = 0
        self.closed = 0

    def status(self) -> Look:
        self.looks += 1
        return Look()

    def close(self) -> None:
        self.closed += 1


class Watching:
    """A watch over printer and sensors whose looks end as the test says."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.executor = HandExecutor()
        self.devices = {kind: Device() for kind in (PRINTER, SENSORS)}
        lanes = {kind: DeviceLane(kind, lambda d=d: d) for kind, d in self.devices.items()}
        self.watch = DeviceWatch(lanes, self.clock, TIMES, silence=SILENCE)
        self.changes: list[tuple[DeviceKind, Change]] = []
        self.visiting = False

    def post(self, news: DeviceSeen) -> None:
        self.changes += [(news.kind, change) for change in self.watch.seen(news)]

    def look(self) -> list[str]:
        """Lanes on which a look began."""
        before = len(self._jobs)
        self.watch.look(self.executor, self.post, visiting=self.visiting)
        return [job.lane for job in self._jobs[before:]]

    def after(self, seconds: float) -> list[str]:
        self.clock.move_to(self.clock.monotonic() + seconds)
        return self.look()

    def end(self, kind: DeviceKind, status: Any = None, error: Exception | None = None) -> None:
        job = next(j for j in self._jobs if j.lane == kind.value and not (j.ended or j.abandoned))
        job.ended = True
        job.done(Result(value=status or Look(), error=error))

    @property
    def _jobs(self) -> list[HandJob]:
        return self.executor.looks

    @property
    def next(self) -> float | None:
        return self.watch.next_look(visiting=self.visiting)


@pytest.fixture
def watching() -> Watching:
    return Watching()


def both(watching: Watching) -> None:
    assert watching.look() == ["printer", "sensors"]
    watching.end(PRINTER)
    watching.end(SENSORS)


def test_all_are_looked_at_at_once_and_then_when_it_is_time(watching: Watching) -> None:
    assert watching.next == 0
    both(watching)
    assert watching.next == TIMES.steady
    assert watching.after(TIMES.steady / 2) == []
    assert watching.after(TIMES.steady / 2) == ["printer", "sensors"]
    assert watching.look() == [], "one look at a time"


def test_a_change_is_told_and_the_next_look_is_the_watchs(watching: Watching) -> None:
    both(watching)
    watching.after(TIMES.steady)
    watching.end(SENSORS)
    for _ in range(2):
        watching.end(PRINTER, Look(Reason.JAM))
        watching.after(TIMES.doubt)
    assert watching.changes == [(PRINTER, Lost(Reason.JAM))]
    assert watching.watch.last(PRINTER) == Look(Reason.JAM)
    health = watching.watch.healths()[PRINTER]
    assert health is not None
    assert (health.reason, health.since.monotonic) == (Reason.JAM, TIMES.steady)
    assert health.since.wall == watching.clock.time() - 2 * TIMES.doubt


def test_a_look_that_hangs_is_given_up_and_counts_as_a_miss(watching: Watching) -> None:
    both(watching)
    watching.after(TIMES.steady)
    watching.end(SENSORS)
    assert watching.after(SILENCE) == ["sensors"]
    hung = [job for job in watching.executor.looks if job.lane == "printer"][-1]
    assert hung.abandoned
    watching.executor.stuck_lanes.add("printer")
    for _ in range(2):
        assert "printer" not in watching.after(TIMES.doubt)
    assert watching.changes == [(PRINTER, Lost(Silence.GONE))]
    watching.executor.stuck_lanes.clear()
    assert "printer" in watching.after(TIMES.away_limit)
    watching.end(PRINTER)
    assert watching.changes[-1] == (PRINTER, Back(2 * TIMES.doubt + TIMES.away_limit))


def test_a_lane_that_a_visits_work_still_holds_is_busy_and_not_gone(watching: Watching) -> None:
    both(watching)
    watching.executor.stuck_lanes.add("printer")
    for _ in range(20):
        assert "printer" not in watching.after(TIMES.steady)
    assert watching.changes == []
    watching.executor.stuck_lanes.clear()
    assert "printer" in watching.after(TIMES.steady)


def test_while_somebody_is_served_only_the_sensors_are_looked_at(watching: Watching) -> None:
    both(watching)
    watching.visiting = True
    assert watching.after(TIMES.steady) == ["sensors"]
    watching.end(SENSORS)
    assert watching.next == TIMES.steady
    watching.visiting = False
    assert watching.next == 0
    assert watching.look() == ["printer"]
    watching.visiting = True
    assert watching.next is not None
    watching.after(SILENCE)
    assert isinstance(watching.watch.last(PRINTER), Silent), "its look is given up all the same"


def test_a_bug_in_a_driver_is_logged_and_the_device_is_looked_at_again(
    watching: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    watching.look()
    watching.end(PRINTER, error=ZeroDivisionError())
    assert "looking at the printer failed" in caplog.text
    assert "printer" in watching.after(TIMES.doubt)


def test_what_is_asked_seldom_is_asked_soon_while_in_doubt(watching: Watching) -> None:
    lanes = {PRINTER: DeviceLane(PRINTER, Device), SENSORS: DeviceLane(SENSORS, Device)}
    watching.watch = DeviceWatch(lanes, watching.clock, TIMES, seldom={PRINTER: 30.0})
    both(watching)
    assert watching.after(TIMES.steady) == ["sensors"]
    watching.end(SENSORS)
    assert watching.after(30.0 - TIMES.steady) == ["printer", "sensors"]
    watching.end(PRINTER, Look(Reason.JAM))
    assert watching.after(TIMES.doubt) == ["printer"]


def test_news_of_what_is_not_watched_is_none(watching: Watching) -> None:
    assert watching.watch.seen(DeviceSeen(DeviceKind.CAMERA, Look(Reason.JAM))) == ()
    assert watching.watch.last(DeviceKind.CAMERA) is None
    empty = DeviceWatch({}, watching.clock)
    assert empty.next_look() is None


def test_a_lane_opens_its_device_when_it_is_needed_and_again_after_it_was_closed() -> None:
    opened: list[Device] = []

    def open_device() -> Device:
        opened.append(Device())
        return opened[-1]

    lane = DeviceLane(DeviceKind.RECEIPT, open_device)
    lane.close()
    assert (lane.lane, opened) == ("receipt", [])
    assert lane.look() == Look() == lane.device.status()
    lane.close()
    lane.close()
    assert (opened[0].looks, opened[0].closed) == (2, 1)
    assert lane.device is not opened[0]
