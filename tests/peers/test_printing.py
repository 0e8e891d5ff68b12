"""Our printer driver with printers and spoolers that others wrote: ippeveprinter and CUPS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.cups.printer import CupsPrinter
from drivers.document_printer import (
    PrintEnd,
    PrinterNote,
    PrinterReason,
    PrinterStatus,
    PrintOutcome,
    PrintProgress,
    SupplyColour,
    SupplyKind,
)
from drivers.ipp.printer import IppPrinter
from drivers.ipp.watch import IppPatience
from hw_sim.printer.device import PrinterDevice
from hw_sim.printer.jobs import JobState
from tests.hw_sim.ipp_client import pdf
from tests.peers.printers import Press, Spooler, cupsd, ippeveprinter, until

pytestmark = pytest.mark.peer

R = PrinterReason
DONE, FAILED, UNKNOWN = PrintEnd.DONE, PrintEnd.FAILED, PrintEnd.UNKNOWN
PATIENCE = IppPatience(poll=0.05, obstacle=1.5, gone=3, cancel=2, sheet=8)
QUEUE = "Certificates"


class Told:
    """Progress as it is reported; does something when it comes to a page or an obstacle."""

    def __init__(self, **at: Callable[[], object]) -> None:
        self.progress: list[PrintProgress] = []
        self._at = at

    def __call__(self, progress: PrintProgress) -> None:
        self.progress.append(progress)
        word = "page" if progress.waiting is None else progress.waiting.name.lower()
        for name in (f"{word}_{progress.pages}", word):
            if name in self._at:
                self._at.pop(name)()
                return

    @property
    def waits(self) -> set[PrinterReason]:
        return {each.waiting for each in self.progress if each.waiting is not None}


# --- ippeveprinter ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def presses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Press]:
    with ippeveprinter(tmp_path_factory.mktemp("peer") / "eve") as press:
        yield press


@pytest.fixture
def press(presses: Press) -> Iterator[Press]:
    yield presses
    presses.obstacle("")
    presses.go_on()


@pytest.fixture
def eve(press: Press) -> IppPrinter:
    driver = IppPrinter(press.url, PATIENCE)
    until(lambda: not driver.status().busy)
    return driver


def test_how_it_stands_and_what_is_in_it(eve: IppPrinter) -> None:
    details = eve.details()
    assert details.status == PrinterStatus(None, frozenset({PrinterNote.PAPER_SIZE}))
    assert details.a4 is False
    assert ("main", 100) in [(tray.name, tray.sheets) for tray in details.trays]
    assert [(each.kind, each.colour, each.percent) for each in details.supplies] == [
        (SupplyKind.WASTE, None, 25),
        (SupplyKind.TONER, SupplyColour.BLACK, 75),
    ]
    assert details.copies == 999


@pytest.mark.parametrize("pages", [1, 2])
def test_it_prints_sheet_by_sheet(press: Press, eve: IppPrinter, pages: int) -> None:
    sheets, runs = press.sheets, press.runs
    press.expect(pages)
    told = Told()
    assert eve.print_document(pdf(pages), f"eve-{pages}", pages, told) == PrintOutcome(DONE)
    assert (press.sheets - sheets, press.runs - runs) == (pages, 1)
    assert told.progress[-1] == PrintProgress(pages)


# It knows the door as cover-open alone (CUPS 2.4), and drops words that it does not know.
@pytest.mark.parametrize("pages", [1, 2])
@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("media-empty-error", R.PAPER_OUT),
        ("media-jam-error", R.JAM),
        ("cover-open-error", R.DOOR),
    ],
)
def test_an_obstacle_is_seen_and_the_job_goes_on(
    press: Press, eve: IppPrinter, word: str, reason: PrinterReason, pages: int
) -> None:
    sheets, runs = press.sheets, press.runs
    press.expect(pages)
    press.obstacle(word)
    told = Told(**{reason.name.lower(): lambda: press.obstacle("")})
    assert eve.print_document(pdf(pages), f"eve-{word}-{pages}", pages, told) == PrintOutcome(DONE)
    assert told.waits == {reason}
    assert (press.sheets - sheets, press.runs - runs) == (pages, 1)
    assert eve.status().reason is None


@pytest.mark.parametrize(
    ("word", "reason"),
    [("media-empty-error", R.PAPER_OUT), ("media-jam-error", R.JAM), ("cover-open-error", R.DOOR)],
)
def test_an_obstacle_for_good(
    press: Press, eve: IppPrinter, word: str, reason: PrinterReason
) -> None:
    """It takes a cancellation and heeds it only when its command has ended by itself: whatever we
    said but "unknown" would be wrong, for the sheet does come out."""
    sheets = press.sheets
    press.expect(1)
    press.obstacle(word)
    outcome = eve.print_document(pdf(1), f"eve-for-good-{word}", 1, Told())
    assert outcome == PrintOutcome(UNKNOWN, reason)
    runs = press.runs
    assert eve.print_document(pdf(1), f"eve-next-{word}", 1, Told()) == PrintOutcome(FAILED, reason)
    press.obstacle("")
    until(lambda: press.sheets == sheets + 1)
    assert press.runs == runs


@pytest.mark.parametrize("held", [1, 2])
def test_given_up_before_the_first_sheet_and_within(
    press: Press, eve: IppPrinter, held: int
) -> None:
    sheets = press.sheets
    press.expect(2)
    press.hold(held)
    told = Told(**{f"page_{held - 1}": eve.give_up})
    assert eve.print_document(pdf(2), f"eve-held-{held}", 2, told) == PrintOutcome(UNKNOWN)
    assert press.sheets == sheets + held - 1


# --- CUPS ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spooler() -> Iterator[Spooler]:
    with cupsd() as made:
        yield made


@pytest.fixture
def device(tmp_path: Path, spooler: Spooler) -> Iterator[PrinterDevice]:
    made = PrinterDevice(tmp_path / "prints", page_seconds=0.05).start()
    spooler.add(QUEUE, made.url, "?contimeout=1")
    yield made
    spooler.run("lpadmin", "-x", QUEUE)
    made.stop()
    # CUPS looks for a printer that lost its power at other paths too.
    assert set(made.illegal) <= {"HTTP 404"}


@pytest.fixture
def cups(device: PrinterDevice, spooler: Spooler) -> CupsPrinter:
    return CupsPrinter(QUEUE, PATIENCE, str(spooler.socket))


def test_a_queue_prints_and_the_device_counts(device: PrinterDevice, cups: CupsPrinter) -> None:
    told = Told()
    assert cups.status() == PrinterStatus(None)
    assert cups.print_document(pdf(2), "cups-1", 2, told) == PrintOutcome(DONE)
    (record,) = device.machine.records
    assert (record.name, record.sheets_out, record.state) == ("cups-1", 2, JobState.COMPLETED)
    assert told.progress[-1] == PrintProgress(2)


def test_a_queue_prints_copies(device: PrinterDevice, cups: CupsPrinter) -> None:
    assert cups.print_document(pdf(2), "cups-copies", 2, Told(), copies=2) == PrintOutcome(DONE)
    assert sum(record.sheets_out for record in device.machine.records) == 4


def test_paper_runs_out_and_is_put_in(device: PrinterDevice, cups: CupsPrinter) -> None:
    device.machine.load(1)
    told = Told(paper_out=lambda: device.machine.load(10))
    assert cups.print_document(pdf(2), "cups-2", 2, told) == PrintOutcome(DONE)
    assert R.PAPER_OUT in told.waits
    assert [record.sheets_out for record in device.machine.records] == [2]


def test_paper_runs_out_for_good_and_nothing_comes_later(
    device: PrinterDevice, cups: CupsPrinter
) -> None:
    device.machine.load(1)
    outcome = cups.print_document(pdf(2), "cups-3", 2, Told())
    assert outcome == PrintOutcome(UNKNOWN, R.PAPER_OUT)
    device.machine.load(10)
    assert cups.print_document(pdf(1), "cups-4", 1, Told()) == PrintOutcome(DONE)
    assert [(each.name, each.sheets_out) for each in device.machine.records] == [
        ("cups-3", 1),
        ("cups-4", 1),
    ]


def test_given_up_before_the_first_sheet(device: PrinterDevice, cups: CupsPrinter) -> None:
    device.machine.load(9, "iso_a5_148x210mm")
    told = Told(paper_out=cups.give_up)
    assert cups.print_document(pdf(2), "cups-5", 2, told) == PrintOutcome(FAILED, R.PAPER_OUT)
    assert device.machine.records[0].state is JobState.CANCELED


def test_a_power_failure_that_cups_calls_completed(
    device: PrinterDevice, cups: CupsPrinter, spooler: Spooler
) -> None:
    device.machine.load(1)

    def power_cycle() -> None:
        device.switch_off()
        device.switch_on()

    told = Told(paper_out_1=power_cycle)
    assert cups.print_document(pdf(2), "cups-6", 2, told).end is UNKNOWN
    assert [record.sheets_out for record in device.machine.records] == [1]


def test_cups_by_itself_calls_it_completed(device: PrinterDevice, spooler: Spooler) -> None:
    """Why its word is no proof: one of two sheets came out."""
    device.machine.load(1)
    document = spooler.socket.parent / "two.pdf"
    document.write_bytes(pdf(2))
    spooler.run("lp", "-d", QUEUE, str(document))
    until(lambda: any(record.sheets_out for record in device.machine.records))
    device.switch_off()
    device.switch_on()
    until(lambda: "-" in spooler.run("lpstat", "-W", "completed", "-o", QUEUE), seconds=40)
    assert [record.sheets_out for record in device.machine.records] == [1]


def test_the_answer_to_the_document_is_lost(device: PrinterDevice, cups: CupsPrinter) -> None:
    device.set_fault("1:job-drop-after")
    assert cups.print_document(pdf(2), "cups-7", 2, Told()) == PrintOutcome(DONE)
    assert sum(record.sheets_out for record in device.machine.records) == 2


@pytest.mark.parametrize("fault", ["status=0x040A", "status=0x0400", "busy"])
def test_the_device_refuses_the_document(
    device: PrinterDevice, cups: CupsPrinter, fault: str
) -> None:
    device.set_fault(f"1:job-{fault}")
    outcome = cups.print_document(pdf(1), f"cups-{fault}", 1, Told())
    sheets = sum(record.sheets_out for record in device.machine.records)
    # Unknown where cupsd takes longer than we wait; what is known must be true.
    assert (outcome.end, sheets) in [(FAILED, 0), (DONE, 1), (UNKNOWN, 0), (UNKNOWN, 1)]


def test_a_queue_that_cups_stopped_goes_again_without_what_was_left_in_it(
    device: PrinterDevice, cups: CupsPrinter, spooler: Spooler
) -> None:
    document = spooler.socket.parent / "one.pdf"
    document.write_bytes(pdf(1))
    device.switch_off()
    spooler.run("lp", "-d", QUEUE, "-t", "left", str(document))
    until(lambda: "disabled" in spooler.run("lpstat", "-p", QUEUE), seconds=40)
    assert cups.status() == PrinterStatus(R.GONE)
    device.switch_on()
    until(lambda: cups.status() == PrinterStatus(None), seconds=PATIENCE.gone + 10)
    assert "enabled" in spooler.run("lpstat", "-p", QUEUE)
    assert cups.print_document(pdf(1), "cups-8", 1, Told()) == PrintOutcome(DONE)
    assert [record.name for record in device.machine.records] == ["cups-8"]


def test_a_queue_that_stops_again_and_again(
    device: PrinterDevice, cups: CupsPrinter, spooler: Spooler
) -> None:
    for _ in range(PATIENCE.restarts):
        spooler.run("cupsdisable", QUEUE)
        spooler.run("cupsreject", QUEUE)
        assert cups.status() == PrinterStatus(None)
        assert "accepting" in spooler.run("lpstat", "-a", QUEUE)
    spooler.run("cupsdisable", QUEUE)
    assert cups.status() == PrinterStatus(R.STOPPED)
    assert cups.print_document(pdf(1), "cups-9", 1, Told()) == PrintOutcome(FAILED, R.STOPPED)
    assert "disabled" in spooler.run("lpstat", "-p", QUEUE)


def test_a_queue_that_prints_again_by_itself_is_refused(
    device: PrinterDevice, cups: CupsPrinter, spooler: Spooler
) -> None:
    spooler.run("lpadmin", "-p", QUEUE, "-o", "printer-error-policy=retry-job")
    assert "abort-job" in cups.details().message
    spooler.run("lpadmin", "-p", QUEUE, "-o", "printer-error-policy=abort-job")
    assert cups.status() == PrinterStatus(None)


def test_a_queue_in_front_of_ippeveprinter(press: Press, spooler: Spooler) -> None:
    spooler.add("Eve", press.url)
    driver = CupsPrinter("Eve", PATIENCE, str(spooler.socket))
    until(lambda: not driver.status().busy)
    sheets, runs = press.sheets, press.runs
    press.expect(2)
    press.obstacle("media-jam-error")
    told = Told(jam=lambda: threading.Timer(0.3, press.obstacle, [""]).start())
    assert driver.print_document(pdf(2), "eve-by-cups", 2, told) == PrintOutcome(DONE)
    assert told.waits == {R.JAM}
    assert (press.sheets - sheets, press.runs - runs) == (2, 1)
    spooler.run("lpadmin", "-x", "Eve")
