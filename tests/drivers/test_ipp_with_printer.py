"""Our printer driver and the simulated printer, each written from RFC 8010 and RFC 8011 alone."""

import threading
import time

import pytest

from drivers.document_printer import (
    PrintEnd,
    PrinterAlert,
    PrinterNote,
    PrinterReason,
    PrinterStatus,
    PrintOutcome,
    PrintProgress,
    Supply,
    SupplyColour,
    SupplyKind,
    SupplyState,
    Tray,
)
from drivers.ipp.printer import IppPrinter
from drivers.ipp.watch import IppPatience
from hw_sim.printer.device import PrinterDevice
from hw_sim.printer.jobs import JobState
from hw_sim.printer.machine import Toner
from tests.drivers.pad_double import soon

R, N = PrinterReason, PrinterNote
DONE, FAILED, UNKNOWN = PrintEnd.DONE, PrintEnd.FAILED, PrintEnd.UNKNOWN
NAME = "4299-20250101-000001"
PATIENCE = IppPatience(
    connect=1, answer=1, submit=1, poll=0.01, obstacle=0.3, gone=0.3, sheet=20, cancel=2
)


def pdf(pages):
    kids = b" ".join(b"%d 0 R" % (3 + page) for page in range(pages))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, kids),
        *[page] * pages,
    ]
    octets, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(octets))
        octets += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return octets + head + table + tail % (len(bodies) + 1, len(octets))


@pytest.fixture
def device(tmp_path):
    ahead = [0.0]
    clock = lambda: time.monotonic() + ahead[0]  # noqa: E731
    made = PrinterDevice(tmp_path / "prints", page_seconds=0.08, clock=clock).start()
    ahead[0] = 3600  # it has run for an hour
    yield made
    made.stop()
    assert list(made.illegal) == []


class Told(list):
    """Progress as it is reported; does something when so many sheets are out."""

    def __init__(self):
        super().__init__()
        self.at = {}

    def __call__(self, progress):
        self.append(progress)
        for pages in [pages for pages in self.at if pages <= progress.pages]:
            self.at.pop(pages)()


@pytest.fixture
def driver(device):
    return IppPrinter(device.url, PATIENCE)


@pytest.fixture
def told():
    return Told()


def printed(driver, told, pages=3):
    return driver.print_document(pdf(pages), NAME, pages, told)


def test_three_sheets(device, driver, told):
    assert printed(driver, told) == PrintOutcome(DONE)
    (record,) = device.machine.records
    assert record.name == NAME and record.sheets_out == 3 and record.state is JobState.COMPLETED
    assert record.file.read_bytes() == pdf(3)
    assert told[-1] == PrintProgress(3)
    assert [progress.pages for progress in told] == sorted({progress.pages for progress in told})


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda machine: machine.load(0), R.PAPER_OUT),
        (lambda machine: machine.jam(), R.JAM),
        (lambda machine: machine.open_door(), R.DOOR),
        (lambda machine: machine.set_toner(Toner.EMPTY), R.SUPPLY_OUT),
        (lambda machine: setattr(machine, "accepting", False), R.STOPPED),
    ],
)
def test_an_obstacle_before_the_job(device, driver, told, act, reason):
    act(device.machine)
    assert driver.status().reason is reason
    assert printed(driver, told) == PrintOutcome(FAILED, reason)
    assert not device.machine.records


def test_notes(device, driver):
    device.machine.load(5)
    device.machine.set_supply("cyan", 5)
    assert driver.status() == PrinterStatus(None, frozenset({N.PAPER_LOW, N.SUPPLY_LOW}))
    device.machine.load(50, "na_letter_8.5x11in")
    device.machine.set_supply("cyan", 80)
    device.machine.complain("com.example.lamp-tired")
    assert driver.status() == PrinterStatus(None, frozenset({N.PAPER_SIZE, N.OTHER}))


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("input-tray-missing", R.TRAY),
        ("output-area-full", R.OUTPUT_FULL),
        ("paused", R.STOPPED),
        ("shutdown", R.STOPPED),
        ("com.example.hatch-astray", R.STOPPED),
        ("connecting-to-device", None),
        ("fuser-under-temp", None),
    ],
)
def test_complaints(device, driver, told, word, reason):
    told.at[1] = lambda: (
        device.machine.complain(word),
        soon(lambda: device.machine.complain(word, on=False), 0.1),
    )
    assert printed(driver, told, 4) == PrintOutcome(DONE)
    waits = {progress.waiting for progress in told}
    assert waits == {None} if reason is None else reason in waits
    device.machine.complain(word)
    assert driver.status().reason is reason


