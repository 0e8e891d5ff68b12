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
    PAPER_SIZE = "paper-size"
    """No tray says that A4 lies in it. Not an obstacle: many trays are set to a size that they
    don't hold, and a printer that can't feed a sheet says so."""
    SUPPLY_LOW = "supply-low"
    OTHER = "other"
    """It complains of something that we don't know; `PrinterDetails.unknown` has its words."""


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


class SupplyKind(Enum):
    """What is used up, or filled."""

    TONER = "toner"
    INK = "ink"
    DRUM = "drum"
    FUSER = "fuser"
    WASTE = "waste"
    OTHER = "other"


class SupplyColour(Enum):
    """What staff ask for when they fetch a cartridge."""

    BLACK = "black"
    CYAN = "cyan"
    MAGENTA = "magenta"
    YELLOW = "yellow"


class SupplyState(Enum):
    """Whether a supply lasts."""

    GOOD = "good"
    LOW = "low"
    SPENT = "spent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Supply:
    """A cartridge, a drum, a box.

    Attributes:
        name: as the printer calls it.
        colour: None where it has none, or several.
        percent: what is left of it, of a box the room in it; None where nobody knows.
    """

    name: str
    kind: SupplyKind
    colour: SupplyColour | None
    percent: int | None
    state: SupplyState


@dataclass(frozen=True)
class Tray:
    """A tray that paper is fed from.

    Attributes:
        name: as the printer calls it, ``main``, ``tray-2``.
        sheets: what is in it; None where the printer can't tell.
        size: width and length of the paper in 1/100 mm, None where it isn't told.
    """

    name: str
    sheets: int | None
    size: tuple[int, int] | None


@dataclass(frozen=True)
class PrinterAlert:
    """A row of the printer's list of alerts (PWG 5100.9).

    Attributes:
        code: of RFC 3805 PrtAlertCodeTC, ``coverOpen``.
        critical: it prints no more until somebody sees to it.
        words: the printer's own, empty where it has none.
    """

    code: str
    critical: bool
    words: str


@dataclass(frozen=True)
class PrinterDetails:
    """All that staff may want to know of a printer; what it doesn't tell is None or empty.

    Attributes:
        model, message: its own words.
        unknown: reasons that we don't know, in the printer's words.
        a4: whether A4 lies in a tray.
        impressions: sides printed in its life.
        up_time: seconds for which it has run.
        copies: as many of a document as one job may ask for.
    """

    status: PrinterStatus
    model: str = ""
    message: str = ""
    unknown: tuple[str, ...] = ()
    supplies: tuple[Supply, ...] = ()
    trays: tuple[Tray, ...] = ()
    a4: bool | None = None
    alerts: tuple[PrinterAlert, ...] = ()
    impressions: int | None = None
    up_time: int | None = None
    copies: int = 1


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

    def details(self) -> PrinterDetails:
        """Ask for all that it tells; as `status`, and what staff want to know besides."""

    def print_document(
        self,
        pdf: bytes,
        serial: str,
        pages: int,
        report: Callable[[PrintProgress], None],
        copies: int = 1,
    ) -> PrintOutcome:
        """Print one PDF, one-sided on A4, and follow the job to its end.

        Args:
            serial: the job's own name, 1..127 characters; it also stands on the sheet.
            pages: sheets of one copy that must come out.
            report: is told progress on this thread, each time it changes.
            copies: FAILED, and nothing is sent, where it is more than the printer can do.

        Returns:
            DONE only on the printer's word that the job completed with all its sheets. A job
            that an obstacle stops for longer than the patience is cancelled and ends as FAILED
            when the printer says that no sheet was touched, else as UNKNOWN.
        """

    def give_up(self) -> None:
        """Wait no longer for the running job: cancel it and return its outcome."""

    def withdraw(self, serial: str) -> bool:
        """Cancel the job of a print that has ended as UNKNOWN: it would come out before somebody
        else's eyes. True when the printer has none of this name that goes on."""

    def close(self) -> None:
        """Drop connections. Never raises."""
