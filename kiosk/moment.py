"""One moment of the terminal: everything that the screen depends on, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from kiosk.pages import Page


class Overlay(Enum):
    """A box over the page; while it is there only its own buttons answer."""

    TIME_OUT = "time-out"
    HELP = "help"


@dataclass(frozen=True)
class Badges:
    """State of the machine, shown on the home screen in words."""

    platform_up: bool | None
    reader_ok: bool


@dataclass(frozen=True)
class Moment:
    """What is to be seen.

    Attributes:
        language: BCP 47 tag.
        overlay_seconds: time left of the overlay, 0 without one.
        seconds_left: time left before the warning (or before a notice goes), None where no
            time runs.
        minute: local time to the minute.
    """

    page: Page
    language: str
    overlay: Overlay | None
    overlay_seconds: int
    seconds_left: int | None
    minute: datetime
    badges: Badges
