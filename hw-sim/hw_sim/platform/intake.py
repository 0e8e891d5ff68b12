"""How much the platform takes in: a bound for all together, and a share for each terminal.

The limits are one process's; the proxy in front of several holds those of all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hw_sim.platform.problems import Problem, ProblemKind

_SHED_S = 1
"""``Retry-After`` of what was turned away because too much was under way, seconds."""


@dataclass(frozen=True)
class IntakeLimits:
    """What is taken in; None: without a limit, as in the demo.

    Attributes:
        under_way: requests of everybody that are worked on at one time.
        rate: requests of one terminal, per second, in the long run. All enrolments together count
            as one terminal's, so that nobody tries out codes.
        burst: how many one terminal may send at once after a silence; at least 1.
    """

    under_way: int | None = None
    rate: float | None = None
    burst: int = 20

    def __post_init__(self) -> None:
        if self.burst < 1 or (self.under_way is not None and self.under_way < 1):
            raise ValueError("a limit below one lets nobody in")
        if self.rate is not None and self.rate <= 0:
            raise ValueError("a rate of zero lets nobody in")


class Intake:
    """Counts requests against the limits. Used on the server's event loop only."""

    def __init__(
        self, limits: IntakeLimits, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._under_way = 0
        self._due: dict[str, float] = {}
        """When a terminal that sent evenly at its rate would send its next request."""

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """One request, while it is worked on.

        Raises:
            Problem: ``unavailable``, as many as allowed are under way.
        """
        if self._limits.under_way is not None and self._under_way >= self._limits.under_way:
            raise Problem(
                ProblemKind.UNAVAILABLE, "too many requests under way", retry_after=_SHED_S
            )
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def count(self, terminal_id: str) -> None:
        """Count one request of a terminal whose signature was found good.

        Raises:
            Problem: ``too-many``, with the seconds until one more is let in.
        """
        if self._limits.rate is None:
            return
        now = self._monotonic()
        due = max(self._due.get(terminal_id, now), now)
        wait = due - now - (self._limits.burst - 1) / self._limits.rate
        # Sums of fractions: who waits as long as told is not told a nanosecond more.
        if wait > 1e-6:
            raise Problem(
                ProblemKind.TOO_MANY, "this terminal asks too often", retry_after=math.ceil(wait)
            )
        self._due[terminal_id] = due + 1 / self._limits.rate
