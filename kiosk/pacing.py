"""How much time each step gives the resident."""

from __future__ import annotations

from typing import Any

from kiosk.limits import Limits
from kiosk.steps import Run, Show, Step, Watch
from kiosk.timers import Timers

LATE_SOURCE = 0.2
"""Seconds between two looks whether a scanner or reader has come back from what was given up."""


def step_timers(step: Step[Any], now: float, *, help_until: float | None) -> Timers:
    """What a new step waits for by time alone; the help box stays over it."""
    timers = Timers(help_until=help_until)
    match step:
        case Run(deadline=deadline):
            timers.deadline = now + deadline
        case Show(seconds=seconds) if seconds is not None:
            timers.page_until = now + seconds
        case _:
            pass
    return timers


def idle_limit(step: Step[Any], limits: Limits) -> float | None:
    """Seconds without a touch before the warning; None while work goes on."""
    match step:
        case Run():
            return None
        case Watch(seconds=seconds):
            return seconds
        case Show(sensitive=True):
            return limits.sensitive_seconds
        case _:
            return limits.idle_seconds
