"""Devices as the terminal watches them: what closes at once, what staff are told, a case opened by
force."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.code_scanner import ScannerReason, ScannerStatus
from drivers.device import DeviceKind
from drivers.document_printer import PrinterNote, PrinterReason, PrinterStatus
from drivers.pin_pad import PadReason, PadStatus
from drivers.reader_device import SlotReason, SlotStatus
from drivers.sensors import SensorsNote, SensorsReason, SensorsStatus
from drivers.watch import Silent
from kiosk.device_watch import DeviceSeen
from kiosk.pages import HomePage, NoticePage, OutOfServicePage
from tests.kiosk.terminal_double import QUERY, STATUS, TerminalDouble

OPENED = DeviceSeen(DeviceKind.SENSORS, SensorsStatus(SensorsReason.TAMPERED))
CLOSED = DeviceSeen(DeviceKind.SENSORS, SensorsStatus(None))
TAMPER_ALARM = ("tamper", "terminal.tampered")


@pytest.fixture
def terminal() -> TerminalDouble:
    return TerminalDouble()


def printer(reason: PrinterReason | None, *notes: PrinterNote) -> DeviceSeen:
    return DeviceSeen(DeviceKind.PRINTER, PrinterStatus(reason, frozenset(notes)))


def scanner(reason: ScannerReason | None) -> DeviceSeen:
    return DeviceSeen(DeviceKind.SCANNER, ScannerStatus(reason))


def test_a_case_opened_by_force_stops_the_service_at_first_sight(terminal: TerminalDouble) -> None:
    terminal.post(OPENED)
    assert terminal.page == OutOfServicePage("tampered", "")
    assert terminal.alarms.raised == [TAMPER_ALARM]
    assert terminal.audit.events().count("terminal.tampered") == 1
    assert {"reason": "tampered"} in terminal.audit.details("terminal.out-of-service")


def test_it_is_written_down_before_anybody_is_told(terminal: TerminalDouble) -> None:
    audited: list[int] = []
    station = terminal.station
    station.tampered = lambda: audited.append(terminal.audit.events().count("terminal.tampered"))
    terminal.post(OPENED, CLOSED, OPENED)
    assert audited == [0]


def test_it_stays_so_whatever_the_sensor_says_afterwards(terminal: TerminalDouble) -> None:
    terminal.post(OPENED)
    for _ in range(5):
        terminal.post(CLOSED, OPENED, CLOSED)
        terminal.wait(terminal.limits.device_retry + 1)
    assert terminal.page == OutOfServicePage("tampered", "")
    assert terminal.alarms.raised == [TAMPER_ALARM], "told once"


def test_whoever_is_being_served_is_told_and_the_visit_ends(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    assert terminal.phase == "visit"
    terminal.post(OPENED)
    assert terminal.page == NoticePage("terminal-tampered")
    assert terminal.audit.details("visit.ended")[-1] == {"reason": "failed"}
    assert terminal.alarms.raised == [TAMPER_ALARM]
    terminal.wait(terminal.limits.notice_seconds + 1)
    assert terminal.page == OutOfServicePage("tampered", "")


def test_the_sensors_are_looked_at_during_a_visit_too(terminal: TerminalDouble) -> None:
    def looks(lane: str) -> int:
        return [job.lane for job in terminal.executor.looks].count(lane)

    terminal.post(CLOSED, printer(None))
    terminal.to_identify()
    before = looks("sensors"), looks("printer")
    terminal.wait(terminal.limits.device_retry + 0.1)
    assert (looks("sensors"), looks("printer")) == (before[0] + 1, before[1])


def test_sensors_that_do_not_answer_are_told_and_stop_nobody(terminal: TerminalDouble) -> None:
    gone = DeviceSeen(DeviceKind.SENSORS, SensorsStatus(SensorsReason.GONE))
    terminal.post(gone, gone)
    assert terminal.alarms.raised == []
    terminal.post(gone)
    assert terminal.alarms.raised == [("device-fault", "sensors.gone")]
    assert isinstance(terminal.page, HomePage)


def test_a_door_that_stands_open_is_recorded_and_stops_nobody(terminal: TerminalDouble) -> None:
    door = DeviceSeen(DeviceKind.SENSORS, SensorsStatus(None, frozenset({SensorsNote.DOOR_OPEN})))
    terminal.post(CLOSED, door, door, door)
    assert terminal.audit.details("device.noted") == [{"device": "sensors", "note": "door-open"}]
    assert terminal.alarms.raised == []
    assert isinstance(terminal.page, HomePage)


def test_an_obstacle_is_told_with_its_reason_when_it_changes_and_when_it_is_gone(
    terminal: TerminalDouble,
) -> None:
    jam, door = printer(PrinterReason.JAM), printer(PrinterReason.DOOR)
    terminal.post(printer(None), jam, jam, jam, door, door, printer(None))
    assert terminal.audit.details("device.lost") == [
        {"device": "printer", "reason": "jam"},
        {"device": "printer", "reason": "door"},
    ]
    assert terminal.audit.details("device.back")[-1] == {"device": "printer"}
    assert terminal.alarms.raised == [
        ("device-fault", "printer.jam"),
        ("device-fault", "printer.door"),
    ]


def test_a_look_that_hangs_closes_printing_like_any_other_miss(terminal: TerminalDouble) -> None:
    for _ in range(3):
        terminal.post(DeviceSeen(DeviceKind.PRINTER, Silent()))
        assert terminal.runner.moment.badges.printer is PrinterReason.GONE
    assert terminal.alarms.raised == [("device-fault", "printer.gone")]


def test_a_scanner_is_closed_and_opened_again_by_looks_alone(terminal: TerminalDouble) -> None:
    terminal.post(scanner(ScannerReason.GONE))
    assert terminal.scanner.failed
    terminal.post(scanner(None))
    assert not terminal.scanner.failed
    assert terminal.alarms.raised == []


def pad(reason: PadReason | None) -> DeviceSeen:
    return DeviceSeen(DeviceKind.PAD, PadStatus(reason))


def slot(kind: DeviceKind, reason: SlotReason | None) -> DeviceSeen:
    return DeviceSeen(kind, SlotStatus(reason))


def test_a_pad_that_goes_away_between_visits_is_told_and_costs_only_what_needs_it(
    terminal: TerminalDouble,
) -> None:
    terminal.post(scanner(None), pad(None), pad(PadReason.GONE))
    assert terminal.page == HomePage(terminal.page.first, terminal.page.entries), "by e-card"
    terminal.post(scanner(ScannerReason.GONE))
    reasons = dict(terminal.page.unavailable)
    assert {QUERY: reasons[QUERY]} == {QUERY: "pad"} and STATUS not in reasons
    terminal.post(pad(PadReason.GONE), pad(PadReason.GONE))
    assert terminal.alarms.raised == [("device-fault", "pad.gone")]
    terminal.post(pad(None))
    assert not dict(terminal.page.unavailable)
    assert terminal.audit.details("device.back")[-1] == {"device": "pad"}


def test_a_pad_that_was_opened_between_visits_is_no_mere_fault(terminal: TerminalDouble) -> None:
    terminal.post(pad(None), *2 * [pad(PadReason.TAMPERED)])
    assert terminal.alarms.raised == [("tamper", "pad.tampered")]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (DeviceKind.READER, SlotReason.GONE),
        (DeviceKind.READER, SlotReason.STUCK),
        (DeviceKind.PSAM, SlotReason.EMPTY),
        (DeviceKind.PSAM, SlotReason.MUTE),
    ],
)
def test_staff_are_told_of_a_slot_that_reads_no_cards_though_nobody_comes(
    terminal: TerminalDouble, kind: DeviceKind, reason: SlotReason
) -> None:
    terminal.post(slot(kind, None), *3 * [slot(kind, reason)])
    assert terminal.alarms.raised == [("device-fault", f"{kind.value}.{reason.value}")]


def test_of_a_slot_that_our_own_call_holds_staff_are_told_once(terminal: TerminalDouble) -> None:
    terminal.executor.stuck_lanes.add("card")
    terminal.post(slot(DeviceKind.READER, None))
    terminal.wait(2 * terminal.limits.device_retry + 1)
    assert terminal.alarms.raised == [("device-fault", "reader.stuck")]
    terminal.post(*3 * [slot(DeviceKind.READER, SlotReason.STUCK)])
    assert terminal.alarms.raised == [("device-fault", "reader.stuck")]


def test_others_are_told_of_every_change_of_health(terminal: TerminalDouble) -> None:
    healths: list[Any] = []
    station = terminal.station
    station.devices_changed = lambda: healths.append(station.devices.healths())
    low = printer(None, PrinterNote.PAPER_LOW)
    terminal.post(printer(None), printer(None), low, low)
    first, second = [each[DeviceKind.PRINTER] for each in healths]
    assert (first.reason, first.notes) == (None, frozenset())
    assert (second.reason, second.notes) == (None, {PrinterNote.PAPER_LOW})


def test_the_main_loop_wakes_for_the_next_look(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    for kind in terminal.station.devices.healths():
        terminal.post(DeviceSeen(kind, ScannerStatus(None)))
    terminal.runner._attendant.timers.idle = None
    assert terminal.runner.next_wake() == terminal.limits.device_retry
