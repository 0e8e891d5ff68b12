"""One moment of the terminal: everything that the screen depends on, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from drivers.document_printer import PrinterReason
from kiosk.clock import Clock
from kiosk.pages import Page
from kiosk.timers import Timers, seconds_left


class Overlay(Enum):
    """A box over the page; while it is there only its own buttons answer."""

    TIME_OUT = "time-out"
    HELP = "help"


@dataclass(frozen=True)
class Badges:
    """State of the machine, shown in words.

    Attributes:
        waiting: messages that wait for the platform.
        printer: why the printer can't print, None when it can or there is none.
        id_card_lies: an ID card that was read was left on its reader.
    """

    platform_up: bool | None
    reader_ok: bool
    waiting: int = 0
    printer: PrinterReason | None = None
    id_card_lies: bool = False


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

    @classmethod
    def at(
        cls, clock: Clock, timers: Timers, *, page: Page, language: str, badges: Badges
    ) -> Moment:
        """The moment that clock and timers make of a page."""
        now = clock.monotonic()
        overlay, until = None, None
        if timers.warned_until is not None:
            overlay, until = Overlay.TIME_OUT, timers.warned_until
        elif timers.help_until is not None:
            overlay, until = Overlay.HELP, timers.help_until
        return cls(
            page=page,
            language=language,
            overlay=overlay,
            overlay_seconds=seconds_left(until, now) or 0,
            seconds_left=seconds_left(timers.notice_until or timers.idle, now),
            minute=clock.local().replace(second=0, microsecond=0),
            badges=badges,
        )
