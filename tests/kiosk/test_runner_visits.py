"""Visits driven by hand, without threads, in virtual time."""

from __future__ import annotations

import pytest

from apdu import errors as card
from drivers import events as device
from kiosk.moment import Overlay
from kiosk.pages import (
    CardStatusPage,
    HomePage,
    IdentifyPage,
    NoticePage,
    OverviewPage,
    PinPage,
    TakeCardPage,
    WorkingPage,
)
from kiosk.platform.models import CardVerdict
from tests.kiosk.terminal_double import (
    QUERY,
    READER,
    STATUS,
    Pin,
    TerminalDouble,
    an_overview,
    holder,
    reading,
)


def test_a_whole_visit_ends_with_an_empty_slot_and_a_wiped_screen(terminal: TerminalDouble) -> None:
    terminal.touch(QUERY)
    assert terminal.page == IdentifyPage(ecard=True, codes=True)
    terminal.insert()
    assert terminal.page == WorkingPage("card.reading")
    terminal.finish(reading())
    terminal.finish(CardVerdict.NORMAL)
    assert terminal.page == PinPage()
    terminal.report(4)
    assert terminal.page == PinPage(4)
    terminal.finish(Pin())
    terminal.finish(holder())
    assert terminal.page == WorkingPage("overview.loading")
    terminal.finish(an_overview())
    assert isinstance(terminal.page, OverviewPage)
    terminal.touch("leave")
    assert terminal.page == TakeCardPage(done=True)
    assert terminal.wipes == 1
    terminal.take()
    assert isinstance(terminal.page, HomePage)
    assert [
        event for event in terminal.audit.events() if event.startswith(("visit", "identity"))
    ] == [
        "visit.begun",
        "identity.leg",
        "identity.leg",
        "identity.leg",
        "visit.ended",
    ]


def test_a_wrong_pin_shows_the_tries_left_and_then_a_right_one_goes_on(
    terminal: TerminalDouble,
) -> None:
    terminal.to_pin()
    terminal.finish(Pin())
    terminal.finish(error=card.PinRejected(2))
    assert terminal.page == PinPage(0, tries_left=2)
    terminal.report(1)
    assert terminal.page == PinPage(1, tries_left=2)
    terminal.finish(Pin())
    terminal.finish(holder())
    assert terminal.page == WorkingPage("overview.loading")
    assert terminal.audit.details("pin.rejected") == [{"tries_left": 2}]


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (card.PinRejected(0), "pin-blocked"),
        (card.PinBlocked(), "pin-blocked"),
        (card.CardMute(), "card-mute"),
        (card.CardRemoved(), "card-removed"),
        (card.CardReset(), "card-damaged"),
    ],
)
def test_what_the_card_says_to_a_pin_ends_the_visit(
    terminal: TerminalDouble, error: Exception, failure: str
) -> None:
    terminal.to_pin()
    terminal.finish(Pin())
    terminal.finish(error=error)
    assert terminal.page == NoticePage(failure)
    assert not terminal.station.slot.present or terminal.phase == "notice"


@pytest.mark.parametrize(
    ("read", "failure"),
    [
        (reading(genuine=False), "card-not-genuine"),
        (reading(consistent=False), "card-not-genuine"),
        (reading(genuine=None), "card-unproven"),
    ],
)
def test_a_card_that_is_not_proven_identifies_nobody(
    terminal: TerminalDouble, read: object, failure: str
) -> None:
    terminal.to_identify()
    terminal.insert()
    terminal.finish(read)
    assert terminal.page == NoticePage(failure)
    assert "identity.leg" not in terminal.audit.events()
    raised = [("card-not-genuine", "card-not-genuine")] if failure == "card-not-genuine" else []
    assert terminal.alarms.raised == raised


