"""A job in a CUPS queue: the device's own record counts, the spooler's word proves nothing."""

import pytest

from drivers.document_printer import PrinterStatus, PrintOutcome, PrintProgress
from tests.drivers import printer_double as far
from tests.drivers.cups_bench import CupsBench, asked, stop
from tests.drivers.printer_double import Job
from tests.drivers.printing_bench import DONE, FAILED, NAME, UNKNOWN, R


@pytest.fixture
def bench():
    made = CupsBench()
    yield made
    made.close()


# --- a print that goes well ---------------------------------------------------------------------


def test_three_sheets_by_the_devices_count(bench):
    bench.steps = [
        lambda: None,
        bench.arrives(),
        bench.at_device(impressions=1),
        bench.at_device(impressions=2),
        bench.at_device(impressions=3, state=far.COMPLETED),
    ]
    assert bench.print() == PrintOutcome(DONE)
    assert [progress.pages for progress in bench.told] == [None, 0, 1, 2, 3]
    submission = next(each for each in bench.printer.requests if each.operation == far.PRINT_JOB)
    assert submission.value("job-name") == NAME.encode()
    assert (
        submission.value("printer-uri")
        == f"ipp://127.0.0.1:{bench.printer.port}/printers/Sim".encode()
    )
    assert bench.device.operations().count(far.PRINT_JOB) == 0


def test_before_a_print_nothing_of_ours_is_left_in_the_queue(bench):
    bench.printer.jobs = {3: Job("old", far.PROCESSING, born=far.NOW)}
    bench.steps = [bench.arrives(state=far.COMPLETED, impressions=3)]
    assert bench.print() == PrintOutcome(DONE)
    assert bench.printer.jobs[3].state == far.CANCELED


def test_what_can_not_be_taken_out_prevents_a_print(bench):
    bench.printer.jobs = {3: Job("old", far.PROCESSING, born=far.NOW)}
    bench.printer.always[far.CANCEL] = far.refuse(0x0403)
    assert bench.print() == PrintOutcome(FAILED, R.STOPPED)
    assert asked(bench.printer, far.PRINT_JOB) == []


def test_the_answer_to_the_job_is_lost_and_it_prints_once(bench):
    bench.printer.faults[far.PRINT_JOB] = [far.lose]
    bench.steps = [bench.arrives(state=far.COMPLETED, impressions=3)]
    assert bench.print() == PrintOutcome(DONE)
    assert len(asked(bench.printer, far.PRINT_JOB)) == 1


def test_paper_runs_out_and_is_put_in(bench):
    bench.steps = [
        bench.arrives(impressions=1),
        bench.at_device("media-empty-error", state=far.STOPPED),
        *[lambda: None] * 20,
        bench.at_device("none", state=far.PROCESSING),
        bench.at_device(impressions=3, state=far.COMPLETED),
    ]
    assert bench.print() == PrintOutcome(DONE)
    assert PrintProgress(1, R.PAPER_OUT) in bench.told


def test_copies_are_asked_of_the_queue_as_the_device_can_do_them(bench):
    bench.device.more = far.attribute(0x33, "copies-supported", b"\0\0\0\1\0\0\0\x02")
    bench.steps = [bench.arrives(state=far.COMPLETED, impressions=6)]
    assert bench.print(copies=2) == PrintOutcome(DONE)
    assert bench.print(copies=3) == PrintOutcome(FAILED)
    assert len(asked(bench.printer, far.PRINT_JOB)) == 1


# --- what the spooler's word is worth -----------------------------------------------------------


def completed(bench):
    def step():
        bench.job.state, bench.job.reasons = far.COMPLETED, ("job-completed-successfully",)

    return step


def test_completed_at_the_spooler_alone_is_no_proof(bench):
    """A device that was off and on again has forgotten the job; CUPS calls that completed."""
    bench.steps = [completed(bench)]
    assert bench.print() == PrintOutcome(UNKNOWN)
    assert len(asked(bench.device, far.GET_JOBS)) >= 3


