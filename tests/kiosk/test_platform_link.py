"""The line's state: fed by calls, looked at in silence, telling changes only."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from kiosk.limits import Limits
from kiosk.platform.errors import (
    ClockWrong,
    Distrust,
    Outage,
    PlatformAnswerMalformed,
    PlatformError,
    PlatformUnavailable,
    PlatformUntrusted,
)
from kiosk.platform.limits import LineLimits
from kiosk.platform.link import (
    DownCause,
    LineState,
    LinkEvent,
    PlatformDown,
    PlatformLink,
    PlatformUp,
)
from kiosk.platform.models import Status
from kiosk.platform.outcome import Missed, Outcome, Reached

LIMITS = LineLimits(probe_up=30, probe_down=2, probe_down_most=15)
GONE = PlatformUnavailable(Outage.NO_CONNECTION)


class Client:
    """Answers status() with the next of `script`, then stops the link."""

    def __init__(self) -> None:
        self.observe: Callable[[Outcome], None] | None = None
        self.script: list[PlatformError | None] = []
        self.asked = 0
        self.at_end: Callable[[], None] = lambda: None

    def status(self) -> Status:
        self.asked += 1
        error = self.script.pop(0)
        if not self.script:
            self.at_end()
        assert self.observe is not None
        self.observe(Reached(5000) if error is None else Missed(error))
        if error is not None:
            raise error
        return Status(5000, "1")


class Bench:
    def __init__(self, limits: LineLimits = LIMITS) -> None:
        self.now = 1000.0
        self.jitter = 0.5
        self.client = Client()
        self.posted: list[LinkEvent] = []
        self.threads: list[Callable[[], None]] = []
        self.link = PlatformLink(
            self.client,
            limits,
            self.posted.append,
            clock=lambda: self.now,
            monotonic=lambda: self.now,
            jitter=lambda: self.jitter,
            spawn=self.threads.append,
        )

    def hear(self, error: PlatformError | None) -> None:
        assert self.client.observe is not None
        self.client.observe(Reached(int(self.now) + 7) if error is None else Missed(error))


def test_unknown_until_somebody_calls() -> None:
    bench = Bench()
    assert bench.link.line.state is LineState.UNKNOWN
    assert bench.link.line.clock_offset is None
    assert bench.link.pause() == 0
    assert bench.posted == []


def test_changes_are_told_once() -> None:
    bench = Bench()
    bench.hear(None)
    bench.now = 1010
    bench.hear(None)
    bench.now = 1020
    bench.hear(GONE)
    bench.now = 1030
    bench.hear(GONE)
    bench.now = 1040
    bench.hear(None)
    assert bench.posted == [
        PlatformUp(1000),
        PlatformDown(1020, DownCause.UNAVAILABLE),
        PlatformUp(1040),
    ]


def test_another_cause_is_told_but_began_with_the_first() -> None:
    bench = Bench()
    bench.hear(GONE)
    bench.now = 1010
    bench.hear(PlatformUntrusted(Distrust.SIGNATURE))
    bench.hear(ClockWrong(1310))
    assert bench.posted == [
        PlatformDown(1000, DownCause.UNAVAILABLE),
        PlatformDown(1000, DownCause.UNTRUSTED),
        PlatformDown(1000, DownCause.CLOCK),
    ]
    assert bench.link.line.clock_offset == 300
    assert bench.link.line.since == 1000


def test_a_malformed_answer_says_nothing_about_the_line() -> None:
    bench = Bench()
    bench.hear(None)
    bench.hear(PlatformAnswerMalformed("months", "is missing"))
    assert bench.link.line.state is LineState.UP
    assert bench.posted == [PlatformUp(1000)]


def test_the_clock_offset_follows_each_answer() -> None:
    bench = Bench()
    bench.hear(None)
    assert bench.link.line.clock_offset == 7
    bench.hear(GONE)
    assert bench.link.line.clock_offset == 7


def test_pauses_grow_while_down_and_calls_save_looks_while_up() -> None:
    bench = Bench()
    pauses = []
    for _ in range(6):
        bench.hear(GONE)
        pauses.append(bench.link.pause())
    assert pauses == [2, 4, 8, 15, 15, 15]
    bench.hear(None)
    assert bench.link.pause() == 30
    bench.now += 29
    assert bench.link.pause() == 1
    bench.hear(None)
    assert bench.link.pause() == 30
    bench.hear(GONE)
    assert bench.link.pause() == 2


def test_the_platform_may_ask_for_a_longer_pause() -> None:
    bench = Bench()
    bench.hear(PlatformUnavailable(Outage.TURNED_AWAY, retry_after=60))
    assert bench.link.pause() == 60
    bench.hear(GONE)
    assert bench.link.pause() == 4


def test_terminals_do_not_call_in_step() -> None:
    bench = Bench()
    bench.hear(None)
    for jitter, pause in ((0.0, 24), (1.0, 36)):
        bench.jitter = jitter
        assert round(bench.link.pause(), 6) == pause


def test_the_background_looks_until_the_line_is_back() -> None:
    quick = LineLimits(probe_up=0, probe_down=0, probe_down_most=0)
    bench = Bench(quick)
    bench.client.script = [GONE, GONE, None]
    bench.client.at_end = bench.link.stop
    bench.link.start()
    (watch,) = bench.threads
    watch()
    assert bench.client.asked == 3
    assert bench.posted == [PlatformDown(1000, DownCause.UNAVAILABLE), PlatformUp(1000)]


def test_limits_come_from_the_terminals_structure() -> None:
    limits = LineLimits.of(Limits(platform_deadline=10, platform_connect=30, platform_retry=20))
    assert limits.deadline == 8
    assert limits.connect == 8
    assert limits.probe_up == 40
    assert limits.probe_down_most == 20
    steps = itertools.accumulate([limits.probe_down] * 3, lambda a, _: 2 * a)
    assert max(steps) <= limits.probe_down_most
