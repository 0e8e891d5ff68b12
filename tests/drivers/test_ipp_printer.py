"""Printing a document by IPP, from the first look to the outcome, in a time of the test's own."""

import logging
import subprocess
import sys
import threading

import pytest

from drivers.document_printer import (
    PrintEnd,
    PrinterNote,
    PrinterReason,
    PrinterStatus,
    PrintOutcome,
    PrintProgress,
)
from drivers.ipp_printer import IppPrinter
from drivers.ipp_watch import IppPatience
from tests.drivers import printer_double as far
from tests.drivers.printer_double import Job, PrinterDouble

R = PrinterReason
DONE, FAILED, UNKNOWN = PrintEnd.DONE, PrintEnd.FAILED, PrintEnd.UNKNOWN
PDF = b"%PDF-1.7 a certificate of 429900199001010011"
NAME = "4299-20250101-000001"
PATIENCE = IppPatience(connect=0.3, answer=0.3, submit=0.3, poll=1, obstacle=30, gone=10, sheet=20)


class Bench:
    """A printer, our driver on it, and a time that passes only where the driver sleeps: at each
    second of it the next step of the script is done, then `after`, as long as it takes."""

    def __init__(self):
        self.printer = PrinterDouble()
        self.now = 1000.0
        self.steps = []
        self.after = lambda: None
        self.told = []
        self.driver = self.another()

    def another(self, **changes):
        patience = IppPatience(**{**vars(PATIENCE), **changes})
        return IppPrinter(self.printer.url, patience, clock=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds):
        self.now += seconds
        assert self.now < 10_000, "the driver would wait for ever"
        (self.steps.pop(0) if self.steps else self.after)()

    @property
    def job(self):
        return self.printer.jobs[7]

    def set(self, *reasons, **job):
        """A step: the printer's reasons and the job's attributes."""

        def step():
            if reasons:
                self.printer.reasons = reasons
            for name, value in job.items():
                setattr(self.job, name, value)

        return step

    def print(self, pages=3, driver=None):
        return (driver or self.driver).print_document(PDF, NAME, pages, self.told.append)


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.printer.close()


def finish(bench, pages=3):
    return bench.set("none", state=far.COMPLETED, impressions=pages)


# --- status ----------------------------------------------------------------------------------


def test_how_a_printer_stands(bench):
    bench.printer.state = 4
    bench.printer.reasons = ("media-low-warning", "toner-low-report")
    assert bench.driver.status() == PrinterStatus(None, frozenset(PrinterNote), busy=True)
    bench.printer.state = 5
    bench.printer.reasons = ("media-empty-warning", "cover-open")
    assert bench.driver.status() == PrinterStatus(R.DOOR)


def test_a_printer_that_is_off_and_on_again(bench):
    bench.printer.off()
    assert bench.driver.status() == PrinterStatus(R.GONE)
    bench.printer.on()
    assert bench.driver.status() == PrinterStatus(None)


@pytest.mark.parametrize("status", [0x0500, 0x0503, 0x0406])
def test_a_printer_that_will_not_say_how_it_stands(bench, status):
    bench.printer.faults[far.GET_PRINTER] = [far.refuse(status)]
    assert bench.driver.status() == PrinterStatus(R.STOPPED)


# --- a print that goes well ------------------------------------------------------------------


def test_three_sheets(bench):
    bench.steps = [
        bench.set(state=far.PROCESSING, impressions=1),
        bench.set(impressions=1),
        bench.set(impressions=2),
        finish(bench),
    ]
    bench.printer.template = Job(NAME, far.PENDING)
    assert bench.print() == PrintOutcome(DONE)
    assert [progress.pages for progress in bench.told] == [0, 1, 2, 3]
    assert {progress.waiting for progress in bench.told} == {None}
    assert bench.printer.operations()[:2] == [far.GET_PRINTER, far.PRINT_JOB]
    assert far.CANCEL not in bench.printer.operations()
    submission = bench.printer.requests[1]
    assert submission.document == PDF and submission.value("job-name") == NAME.encode()


def test_a_printer_that_does_not_count(bench):
    bench.printer.template = Job(NAME, impressions=None)
    bench.steps = [bench.set(state=far.COMPLETED)]
    assert bench.print() == PrintOutcome(DONE)
    assert bench.told == [PrintProgress(None)]


@pytest.mark.parametrize(("pages", "end"), [(3, DONE), (4, DONE), (2, UNKNOWN), (0, UNKNOWN)])
def test_completed_with_so_many_of_three_sheets(bench, pages, end):
    bench.steps = [finish(bench, pages)]
    assert bench.print() == PrintOutcome(end)