def test_completed_at_the_spooler_before_the_device_lists_it(bench):
    bench.steps = [completed(bench), bench.arrives(state=far.COMPLETED, impressions=3)]
    assert bench.print() == PrintOutcome(DONE)


def test_completed_at_the_spooler_while_the_device_prints(bench):
    bench.steps = [bench.arrives(impressions=1), completed(bench), lambda: None,
                   bench.at_device(impressions=2, state=far.ABORTED)]  # fmt: skip
    assert bench.print() == PrintOutcome(UNKNOWN)


@pytest.mark.parametrize("uri", ["usb://Maker/Model", "socket://127.0.0.1:9100"])
def test_behind_other_wires_than_ipp_nothing_is_ever_done(bench, uri):
    bench.queue(uri)
    bench.steps = [completed(bench)]
    assert bench.print() == PrintOutcome(UNKNOWN)
    assert {progress.pages for progress in bench.told} == {None}
    assert bench.device.requests == []


@pytest.mark.parametrize(("begun", "end"), [(None, FAILED), (5, UNKNOWN)])
@pytest.mark.parametrize("state", [far.CANCELED, far.ABORTED])
def test_taken_back_before_any_of_it_left_the_queue_or_after(bench, state, begun, end):
    bench.queue("usb://Maker/Model")
    bench.printer.template = Job(NAME, far.PENDING, begun=begun)
    bench.steps = [bench.set(state=state)]
    assert bench.print() == PrintOutcome(end)


def test_the_device_forgets_the_job(bench):
    bench.steps = [bench.arrives(impressions=1), bench.device.jobs.clear]
    assert bench.print() == PrintOutcome(UNKNOWN)
    assert bench.job.state == far.CANCELED


def test_the_queue_forgets_the_job(bench):
    bench.steps = [bench.printer.jobs.clear]
    assert bench.print() == PrintOutcome(UNKNOWN)


def test_another_job_has_its_name_at_the_device(bench):
    bench.device.jobs[12] = Job("4299-20250101-000000", far.COMPLETED, impressions=3)
    bench.steps = [completed(bench)]
    assert bench.print() == PrintOutcome(UNKNOWN)


def again(bench, **job):
    """A step: CUPS hands the document over once more."""

    def step():
        bench.device.jobs[41] = Job(NAME, **{"impressions": 0, **job})

    return step


@pytest.mark.parametrize(
    ("first", "second", "end"),
    [
        ({"state": far.HELD}, {"state": far.COMPLETED, "impressions": 3}, DONE),
        ({"state": far.ABORTED}, {"state": far.COMPLETED, "impressions": 3}, DONE),
        ({"state": far.ABORTED}, {"state": far.ABORTED}, FAILED),
        ({"state": far.ABORTED, "impressions": 1}, {"state": far.ABORTED}, UNKNOWN),
        ({"state": far.ABORTED}, {"state": far.ABORTED, "impressions": 1}, UNKNOWN),
        ({"state": far.ABORTED, "impressions": None}, {"state": far.ABORTED}, UNKNOWN),
        ({"impressions": 1}, {"state": far.COMPLETED, "impressions": 3}, UNKNOWN),
    ],
)
def test_a_document_that_cups_sends_twice_is_one_job(bench, first, second, end):
    both = lambda: (bench.arrives(**first)(), again(bench, **second)())  # noqa: E731
    bench.steps = [both]
    assert bench.print() == PrintOutcome(end)
    assert bench.job.state == far.CANCELED


def test_while_one_of_two_goes_on_nothing_is_over(bench):
    both = lambda: (bench.arrives()(), again(bench, state=far.ABORTED)())  # noqa: E731
    bench.steps = [both, lambda: None, bench.at_device(impressions=3, state=far.COMPLETED)]
    assert bench.print() == PrintOutcome(DONE)
    assert bench.now == 1003


