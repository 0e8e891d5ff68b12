"""A slip after a certificate: a button on a page that is there anyway, printed once at most."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.device import DeviceKind
from drivers.document_printer import PrintEnd, PrintOutcome
from drivers.receipt_printer import ReceiptReason, ReceiptStatus, SlipOutcome
from kiosk.bilingual import Bilingual
from kiosk.device_watch import DeviceSeen
from kiosk.pages import HomePage, RatingPage, SlipState, TakeCardPage, WorkingPage
from kiosk.screens.presenter import Place, Presenter
from kiosk.slips import Business
from tests.kiosk.terminal_double import (
    CERTIFICATE,
    NAME,
    NUMBER,
    SERIAL,
    Pin,
    TerminalDouble,
    a_document,
    holder,
)
from tests.kiosk.test_runner_certificate import ALLOW, ITEM
from ui import views

DONE = SlipOutcome(PrintEnd.DONE)


class Receipt:
    lane = "receipt"

    def __init__(self) -> None:
        self.failed = False

    def print_slip(self, business: Any) -> Any:
        raise AssertionError("the hand-driven executor never runs work")


@pytest.fixture
def terminal() -> TerminalDouble:
    made = TerminalDouble()
    made.station.receipt = Receipt()  # type: ignore[assignment]
    return made


def to_rating(terminal: TerminalDouble) -> None:
    terminal.to_pin(CERTIFICATE)
    for answer in (Pin(), holder()):
        terminal.finish(answer)
    terminal.touch("period.24")
    for answer in (ALLOW, object(), a_document()):
        terminal.finish(answer)
    terminal.touch("print")
    terminal.finish(PrintOutcome(PrintEnd.DONE))
    terminal.touch("taken")


def footer(terminal: TerminalDouble) -> list[str]:
    presenter = Presenter(Place(Bilingual("厅", "Hall"), 1, "12333"), 6)
    shown = presenter.screen(terminal.runner.moment).footer
    assert isinstance(shown, views.Footer)
    return [action.id for action in (shown.back, shown.forward) if action is not None]


def test_who_wants_none_has_no_step_more(terminal: TerminalDouble) -> None:
    to_rating(terminal)
    assert terminal.page == RatingPage(SlipState.OFFERED)
    assert footer(terminal) == ["slip", "skip"]
    terminal.touch("grade.5")
    assert terminal.outbox.evaluations == [(ITEM, 5)]
    assert terminal.page == TakeCardPage(done=True)


def test_a_slip_is_told_when_it_is_out_and_offered_once(terminal: TerminalDouble) -> None:
    to_rating(terminal)
    terminal.touch("slip")
    assert terminal.page == WorkingPage("slip.printing")
    assert footer(terminal) == ["help"], "nothing that can be cancelled"
    step: Any = terminal.runner._attendant.visit.step
    (business,) = step.args
    assert business == Business(
        item="证明打印",
        serial=SERIAL,
        at=terminal.clock.local(),
        name=NAME,
        number=NUMBER,
        code="CDEFGHJKLMNPQRS2",
        look_up="https://zm.jiangcheng.example/v?c=CDEFGHJKLMNPQRS2",
    )
    terminal.finish(DONE)
    assert terminal.page == RatingPage(SlipState.OUT)
    assert footer(terminal) == ["skip"]
    terminal.touch("slip")
    assert terminal.executor.current is None, "no second one"
    terminal.touch("grade.4")
    assert terminal.outbox.evaluations == [(ITEM, 4)]


@pytest.mark.parametrize("end", [PrintEnd.FAILED, PrintEnd.UNKNOWN])
def test_only_a_slip_that_is_whole_is_told_as_one(terminal: TerminalDouble, end: PrintEnd) -> None:
    to_rating(terminal)
    terminal.touch("slip")
    terminal.finish(SlipOutcome(end, ReceiptReason.PAPER_OUT))
    assert terminal.page == RatingPage(SlipState.MISSED)
    terminal.touch("slip")
    assert terminal.executor.current is None
    terminal.touch("skip")
    assert terminal.page == TakeCardPage(done=True)


def test_a_printer_that_hangs_costs_the_slip_and_not_the_visit(terminal: TerminalDouble) -> None:
    to_rating(terminal)
    terminal.touch("slip")
    terminal.wait(terminal.limits.slip_deadline + 1)
    assert terminal.page == RatingPage(SlipState.MISSED)
    terminal.touch("grade.3")
    assert terminal.outbox.evaluations == [(ITEM, 3)]


def test_a_printer_that_still_hangs_is_not_waited_for(terminal: TerminalDouble) -> None:
    to_rating(terminal)
    terminal.executor.stuck_lanes.add("receipt")
    terminal.touch("slip")
    assert terminal.page == RatingPage(SlipState.MISSED)


def test_time_runs_anew_after_the_slip(terminal: TerminalDouble) -> None:
    to_rating(terminal)
    terminal.wait(terminal.limits.rating_seconds - 2)
    terminal.touch("slip")
    terminal.finish(DONE)
    terminal.wait(terminal.limits.rating_seconds - 2)
    assert terminal.page == RatingPage(SlipState.OUT)
    terminal.wait(4)
    assert terminal.page == TakeCardPage(done=True)


def test_the_card_may_be_taken_meanwhile(terminal: TerminalDouble) -> None:
    to_rating(terminal)
    terminal.touch("slip")
    terminal.take()
    terminal.finish(DONE)
    terminal.touch("skip")
    assert isinstance(terminal.page, HomePage)


def test_nothing_is_offered_that_was_not_there_at_the_last_look(terminal: TerminalDouble) -> None:
    out = ReceiptStatus(ReceiptReason.PAPER_OUT)
    terminal.post(DeviceSeen(DeviceKind.RECEIPT, out))
    to_rating(terminal)
    assert terminal.page == RatingPage(SlipState.NONE)
    assert footer(terminal) == ["skip"]
    terminal.touch("slip")
    assert terminal.executor.current is None


def test_a_machine_without_a_receipt_printer(terminal: TerminalDouble) -> None:
    terminal.station.receipt = None
    to_rating(terminal)
    assert terminal.page == RatingPage(SlipState.NONE)


@pytest.mark.parametrize("state", SlipState)
def test_what_became_of_it_is_said_under_the_heading(
    terminal: TerminalDouble, state: SlipState
) -> None:
    to_rating(terminal)
    terminal.runner._attendant.visit.page = RatingPage(state)
    presenter = Presenter(Place(Bilingual("厅", "Hall"), 1, "12333"), 6)
    body = presenter.screen(terminal.runner.moment).body
    assert isinstance(body, views.Rating)
    told = {
        SlipState.OUT: "凭条已打印，请取走",
        SlipState.MISSED: "凭条可能没有打印好，不影响已办结的业务",
    }
    assert body.hint == told.get(state, "自愿评价，不评价也可以直接退出")
