"""From a document to a job of an IPP printer, whose answer may be lost on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from drivers.document_printer import PrintEnd, PrinterReason, PrintOutcome
from drivers.ipp.answers import ExchangeFailed, HttpRefused, IppAnswer, NothingSent, number, words
from drivers.ipp.watch import IppPatience

_LONGEST_SERIAL = 127
_LONGEST_NAME = 255
_LOOKS = 3
"""Looks at the printer's jobs before one of them is said not to be there."""

_ROUNDED = 2
"""printer-up-time has whole seconds."""

# Status codes that may come after a job was begun (RFC 8011 §B.1.5): internal error, device
# error, temporary error, job canceled. Others refuse the job before.
_BEGUN = (0x0500, 0x0504, 0x0505, 0x0508)
# Service unavailable, not accepting jobs, busy, deactivated, too many jobs.
_SHUT = (0x0502, 0x0506, 0x0507, 0x050A, 0x050B)


class JobsWire(Protocol):
    """What looking for jobs asks of a printer; raises ExchangeFailed."""

    def jobs(self, which: str) -> IppAnswer: ...


class SubmissionWire(JobsWire, Protocol):
    """What handing a document over asks of a printer; each raises ExchangeFailed."""

    def print_job(
        self, pdf: bytes, name: str, stop: threading.Event, copies: int = 1
    ) -> IppAnswer: ...

    def up_time(self) -> IppAnswer: ...


class Lookup(Enum):
    """What became of looking for a job by its name."""

    ABSENT = auto()
    DOUBTFUL = auto()
    """The printer won't tell, or has a job whose name is hidden or the beginning of ours."""


def check_job(serial: str, pages: int, copies: int) -> None:
    """Raises ValueError: a job can't be called so, or has nothing to print."""
    if not 1 <= len(serial) <= _LONGEST_SERIAL or len(serial.encode()) > _LONGEST_NAME:
        raise ValueError(f"a job's name has 1 to {_LONGEST_SERIAL} characters")
    if pages < 1 or copies < 1:
        raise ValueError("a document has a page")


class Submission:
    """Hands documents over.

    Args:
        given_up: set by another thread when nobody waits any more.
    """

    def __init__(
        self,
        wire: SubmissionWire,
        patience: IppPatience,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        given_up: threading.Event,
    ) -> None:
        self._wire = wire
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._given_up = given_up
        self._begun, self._ran = 0.0, 0

    def hand_over(
        self, pdf: bytes, serial: str, copies: int, ran: int | None
    ) -> int | PrintOutcome:
        """The job's number, or how it ended before it had one.

        Args:
            ran: for how many seconds the printer had run when it was last asked.
        """
        self._begun, self._ran = self._clock(), ran or 0
        try:
            answer = self._wire.print_job(pdf, serial, self._given_up, copies)
        except NothingSent:
            return PrintOutcome(PrintEnd.FAILED, PrinterReason.GONE)
        except HttpRefused:
            return PrintOutcome(PrintEnd.FAILED)
        except ExchangeFailed:
            return self._find(serial)
        job = number(answer.jobs[0], "job-id") if answer.ok and answer.jobs else None
        if job is not None:
            return job
        if answer.ok or answer.status in _BEGUN:
            return self._find(serial)
        shut = answer.status in _SHUT
        return PrintOutcome(PrintEnd.FAILED, PrinterReason.STOPPED if shut else None)

    def _find(self, serial: str) -> int | PrintOutcome:
        """The job of a submission whose answer was lost.

        It failed only when the printer answers several times and has no such job, and has lost
        no memory meanwhile.
        """
        begun = self._clock()
        absent = 0
        reason: PrinterReason | None = None
        while True:
            try:
                found = look_up(self._wire, serial)
                reason = None
            except ExchangeFailed:
                found = Lookup.DOUBTFUL
                reason = PrinterReason.GONE
            if isinstance(found, int):
                return found
            absent = absent + 1 if found is Lookup.ABSENT else 0
            if absent == _LOOKS:
                remembers = self._runs_on()
                return PrintOutcome(PrintEnd.FAILED if remembers else PrintEnd.UNKNOWN)
            patience = self._patience
            limit = patience.cancel if self._given_up.is_set() else patience.gone
            if self._clock() - begun >= limit:
                return PrintOutcome(PrintEnd.UNKNOWN, reason)
            self._sleep(patience.poll)

    def _runs_on(self) -> bool:
        """The printer says that it had power all the time."""
        try:
            now = number(self._wire.up_time().printer, "printer-up-time")
        except ExchangeFailed:
            return False
        return now is not None and now + _ROUNDED >= self._ran + self._clock() - self._begun


def look_up(wire: JobsWire, serial: str) -> int | Lookup:
    """Look for the job by its name, the newest first.

    Raises:
        ExchangeFailed: no answer.
    """
    found, doubtful = named(wire, serial)
    if found:
        return max(found)
    return Lookup.DOUBTFUL if doubtful else Lookup.ABSENT


def named(wire: JobsWire, serial: str) -> tuple[frozenset[int], bool]:
    """The numbers of all jobs of this name, and whether there may be more of them.

    A job that ends meanwhile is seen, as those that go on are asked for first. RFC 8011 §4.2.6.1
    requires both lists; "all" is an extension that old printers take for the first.

    Raises:
        ExchangeFailed: no answer.
    """
    found: set[int] = set()
    doubtful = False
    for which in ("not-completed", "completed"):
        answer = wire.jobs(which)
        doubtful = doubtful or not answer.ok
        for job in answer.jobs:
            called, job_id = words(job, "job-name"), number(job, "job-id")
            if called == (serial,) and job_id is not None:
                found.add(job_id)
            elif not called or serial.startswith(called[0]):
                doubtful = True
    return frozenset(found), doubtful
