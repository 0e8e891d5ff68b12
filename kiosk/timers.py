"""What the runner waits for by time alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


@dataclass
class Timers:
    """Moments of the monotonic clock in seconds; None where nothing is awaited.

    Attributes:
        idle: nobody touched anything: the warning begins.
        warned_until: the warning ends, and with it the visit.
        help_until: the box that tells where help is goes.
        deadline: the current work is given up.
        page_until: the current page answers ``elapsed``.
        notice_until: the notice goes.
        attract: the untouched menu gives way to the idle screen.
        look_again: whether everything can be served is looked at again.
        forgotten: a card left in the slot becomes an alarm.
    """

    idle: float | None = None
    warned_until: float | None = None
    help_until: float | None = None
    deadline: float | None = None
    page_until: float | None = None
    notice_until: float | None = None
    attract: float | None = None
    look_again: float | None = None
    forgotten: float | None = None

    def next_wake(self, now: float) -> float | None:
        """Seconds until the first of them, or until a shown countdown changes; None without any."""
        values = [getattr(self, entry.name) for entry in fields(self)]
        awaited: list[float] = [value for value in values if value is not None]
        if not awaited:
            return None
        waits = [moment - now for moment in awaited]
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
