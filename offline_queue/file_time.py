"""The time that a queue's file lives by: it never goes back and no change of the clock moves it.

At start it is the later of the wall clock and the greatest time in the file. From then on it
follows the monotonic clock, so a wall clock set wrong or right while the program runs neither
delays nor hurries anything. Processes that share a file take over each other's later time.
"""

from __future__ import annotations

import sqlite3
from typing import Protocol

_STEP = 1000
"""Milliseconds by which the time in the file may lag: saves writing a page with most claims."""


class QueueClock(Protocol):
    """What the queue needs of a clock."""

    def monotonic(self) -> float:
        """Seconds that never go back; the zero means nothing."""

    def time(self) -> float:
        """Unix time in seconds; may be wrong and may jump."""


class FileTime:
    """Milliseconds, near Unix time where the clock was right at start."""

    def __init__(self, clock: QueueClock, connection: sqlite3.Connection) -> None:
        self._clock = clock
        self._zero = clock.monotonic()
        (seen,) = connection.execute(
            "SELECT max(seen, coalesce((SELECT created FROM message ORDER BY seq DESC LIMIT 1), 0))"
            " FROM clock"
        ).fetchone()
        self._seen = int(seen)
        self._start = max(int(clock.time() * 1000), self._seen)

    def now(self) -> int:
        """The time."""
        return self._start + int((self._clock.monotonic() - self._zero) * 1000)

    def shared(self, connection: sqlite3.Connection) -> int:
        """The time, never before what another process wrote into the file."""
        self._seen = int(connection.execute("SELECT seen FROM clock").fetchone()[0])
        now = self.now()
        if self._seen > now:
            self._start += self._seen - now
            return self._seen
        return now

    def record(self, connection: sqlite3.Connection, now: int) -> None:
        """Write a `shared` time into the file when what stands there is a second old."""
        if now - self._seen >= _STEP:
            connection.execute("UPDATE clock SET seen = ?", (now,))
            self._seen = now
