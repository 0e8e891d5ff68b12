"""What gets in the way of a job, and how it ends."""

import pytest

from drivers.document_printer import PrintOutcome, PrintProgress
from tests.drivers import printer_double as far
from tests.drivers.printer_double import Job
from tests.drivers.printing_bench import DONE, FAILED, NAME, PATIENCE, UNKNOWN, Bench, R, finish


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.printer.close()


def jam(bench, *reasons, **job):
    """The printer stops with these reasons, and nobody comes."""
    bench.steps = [bench.set(*reasons, state=far.STOPPED, **job)]


def test_paper_out_before_the_first_sheet_for_too_long(bench):
    jam(bench, "media-empty-error")
    assert bench.print() == PrintOutcome(FAILED, R.PAPER_OUT)
    assert bench.told == [PrintProgress(0), PrintProgress(0, R.PAPER_OUT)]
    assert bench.printer.operations().count(far.CANCEL) == 1
    assert PATIENCE.obstacle <= bench.now - 1001 <= PATIENCE.obstacle + 2


def test_paper_out_after_the_first_sheet_for_too_long(bench):
    jam(bench, "media-empty-error", impressions=1)
    assert bench.print() == PrintOutcome(UNKNOWN, R.PAPER_OUT)
    assert bench.printer.operations().count(far.CANCEL) == 1


def test_paper_out_at_a_printer_that_does_not_count(bench):
    bench.printer.template = Job(NAME, impressions=None)
    jam(bench, "media-empty-error")
    assert bench.print() == PrintOutcome(UNKNOWN, R.PAPER_OUT)


@pytest.mark.parametrize(("word", "reason"), [("media-jam", R.JAM), ("door-open", R.DOOR)])
def test_a_jam_or_an_open_door_may_have_moved_a_sheet(bench, word, reason):
    jam(bench, word)
    assert bench.print() == PrintOutcome(UNKNOWN, reason)


def test_a_jam_that_is_past_still_counts(bench):
    bench.steps = [bench.set("media-jam"), bench.set("media-empty", state=far.STOPPED)]
    assert bench.print() == PrintOutcome(UNKNOWN, R.PAPER_OUT)


def test_a_jam_in_the_moment_of_the_end_is_seen(bench):
    bench.steps = [bench.set("media-jam", state=far.ABORTED)]
    assert bench.print() == PrintOutcome(UNKNOWN, R.JAM)


@pytest.mark.parametrize("fault", [far.drop, far.refuse(0x0500)])
def test_without_a_status_at_the_end_nothing_is_known(bench, fault):
    def abort():
        bench.job.state = far.ABORTED
        bench.printer.always[far.GET_PRINTER] = fault

    bench.steps = [abort]
    assert bench.print() == PrintOutcome(UNKNOWN)


@pytest.mark.parametrize("state", [far.CANCELED, far.ABORTED])
@pytest.mark.parametrize(("pages", "end"), [(0, FAILED), (1, UNKNOWN), (None, UNKNOWN)])
def test_ended_at_the_printer(bench, state, pages, end):
    bench.printer.template = Job(NAME, impressions=pages)
    bench.steps = [bench.set(state=state)]
    assert bench.print() == PrintOutcome(end)
    assert far.CANCEL not in bench.printer.operations()


def test_a_count_that_goes_back_forgets_no_sheet(bench):
    bench.steps = [bench.set(impressions=1), bench.set(impressions=0, state=far.ABORTED)]
    assert bench.print() == PrintOutcome(UNKNOWN)


def test_a_cancelled_job_that_is_still_stopping_is_followed(bench):
    bench.steps = [
        bench.set(state=far.CANCELED, reasons=("processing-to-stop-point",)),
        bench.set(impressions=1),
        bench.set(reasons=("job-canceled-by-user",)),
    ]
    assert bench.print() == PrintOutcome(UNKNOWN)
    assert bench.told[-1].pages == 1


