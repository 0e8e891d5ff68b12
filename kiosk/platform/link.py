"""The state of the line to the platform: fed by every call, looked at when nobody calls.

So the screen can show it, and service comes back by itself when the line does.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from kiosk.platform.errors import (
    ClockWrong,
    PlatformAnswerMalformed,
    PlatformError,
    PlatformUnavailable,
)
from kiosk.platform.limits import LineLimits
from kiosk.platform.models import Status
from kiosk.platform.outcome import Missed, Outcome, Reached

_JITTER = 0.2


class LineState(Enum):
    """What is known of the line."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class DownCause(Enum):
    """Why the line counts as down."""

    UNAVAILABLE = "unavailable"
    UNTRUSTED = "untrusted"
    """Something answers that is not our platform."""
    CLOCK = "clock"
    """The platform refuses our clock."""


@dataclass(frozen=True)
class Line:
    """The line at one moment.

    Attributes:
        since: when this state began, Unix seconds of our clock.
        cause: why it is down, None otherwise.
        clock_offset: seconds that the platform's clock is ahead of ours, None before any answer.
    """

    state: LineState
    since: float
    cause: DownCause | None = None
    clock_offset: float | None = None


@dataclass(frozen=True)
class PlatformUp:
    """The platform answers; posted at the first answer and whenever it comes back."""

    since: float


@dataclass(frozen=True)
class PlatformDown:
    """The platform cannot be used; posted when that begins or its cause changes."""

    since: float
    cause: DownCause


LinkEvent = PlatformUp | PlatformDown


class Probed(Protocol):
    """What the link looks at the line with: `PlatformClient`."""

    observe: Callable[[Outcome], None] | None

    def status(self) -> Status: ...


Spawn = Callable[[Callable[[], None]], object]


def spawn_daemon(target: Callable[[], None]) -> threading.Thread:
    """Run `target` on a daemon thread of its own."""
    thread = threading.Thread(target=target, name="platform-link", daemon=True)
    thread.start()
    return thread


class PlatformLink:
    """Watches one client's line. Thread-safe.

    It hangs itself into `client.observe`, so that ordinary calls count and only silence is probed
    with ``status()``. While the line is down, looks follow each other with growing pauses.

    Args:
        post: told each change as `LinkEvent`, in whatever thread noticed it; it only queues.
        clock: Unix seconds.
        jitter: 0..1, so that a hall's terminals do not call in step.
    """

    def __init__(
        self,
        client: Probed,
        limits: LineLimits,
        post: Callable[[LinkEvent], None],
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        spawn: Spawn = spawn_daemon,
    ) -> None:
        self._client = client
        self._limits = limits
        self._post = post
        self._clock = clock
        self._monotonic = monotonic
        self._jitter = jitter
        self._spawn = spawn
        self._lock = threading.Lock()
        self._line = Line(LineState.UNKNOWN, clock())
        self._misses = 0
        self._asked_to_wait = 0.0
        self._last_outcome: float | None = None
        self._stopping = threading.Event()
        client.observe = self.heard

    @property
    def line(self) -> Line:
        """The line as last known."""
        with self._lock:
            return self._line

    def start(self) -> None:
        """Look at the line now and from then on, in the background."""
        self._stopping.clear()
        self._spawn(self._watch)

    def stop(self) -> None:
        """No more looks; a running one is left to end by itself."""
        self._stopping.set()

    def heard(self, outcome: Outcome) -> None:
        """Take the outcome of a call into account; the client calls it."""
        now = self._clock()
        with self._lock:
            self._last_outcome = self._monotonic()
            news = self._take(outcome, now)
            # Under the lock, so that two threads cannot post their changes in the wrong order.
            if news is not None:
                self._post(news)

    def pause(self) -> float:
        """Seconds from now to the next look; 0 when it is due."""
        with self._lock:
            if self._last_outcome is None:
                return 0.0
            wait = self._limits.probe_up
            if self._line.state is not LineState.UP:
                doubled = self._limits.probe_down * 2 ** min(max(self._misses - 1, 0), 16)
                wait = max(min(doubled, self._limits.probe_down_most), self._asked_to_wait)
            wait *= 1 + _JITTER * (2 * self._jitter() - 1)
            return max(0.0, self._last_outcome + wait - self._monotonic())

    def probe(self) -> None:
        """Look once; what comes of it arrives through `heard`."""
        try:
            self._client.status()
        except PlatformError:
            # Already told by the client; there is nobody else to answer here.
            return

    def _watch(self) -> None:
        while not self._stopping.is_set():
            pause = self.pause()
            if pause <= 0:
                self.probe()
            # In short waits: a call of somebody else may have changed when the next look is due.
            elif self._stopping.wait(min(pause, self._limits.probe_down)):
                return

    def _take(self, outcome: Outcome, now: float) -> LinkEvent | None:
        if isinstance(outcome, Reached):
            return self._up(outcome.server_time - now, now)
        assert isinstance(outcome, Missed)
        error = outcome.error
        self._asked_to_wait = 0.0
        if isinstance(error, PlatformAnswerMalformed):
            return None
        cause = DownCause.UNTRUSTED
        offset = self._line.clock_offset
        if isinstance(error, PlatformUnavailable):
            cause = DownCause.UNAVAILABLE
            self._asked_to_wait = error.retry_after or 0.0
        elif isinstance(error, ClockWrong):
            cause = DownCause.CLOCK
            offset = error.server_time - now
        self._misses += 1
        same = self._line.state is LineState.DOWN and self._line.cause is cause
        since = self._line.since if self._line.state is LineState.DOWN else now
        self._line = Line(LineState.DOWN, since, cause, offset)
        return None if same else PlatformDown(since, cause)

    def _up(self, offset: float, now: float) -> LinkEvent | None:
        self._misses = 0
        self._asked_to_wait = 0.0
        if self._line.state is LineState.UP:
            self._line = replace(self._line, clock_offset=offset)
            return None
        self._line = Line(LineState.UP, now, None, offset)
        return PlatformUp(now)