def test_paper_runs_out_and_is_put_in(bench):
    bench.steps = [
        bench.set("media-empty-error", state=far.STOPPED, impressions=1),
        *[lambda: None] * 20,
        bench.set("none", state=far.PROCESSING),
        finish(bench),
    ]
    assert bench.print() == PrintOutcome(DONE)
    assert bench.told == [
        PrintProgress(0),
        PrintProgress(1, R.PAPER_OUT),
        PrintProgress(1),
        PrintProgress(3),
    ]
    assert far.CANCEL not in bench.printer.operations()


def test_the_last_sheet_empties_the_tray(bench):
    bench.steps = [bench.set("media-empty", state=far.COMPLETED, impressions=3)]
    assert bench.print() == PrintOutcome(DONE)
    assert bench.told[-1] == PrintProgress(3)


def test_sheets_that_come_out_despite_a_complaint_use_no_patience(bench):
    bench.steps = []
    for page in range(1, 6):
        bench.steps += [bench.set("input-tray-missing", impressions=page), *[lambda: None] * 25]
    bench.steps += [finish(bench, 5)]
    assert bench.print(pages=5) == PrintOutcome(DONE)
    assert bench.told[-1] == PrintProgress(5)


# --- obstacles before and at the submission --------------------------------------------------


@pytest.mark.parametrize("word", ["media-empty", "media-jam-error", "cover-open", "paused"])
def test_an_obstacle_before_the_job_and_nothing_is_sent(bench, word):
    bench.printer.reasons = (word,)
    outcome = bench.print()
    assert outcome == PrintOutcome(FAILED, bench.driver.status().reason)
    assert far.PRINT_JOB not in bench.printer.operations()
    assert bench.told == []


def test_a_printer_that_is_off_before_the_job(bench):
    bench.printer.off()
    assert bench.print() == PrintOutcome(FAILED, R.GONE)
    bench.printer.on()


def test_the_printer_goes_between_the_look_and_the_job(bench):
    def off(handler, usual):
        bench.printer.off()
        handler.send(usual())

    bench.printer.faults[far.GET_PRINTER] = [off]
    assert bench.print() == PrintOutcome(FAILED, R.GONE)
    bench.printer.on()


@pytest.mark.parametrize(
    ("status", "reason"),
    [(0x0400, None), (0x0401, None), (0x0408, None), (0x040A, None), (0x0410, None),
     (0x0501, None), (0x0502, R.STOPPED), (0x0503, None), (0x0506, R.STOPPED),
     (0x0507, R.STOPPED), (0x050A, R.STOPPED), (0x050B, R.STOPPED), (0x0200, None)],
)  # fmt: skip
def test_a_job_that_is_refused(bench, status, reason):
    bench.printer.faults[far.PRINT_JOB] = [far.refuse(status)]
    assert bench.print() == PrintOutcome(FAILED, reason)
    assert bench.printer.operations() == [far.GET_PRINTER, far.PRINT_JOB]


def test_a_refusal_that_names_a_job(bench):
    bench.printer.faults[far.PRINT_JOB] = [
        lambda handler, usual: handler.send(
            far.message(0x0400, handler.request_read.number, b"\x02" + far.integer("job-id", 7))
        )
    ]
    assert bench.print() == PrintOutcome(FAILED)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 426])
def test_a_job_that_the_http_server_refuses(bench, status):
    bench.printer.faults[far.PRINT_JOB] = [far.http(status)]
    assert bench.print() == PrintOutcome(FAILED)
    assert bench.printer.operations() == [far.GET_PRINTER, far.PRINT_JOB]


def no_number(handler, usual):
    """The job is made and the answer has no number."""
    usual()
    handler.send(far.message(far.OK, handler.request_read.number, b"\x02" + far.enum("x", 3)))


def no_job(handler, usual):
    """The job is made and the answer says nothing of it."""
    usual()
    handler.send(far.message(far.OK, handler.request_read.number))


def fails_late(status):
    def fault(handler, usual):
        usual()
        handler.send(far.message(status, handler.request_read.number))

    return fault


LOST = {
    "lost": far.lose,
    "half": far.half,
    "short": far.short,
    "other number": far.other_number,
    "late": lambda handler, usual: (usual(), far.hang(handler, usual)),
    "500": lambda handler, usual: (usual(), handler.send(b"", 500)),
    "no number": no_number,
    "no job": no_job,
    "internal error": fails_late(0x0500),
    "device error": fails_late(0x0504),
    "temporary error": fails_late(0x0505),
    "job canceled": fails_late(0x0508),
}