def test_a_cancelled_job_that_never_stops_stopping(bench):
    bench.steps = [bench.set(state=far.CANCELED, reasons=("processing-to-stop-point",))]
    assert bench.print() == PrintOutcome(UNKNOWN)
    assert bench.printer.operations().count(far.CANCEL) == 1


def test_a_job_that_is_done_when_it_is_cancelled_is_done(bench):
    def finishes_first(handler, usual):
        finish(bench)()
        handler.send(usual())

    jam(bench, "output-area-full", impressions=2)
    bench.printer.faults[far.CANCEL] = [finishes_first]
    assert bench.print() == PrintOutcome(DONE)
    assert bench.told[-1] == PrintProgress(3)


@pytest.mark.parametrize("fault", [far.drop, far.refuse(0x0501), far.refuse(0x0500)])
def test_a_cancel_that_is_not_taken_is_sent_again_but_not_for_ever(bench, fault):
    jam(bench, "media-empty")
    bench.printer.faults[far.CANCEL] = [fault] * 3
    assert bench.print() == PrintOutcome(FAILED, R.PAPER_OUT)
    assert bench.printer.operations().count(far.CANCEL) == 4
    bench.printer.reasons = ("none",)
    bench.printer.next_job, bench.told[:] = 7, []
    jam(bench, "media-empty")
    bench.printer.always[far.CANCEL] = fault
    assert bench.print() == PrintOutcome(UNKNOWN, R.PAPER_OUT)


def test_a_cancelled_job_that_never_ends(bench):
    jam(bench, "media-empty")
    bench.printer.always[far.CANCEL] = far.refuse(far.OK)
    assert bench.print() == PrintOutcome(UNKNOWN, R.PAPER_OUT)
    assert bench.printer.operations().count(far.CANCEL) == 1
    assert bench.now - 1001 >= PATIENCE.obstacle + PATIENCE.cancel


@pytest.mark.parametrize("state", [far.HELD, far.STOPPED])
def test_a_job_that_is_held_without_a_reason(bench, state):
    bench.steps = [bench.set(state=state)]
    assert bench.print() == PrintOutcome(FAILED, R.STOPPED)
    assert PrintProgress(0, R.STOPPED) in bench.told


@pytest.mark.parametrize("reason", ["job-incoming", "job-data-insufficient"])
def test_a_job_whose_document_is_on_the_way_waits_for_nobody(bench, reason):
    bench.steps = [
        bench.set(state=far.HELD, reasons=(reason,)),
        *[lambda: None] * 35,
        finish(bench),
    ]
    assert bench.print() == PrintOutcome(DONE)
    assert {progress.waiting for progress in bench.told} == {None}


def test_a_job_on_which_nothing_happens(bench):
    assert bench.print(pages=2) == PrintOutcome(FAILED)
    assert 2 * PATIENCE.sheet <= bench.now - 1000 <= 2 * PATIENCE.sheet + 2


def test_waiting_for_staff_uses_no_time_of_the_sheets(bench):
    bench.steps = []
    for page in range(3):
        bench.steps += [bench.set("media-empty", impressions=page), *[lambda: None] * 25]
        bench.steps += [bench.set("none"), *[lambda: None] * 15]
    bench.steps += [finish(bench)]
    assert bench.print() == PrintOutcome(DONE)


@pytest.mark.parametrize("reasons", [("none",), ("media-empty",)])
def test_a_printer_that_counts_without_end(bench, reasons):
    def count():
        bench.printer.reasons = reasons
        bench.job.impressions += 1

    bench.after = count
    assert bench.print().end is UNKNOWN
    assert far.CANCEL in bench.printer.operations()


def test_an_obstacle_that_comes_and_goes_without_end(bench):
    def flap():
        bench.printer.reasons = ("none",) if "media-empty" in bench.printer.reasons else (
            "media-empty",
        )  # fmt: skip

    bench.after = flap
    assert bench.print().end is FAILED
