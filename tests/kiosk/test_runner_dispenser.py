"""A terminal whose motor takes cards in and gives them back: kept, stuck, put in too early."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers import events as device
from drivers.device import DeviceKind
from drivers.dispenser import CardPlace, DispenserReason, DispenserStatus
from drivers.pin_pad import PadGone
from kiosk.bilingual import Bilingual
from kiosk.capture import CardCaptured, CardNotReturned
from kiosk.device_watch import DeviceSeen
from kiosk.pages import HomePage, NoticePage, OutOfServicePage, TakeCardPage
from kiosk.screens.presenter import Place, Presenter
from tests.kiosk.terminal_double import QUERY, READER, TerminalDouble
from ui import views

KEPT = device.CardTaken(READER, kept=True)
FOUND = device.CardInserted(READER, bytes(17), found=True)
JAM = CardNotReturned(DispenserReason.JAM)
WORKS = DispenserStatus(None, frozenset(), CardPlace.INSIDE)
STUCK = DispenserStatus(DispenserReason.JAM, frozenset(), CardPlace.INSIDE)


@pytest.fixture
def terminal() -> TerminalDouble:
    made = TerminalDouble()
    made.cards.gives_back = True
    return made


def given_back(terminal: TerminalDouble) -> int:
    """How often the card's worker was asked to give a card back."""
    return sum(job.lane == "card" for job in terminal.executor.aside)


