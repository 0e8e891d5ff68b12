"""The seam between the terminal and its document printer (证明打印机).

Paper that was touched can't be taken back: a job ends as done, failed (nothing came out) or
unknown, and unknown is never printed again by itself (DESIGN §4.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class PrinterReason(Enum):
    """Why a printer can't print, in order of urgency (RFC 8011 §5.4.12, closed and merged)."""

    GONE = "gone"
    """No answer at all: switched off, unplugged."""
    JAM = "jam"
    DOOR = "door"
    PAPER_OUT = "paper-out"
    TRAY = "tray"
    """A tray is missing, of what goes in or of what comes out."""
    OUTPUT_FULL = "output-full"
    SUPPLY_OUT = "supply-out"
    """Toner or ink is used up, a part of it is missing, or the waste box is full."""
    STOPPED = "stopped"
    """Paused, shut down, or stopped without a reason that we know."""


class PrinterNote(Enum):
    """What staff should see to, though it still prints."""

    PAPER_LOW = "paper-low"
    SUPPLY_LOW = "supply-low"


@dataclass(frozen=True)
class PrinterStatus:
    """How the printer stands.

    Attributes:
        reason: the most urgent obstacle, None when it can print.
        notes: what still lets it print.
        busy: it works on a job now.
    """

    reason: PrinterReason | None
    notes: frozenset[PrinterNote] = frozenset()
    busy: bool = False


class PrintEnd(Enum):
    """How a print ended."""

    DONE = "done"
    FAILED = "failed"
    """Known that nothing came out."""
    UNKNOWN = "unknown"
    """Something may have come out, or not, or half."""


@dataclass(frozen=True)
class PrintOutcome:
    """How a print ended, with the obstacle that ended it where there was one."""

    end: PrintEnd
    reason: PrinterReason | None = None


@dataclass(frozen=True)
class PrintProgress:
    """How far a job is.

    Attributes:
        pages: sheets out so far, None where the printer doesn't count.
        waiting: what the printer waits for before it goes on, None when it prints.
    """

    pages: int | None
    waiting: PrinterReason | None = None


class DocumentPrinter(Protocol):
    """One printer, owned by one worker; only `give_up` may come from other threads.

    No method raises for anything that a printer or its wire can do.
    """

    def status(self) -> PrinterStatus:
        """Ask how it stands; a printer that does not answer is `PrinterReason.GONE`."""

    def print_document(
        self, pdf: bytes, serial: str, pages: int, report: Callable[[PrintProgress], None]
    ) -> PrintOutcome:
        """Print one PDF, one-sided on A4, and follow the job to its end.

        Args:
            serial: the job's own name, 1..127 characters; it also stands on the sheet.
            pages: sheets that must come out.
            report: is told progress on this thread, each time it changes.

        Returns:
            DONE only on the printer's word that the job completed with all its sheets. A job
            that an obstacle stops for longer than the patience is cancelled and ends as FAILED
            when the printer says that no sheet was touched, else as UNKNOWN.
        """

    def give_up(self) -> None:
        """Wait no longer for the running job: cancel it and return its outcome."""

    def close(self) -> None:
        """Drop connections. Never raises."""