@pytest.mark.parametrize("fault", LOST.values(), ids=list(LOST))
def test_the_answer_is_lost_and_the_job_is_found_by_its_name(bench, fault):
    bench.printer.jobs = {3: Job("another", far.COMPLETED), 4: Job(NAME + "9", far.COMPLETED)}
    bench.printer.faults[far.PRINT_JOB] = [fault]
    bench.steps = [finish(bench)]
    assert bench.print() == PrintOutcome(DONE)
    assert bench.printer.operations().count(far.PRINT_JOB) == 1
    assert bench.told[-1] == PrintProgress(3)


def test_the_lost_job_is_over_already(bench):
    bench.printer.template = Job(NAME, far.COMPLETED, impressions=3)
    bench.printer.faults[far.PRINT_JOB] = [far.lose]
    assert bench.print() == PrintOutcome(DONE)


def test_of_two_jobs_with_the_name_the_newest_counts(bench):
    bench.printer.jobs = {5: Job(NAME, far.ABORTED)}
    bench.printer.template = Job(NAME, far.COMPLETED, impressions=3)
    bench.printer.faults[far.PRINT_JOB] = [far.lose]
    assert bench.print() == PrintOutcome(DONE)


@pytest.mark.parametrize("fault", [far.drop, far.http(503), far.refuse(0x0505)])
def test_never_begun_and_the_printer_says_so_three_times(bench, fault):
    bench.printer.jobs = {3: Job("another", far.PENDING)}
    bench.printer.faults[far.PRINT_JOB] = [fault]
    assert bench.print() == PrintOutcome(FAILED)
    assert bench.printer.operations()[2:] == [far.GET_JOBS] * 6 + [far.GET_PRINTER]
    assert bench.printer.requests[-1].value("requested-attributes") == b"printer-up-time"
    assert bench.now == 1002


@pytest.mark.parametrize(("up_time", "end"), [(0, UNKNOWN), (1, FAILED), (None, UNKNOWN)])
def test_a_printer_that_lost_its_memory_cannot_know(bench, up_time, end):
    """Power was cut within the submission: its jobs are forgotten, its sheets may be there."""
    bench.printer.up_time = up_time
    bench.printer.faults[far.PRINT_JOB] = [far.drop]
    assert bench.print() == PrintOutcome(end)


def test_silent_about_its_memory(bench):
    bench.printer.faults[far.PRINT_JOB] = [far.drop]
    bench.printer.faults[far.GET_PRINTER] = [lambda handler, usual: handler.send(usual()), far.drop]
    assert bench.print() == PrintOutcome(UNKNOWN)


def test_a_job_that_is_listed_late(bench):
    bench.printer.template = Job(NAME, listed=False)
    bench.printer.faults[far.PRINT_JOB] = [far.lose]
    bench.steps = [lambda: None, bench.set(listed=True), finish(bench)]
    assert bench.print() == PrintOutcome(DONE)


@pytest.mark.parametrize("hidden", [Job(""), Job(None), Job(NAME[:10]), Job(NAME, numbered=False)])
def test_a_job_that_may_be_ours_cannot_be_told(bench, hidden):
    bench.printer.faults[far.PRINT_JOB] = [
        lambda handler, usual: (bench.printer.jobs.update({6: hidden}), handler.drop())
    ]
    assert bench.print() == PrintOutcome(UNKNOWN)
    assert bench.now >= 1000 + PATIENCE.gone


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(far.drop, R.GONE), (far.http(500), R.GONE), (far.refuse(0x0501), None)],
)
def test_the_printer_does_not_tell_its_jobs(bench, fault, reason):
    bench.printer.faults[far.PRINT_JOB] = [far.lose]
    bench.printer.always[far.GET_JOBS] = fault
    assert bench.print() == PrintOutcome(UNKNOWN, reason)


def test_silent_for_a_while_after_a_lost_answer(bench):
    bench.printer.faults[far.PRINT_JOB] = [far.lose]
    bench.printer.faults[far.GET_JOBS] = [far.drop, far.drop, far.http(503)]
    bench.steps = [lambda: None, lambda: None, lambda: None, finish(bench)]
    assert bench.print() == PrintOutcome(DONE)


# --- obstacles within the job ----------------------------------------------------------------


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


# --- the printer goes away -------------------------------------------------------------------


def hears(handler, usual):
    handler.send(usual())


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ([far.drop], {None}),
        ([far.drop, hears, far.drop, hears, far.drop], {None}),
        ([far.drop, far.drop], {R.GONE, None}),
    ],
)
def test_one_missed_answer_is_not_told_but_two_are(bench, faults, told):
    bench.printer.faults[far.GET_JOB] = faults
    bench.steps = [*[lambda: None] * 5, finish(bench)]
    assert bench.print() == PrintOutcome(DONE)
    assert {progress.waiting for progress in bench.told} == told