def test_details(device, driver):
    device.machine.set_supply("magenta", 0)
    device.machine.set_supply("yellow", -2)
    device.machine.set_supply("black", -3)
    device.machine.set_supply("waste", 95)
    device.machine.load(7)
    details = driver.details()
    assert details.status == PrinterStatus(R.SUPPLY_OUT, frozenset({N.PAPER_LOW, N.SUPPLY_LOW}))
    assert details.model == "Yikatong Simulated A4"
    toner = SupplyKind.TONER
    assert details.supplies == (
        Supply("Black Toner", toner, SupplyColour.BLACK, None, SupplyState.GOOD),
        Supply("Cyan Toner", toner, SupplyColour.CYAN, 80, SupplyState.GOOD),
        Supply("Magenta Toner", toner, SupplyColour.MAGENTA, 0, SupplyState.SPENT),
        Supply("Yellow Toner", toner, SupplyColour.YELLOW, None, SupplyState.UNKNOWN),
        Supply("Waste Toner Box", SupplyKind.WASTE, None, 5, SupplyState.LOW),
    )
    assert details.trays == (Tray("main", 7, (21000, 29700)),)
    assert details.a4 is True
    assert PrinterAlert("markerTonerEmpty", True, "toner empty") in details.alerts
    assert (details.impressions, details.copies, details.unknown) == (0, 99, ())


def test_other_paper_waits_for_a4(device, driver, told):
    device.machine.load(9, "iso_a5_148x210mm")
    soon(lambda: device.machine.load(9), 0.1)
    assert printed(driver, told) == PrintOutcome(DONE)
    assert R.PAPER_OUT in {progress.waiting for progress in told}


def test_copies(device, driver, told):
    outcome = driver.print_document(pdf(2), NAME, 2, told, copies=3)
    assert outcome == PrintOutcome(DONE)
    (record,) = device.machine.records
    assert (record.copies, record.sheets_out) == (3, 6)
    assert told[-1] == PrintProgress(6)
    assert driver.print_document(pdf(2), NAME, 2, told, copies=100) == PrintOutcome(FAILED)
    assert len(device.machine.records) == 1


def test_paper_runs_out_and_is_put_in(device, driver, told):
    device.machine.load(1)
    told.at[1] = lambda: soon(lambda: device.machine.load(10), 0.1)
    assert printed(driver, told) == PrintOutcome(DONE)
    assert PrintProgress(1, R.PAPER_OUT) in told


def test_paper_runs_out_within_the_job_for_good(device, driver, told):
    device.machine.load(1)
    assert printed(driver, told) == PrintOutcome(UNKNOWN, R.PAPER_OUT)
    assert device.machine.records[0].state is JobState.CANCELED


def test_a_jam_within_the_job_for_good(device, driver, told):
    told.at[0] = device.machine.jam
    outcome = printed(driver, told)
    assert outcome == PrintOutcome(UNKNOWN, R.JAM)
    assert device.machine.records[0].state is JobState.CANCELED


def test_a_jam_that_is_cleared(device, driver, told):
    told.at[1] = lambda: (device.machine.jam(), soon(device.machine.clear_jam, 0.1))
    assert printed(driver, told) == PrintOutcome(DONE)
    assert R.JAM in {progress.waiting for progress in told}


@pytest.mark.parametrize(
    "fault",
    ["drop-after", "half", "garbage", "delay=1500", "truncate=20", "truncate=150", "corrupt=0",
     "corrupt=5", "corrupt=9"],
)  # fmt: skip
def test_the_answer_to_the_job_is_lost_and_it_prints_once(device, driver, told, fault):
    device.set_fault(f"1:job-{fault}")
    assert printed(driver, told) == PrintOutcome(DONE)
    assert len(device.machine.records) == 1


def test_a_printer_that_is_stuck_after_it_took_the_job_is_powered_anew(device, driver, told):
    device.set_fault("1:job-stuck")
    assert printed(driver, told) == PrintOutcome(UNKNOWN, R.GONE)
    assert len(device.machine.records) == 1
    device.switch_off()
    device.switch_on()
    assert driver.status() == PrinterStatus(None)
    assert len(device.machine.records) == 1


def test_the_power_fails_while_the_job_is_handed_over(device, driver, told):
    device.set_fault("1:job-power-cycle")
    assert printed(driver, told).end is UNKNOWN
    assert len(device.machine.records) == 1
    assert driver.status() == PrinterStatus(None)


