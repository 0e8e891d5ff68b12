"""Where work on devices and the platform is done: on threads, or in virtual time in a test.

A lane is one device's (or the platform's) single worker: work of one lane is done in order, work
of different lanes at the same time. The runner never waits for a lane; it gets its results posted.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from drivers.worker import Done, Worker
from kiosk.clock import VirtualClock
from kiosk.steps import Reporter

Work = Callable[[Reporter], Any]


@dataclass(frozen=True)
class Result:
    """How a piece of work ended: with a value, or with an exception."""

    value: Any = None
    error: Exception | None = None


class Job(Protocol):
    def abandon(self) -> object:
        """Nobody waits any more: its result is dropped."""


class Executor(Protocol):
    def start(
        self,
        lane: str,
        work: Work,
        report: Callable[[Any], None],
        done: Callable[[Result], None],
    ) -> Job:
        """Queue work on a lane; ``report`` and ``done`` may be called from any thread."""

    def stuck(self, lane: str) -> bool:
        """True while an abandoned call on the lane has not come back."""

    def close(self) -> None:
        """Take no more work; threads that are blocked in a device are left behind."""


class ThreadedExecutor:
    """One daemon thread a lane, made when the lane is first used.

    Args:
        renewable: lanes that get a fresh worker when an abandoned call blocks the old one; for
            what is no device, such as the platform.
    """

    def __init__(self, renewable: frozenset[str] = frozenset({"platform"})) -> None:
        self._renewable = renewable
        self._workers: dict[str, Worker] = {}

    def start(
        self,
        lane: str,
        work: Work,
        report: Callable[[Any], None],
        done: Callable[[Result], None],
    ) -> Job:
        def finish(outcome: Done[Any]) -> None:
            match outcome.error:
                case None:
                    done(Result(value=outcome.value))
                case Exception() as error:
                    done(Result(error=error))
                case error:
                    raise error

        return self._worker(lane).submit(lambda: work(report), finish)

    def _worker(self, lane: str) -> Worker:
        worker = self._workers.get(lane)
        if worker is None or (worker.abandoned and lane in self._renewable):
            worker = self._workers[lane] = Worker(lane)
        return worker

    def stuck(self, lane: str) -> bool:
        worker = self._workers.get(lane)
        return worker is not None and worker.abandoned and lane not in self._renewable

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()


class _VirtualJob:
    def __init__(self) -> None:
        self.abandoned = False

    def abandon(self) -> None:
        self.abandoned = True


class VirtualExecutor:
    """Work done in virtual time: it takes as long as it says by `spend`.

    Work runs to its end when its lane is free; its reports and its result are delivered at the
    moments of virtual time at which it would have given them. The same seed gives the same day.
    """

    def __init__(self, clock: VirtualClock, *, default_seconds: float = 0.05) -> None:
        self._clock = clock
        self._default_seconds = default_seconds
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._lane_free: dict[str, float] = {}
        self._moment = 0.0
        self._abandoned_until: dict[str, list[tuple[_VirtualJob, float]]] = {}

    def spend(self, seconds: float) -> None:
        """Called by work: this much virtual time passes before it goes on."""
        self._moment += seconds

    def start(
        self,
        lane: str,
        work: Work,
        report: Callable[[Any], None],
        done: Callable[[Result], None],
    ) -> Job:
        job = _VirtualJob()
        begin = max(self._clock.monotonic(), self._lane_free.get(lane, 0.0))
        self._moment = begin

        def tell(value: Any) -> None:
            self._at(self._moment, lambda: None if job.abandoned else report(value))

        try:
            result = Result(value=work(tell))
        except Exception as error:
            result = Result(error=error)
        end = max(self._moment, begin + self._default_seconds)
        self._lane_free[lane] = end
        self._abandoned_until.setdefault(lane, []).append((job, end))
        self._at(end, lambda: None if job.abandoned else done(result))
        return job

    def stuck(self, lane: str) -> bool:
        now = self._clock.monotonic()
        running = [(job, end) for job, end in self._abandoned_until.get(lane, []) if end > now]
        self._abandoned_until[lane] = running
        return any(job.abandoned for job, _ in running)

    def close(self) -> None:
        self._due.clear()

    def _at(self, moment: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._due, (moment, next(self._order), call))

    @property
    def next_due(self) -> float | None:
        """When the next report or result is due, in the clock's monotonic seconds."""
        return self._due[0][0] if self._due else None

    def deliver(self) -> None:
        """Deliver everything that is due by now."""
        while self._due and self._due[0][0] <= self._clock.monotonic():
            heapq.heappop(self._due)[2]()
