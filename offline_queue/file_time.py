"""The time that a queue's file lives by: it never goes back and no change of the clock moves it.

At start it is the later of the wall clock and the greatest time in the file. From then on it
follows the monotonic clock, so a wall clock set wrong or right while the program runs neither
delays nor hurries anything. Processes that share a file take over each other's later time.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import NamedTuple, Protocol

from offline_queue.message import Trust

_STEP = 1000
"""Milliseconds by which the time in the file may lag: saves writing a page with most claims."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class QueueClock(Protocol):
    """What the queue needs of a clock."""

    def monotonic(self) -> float:
        """Seconds that never go back; the zero means nothing."""

    def time(self) -> float:
        """Unix time in seconds; may be wrong and may jump."""


class Stamp(NamedTuple):
    """All that is known of the moment at which a row is made; times in milliseconds."""

    created: int
    boot: str
    monotonic: int
    wall: int
    trust: str


class FileTime:
    """Milliseconds, near Unix time where the clock was right at start."""

    def __init__(
        self, clock: QueueClock, connection: sqlite3.Connection, *, boot: str, tolerance: float
    ) -> None:
        self._clock = clock
        self._boot = boot
        self._tolerance = tolerance
        self._zero = clock.monotonic()
        (seen,) = connection.execute(
            "SELECT max(seen, coalesce((SELECT created FROM message ORDER BY seq DESC LIMIT 1), 0))"
            " FROM clock"
        ).fetchone()
        self._seen = int(seen)
        wall = int(clock.time() * 1000)
        self._start = max(wall, self._seen)
        self._trust = Trust.BEHIND if wall < self._seen - _STEP else Trust.UNKNOWN

    @property
    def trust(self) -> Trust:
        """What is known of the wall clock."""
        return self._trust

    def now(self) -> int:
        """The time."""
        return self._start + int((self._clock.monotonic() - self._zero) * 1000)

    def stamp(self) -> Stamp:
        """This moment, for a new row."""
        monotonic = self._clock.monotonic()
        return Stamp(
            self._start + int((monotonic - self._zero) * 1000),
            self._boot,
            int(monotonic * 1000),
            int(self._clock.time() * 1000),
            self._trust.value,
        )

    def learn(self, ahead: float) -> Trust:
        """The other side's clock is so many seconds ahead of ours; says what is known now."""
        self._trust = Trust.CONFIRMED if abs(ahead) <= self._tolerance else Trust.WRONG
        return self._trust

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


def boot_id() -> str:
    """The kernel's name of this start of the machine."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return "unknown"
