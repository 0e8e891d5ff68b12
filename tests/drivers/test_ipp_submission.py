"""Handing a document to a printer: refused, lost on the way, found again, never sent twice."""

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


@pytest.mark.parametrize(
    ("up_time", "end"),
    [(500, FAILED), (502, FAILED), (499, UNKNOWN), (1, UNKNOWN), (None, UNKNOWN)],
)
def test_a_printer_that_lost_its_memory_cannot_know(bench, up_time, end):
    """Power was cut within the submission: its jobs are forgotten, its sheets may be there."""
    bench.printer.up_time = 500

    def within(handler, usual):
        bench.printer.up_time = up_time
        handler.drop()

    bench.printer.faults[far.PRINT_JOB] = [within]
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