@pytest.mark.parametrize(
    ("verdict", "failure"),
    [
        (CardVerdict.LOST, "card-lost"),
        (CardVerdict.TEMPORARILY_LOST, "card-lost"),
        (CardVerdict.CANCELLED, "card-cancelled"),
        (CardVerdict.LOCKED, "card-locked"),
        (CardVerdict.SEALED, "card-sealed"),
        (CardVerdict.UNKNOWN, "card-unregistered"),
    ],
)
def test_the_platforms_verdict_refuses_a_card(
    terminal: TerminalDouble, verdict: CardVerdict, failure: str
) -> None:
    terminal.to_identify()
    terminal.insert()
    terminal.finish(reading())
    terminal.finish(verdict)
    assert terminal.page == NoticePage(failure)


def test_the_status_of_a_lost_card_is_shown_without_its_holder(terminal: TerminalDouble) -> None:
    terminal.touch(STATUS)
    terminal.insert()
    terminal.finish(reading())
    terminal.finish(CardVerdict.LOST)
    page = terminal.page
    assert isinstance(page, CardStatusPage)
    assert page.verdict is CardVerdict.LOST
    terminal.touch("leave")
    assert isinstance(terminal.page, TakeCardPage)


def test_the_pads_stream_is_cancelled_when_the_visit_ends(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    terminal.take()
    assert terminal.pads.streams[0].cancelled == 1


def test_a_typed_pin_is_wiped_however_the_visit_ends(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    pin = Pin()
    terminal.finish(pin)
    assert not pin.wiped
    terminal.take()
    assert pin.wiped


def test_back_leads_to_the_menu_with_the_card_still_in(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    terminal.touch("back")
    assert isinstance(terminal.page, HomePage)
    assert terminal.phase == "visit"
    terminal.take()
    assert terminal.phase != "visit"


def test_a_resident_known_in_this_visit_is_not_asked_again(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.touch("back")
    terminal.touch(QUERY)
    assert terminal.page == WorkingPage("overview.loading")


def test_the_language_is_the_residents_until_the_slot_is_empty(terminal: TerminalDouble) -> None:
    terminal.touch("language")
    terminal.to_overview()
    assert terminal.runner.moment.language == "en"
    terminal.touch("leave")
    assert terminal.page == TakeCardPage(done=True)
    assert terminal.runner.moment.language == "en"
    terminal.take()
    assert terminal.runner.moment.language == "zh-CN"


def test_a_notice_speaks_the_residents_language(terminal: TerminalDouble) -> None:
    terminal.touch("language")
    terminal.to_identify()
    terminal.insert()
    terminal.finish(error=card.CardMute())
    assert terminal.page == NoticePage("card-mute")
    assert terminal.runner.moment.language == "en"


def test_help_is_told_and_audited_without_ending_anything(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    terminal.touch("help")
    assert terminal.runner.moment.overlay is Overlay.HELP
    terminal.touch("extend")
    assert terminal.runner.moment.overlay is None
    assert terminal.page == PinPage()
    assert terminal.audit.events().count("help.called") == 1


@pytest.mark.parametrize("where", ["home", "notice", "take-card", "out-of-service"])
def test_help_is_told_on_every_screen(terminal: TerminalDouble, where: str) -> None:
    if where == "notice":
        terminal.to_identify()
        terminal.insert()
        terminal.finish(error=card.CardMute())
    elif where == "take-card":
        terminal.to_overview()
        terminal.touch("leave")
    elif where == "out-of-service":
        terminal.scanner.failed = True
        terminal.post(device.ReaderDetached(READER))
    assert terminal.phase == where
    terminal.touch("help")
    assert terminal.runner.moment.overlay is Overlay.HELP
    terminal.wait(terminal.limits.notice_seconds + 1)
    assert terminal.phase == where
    assert terminal.runner.moment.overlay is Overlay.HELP
    terminal.touch("extend")
    assert terminal.runner.moment.overlay is None
    assert terminal.phase == where


def test_stopping_ends_the_visit(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.runner.stop()
    assert terminal.audit.details("visit.ended") == [{"reason": "stopped"}]
