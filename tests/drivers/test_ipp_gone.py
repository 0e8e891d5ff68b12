"""A printer that goes away within a job, and a job that is given up."""

import threading

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


# --- the printer goes away ----------------------------------------------------------------------


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


# --- give up ------------------------------------------------------------------------------------


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
