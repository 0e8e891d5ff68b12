"""A job as an IPP printer tells it, and how it ended (RFC 8011 §5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, assert_never

from drivers.document_printer import PrintEnd, PrinterStatus
from drivers.ipp.answers import (
    NOT_FOUND,
    NOT_POSSIBLE,
    Attributes,
    ExchangeFailed,
    IppAnswer,
    number,
    words,
)
from drivers.ipp.reasons import printer_status

JOB_ATTRIBUTES = (
    "job-name",
    "job-state",
    "job-state-reasons",
    "job-impressions-completed",
    "job-media-sheets-completed",
    "time-at-processing",
)
"""What `job_view` reads."""

# One-sided: an impression is a sheet.
_COUNTS = ("job-impressions-completed", "job-media-sheets-completed")
# The printer's word "completed" is weak with one of these (§5.3.8).
_DOUBTS = frozenset({"job-completed-with-errors", "queued-in-device"})


class JobState(IntEnum):
    """job-state (§5.3.7)."""

    PENDING = 3
    HELD = 4
    PROCESSING = 5
    STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9

    @property
    def over(self) -> bool:
        """Nothing changes any more, except what is on its way (processing-to-stop-point)."""
        return self >= JobState.CANCELED


@dataclass(frozen=True)
class JobView:
    """What the printer says of a job.

    Attributes:
        pages: sheets out so far, None where the printer doesn't count.
        name: the job's name, None where the printer keeps it to itself.
        begun: the printer says since when it works on it.
    """

    state: JobState
    reasons: frozenset[str] = frozenset()
    pages: int | None = None
    name: str | None = None
    begun: bool = False


class Vanished(Exception):
    """The printer knows nothing of the job any more, or its number is another job's."""


class JobWire(Protocol):
    """What a job asks of its printer; each raises ExchangeFailed."""

    def printer(self) -> IppAnswer: ...

    def job(self, number: int) -> IppAnswer: ...

    def cancel_job(self, number: int) -> IppAnswer: ...


class ListingWire(JobWire, Protocol):
    """What looking for a job by its name asks besides."""

    def jobs(self, which: str) -> IppAnswer: ...


class IppJob:
    """A job that a printer took, by its number there."""

    def __init__(self, wire: JobWire, number: int) -> None:
        self._wire = wire
        self._number = number
        self._name: str | None = None

    def look(self) -> JobView | None:
        """How it stands, None when the printer doesn't say.

        Raises:
            Vanished: it is not there any more.
        """
        try:
            answer = self._wire.job(self._number)
        except ExchangeFailed:
            return None
        if answer.status in NOT_FOUND:
            raise Vanished
        view = job_view(answer.jobs[0]) if answer.ok and answer.jobs else None
        if view is not None and view.name is not None:
            # A printer that loses its memory begins its numbers anew.
            self._name = self._name or view.name
            if view.name != self._name:
                raise Vanished
        return view

    def status(self) -> PrinterStatus | None:
        """How its printer stands, None when it doesn't say."""
        try:
            answer = self._wire.printer()
        except ExchangeFailed:
            return None
        return printer_status(answer.printer) if answer.ok else None

    def cancel(self) -> bool:
        """Cancel it; False when that was not heard, or not obeyed. A job that is over already
        can't be cancelled; the next look tells how it ended."""
        try:
            answer = self._wire.cancel_job(self._number)
        except ExchangeFailed:
            return False
        return answer.ok or answer.status == NOT_POSSIBLE


def withdraw(wire: ListingWire, name: str) -> bool:
    """Cancel all jobs of this name; True when the printer says that none of them goes on."""
    try:
        answer = wire.jobs("not-completed")
    except ExchangeFailed:
        return False
    numbers = [number(job, "job-id") for job in answer.jobs if words(job, "job-name") == (name,)]
    return answer.ok and all(n is not None and IppJob(wire, n).cancel() for n in numbers)


def job_view(attributes: Attributes) -> JobView | None:
    """A job as its attributes tell it, None when they don't say how it stands."""
    try:
        state = JobState(number(attributes, "job-state") or 0)
    except ValueError:
        return None
    counts = (number(attributes, name) for name in _COUNTS)
    return JobView(
        state=state,
        reasons=frozenset(words(attributes, "job-state-reasons")),
        pages=next((count for count in counts if count is not None and count >= 0), None),
        name=next(iter(words(attributes, "job-name")), None),
        begun=number(attributes, "time-at-processing") is not None,
    )


def judge(view: JobView, needed: int, untouched: bool) -> PrintEnd | None:
    """How a job ended; None while it goes on.

    Args:
        needed: sheets that must come out.
        untouched: nothing was ever seen that moves paper: no sheet, no jam, no open door.
    """
    match view.state:
        case JobState.COMPLETED:
            if view.pages is None:
                return PrintEnd.UNKNOWN if view.reasons & _DOUBTS else PrintEnd.DONE
            return PrintEnd.DONE if view.pages >= needed else PrintEnd.UNKNOWN
        case JobState.CANCELED | JobState.ABORTED:
            if "processing-to-stop-point" in view.reasons:
                return None
            nothing = view.pages == 0 and untouched
            return PrintEnd.FAILED if nothing else PrintEnd.UNKNOWN
        case JobState.PENDING | JobState.HELD | JobState.PROCESSING | JobState.STOPPED:
            return None
        case _:
            assert_never(view.state)