def to_take_card(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.touch("leave")
    assert isinstance(terminal.page, TakeCardPage)


@pytest.mark.parametrize("events", [(CardCaptured(3), KEPT), (KEPT, CardCaptured(3))])
def test_a_card_that_was_kept_is_told_whichever_is_heard_first(
    terminal: TerminalDouble, events: tuple[object, ...]
) -> None:
    to_take_card(terminal)
    terminal.post(*events)
    assert terminal.page == NoticePage("card-captured")
    assert terminal.audit.details("card.captured") == [{"count": 3}]
    assert terminal.alarms.raised == [("device-fault", "card.captured")]
    assert "card.removed" not in terminal.audit.events(), "nobody took it"
    terminal.wait(terminal.limits.notice_seconds + 1)
    assert isinstance(terminal.page, HomePage)


def test_it_is_told_in_place_of_why_the_visit_ended(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    terminal.finish(error=PadGone("away"))
    assert terminal.phase == "notice"
    terminal.post(CardCaptured(1), KEPT)
    assert terminal.page == NoticePage("card-captured")


def test_a_card_that_was_taken_is_no_news(terminal: TerminalDouble) -> None:
    to_take_card(terminal)
    terminal.take()
    assert isinstance(terminal.page, HomePage)
    assert terminal.alarms.raised == []
    assert terminal.audit.events().count("card.removed") == 1


def test_a_card_that_is_stuck_is_told_to_its_holder_then_nobody_is_served(
    terminal: TerminalDouble,
) -> None:
    to_take_card(terminal)
    terminal.post(JAM)
    assert terminal.page == NoticePage("card-not-returned")
    assert terminal.audit.details("card.not-returned") == [{"reason": "jam"}]
    assert terminal.alarms.raised == [("device-fault", "card.not-returned")]
    terminal.touch("leave")
    assert terminal.page == OutOfServicePage("card-out-of-reach")
    terminal.touch(QUERY, "leave")
    assert terminal.page == OutOfServicePage("card-out-of-reach")
    # Staff pull it out.
    terminal.take()
    assert isinstance(terminal.page, HomePage)
    to_take_card(terminal)


def test_a_full_bin_leaves_the_card_where_it_can_be_taken(terminal: TerminalDouble) -> None:
    to_take_card(terminal)
    terminal.post(CardNotReturned(DispenserReason.ERROR_BIN_FULL))
    assert isinstance(terminal.page, TakeCardPage)
    assert terminal.alarms.raised == [("device-fault", "card.not-returned")]


def test_a_dispenser_that_went_away_with_the_card_says_so(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    terminal.post(device.ReaderDetached(READER))
    assert terminal.page == NoticePage("reader-gone")
    terminal.post(CardNotReturned(DispenserReason.GONE))
    assert terminal.page == NoticePage("card-not-returned")
    terminal.touch("leave")
    assert isinstance(terminal.page, HomePage), "an e-card can still be shown"
    before = given_back(terminal)
    terminal.post(device.ReaderAttached(READER), FOUND)
    assert isinstance(terminal.page, TakeCardPage), "before anybody else is served"
    assert given_back(terminal) == before + 1
    terminal.take()
    assert isinstance(terminal.page, HomePage)


@pytest.mark.parametrize("event", [device.CardMuted(READER, found=True), None])
def test_a_card_that_was_inside_before_the_terminal_began_is_offered(
    terminal: TerminalDouble, event: device.CardMuted | None
) -> None:
    before = given_back(terminal)
    terminal.post(event or FOUND)
    assert isinstance(terminal.page, TakeCardPage)
    assert given_back(terminal) == before + 1
    assert terminal.audit.events().count("card.found") == 1
    assert "card.inserted" not in terminal.audit.events()


def test_who_is_being_served_is_not_disturbed_by_a_card_that_is_found(
    terminal: TerminalDouble,
) -> None:
    terminal.to_identify()
    before = terminal.page, given_back(terminal)
    terminal.post(FOUND)
    assert (terminal.page, given_back(terminal)) == before
    terminal.touch("back", "leave")
    assert isinstance(terminal.page, TakeCardPage)
    assert given_back(terminal) == before[1] + 1


def test_who_is_served_next_hears_nothing_of_it(terminal: TerminalDouble) -> None:
    to_take_card(terminal)
    terminal.take()
    terminal.to_identify()
    before = terminal.page
    terminal.post(JAM)
    assert terminal.page == before
    assert terminal.alarms.raised == [("device-fault", "card.not-returned")]


@pytest.mark.parametrize("gone_first", [True, False])
def test_a_card_in_a_dispenser_that_went_is_told_at_once_and_once(
    terminal: TerminalDouble, gone_first: bool
) -> None:
    to_take_card(terminal)
    events = [device.ReaderDetached(READER), CardNotReturned(DispenserReason.GONE)]
    for event in events if gone_first else reversed(events):
        terminal.post(event)
        assert terminal.page == NoticePage("card-not-returned")
    assert terminal.alarms.raised == [("device-fault", "card.not-returned")]
    terminal.wait(terminal.limits.notice_seconds + 1)
    assert isinstance(terminal.page, HomePage)


def test_a_dispenser_that_went_while_an_id_card_lies_there_held_no_card(
    terminal: TerminalDouble,
) -> None:
    to_take_card(terminal)
    terminal.station.id_card_lies = True
    terminal.post(device.ReaderDetached(READER))
    assert not isinstance(terminal.page, NoticePage)


def test_a_card_that_was_stuck_is_offered_again_when_the_dispenser_works_but_not_for_ever(
    terminal: TerminalDouble,
) -> None:
    to_take_card(terminal)
    before = given_back(terminal)
    terminal.post(DeviceSeen(DeviceKind.DISPENSER, WORKS))
    assert given_back(terminal) == before, "it is offered already"
    for offers in (1, 2, 3):
        terminal.post(JAM, DeviceSeen(DeviceKind.DISPENSER, STUCK))
        assert given_back(terminal) == before + offers - 1
        terminal.post(DeviceSeen(DeviceKind.DISPENSER, WORKS))
        assert given_back(terminal) == before + offers
    terminal.post(JAM, DeviceSeen(DeviceKind.DISPENSER, WORKS))
    assert given_back(terminal) == before + 3
    terminal.wait(terminal.limits.notice_seconds + 1)
    assert terminal.page == OutOfServicePage("card-out-of-reach")
    terminal.take()
    to_take_card(terminal)
    before = given_back(terminal)
    terminal.post(JAM, DeviceSeen(DeviceKind.DISPENSER, WORKS))
    assert given_back(terminal) == before + 1


def to_notice(terminal: TerminalDouble) -> None:
    terminal.line_down()
    terminal.touch(QUERY)
    assert terminal.phase == "notice"


def to_closed(terminal: TerminalDouble) -> None:
    terminal.station.refusal = "tampered"
    terminal.wait(terminal.limits.device_retry + 1)
    assert terminal.phase == "out-of-service"


@pytest.mark.parametrize("until", [to_notice, to_closed])
def test_a_card_that_is_put_in_while_nobody_is_served_comes_back(
    terminal: TerminalDouble, until: Callable[[TerminalDouble], None]
) -> None:
    until(terminal)
    before = given_back(terminal)
    terminal.insert()
    assert given_back(terminal) == before + 1


def test_a_plain_readers_card_is_left_to_the_hand_that_put_it_in(terminal: TerminalDouble) -> None:
    terminal.cards.gives_back = False
    to_closed(terminal)
    before = given_back(terminal)
    terminal.insert()
    assert given_back(terminal) == before


def test_a_card_put_in_before_the_choice_can_be_had_back(terminal: TerminalDouble) -> None:
    terminal.insert()
    assert terminal.page.card_inside
    presenter = Presenter(Place(Bilingual("厅", "Hall"), 1, "12333"), 6)
    footer = presenter.screen(terminal.runner.moment).footer
    assert isinstance(footer, views.Footer)
    assert footer.forward is not None and footer.forward.id == "leave"
    before = given_back(terminal)
    terminal.touch("leave")
    assert isinstance(terminal.page, TakeCardPage)
    assert given_back(terminal) == before + 1


def test_nobody_is_waited_for_when_the_process_ends(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    terminal.executor.aside.clear()
    assert not terminal.station.stopping.is_set()
    terminal.runner.stop()
    assert terminal.station.stopping.is_set(), "before the card's worker is asked"
    assert given_back(terminal) == 1