def test_a_second_one_is_cancelled_too(bench):
    both = lambda: (bench.arrives(state=far.STOPPED)(), again(bench)())  # noqa: E731
    bench.device.reasons = ("none",)
    bench.steps = [both, lambda: None, bench.driver.give_up]
    assert bench.print() == PrintOutcome(FAILED)
    assert {job.state for job in bench.device.jobs.values()} == {far.CANCELED}


# --- obstacles and cancelling -------------------------------------------------------------------


@pytest.mark.parametrize(("pages", "end"), [(0, FAILED), (1, UNKNOWN)])
def test_an_obstacle_for_too_long(bench, pages, end):
    bench.steps = [
        bench.arrives(impressions=pages),
        bench.at_device("media-empty-error", state=far.STOPPED),
    ]
    assert bench.print() == PrintOutcome(end, R.PAPER_OUT)
    assert bench.job.state == bench.own.state == far.CANCELED


@pytest.mark.parametrize(("pages", "end"), [(0, FAILED), (1, UNKNOWN)])
def test_given_up_within_the_job(bench, pages, end):
    bench.steps = [bench.arrives(impressions=pages), lambda: None, bench.driver.give_up]
    assert bench.print() == PrintOutcome(end)
    assert bench.job.state == bench.own.state == far.CANCELED


def test_given_up_before_the_device_has_it(bench):
    bench.printer.template = Job(NAME, far.PENDING)
    bench.steps = [bench.driver.give_up]
    assert bench.print() == PrintOutcome(FAILED)
    assert bench.job.state == far.CANCELED


@pytest.mark.parametrize("state", [far.PENDING, far.HELD, far.STOPPED])
def test_a_job_that_the_spooler_keeps_for_later_is_taken_out_at_once(bench, state):
    """The backend failed and the queue stopped: it would begin at the first sheet again."""

    def fails():
        stop(bench)
        bench.job.state = state
        bench.own.state = far.ABORTED

    bench.steps = [bench.arrives(impressions=1), fails]
    assert bench.print() == PrintOutcome(UNKNOWN)
    assert bench.job.state == far.CANCELED
    assert asked(bench.printer, far.CANCEL, far.RESUME)[0] == far.CANCEL
    assert bench.driver.status() == PrinterStatus(None)
    assert len(asked(bench.printer, far.PRINT_JOB)) == 1


def test_a_job_that_the_spooler_keeps_while_the_device_prints_is_taken_out_at_once(bench):
    def fails():
        stop(bench)
        bench.job.state = far.STOPPED

    def comes_out():
        assert bench.job.state == far.CANCELED
        bench.at_device(impressions=3, state=far.COMPLETED)()

    bench.steps = [bench.arrives(impressions=1), fails, comes_out]
    assert bench.print() == PrintOutcome(DONE)


def test_a_job_that_failed_at_the_device_is_not_sent_again(bench):
    bench.steps = [bench.arrives(state=far.ABORTED)]
    assert bench.print() == PrintOutcome(FAILED)
    assert bench.job.state == far.CANCELED


def test_the_device_goes_away_for_good(bench):
    bench.steps = [bench.arrives(impressions=1), bench.device.off]
    assert bench.print() == PrintOutcome(UNKNOWN, R.GONE)
    assert bench.job.state == far.CANCELED
    bench.device.on()


def test_the_spooler_goes_away_for_good(bench):
    bench.steps = [bench.arrives(impressions=1), bench.printer.off]
    assert bench.print() == PrintOutcome(UNKNOWN, R.GONE)
    bench.printer.on()


def test_a_job_that_can_not_be_taken_out_is_told(bench, caplog):
    bench.printer.always[far.CANCEL] = far.drop
    bench.steps = [bench.arrives(state=far.COMPLETED, impressions=3)]
    assert bench.print() == PrintOutcome(DONE)
    assert "may still be in the queue" in caplog.text