@pytest.mark.parametrize("fault", ["drop", "500", "status=0x0505"])
def test_the_job_never_arrives(device, driver, told, fault):
    device.set_fault(f"1:job-{fault}")
    assert printed(driver, told) == PrintOutcome(FAILED)
    assert not device.machine.records


@pytest.mark.parametrize(
    ("status", "reason"), [("0x0506", R.STOPPED), ("0x0507", R.STOPPED), ("0x040A", None)]
)
def test_the_job_is_refused(device, driver, told, status, reason):
    device.set_fault(f"1:job-status={status}")
    assert printed(driver, told) == PrintOutcome(FAILED, reason)


def test_a_busy_printer_is_not_asked_twice(device, driver, told):
    device.set_fault("1:job-busy")
    assert printed(driver, told) == PrintOutcome(FAILED, R.STOPPED)
    assert not device.machine.records


def test_what_is_no_pdf_is_not_printed(device, driver, told):
    outcome = driver.print_document(b"no PDF", NAME, 1, told)
    assert outcome.end is FAILED
    assert not any(record.sheets_out for record in device.machine.records)


@pytest.mark.parametrize(
    "fault",
    ["drop", "drop-after", "500", "garbage", "half", "status=0x0500", "busy", "truncate=100",
     "corrupt=1", "corrupt=6", "delay=50"],
)  # fmt: skip
def test_one_fault_while_the_job_is_followed(device, driver, told, fault):
    device.set_fault(f"5:{fault}")
    assert printed(driver, told, 5) == PrintOutcome(DONE)
    assert device.faults_pending == 0


@pytest.mark.parametrize(("fault", "reason"), [("stuck", R.GONE), ("power-cycle", None)])
def test_a_fault_for_good_while_the_job_is_followed(device, driver, told, fault, reason):
    device.set_fault(f"5:{fault}")
    assert printed(driver, told, 9) == PrintOutcome(UNKNOWN, reason)
    device.switch_off()
    device.switch_on()
    assert driver.status() == PrinterStatus(None)
    assert len(device.machine.records) == 1


def test_a_cancel_that_is_refused_once(device, driver, told):
    device.machine.load(1)

    def busy_then():
        device.set_fault("1:busy,2:busy,3:busy,4:busy")
        driver.give_up()

    told.at[1] = busy_then
    assert printed(driver, told) == PrintOutcome(UNKNOWN, R.PAPER_OUT)
    assert device.machine.records[0].state is JobState.CANCELED


def test_power_is_cut_within_the_job(device, driver, told):
    told.at[1] = device.switch_off
    assert printed(driver, told) == PrintOutcome(UNKNOWN, R.GONE)
    device.switch_on()
    assert driver.status() == PrinterStatus(None)


def test_power_is_cut_and_back_within_the_job(device, driver, told):
    told.at[1] = lambda: (device.switch_off(), device.switch_on())
    assert printed(driver, told).end is UNKNOWN


def test_given_up(device, driver, told):
    told.at[1] = driver.give_up
    assert printed(driver, told, 20).end is UNKNOWN
    assert device.machine.records[0].state is JobState.CANCELED


def test_given_up_before_the_first_sheet(device, driver, told):
    told.at[0] = lambda: (device.machine.load(0), driver.give_up())
    outcome = printed(driver, told)
    assert device.machine.records[0].state is JobState.CANCELED
    assert outcome.end is (UNKNOWN if device.machine.records[0].sheets_out else FAILED)


def test_switched_off(device, driver, told):
    device.switch_off()
    assert driver.status() == PrinterStatus(R.GONE)
    assert printed(driver, told) == PrintOutcome(FAILED, R.GONE)
    device.switch_on()


# --- what a terminal left that died -------------------------------------------------------------


def test_what_waits_for_paper_is_withdrawn_and_never_comes_out(device, driver):
    machine = device.machine
    machine.load(0)
    for name in (NAME, "another"):
        assert driver._wire.print_job(pdf(1), name, threading.Event()).ok
    again = IppPrinter(device.url, PATIENCE)
    assert again.withdraw(NAME)
    machine.load(10)
    withdrawn, other = machine.jobs
    end = time.monotonic() + 5
    while not other.over and time.monotonic() < end:
        time.sleep(0.01)
    assert (withdrawn.state, withdrawn.sheets_out) == (JobState.CANCELED, 0)
    assert (other.state, other.sheets_out) == (JobState.COMPLETED, 1)
    assert again.withdraw(NAME)


def test_what_may_wait_in_a_printer_that_is_away_is_not_withdrawn(device, driver):
    device.set_fault("1:status=0x0500")
    assert not driver.withdraw(NAME)
    device.stop()
    assert not driver.withdraw(NAME)