def test_the_time_of_silence_begins_with_the_last_answer(bench):
    def back():
        bench.printer.on()
        finish(bench)()

    bench.steps = [*[lambda: None] * 8, bench.printer.off, *[lambda: None] * 7, back]
    assert bench.print() == PrintOutcome(DONE)


def test_gone_for_a_while(bench):
    def back():
        bench.printer.on()
        finish(bench)()

    bench.steps = [bench.printer.off, *[lambda: None] * 5, back]
    assert bench.print() == PrintOutcome(DONE)
    assert bench.told == [PrintProgress(0), PrintProgress(0, R.GONE), PrintProgress(3)]


def test_gone_for_good(bench):
    bench.steps = [bench.printer.off]
    assert bench.print() == PrintOutcome(UNKNOWN, R.GONE)
    assert PATIENCE.gone <= bench.now - 1000 <= PATIENCE.gone + 2
    bench.printer.on()


def error_with_a_job(handler, usual):
    job = b"\x02" + far.enum("job-state", far.COMPLETED)
    handler.send(far.message(0x0500, handler.request_read.number, job))


@pytest.mark.parametrize(
    "fault",
    [far.http(500), far.http(403), far.refuse(0x0500), far.refuse(far.OK), far.short,
     far.other_number, error_with_a_job],
)  # fmt: skip
def test_answers_that_say_nothing_are_as_good_as_none(bench, fault):
    bench.printer.always[far.GET_JOB] = fault
    assert bench.print() == PrintOutcome(UNKNOWN, R.GONE)


def test_a_job_without_a_known_state(bench):
    bench.printer.template = Job(NAME, state=42)
    assert bench.print() == PrintOutcome(UNKNOWN, R.GONE)


@pytest.mark.parametrize("status", [0x0406, 0x0407])
def test_the_printer_forgets_the_job(bench, status):
    bench.printer.faults[far.GET_JOB] = [
        lambda handler, usual: handler.send(usual()),
        far.refuse(status),
    ]
    assert bench.print() == PrintOutcome(UNKNOWN)
    assert bench.now == 1001


def test_the_printer_forgets_the_job_while_it_is_off(bench):
    def back():
        bench.printer.jobs.clear()
        bench.printer.on()

    bench.steps = [bench.printer.off, lambda: None, lambda: None, back]
    assert bench.print() == PrintOutcome(UNKNOWN, R.GONE)


def test_the_jobs_number_is_anothers_after_a_power_cut(bench):
    bench.steps = [
        lambda: bench.printer.jobs.update({7: Job("another", far.COMPLETED, impressions=3)})
    ]
    assert bench.print() == PrintOutcome(UNKNOWN)


def test_a_printer_that_tells_the_name_only_once(bench):
    bench.steps = [bench.set(name=None), bench.set(name=NAME), finish(bench)]
    assert bench.print() == PrintOutcome(DONE)


def test_a_printer_that_gives_jobs_names_of_its_own(bench):
    bench.printer.template = Job("Document 1")
    bench.steps = [lambda: None, finish(bench)]
    assert bench.print() == PrintOutcome(DONE)


# --- give up ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("pages", "end"), [(0, FAILED), (1, UNKNOWN), (None, UNKNOWN)])
def test_given_up_within_the_job(bench, pages, end):
    bench.printer.template = Job(NAME, impressions=pages)
    bench.steps = [bench.driver.give_up]
    assert bench.print() == PrintOutcome(end)
    assert bench.printer.operations().count(far.CANCEL) == 1
    assert bench.now == 1002


def test_given_up_while_paper_is_out(bench):
    bench.steps = [bench.set("media-empty", state=far.STOPPED), bench.driver.give_up]
    assert bench.print() == PrintOutcome(FAILED, R.PAPER_OUT)
    assert bench.now == 1003


def test_the_next_job_is_not_given_up(bench):
    bench.steps = [bench.driver.give_up]
    assert bench.print() == PrintOutcome(FAILED)
    bench.printer.next_job, bench.steps = 7, [lambda: None, finish(bench)]
    assert bench.print() == PrintOutcome(DONE)


def test_given_up_when_all_is_out(bench):
    def last():
        finish(bench)()
        bench.driver.give_up()

    bench.steps = [last]
    assert bench.print() == PrintOutcome(DONE)


