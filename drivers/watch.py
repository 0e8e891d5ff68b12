"""Watching one device: from many looks to the few changes that somebody must hear of.

A pure state machine: it is fed with what was seen and when, and says what changed and when to look
again. It asks no device, sleeps nowhere and knows no thread.
"""

from __future__ import annotations

import random as chance
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from drivers.device import Status

GONE = "gone"
"""The value of the first member of every kind's reasons."""


class Silence(Enum):
    """The one reason of a device that nothing is known of but that it does not answer."""

    GONE = GONE


@dataclass(frozen=True)
class Silent:
    """The look of a device whose call has not come back: as good as no answer."""

    reason: Enum | None = Silence.GONE
    notes: frozenset[Enum] = frozenset()


@dataclass(frozen=True)
class WatchTimes:
    """When to look and what to believe; seconds unless the name says otherwise. All are our
    assumption (mark I).

    Attributes:
        steady: between two looks at a device that answers.
        doubt: until the next look at something new.
        away_first, away_growth, away_limit: while it does not answer, each wait is so many times
            the one before, from the first to the limit.
        jitter: each of those waits is longer or shorter by at most this share, so that devices
            that went away together are not asked together for ever.
        misses: looks in a row without an answer after which it is gone; and looks in a row
            without service, for whatever reasons, after which it does not serve.
        sights: looks in a row with the same obstacle, note, or absence of a note.
    """

    steady: float = 3.0
    doubt: float = 0.5
    away_first: float = 0.5
    away_growth: float = 2.0
    away_limit: float = 10.0
    jitter: float = 0.2
    misses: int = 3
    sights: int = 2


@dataclass(frozen=True)
class Instant:
    """When something was seen: `monotonic` to reckon with, `wall` (seconds since 1970) to show."""

    monotonic: float
    wall: float


@dataclass(frozen=True)
class Lost:
    """It does not serve any more, or has not since the first look."""

    reason: Enum


@dataclass(frozen=True)
class Changed:
    """It still does not serve, for another reason now."""

    reason: Enum


@dataclass(frozen=True)
class Back:
    """It serves again, after so many seconds."""

    after: float


@dataclass(frozen=True)
class NoteAdded:
    """Staff should see to something."""

    note: Enum


@dataclass(frozen=True)
class NoteGone:
    """That was seen to."""

    note: Enum


Change = Lost | Changed | Back | NoteAdded | NoteGone


@dataclass(frozen=True)
class Health:
    """How a device stands, flickers left out.

    Attributes:
        reason: why it does not serve, None while it serves.
        since: the first look at which it stood like this.
        notes: what staff should see to.
    """

    reason: Enum | None
    since: Instant
    notes: frozenset[Enum] = frozenset()


class Watch:
    """What is known of one device.

    Args:
        random: 0 up to 1, for the jitter.
    """

    def __init__(
        self, times: WatchTimes | None = None, random: Callable[[], float] = chance.random
    ) -> None:
        self._times = times or WatchTimes()
        self._random = random
        self._health: Health | None = None
        self._doubts: list[tuple[Enum, Instant]] = []
        self._note_sights: dict[Enum, int] = {}
        self._away = 0
        self._wait = 0.0

    @property
    def health(self) -> Health | None:
        """How it stands; None before the looks agree for the first time."""
        return self._health

    @property
    def wait(self) -> float:
        """Seconds from the last look to the next one; 0 before the first."""
        return self._wait

    def seen(self, status: Status, at: Instant) -> tuple[Change, ...]:
        """Take a look in.

        Args:
            at: not before the one of the last call.

        Returns:
            What changed, in the order in which it should be told: `Lost` and `Back` take turns,
            `Changed` comes only between a `Lost` and its `Back`.
        """
        changes = self._reason_seen(status.reason, at)
        # Who does not answer has not said that the paper is no longer low.
        if not _is_gone(status.reason):
            changes += self._notes_seen(status.notes)
        self._wait = self._next_wait(status.reason)
        return tuple(changes)

    # --- the obstacle --------------------------------------------------------------------------

    def _reason_seen(self, reason: Enum | None, at: Instant) -> list[Change]:
        before = self._health
        if reason is None:
            self._doubts.clear()
            return self._serves(before, at)
        if before is not None and _same(reason, before.reason):
            self._doubts.clear()
            return []
        self._doubts.append((reason, at))
        believed = self._believed()
        if believed is None:
            return []
        known, since = believed
        # What came after it was seen last counts on, against it.
        while any(_same(each, known) for each, _ in self._doubts):
            del self._doubts[0]
        if before is not None and _same(known, before.reason):
            return []
        self._health = Health(known, since, frozenset() if before is None else before.notes)
        if before is None or before.reason is None:
            return [Lost(known)]
        return [Changed(known)]

    def _serves(self, before: Health | None, at: Instant) -> list[Change]:
        if before is None:
            self._health = Health(None, at)
        elif before.reason is not None:
            self._health = Health(None, at, before.notes)
            return [Back(at.monotonic - before.since.monotonic)]
        return []

    def _believed(self) -> tuple[Enum, Instant] | None:
        """The obstacle that the doubtful looks make certain, and when it was first seen."""
        last, _ = self._doubts[-1]
        run = 0
        for reason, _ in reversed(self._doubts):
            if not _same(reason, last):
                break
            run += 1
        if run >= (self._times.misses if _is_gone(last) else self._times.sights):
            return last, self._doubts[-run][1]
        if len(self._doubts) < self._times.misses:
            return None
        # It never served meanwhile, though the reasons changed: what it said itself counts more
        # than that it was silent in between.
        said = next((each for each, _ in reversed(self._doubts) if not _is_gone(each)), last)
        return said, self._doubts[0][1]

    # --- the notes -----------------------------------------------------------------------------

    def _notes_seen(self, notes: frozenset[Enum]) -> list[Change]:
        health = self._health
        if health is None:
            return []
        differing = notes ^ health.notes
        sights = {note: self._note_sights.get(note, 0) + 1 for note in differing}
        certain = {note for note in differing if sights[note] >= self._times.sights}
        self._note_sights = {note: sights[note] for note in differing - certain}
        self._health = Health(health.reason, health.since, health.notes ^ certain)
        return [
            NoteAdded(note) if note in notes else NoteGone(note)
            for note in sorted(certain, key=lambda note: str(note.value))
        ]

    # --- the clock -----------------------------------------------------------------------------

    def _next_wait(self, reason: Enum | None) -> float:
        times = self._times
        if self._doubts or self._note_sights or self._health is None:
            return times.doubt
        if not _is_gone(reason):
            self._away = 0
            return times.steady
        wait = min(times.away_first * times.away_growth**self._away, times.away_limit)
        if wait < times.away_limit:
            self._away += 1
        return wait * (1 + times.jitter * (2 * self._random() - 1))


def _is_gone(reason: Enum | None) -> bool:
    return reason is not None and reason.value == GONE


def _same(one: Enum | None, other: Enum | None) -> bool:
    return one is other or (_is_gone(one) and _is_gone(other))
