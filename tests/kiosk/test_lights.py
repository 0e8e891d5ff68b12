"""The lights at the slots: where each page waits, and that a board can disturb nobody."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, get_args

import pytest

from drivers.device import DeviceKind
from drivers.sensors import Light, LightSlot, SensorsNote, SensorsReason, SensorsStatus
from kiosk import pages
from kiosk.device_watch import DeviceLane, DeviceSeen
from kiosk.executor import Result
from kiosk.lights import SlotLights, waits_at
from kiosk.pages import (
    HomePage,
    IdentifyPage,
    IdlePage,
    Page,
    RatingPage,
    SlipState,
    TakeCardPage,
    TakeSheetPage,
)
from tests.kiosk.terminal_double import CERTIFICATE, TerminalDouble

SHOWN: dict[type, dict[str, Any]] = {
    pages.TakeCardPage: {"done": True},
    pages.HomePage: {"first": None, "entries": ()},
    pages.TakeSheetPage: {"sheets": 2},
    pages.RatingPage: {},
}
WHERE = {
    pages.IdentifyPage: LightSlot.CARD,
    pages.TakeCardPage: LightSlot.CARD,
    pages.TakeSheetPage: LightSlot.PRINTER,
}


@pytest.mark.parametrize("kind", get_args(Page), ids=lambda kind: kind.__name__)
def test_where_every_page_waits(kind: type[Any]) -> None:
    # Of the others nothing but their kind is looked at.
    page = kind(**SHOWN.get(kind, {})) if kind in WHERE or kind in SHOWN else object.__new__(kind)
    assert waits_at(page) is WHERE.get(kind)


@pytest.mark.parametrize("slip", SlipState)
def test_a_slip_is_waited_for_only_where_it_lies(slip: SlipState) -> None:
    assert waits_at(RatingPage(slip)) is (LightSlot.RECEIPT if slip is SlipState.OUT else None)


def test_an_id_card_alone_is_not_in_the_card_slot() -> None:
    assert waits_at(TakeCardPage(done=True, card=False, id_card=True)) is None


class Board:
    """Keeps what was shown; breaks when it is told to."""

    def __init__(self) -> None:
        self.shown: list[tuple[LightSlot, Light]] = []
        self.acknowledges = True

    def show(self, slot: LightSlot, light: Light) -> bool:
        self.shown.append((slot, light))
        return self.acknowledges

    def status(self) -> SensorsStatus:
        return SensorsStatus(None)

    def close(self) -> None:
        pass


class Terminal(TerminalDouble):
    """With lights, whose work is done when the test says so."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.board = Board()
        self.lane = DeviceLane(DeviceKind.SENSORS, lambda: self.board)
        self.station.lights = SlotLights(self.lane)

    def work(self) -> list[tuple[LightSlot, Light]]:
        """What the board was told since the last time."""
        before = len(self.board.shown)
        for job in self.executor.aside:
            if job.lane == "sensors" and not job.ended:
                job.ended = True
                job.work(lambda _value: None)
        return self.board.shown[before:]


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def test_a_visit_from_slot_to_sheet(terminal: Terminal) -> None:
    assert terminal.work() == []
    terminal.touch(CERTIFICATE)
    assert terminal.work() == [(LightSlot.CARD, Light.BLINK)]
    terminal.insert()
    assert terminal.work() == [(LightSlot.CARD, Light.OFF)]
    terminal.post(DeviceSeen(DeviceKind.PRINTER, SimpleNamespace(reason=None, notes=frozenset())))
    assert terminal.work() == [], "only what changes is sent"


def test_each_slot_alone(terminal: Terminal) -> None:
    lights, sent = terminal.station.lights, []
    assert lights is not None
    for page in (
        IdentifyPage(), TakeSheetPage(1), TakeSheetPage(2), TakeCardPage(done=True), IdlePage(),
    ):  # fmt: skip
        lights.follow(page, terminal.executor)
        sent.append(terminal.work())
    card, printer = LightSlot.CARD, LightSlot.PRINTER
    assert sent == [
        [(card, Light.BLINK)],
        [(card, Light.OFF), (printer, Light.BLINK)],
        [],
        [(printer, Light.OFF), (card, Light.BLINK)],
        [(card, Light.OFF)],
    ]


def test_a_stuck_board_costs_the_light_alone_and_hears_of_it_later(terminal: Terminal) -> None:
    terminal.executor.stuck_lanes.add("sensors")
    terminal.to_identify()
    assert isinstance(terminal.page, IdentifyPage)
    assert terminal.work() == []
    terminal.executor.stuck_lanes.clear()
    terminal.wait(1)
    assert terminal.work() == [(LightSlot.CARD, Light.BLINK)]


def test_a_board_that_acknowledges_nothing_or_cannot_be_opened_stops_nobody(
    terminal: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    terminal.board.acknowledges = False
    terminal.to_identify()
    assert terminal.work()
    (job,) = [job for job in terminal.executor.aside if job.lane == "sensors"]
    job.done(Result(error=OSError("no such chip")))
    terminal.runner.pump()
    assert isinstance(terminal.page, IdentifyPage)
    assert "the lights can't be set" in caplog.text


def test_a_terminal_without_lights(terminal: Terminal) -> None:
    terminal.station.lights = None
    terminal.to_identify()
    assert isinstance(terminal.page, IdentifyPage)
    assert terminal.work() == []


# --- presence ------------------------------------------------------------------------------------


def present(here: bool, reason: SensorsReason | None = None) -> DeviceSeen:
    notes = frozenset({SensorsNote.DOOR_OPEN})
    return DeviceSeen(DeviceKind.SENSORS, SensorsStatus(reason, notes, here))


def to_idle(terminal: Terminal) -> None:
    terminal.wait(terminal.limits.attract_seconds + 1)
    assert isinstance(terminal.page, IdlePage)


def test_somebody_who_comes_finds_the_menu(terminal: Terminal) -> None:
    terminal.post(present(False))
    to_idle(terminal)
    terminal.post(present(True))
    assert isinstance(terminal.page, HomePage)
    assert terminal.phase == "home", "no visit begins"
    assert "visit.begun" not in terminal.audit.events()


def test_who_only_stands_there_does_not_keep_it_awake(terminal: Terminal) -> None:
    terminal.post(present(True))
    to_idle(terminal)
    terminal.post(present(True), present(True))
    assert isinstance(terminal.page, IdlePage)
    terminal.post(present(False), present(True))
    assert isinstance(terminal.page, HomePage)


def test_presence_gives_no_visit_more_time(terminal: Terminal) -> None:
    terminal.post(present(False))
    terminal.to_identify()
    terminal.wait(terminal.limits.idle_seconds / 2)
    left = terminal.runner.moment.seconds_left
    terminal.post(present(True))
    assert terminal.runner.moment.seconds_left == left


def test_a_case_that_is_opened_while_somebody_comes_is_opened(terminal: Terminal) -> None:
    terminal.to_identify()
    terminal.post(present(True, SensorsReason.TAMPERED))
    assert terminal.page == pages.NoticePage("terminal-tampered")