def test_given_up_while_the_printer_is_gone(bench):
    bench.steps = [bench.printer.off, lambda: None, bench.driver.give_up]
    driver = bench.driver = bench.another(gone=500, cancel=5)
    bench.steps[2] = driver.give_up
    assert bench.print(driver=driver) == PrintOutcome(UNKNOWN, R.GONE)
    assert bench.now <= 1000 + 3 + 5 + 1
    bench.printer.on()


def test_given_up_before_anything_was_sent(bench):
    def before(handler, usual):
        bench.driver.give_up()
        handler.send(usual())

    bench.printer.faults[far.GET_PRINTER] = [before]
    assert bench.print() == PrintOutcome(FAILED)
    assert bench.printer.operations() == [far.GET_PRINTER]


@pytest.mark.parametrize("made", [True, False])
def test_given_up_within_the_submission(bench, made):
    driver = bench.another(submit=60)

    def within(handler, usual):
        if made:
            usual()
        driver.give_up()
        far.hang(handler, usual)

    bench.printer.faults[far.PRINT_JOB] = [within]
    assert bench.print(driver=driver) == PrintOutcome(FAILED)
    assert bench.printer.operations().count(far.CANCEL) == made
    assert bench.now <= 1003


def test_given_up_while_the_job_is_looked_for(bench):
    def within(handler, usual):
        driver.give_up()
        handler.drop()

    driver = bench.another(gone=500, cancel=5)
    bench.printer.faults[far.PRINT_JOB] = [far.lose]
    bench.printer.always[far.GET_JOBS] = within
    assert bench.print(driver=driver) == PrintOutcome(UNKNOWN, R.GONE)
    assert bench.now <= 1006


def test_giving_up_without_a_job_is_forgotten(bench):
    bench.driver.give_up()
    bench.steps = [finish(bench)]
    assert bench.print() == PrintOutcome(DONE)
    bench.driver.give_up()
    bench.printer.next_job, bench.steps = 7, [finish(bench)]
    assert bench.print() == PrintOutcome(DONE)


def test_given_up_from_another_thread(bench):
    polled = threading.Event()

    def waits():
        polled.set()
        assert given_up.wait(10)

    given_up = threading.Event()
    bench.steps = [waits]
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(bench.print()))
    thread.start()
    assert polled.wait(10)
    bench.driver.give_up()
    given_up.set()
    thread.join(10)
    assert outcome == [PrintOutcome(FAILED)]
    assert bench.now == 1002


# --- arguments and manners -------------------------------------------------------------------


@pytest.mark.parametrize(("serial", "pages"), [("", 1), ("x" * 128, 1), ("证" * 86, 1), ("A", 0)])
def test_arguments_out_of_range_are_our_mistake(bench, serial, pages):
    with pytest.raises(ValueError):
        bench.driver.print_document(PDF, serial, pages, bench.told.append)
    assert bench.printer.requests == []


@pytest.mark.parametrize(
    "url",
    ["http://printer/", "printer", "", "ipp:///ipp/print", "ipp://p:0/", "ipp://p:99999/",
     "ipp://me:secret@p/"],
)  # fmt: skip
def test_urls_that_are_no_printers(url):
    with pytest.raises(ValueError) as caught:
        IppPrinter(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["x" * 127, "证" * 85])
def test_the_longest_names_pass(bench, name):
    bench.printer.template = Job("", far.COMPLETED, impressions=1)
    outcome = bench.driver.print_document(PDF, name, 1, bench.told.append)
    assert outcome == PrintOutcome(DONE)


def test_a_failing_receiver_of_progress_is_seen(bench):
    with pytest.raises(ZeroDivisionError):
        bench.driver.print_document(PDF, NAME, 1, lambda progress: progress.pages // 0)
    bench.driver.give_up()
    bench.printer.next_job, bench.steps = 7, [finish(bench)]
    assert bench.print() == PrintOutcome(DONE)


def test_closed_and_used_again(bench):
    bench.driver.close()
    bench.driver.close()
    assert bench.driver.status() == PrinterStatus(None)


def test_no_document_in_any_log(bench, caplog):
    caplog.set_level(logging.DEBUG)
    bench.printer.faults[far.PRINT_JOB] = [far.lose]
    bench.steps = [finish(bench)]
    bench.print()
    assert "print ended: done" in caplog.text
    assert "429900" not in caplog.text and "%PDF" not in caplog.text


def test_aiohttp_is_loaded_only_when_a_printer_is_needed():
    code = (
        "import sys; from drivers.ipp_printer import IppPrinter;"
        "p = IppPrinter('ipp://127.0.0.1:9/'); assert 'aiohttp' not in sys.modules;"
        "p.status(); assert 'aiohttp' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
