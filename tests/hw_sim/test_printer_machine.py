"""The printing machine, turn by turn, on a clock of the test."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw_sim.printer.jobs import Job, JobState, PrintFolder
from hw_sim.printer.machine import LOW_SHEETS, NotNow, PrinterState, PrintingMachine, Toner


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def machine(clock: Clock) -> PrintingMachine:
    return PrintingMachine(clock)


def sent(machine: PrintingMachine, pages: int = 1, copies: int = 1, *, duplex: bool = False) -> Job:
    number = len(machine.records) + 1
    job = machine.create(number, f"S-{number}", "terminal", copies=copies, two_sided=duplex)
    machine.begin(job, Path("x.pdf"), 1, pages)
    return job


def turns(machine: PrintingMachine) -> int:
    """Turns until it stands."""
    count = 0
    while machine.can_turn:
        machine.turn()
        count += 1
        assert count < 1000
    return count


def test_sides_come_out_one_after_another(machine: PrintingMachine) -> None:
    job = sent(machine, 3)
    assert (machine.state, job.state) == (PrinterState.PROCESSING, JobState.PROCESSING)
    machine.turn()
    assert (job.printed, machine.sheets) == (0, 249)
    for out in (1, 2):
        machine.turn()
        assert (job.printed, job.sheets_out, job.state) == (out, out, JobState.PROCESSING)
    machine.turn()
    assert (job.printed, job.state) == (3, JobState.COMPLETED)
    assert job.reason == "job-completed-successfully"
    assert (machine.state, machine.sheets) == (PrinterState.IDLE, 247)
    assert not machine.can_turn


@pytest.mark.parametrize(
    ("pages", "copies", "duplex", "sheets"),
    [(3, 1, False, 3), (3, 2, False, 6), (3, 1, True, 2), (3, 2, True, 4), (4, 3, True, 6)],
)
def test_sheets_of_copies_and_sides(
    machine: PrintingMachine, pages: int, copies: int, duplex: bool, sheets: int
) -> None:
    job = sent(machine, pages, copies, duplex=duplex)
    assert job.sheets == sheets
    # The first turn only draws a sheet.
    assert turns(machine) == pages * copies + 1
    assert (job.printed, job.sheets_out) == (pages * copies, sheets)
    assert machine.sheets == 250 - sheets


def test_jobs_wait_for_each_other(machine: PrintingMachine) -> None:
    first, second, third = sent(machine), sent(machine), sent(machine)
    assert (first.state, second.state) == (JobState.PROCESSING, JobState.PENDING)
    machine.turn()
    machine.turn()
    assert (first.state, second.state) == (JobState.COMPLETED, JobState.PROCESSING)
    assert third.state is JobState.PENDING
    turns(machine)
    assert third.state is JobState.COMPLETED


def test_tray_that_runs_empty_stops_the_job_where_it_is(machine: PrintingMachine) -> None:
    machine.load(2)
    job = sent(machine, 3)
    turns(machine)
    assert (job.state, job.reason) == (JobState.STOPPED, "printer-stopped")
    assert (job.sheets_out, job.spoilt) == (2, 0)
    assert machine.state is PrinterState.STOPPED
    assert machine.reasons == ("media-empty-error",)
    machine.load(5)
    assert job.state is JobState.PROCESSING
    turns(machine)
    assert (job.state, job.sheets_out) == (JobState.COMPLETED, 3)


def test_last_sheet_needs_no_further_paper(machine: PrintingMachine) -> None:
    machine.load(1)
    job = sent(machine)
    turns(machine)
    assert job.state is JobState.COMPLETED
    assert machine.state is PrinterState.IDLE
    assert machine.reasons == ("media-empty-warning",)


def test_jam_spoils_one_sheet_and_its_page_is_printed_again(machine: PrintingMachine) -> None:
    job = sent(machine, 3)
    machine.turn()
    machine.turn()
    machine.jam()
    assert (job.state, machine.state) == (JobState.STOPPED, PrinterState.STOPPED)
    assert machine.reasons == ("media-jam-error",)
    assert (job.printed, job.spoilt, machine.can_turn) == (1, 1, False)
    machine.clear_jam()
    assert machine.reasons == ()
    turns(machine)
    assert (job.state, job.sheets_out, job.spoilt) == (JobState.COMPLETED, 3, 1)
    assert machine.sheets == 250 - 4


def test_jam_between_the_sides_of_a_sheet_takes_both(machine: PrintingMachine) -> None:
    job = sent(machine, 4, duplex=True)
    for _ in range(4):
        machine.turn()
    assert (job.printed, job.sheets_out) == (2, 1)
    machine.jam()
    machine.clear_jam()
    turns(machine)
    assert (job.printed, job.sheets_out, job.spoilt) == (4, 2, 1)


def test_open_door_stops_and_empty_toner_too(machine: PrintingMachine) -> None:
    job = sent(machine, 2)
    machine.turn()
    machine.open_door()
    machine.set_toner(Toner.EMPTY)
    assert machine.reasons == ("door-open-error", "toner-empty-error")
    assert (job.state, job.spoilt) == (JobState.STOPPED, 1)
    machine.close_door()
    assert job.state is JobState.STOPPED
    machine.open_door()
    machine.set_toner(Toner.LOW)
    assert job.state is JobState.STOPPED
    machine.close_door()
    assert machine.reasons == ("toner-low-warning",)
    turns(machine)
    assert job.state is JobState.COMPLETED


def test_jam_without_a_job_keeps_the_next_one_waiting(machine: PrintingMachine) -> None:
    machine.jam()
    job = sent(machine)
    assert (job.state, job.reason) == (JobState.PENDING, "printer-stopped")
    assert machine.state is PrinterState.STOPPED
    machine.clear_jam()
    turns(machine)
    assert (job.state, job.spoilt) == (JobState.COMPLETED, 0)


@pytest.mark.parametrize(("sheets", "low"), [(LOW_SHEETS + 1, False), (LOW_SHEETS, True)])
def test_low_paper_warns_and_prints(machine: PrintingMachine, sheets: int, low: bool) -> None:
    machine.load(sheets)
    assert machine.reasons == (("media-low-warning",) if low else ())
    job = sent(machine)
    turns(machine)
    assert job.state is JobState.COMPLETED


def test_cancel_lets_the_sheet_in_the_path_come_out(machine: PrintingMachine) -> None:
    job = sent(machine, 3)
    machine.turn()
    assert machine.cancel(job)
    assert (job.state, job.reason) == (JobState.PROCESSING, "processing-to-stop-point")
    turns(machine)
    assert (job.state, job.sheets_out) == (JobState.CANCELED, 1)
    assert job.reason == "job-canceled-by-user"
    assert not machine.cancel(job)


def test_cancel_that_a_jam_overtakes_ends_at_once(machine: PrintingMachine) -> None:
    job = sent(machine, 3)
    machine.turn()
    machine.cancel(job)
    machine.jam()
    assert (job.state, job.sheets_out, job.spoilt) == (JobState.CANCELED, 0, 1)


def test_waiting_and_stopped_jobs_are_cancelled_at_once(machine: PrintingMachine) -> None:
    machine.load(1)
    stopped, waiting = sent(machine, 2), sent(machine)
    turns(machine)
    assert machine.cancel(waiting)
    assert machine.cancel(stopped)
    assert (stopped.state, waiting.state) == (JobState.CANCELED, JobState.CANCELED)
    assert (stopped.sheets_out, machine.state) == (1, PrinterState.IDLE)


def test_power_cycle_forgets_jobs_and_counts_them_anew(
    machine: PrintingMachine, clock: Clock
) -> None:
    job = sent(machine, 2)
    machine.turn()
    clock.now += 50
    assert machine.up_time == 51
    machine.power_cycle()
    assert (job.state, job.spoilt, job.sheets_out) == (JobState.ABORTED, 1, 0)
    assert machine.jobs == ()
    assert machine.job(1) is None
    assert machine.up_time == 1
    assert not machine.can_turn
    assert sent(machine).identity == 1
    assert [each.number for each in machine.records] == [1, 2]


def test_refusing_machine_takes_no_job(machine: PrintingMachine) -> None:
    machine.accepting = False
    with pytest.raises(NotNow):
        machine.create(1, "S-1", "terminal")
    assert machine.records == ()


def test_change_of_state_is_dated(machine: PrintingMachine, clock: Clock) -> None:
    assert machine.state_since == 1
    clock.now += 9
    machine.jam()
    assert machine.state_since == 10
    clock.now += 5
    machine.open_door()
    assert machine.state_since == 10
    job = sent(machine)
    machine.clear_jam()
    machine.close_door()
    assert (machine.state_since, job.created) == (15, 15)


def test_folder_keeps_numbers_and_safe_names(tmp_path: Path) -> None:
    folder = PrintFolder(tmp_path / "prints")
    file = folder.keep(folder.next_number(), "../证明 1/2", b"%PDF")
    assert file.name == "0001-证明-1-2.pdf"
    assert file.read_bytes() == b"%PDF"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "prints").stat().st_mode & 0o777 == 0o700
    assert folder.keep(folder.next_number(), "///", b"").name == "0002-job.pdf"
    assert PrintFolder(tmp_path / "prints").next_number() == 3
