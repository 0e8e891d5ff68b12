"""A print is on the disk before the printer hears of it, and ends as done, failed or unknown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.document_printer import (
    PrintEnd,
    PrinterDetails,
    PrinterReason,
    PrinterStatus,
    PrintOutcome,
    PrintProgress,
)
from kiosk.clock import VirtualClock
from kiosk.documents.composer import Document
from kiosk.intents import Intent, IntentOutcome, Intents
from kiosk.outbox import Outbox
from kiosk.print_station import PrintStation
from offline_queue.errors import QueueFull
from offline_queue.queue import Queue
from tests.kiosk.terminal_double import SERIAL, Audit, a_document

TERMINAL = "T429900-0003"


class Printer:
    """Answers as told, and looks at what is on the disk while it prints."""

    def __init__(self, outcome: PrintOutcome, look: Callable[[], object] = lambda: None) -> None:
        self.outcome = outcome
        self.look = look
        self.seen: list[object] = []
        self.given_up = 0
        self.obeys = True
        self.withdrawn: list[str] = []

    def status(self) -> PrinterStatus:
        return self.details().status

    def details(self) -> PrinterDetails:
        return PrinterDetails(PrinterStatus(self.outcome.reason))

    def print_document(
        self, pdf: bytes, serial: str, pages: int, report: Any, copies: int = 1
    ) -> PrintOutcome:
        self.seen += [serial, pages, self.look()]
        report(PrintProgress(1))
        return self.outcome

    def give_up(self) -> None:
        self.given_up += 1

    def withdraw(self, serial: str) -> bool:
        self.withdrawn.append(serial)
        return self.obeys

    def close(self) -> None:
        pass


class Room:
    def __init__(self, folder: Path) -> None:
        clock = VirtualClock()
        self.intents = Intents(folder / "intents.sqlite", clock)
        self.queue = Queue(folder / "queue.sqlite", bytes(16), clock)
        self.audit = Audit()
        self.outbox = Outbox(self.queue, TERMINAL, clock, os.urandom)
        self.clock = clock

    def station(self, printer: Any) -> PrintStation:
        return PrintStation(
            lambda: printer,
            intents=self.intents,
            outbox=self.outbox,
            record=self.audit.write,
            terminal_id=TERMINAL,
            clock=self.clock,
            random=lambda count: bytes(range(count)),
        )

    def open(self) -> tuple[Intent, ...]:
        return self.intents.unsettled()

    def events(self) -> list[bytes]:
        found = []
        while (claim := self.queue.claim("test")) is not None:
            found.append(claim.body)
            self.queue.confirm(claim, "E-1")
        return found


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.intents.close()
    made.queue.close()


@pytest.mark.parametrize(
    ("outcome", "settled", "audited"),
    [
        (PrintOutcome(PrintEnd.DONE), IntentOutcome.DONE, "ok"),
        (
            PrintOutcome(PrintEnd.FAILED, PrinterReason.PAPER_OUT),
            IntentOutcome.FAILED,
            "fault",
        ),
        (PrintOutcome(PrintEnd.UNKNOWN, PrinterReason.JAM), IntentOutcome.UNKNOWN, "fault"),
    ],
)
def test_a_print_is_written_down_before_and_settled_after(
    room: Room, outcome: PrintOutcome, settled: IntentOutcome, audited: str
) -> None:
    printer = Printer(outcome, room.open)
    reported: list[object] = []
    document = a_document(2)
    assert room.station(printer).print_document(document, reported.append) == outcome
    serial, pages, (intent,) = printer.seen  # type: ignore[misc]
    assert (serial, pages) == (SERIAL, 2)
    assert intent.key == SERIAL  # type: ignore[attr-defined]
    assert reported == [PrintProgress(1)]
    found = room.intents.find(SERIAL)
    assert found is not None
    assert found.outcome is settled
    reason = "none" if outcome.reason is None else outcome.reason.value
    assert room.audit.lines[-1] == (
        "print.ended",
        audited,
        {"serial": SERIAL, "result": outcome.end.value, "reason": reason, "pages": 2},
    )
    (event,) = room.events()
    assert f'"outcome": "{outcome.end.value}"'.encode() in event


def test_a_print_settles_also_when_its_report_finds_no_room(room: Room) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise QueueFull("no room")

    room.outbox.put_print_outcome = no_room  # type: ignore[method-assign]
    outcome = PrintOutcome(PrintEnd.DONE)
    assert room.station(Printer(outcome)).print_document(a_document(), print) == outcome
    assert room.open() == ()
    assert room.audit.events()[-1] == "print.ended"


def test_what_was_open_at_the_start_is_unknown_and_is_not_printed(room: Room) -> None:
    class Power(BaseException):
        """The power goes while the printer works."""

    def cut() -> None:
        raise Power

    with pytest.raises(Power):
        room.station(Printer(PrintOutcome(PrintEnd.DONE), cut)).print_document(
            a_document(), lambda _value: None
        )
    after = Printer(PrintOutcome(PrintEnd.DONE))
    assert room.station(after).settle_open() == 1
    assert room.station(after).settle_open() == 0
    assert after.seen == []
    found = room.intents.find(SERIAL)
    assert found is not None
    assert found.outcome is IntentOutcome.UNKNOWN
    (event,) = room.events()
    assert b'"outcome": "unknown"' in event


def test_what_ended_unknown_is_withdrawn_once_the_printer_obeys(room: Room) -> None:
    printer = Printer(PrintOutcome(PrintEnd.UNKNOWN, PrinterReason.GONE))
    printer.obeys = False
    station = room.station(printer)
    station.look()
    assert printer.withdrawn == []
    station.print_document(a_document(), lambda _value: None)
    assert printer.withdrawn == []
    station.look()
    printer.obeys = True
    station.print_document(a_document(), lambda _value: None)
    assert printer.withdrawn == [SERIAL, SERIAL]
    station.look()
    station.look()
    assert printer.withdrawn == [SERIAL, SERIAL, SERIAL]


_DIES_WHILE_PRINTING = """
import os, signal, sys
from pathlib import Path
from tests.kiosk.test_print_station import Printer, Room
from tests.kiosk.terminal_double import a_document
from drivers.document_printer import PrintEnd, PrintOutcome
room = Room(Path(sys.argv[1]))
def die():
    os.kill(os.getpid(), signal.SIGKILL)
room.station(Printer(PrintOutcome(PrintEnd.DONE), die)).print_document(a_document(), print)
"""


def test_a_process_that_is_killed_while_printing_leaves_an_open_print(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _DIES_WHILE_PRINTING, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    room = Room(tmp_path)
    assert [intent.key for intent in room.open()] == [SERIAL]
    printer = Printer(PrintOutcome(PrintEnd.DONE))
    station = room.station(printer)
    station.settle_open()
    assert room.open() == ()
    station.look()
    assert printer.withdrawn == [SERIAL]


def test_the_serial_names_terminal_and_day_and_nothing_else(room: Room) -> None:
    printer = Printer(PrintOutcome(PrintEnd.DONE))
    assert room.station(printer).new_serial() == f"{TERMINAL}-261121-234567"


def test_closing_gives_a_running_job_up(room: Room) -> None:
    printer = Printer(PrintOutcome(PrintEnd.DONE, PrinterReason.DOOR))
    station = room.station(printer)
    station.close()
    assert printer.given_up == 0
    assert station.look() == PrinterStatus(PrinterReason.DOOR)
    station.close()
    assert printer.given_up == 1


def test_a_document_shows_nothing_of_itself() -> None:
    document: Document = a_document()
    assert "page" not in repr(document)
