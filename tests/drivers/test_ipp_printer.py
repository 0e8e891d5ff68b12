"""Printing a document by IPP: how a printer stands, a print that goes well, and manners."""

import logging
import subprocess
import sys

import pytest

from drivers.document_printer import (
    PrinterDetails,
    PrinterNote,
    PrinterStatus,
    PrintOutcome,
    PrintProgress,
)
from drivers.ipp.printer import IppPrinter
from tests.drivers import printer_double as far
from tests.drivers.printer_double import Job
from tests.drivers.printing_bench import DONE, FAILED, NAME, PDF, UNKNOWN, Bench, R, finish

SETTABLE = far.keywords("job-creation-attributes-supported", "media")
COPIES = far.attribute(0x33, "copies-supported", b"\0\0\0\1\0\0\0\x09")


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.printer.close()


# --- status -------------------------------------------------------------------------------------


def test_how_a_printer_stands(bench):
    bench.printer.state = 4
    bench.printer.reasons = ("media-low-warning", "toner-low-report")
    notes = frozenset({PrinterNote.PAPER_LOW, PrinterNote.SUPPLY_LOW})
    assert bench.driver.status() == PrinterStatus(None, notes, busy=True)
    bench.printer.state = 5
    bench.printer.reasons = ("media-empty-warning", "cover-open")
    assert bench.driver.status() == PrinterStatus(R.DOOR)


def test_a_printer_that_is_off_and_on_again(bench):
    bench.printer.off()
    assert bench.driver.status() == PrinterStatus(R.GONE)
    bench.printer.on()
    assert bench.driver.status() == PrinterStatus(None)


def test_details_hold_the_same_status_and_more(bench):
    bench.printer.reasons = ("media-jam-error", "com.maker.odd-warning")
    bench.printer.more = far.keywords("media-ready", "na_letter_8.5x11in")
    details = bench.driver.details()
    notes = frozenset({PrinterNote.OTHER, PrinterNote.PAPER_SIZE})
    assert details == PrinterDetails(
        PrinterStatus(R.JAM, notes), unknown=("com.maker.odd",), a4=False, up_time=10_000
    )
    assert bench.driver.status() == details.status
    bench.printer.off()
    assert bench.driver.details() == PrinterDetails(PrinterStatus(R.GONE))
    bench.printer.on()


@pytest.mark.parametrize("status", [0x0500, 0x0503, 0x0406])
def test_a_printer_that_will_not_say_how_it_stands(bench, status):
    bench.printer.faults[far.GET_PRINTER] = [far.refuse(status)]
    assert bench.driver.status() == PrinterStatus(R.STOPPED)


# --- a print that goes well ---------------------------------------------------------------------


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


def test_two_copies_of_three_sheets(bench):
    bench.printer.more = COPIES
    bench.steps = [bench.set(impressions=3), finish(bench, 6)]
    assert bench.print(copies=2) == PrintOutcome(DONE)
    assert [progress.pages for progress in bench.told] == [0, 3, 6]
    (wish,) = [value for name, value in bench.printer.requests[1].job_attributes
               if name == "copies"]  # fmt: skip
    assert wish == b"\0\0\0\2"


def test_a_copy_that_does_not_come(bench):
    bench.printer.more = COPIES
    bench.steps = [finish(bench, 3)]
    assert bench.print(copies=2) == PrintOutcome(UNKNOWN)


@pytest.mark.parametrize(
    ("more", "copies"),
    [(b"", 2), (COPIES, 10), (COPIES + SETTABLE, 2)],
    ids=["unsaid", "more than it can", "not settable"],
)
def test_more_copies_than_the_printer_can_do_and_nothing_is_sent(bench, more, copies):
    bench.printer.more = more
    assert bench.print(copies=copies) == PrintOutcome(FAILED)
    assert far.PRINT_JOB not in bench.printer.operations()


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


# --- arguments and manners ----------------------------------------------------------------------


@pytest.mark.parametrize(("serial", "pages"), [("", 1), ("x" * 128, 1), ("证" * 86, 1), ("A", 0)])
def test_arguments_out_of_range_are_our_mistake(bench, serial, pages):
    with pytest.raises(ValueError):
        bench.driver.print_document(PDF, serial, pages, bench.told.append)
    with pytest.raises(ValueError):
        bench.driver.print_document(PDF, NAME, 1, bench.told.append, copies=0)
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
        "import sys; from drivers.ipp.printer import IppPrinter;"
        "p = IppPrinter('ipp://127.0.0.1:9/'); assert 'aiohttp' not in sys.modules;"
        "p.status(); assert 'aiohttp' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
