"""A job's attributes, and how each of its states is judged."""

import pytest

from drivers.document_printer import PrintEnd
from drivers.ipp.job import JobState, JobView, job_view, judge

DONE, FAILED, UNKNOWN = PrintEnd.DONE, PrintEnd.FAILED, PrintEnd.UNKNOWN
S = JobState
FULL = {
    "job-id": (7,),
    "job-name": ("A-1",),
    "job-state": (5,),
    "job-state-reasons": ("job-printing", "printer-stopped"),
    "job-impressions-completed": (2,),
    "job-media-sheets-completed": (1,),
}


def test_a_job_that_tells_all():
    assert job_view(FULL) == JobView(
        S.PROCESSING, frozenset({"job-printing", "printer-stopped"}), 2, "A-1"
    )


def test_a_job_that_tells_its_state_alone():
    assert job_view({"job-state": (9,)}) == JobView(S.COMPLETED, frozenset(), None, None)


def test_a_job_that_was_begun():
    assert job_view({"job-state": (5,), "time-at-processing": (77,)}).begun
    assert not job_view({"job-state": (3,), "time-at-processing": ()}).begun


def test_the_numbers_of_the_states():
    """RFC 8011 §5.3.7."""
    names = ["PENDING", "HELD", "PROCESSING", "STOPPED", "CANCELED", "ABORTED", "COMPLETED"]
    views = [job_view({"job-state": (number,)}) for number in range(3, 10)]
    assert [view.state.name for view in views] == names


@pytest.mark.parametrize("state", [(), (0,), (2,), (10,), ("completed",), (True,), (3, 4)])
def test_without_a_known_state_it_is_no_job(state):
    assert job_view(FULL | {"job-state": state}) is None


@pytest.mark.parametrize(
    ("impressions", "sheets", "pages"),
    [((0,), (3,), 0), ((), (3,), 3), ((-1,), (3,), 3), ((), (), None), ((-1,), (-1,), None),
     (("1",), (), None), ((True,), (), None), ((), (0,), 0)],
)  # fmt: skip
def test_pages_are_impressions_or_else_sheets(impressions, sheets, pages):
    counts = {"job-impressions-completed": impressions, "job-media-sheets-completed": sheets}
    assert job_view(FULL | counts).pages == pages


@pytest.mark.parametrize(
    ("state", "reasons", "pages", "untouched", "end"),
    [
        (S.PENDING, "none", 0, True, None),
        (S.HELD, "job-held-on-create", 0, True, None),
        (S.PROCESSING, "job-printing", 2, False, None),
        (S.PROCESSING, "job-printing", 3, True, None),
        (S.STOPPED, "printer-stopped", 0, True, None),
        (S.COMPLETED, "job-completed-successfully", 3, False, DONE),
        (S.COMPLETED, "job-completed-successfully", 4, True, DONE),
        (S.COMPLETED, "job-completed-with-errors", 3, True, DONE),
        (S.COMPLETED, "queued-in-device", 3, True, DONE),
        (S.COMPLETED, "job-completed-successfully", 2, True, UNKNOWN),
        (S.COMPLETED, "job-completed-successfully", 0, True, UNKNOWN),
        (S.COMPLETED, "job-completed-successfully", None, False, DONE),
        (S.COMPLETED, "job-completed-with-warnings", None, True, DONE),
        (S.COMPLETED, "job-completed-with-errors", None, True, UNKNOWN),
        (S.COMPLETED, "queued-in-device", None, True, UNKNOWN),
        (S.CANCELED, "job-canceled-by-user", 0, True, FAILED),
        (S.CANCELED, "job-canceled-by-user", 0, False, UNKNOWN),
        (S.CANCELED, "job-canceled-by-user", 1, True, UNKNOWN),
        (S.CANCELED, "job-canceled-by-user", None, True, UNKNOWN),
        (S.CANCELED, "processing-to-stop-point", 0, True, None),
        (S.ABORTED, "aborted-by-system", 0, True, FAILED),
        (S.ABORTED, "aborted-by-system", 0, False, UNKNOWN),
        (S.ABORTED, "aborted-by-system", 3, False, UNKNOWN),
        (S.ABORTED, "aborted-by-system", None, True, UNKNOWN),
        (S.ABORTED, "processing-to-stop-point", 0, True, None),
    ],
)
def test_how_a_job_of_three_sheets_ended(state, reasons, pages, untouched, end):
    view = JobView(state, frozenset({reasons}), pages)
    assert judge(view, 3, untouched) is end
