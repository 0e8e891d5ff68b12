"""What the runner waits for by time alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum


class Due(Enum):
    """Something whose time has come; the values are the fields of `Timers`, in order of urgency."""

    DEADLINE = "deadline"
    """The current work is given up."""
    EXPIRED = "warned_until"
    """Nobody answered the warning: the visit ends."""
    WARN = "idle"
    """Nobody touched anything: the warning begins."""
    PAGE_OVER = "page_until"
    """The current page answers ``elapsed``."""
    NOTICE_OVER = "notice_until"
    """The notice goes."""
    HELP_OVER = "help_until"
    """The box that tells where help is goes."""
    ATTRACT = "attract"
    """The untouched menu gives way to the idle screen."""
    FORGOTTEN = "forgotten"
    """A card left in the slot becomes an alarm."""
    LOOK_AGAIN = "look_again"
    """Whether everything can be served is looked at again."""


@dataclass
class Timers:
    """Moments of the monotonic clock in seconds; None where nothing is awaited."""

    deadline: float | None = None
    warned_until: float | None = None
    idle: float | None = None
    page_until: float | None = None
    notice_until: float | None = None
    help_until: float | None = None
    attract: float | None = None
    forgotten: float | None = None
    look_again: float | None = None

    def take_due(self, now: float) -> Due | None:
        """The most urgent thing that is due, which is then no longer awaited."""
        for due in Due:
            moment = getattr(self, due.value)
            if moment is not None and now >= moment:
                setattr(self, due.value, None)
                return due
        return None

    def next_wake(self, now: float) -> float | None:
        """Seconds until the first of them, or until a shown countdown changes; None without any."""
        moments = [getattr(self, due.value) for due in Due]
        waits: list[float] = [moment - now for moment in moments if moment is not None]
        if not waits:
            return None
        shown = self.shown
        if shown is not None and shown > now:
            # The number on the screen is rounded up: it changes when a whole second is left.
            left = shown - now
            waits.append(left - (math.ceil(left) - 1))
        return max(0.0, min(waits))

    @property
    def shown(self) -> float | None:
        """The moment that a countdown on the screen runs to."""
        candidates = (self.warned_until, self.help_until, self.notice_until, self.idle)
        return next((moment for moment in candidates if moment is not None), None)


def seconds_left(until: float | None, now: float) -> int | None:
    """Whole seconds, rounded up, as a countdown shows them."""
    return None if until is None else max(0, math.ceil(until - now))
