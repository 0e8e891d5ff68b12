"""A job as an IPP printer tells it, and how it ended (RFC 8011 §5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import assert_never

from drivers.document_printer import PrintEnd
from drivers.ipp_answers import Attributes, number, words

JOB_ATTRIBUTES = (
    "job-name",
    "job-state",
    "job-state-reasons",
    "job-impressions-completed",
    "job-media-sheets-completed",
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


@dataclass(frozen=True)
class JobView:
    """What the printer says of a job.

    Attributes:
        pages: sheets out so far, None where the printer doesn't count.
        name: the job's name, None where the printer keeps it to itself.
    """

    state: JobState
    reasons: frozenset[str] = frozenset()
    pages: int | None = None
    name: str | None = None


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
