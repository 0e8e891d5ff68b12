"""The devices of every hall beside slot, pad, scanner and printer, in the order of the dock."""

from __future__ import annotations

from collections.abc import Callable

from hw_sim.hall.desk import Desk

_KINDS: tuple[Callable[[], Desk], ...] = ()


def desks() -> tuple[Desk, ...]:
    """One of each, closed."""
    return tuple(kind() for kind in _KINDS)
