"""Time as something that is handed in, so that a whole day can pass in a test."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds that never go back; the zero means nothing."""

    def time(self) -> float:
        """Unix time in seconds."""

    def local(self) -> datetime:
        """Wall time of the hall, aware of its zone."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def local(self) -> datetime:
        return datetime.now().astimezone()


class VirtualClock:
    """A clock that stands still until somebody moves it."""

    def __init__(self, start: datetime = datetime(2026, 11, 21, 9, 42, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0

    def monotonic(self) -> float:
        return self._elapsed

    def time(self) -> float:
        return self._start.timestamp() + self._elapsed

    def local(self) -> datetime:
        return datetime.fromtimestamp(self.time(), tz=self._start.tzinfo)

    def move_to(self, elapsed: float) -> None:
        """Let time pass until `monotonic` says ``elapsed``; going back is a bug."""
        if elapsed < self._elapsed:
            raise ValueError("virtual time does not go back")
        self._elapsed = elapsed
