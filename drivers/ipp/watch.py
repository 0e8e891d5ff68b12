"""Follows a job of an IPP printer to its end, with patience but not for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from drivers.document_printer import (
    PrintEnd,
    PrinterReason,
    PrinterStatus,
    PrintOutcome,
    PrintProgress,
)
from drivers.ipp.job import JobState, JobView, Vanished, judge

_MISSES = 2
"""Polls without answer before the printer is told to be gone: one is a hiccup."""

# Either means that paper may be half way through.
_TOUCHING = frozenset({PrinterReason.JAM, PrinterReason.DOOR})


# Its document is on the way (RFC 8011 §5.3.8): a spooler hands it over after the job.
_INCOMING = frozenset({"job-incoming", "job-data-insufficient"})


@dataclass(frozen=True)
class IppPatience:
    """Delays and limits in seconds.

    Attributes:
        connect: for a connection.
        answer: for an exchange, connection included.
        submit: for handing over the document; some printers answer only when they have printed.
        poll: between two looks at the job.
        obstacle: how long a job may wait for paper, a closed door and so on.
        gone: how long the printer may be silent.
        sheet: for each sheet, while nothing is in the way.
        cancel: for a cancelled job to end.
        restarts: how often a spooler's queue is set going again without a print out of it.
    """

    connect: float = 3.0
    answer: float = 5.0
    submit: float = 60.0
    poll: float = 0.5
    obstacle: float = 120.0
    gone: float = 30.0
    sheet: float = 60.0
    cancel: float = 20.0
    restarts: int = 3


class WatchedJob(Protocol):
    """A job as it is followed; `IppJob`, or what a spooler and its device make of it."""

    def look(self) -> JobView | None:
        """How it stands, None when nobody says. Raises Vanished."""

    def status(self) -> PrinterStatus | None:
        """How the printer stands, None when it doesn't say."""

    def cancel(self) -> bool:
        """Cancel it; False when that was not heard, or not obeyed."""


class JobWatch:
    """Follows one job to its end, and cancels it when patience runs out.

    Args:
        job: what is followed.
        pages: sheets that must come out.
        given_up: set by another thread when nobody waits any more.
        report: is told each change.
    """

    def __init__(
        self,
        job: WatchedJob,
        pages: int,
        patience: IppPatience,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        given_up: threading.Event,
        report: Callable[[PrintProgress], None],
    ) -> None:
        self._job = job
        self._needed = pages
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._given_up = given_up
        self._report = report
        self._told: PrintProgress | None = None
        self._pages: int | None = None
        self._most = 0
        self._touched = False
        self._waiting: PrinterReason | None = None
        self._misses = 0
        self._heard = self._looked = clock()
        self._worked = 0.0
        self._blocked_since: float | None = None
        self._cancelled_at: float | None = None
        self._cancel_taken = False
        self._ended_by: PrinterReason | None = None

    def follow(self) -> PrintOutcome:
        """The job's outcome, within the limits of the patience."""
        while True:
            try:
                view = self._job.look()
            except Vanished:
                return PrintOutcome(PrintEnd.UNKNOWN, self._reason())
            outcome = self._missed() if view is None else self._seen(view)
            if outcome is not None:
                return outcome
            self._cancel_if_due()
            self._sleep(self._patience.poll)

    # --- one look ----------------------------------------------------------------------------

    def _missed(self) -> PrintOutcome | None:
        self._misses += 1
        self._tick(blocked=False)
        if self._misses >= _MISSES:
            self._waiting = PrinterReason.GONE
            self._tell()
        if self._looked - self._heard >= self._patience.gone or self._cancel_overdue():
            return PrintOutcome(PrintEnd.UNKNOWN, PrinterReason.GONE)
        return None

    def _seen(self, view: JobView) -> PrintOutcome | None:
        # The printer is asked after the job, so that a jam that ended the job is seen.
        status = self._job.status()
        self._misses = 0
        self._heard = self._clock()
        self._waiting = status.reason if status is not None else None
        idle = view.state in (JobState.HELD, JobState.STOPPED) and not view.reasons & _INCOMING
        if self._waiting is None and idle:
            self._waiting = PrinterReason.STOPPED
        self._pages = view.pages
        pages = view.pages or 0
        if self._most < pages <= self._needed:
            # A sheet came out: whatever the printer complains of is not in our way.
            self._blocked_since = None
        self._most = max(self._most, pages)
        if self._waiting in _TOUCHING or pages > 0:
            self._touched = True
        self._tick(blocked=self._waiting is not None)
        end = judge(view, self._needed, not self._touched and status is not None)
        if end is PrintEnd.DONE:
            self._waiting = None
        self._tell()
        if end is not None:
            return PrintOutcome(end, None if end is PrintEnd.DONE else self._reason())
        return PrintOutcome(PrintEnd.UNKNOWN, self._reason()) if self._cancel_overdue() else None

    def _tick(self, *, blocked: bool) -> None:
        """Count the time since the last look as work, or as waiting for somebody."""
        now = self._clock()
        if not blocked:
            self._worked += now - self._looked
            self._blocked_since = None
        elif self._blocked_since is None:
            self._blocked_since = now
        self._looked = now

    def _tell(self) -> None:
        progress = PrintProgress(self._pages, self._waiting)
        if progress != self._told:
            self._told = progress
            self._report(progress)

    # --- the end of patience -----------------------------------------------------------------

    def _cancel_if_due(self) -> None:
        if self._cancelled_at is None and self._impatient():
            self._cancelled_at = self._looked
            self._ended_by = self._waiting
        if self._cancelled_at is not None and not self._cancel_taken:
            self._cancel_taken = self._job.cancel()

    def _impatient(self) -> bool:
        patience = self._patience
        blocked = (
            self._blocked_since is not None
            and self._looked - self._blocked_since >= patience.obstacle
        )
        return self._given_up.is_set() or blocked or self._worked >= patience.sheet * self._needed

    def _cancel_overdue(self) -> bool:
        since = self._cancelled_at
        return since is not None and self._looked - since >= self._patience.cancel

    def _reason(self) -> PrinterReason | None:
        return self._ended_by or self._waiting
