"""Visits driven by hand, without threads, in virtual time."""

from __future__ import annotations

import pytest

from apdu import errors as card
from drivers import events as device
from drivers.pin_pad import PadGone
from kiosk.audit.log import AuditUnavailable
from kiosk.executor import Result
from kiosk.failures import Failure, failure_of, kinds
from kiosk.moment import Moment, Overlay
from kiosk.pages import (
    CardStatusPage,
    HomePage,
    IdentifyPage,
    IdlePage,
    NoticePage,
    OutOfServicePage,
    OverviewPage,
    PinPage,
    TakeCardPage,
    WorkingPage,
)
from kiosk.platform.errors import Outage, PlatformUnavailable
from kiosk.platform.link import PlatformUp
from kiosk.platform.models import CardVerdict
from tests.kiosk.terminal_double import (
    QUERY,
    READER,
    STATUS,
    TAG,
    Pin,
    TerminalDouble,
    an_overview,
    holder,
    reading,
)


@pytest.fixture
def terminal() -> TerminalDouble:
    return TerminalDouble()


def test_a_whole_visit_ends_with_an_empty_slot_and_a_wiped_screen(terminal: TerminalDouble) -> None:
    terminal.touch(QUERY)
    assert terminal.page == IdentifyPage()
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


STAGES = {
    "home": lambda terminal: terminal.insert(),
    "reading": lambda terminal: (terminal.to_identify(), terminal.insert()),
    "verdict": lambda terminal: (
        terminal.to_identify(),
        terminal.insert(),
        terminal.finish(reading()),
    ),
    "pin": lambda terminal: terminal.to_pin(),
    "checking": lambda terminal: (terminal.to_pin(), terminal.finish(Pin())),
    "loading": lambda terminal: (
        terminal.to_pin(),
        terminal.finish(Pin()),
        terminal.finish(holder()),
    ),
    "overview": lambda terminal: terminal.to_overview(),
}


@pytest.mark.parametrize("stage", STAGES)
def test_pulling_the_card_ends_the_visit_at_every_stage(
    terminal: TerminalDouble, stage: str
) -> None:
    STAGES[stage](terminal)
    pending = terminal.executor.current
    terminal.take()
    if stage == "home":
        assert isinstance(terminal.page, HomePage)
    else:
        assert terminal.page == NoticePage("card-removed")
    assert terminal.phase != "visit"
    assert pending is None or pending.abandoned
    terminal.wait(terminal.limits.notice_seconds + 1)
    assert isinstance(terminal.page, HomePage)


@pytest.mark.parametrize("stage", ["reading", "pin", "overview"])
def test_a_reader_that_goes_away_ends_the_visit_and_comes_back(
    terminal: TerminalDouble, stage: str
) -> None:
    STAGES[stage](terminal)
    terminal.post(device.ReaderDetached(READER))
    assert terminal.page == NoticePage("reader-gone")
    terminal.touch("leave")
    assert isinstance(terminal.page, OutOfServicePage)
    terminal.post(device.ReaderAttached(READER))
    assert isinstance(terminal.page, HomePage)


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


def test_a_late_result_never_reaches_the_next_resident(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    terminal.finish(Pin())
    terminal.finish(holder())
    late = terminal.executor.current
    assert late is not None
    terminal.take()
    terminal.touch("leave")
    terminal.to_identify()
    late.done(Result(an_overview()))
    terminal.runner.pump()
    assert terminal.page == IdentifyPage()


def test_a_device_that_never_answers_is_given_up_at_the_deadline(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.insert()
    stuck = terminal.executor.current
    terminal.wait(terminal.limits.card_deadline + 1)
    assert terminal.page == NoticePage("card-mute")
    assert stuck is not None
    assert stuck.abandoned


def test_a_stuck_reader_is_out_of_service_until_the_call_comes_back(
    terminal: TerminalDouble,
) -> None:
    terminal.executor.stuck_lanes.add("card")
    terminal.post(device.ReaderDetached(READER), device.ReaderAttached(READER))
    assert terminal.page == OutOfServicePage("reader-busy")
    terminal.executor.stuck_lanes.clear()
    terminal.wait(terminal.limits.device_retry + 1)
    assert isinstance(terminal.page, HomePage)


def test_walking_away_warns_then_wipes_and_waits_for_the_slot(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.wait(terminal.limits.sensitive_seconds + 0.5)
    assert terminal.runner.moment.overlay is Overlay.TIME_OUT
    terminal.touch("extend")
    assert terminal.runner.moment.overlay is None
    assert isinstance(terminal.page, OverviewPage)
    terminal.wait(terminal.limits.sensitive_seconds + terminal.limits.warning_seconds + 1)
    assert terminal.page == TakeCardPage(done=False)
    terminal.touch(QUERY, "help", "start", "")
    assert terminal.page == TakeCardPage(done=False)
    terminal.take()
    assert isinstance(terminal.page, HomePage)
    assert "timeout.expired" in terminal.audit.events()


def test_any_touch_extends_but_leave_leaves(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.wait(terminal.limits.sensitive_seconds + 0.5)
    terminal.touch("")
    assert terminal.runner.moment.overlay is None
    terminal.wait(terminal.limits.sensitive_seconds + 0.5)
    terminal.touch("leave")
    assert isinstance(terminal.page, TakeCardPage)


def test_keys_on_the_pad_count_as_somebody_being_there(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    terminal.wait(terminal.limits.pin_seconds - 1)
    terminal.report(1)
    terminal.wait(terminal.limits.pin_seconds - 1)
    assert terminal.runner.moment.overlay is None
    terminal.wait(2)
    assert terminal.runner.moment.overlay is Overlay.TIME_OUT


def test_a_forgotten_card_becomes_an_alarm(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.touch("leave")
    terminal.wait(terminal.limits.take_card_alarm + 1)
    assert "card.forgotten" in terminal.audit.events()
    assert terminal.alarms.raised == [("device-fault", "card.forgotten")]


def test_revealed_data_is_masked_again_after_its_seconds(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.touch("reveal")
    assert terminal.page.revealed
    terminal.wait(terminal.limits.reveal_seconds + 0.5)
    assert not terminal.page.revealed
    assert terminal.audit.events().count("information.revealed") == 1
    assert terminal.audit.details("information.hidden") == [{"item": "overview", "subject": TAG}]


def test_the_line_down_says_so_and_comes_back(terminal: TerminalDouble) -> None:
    terminal.line_down()
    assert isinstance(terminal.page, HomePage)
    assert terminal.runner.moment.badges.platform_up is False
    terminal.touch(QUERY)
    assert terminal.page == NoticePage("platform-unavailable")
    terminal.touch("leave")
    terminal.post(PlatformUp(1.0))
    terminal.touch(QUERY)
    assert terminal.page == IdentifyPage()


@pytest.mark.parametrize("stage", ["verdict", "loading"])
def test_a_line_that_breaks_in_the_middle_is_said(terminal: TerminalDouble, stage: str) -> None:
    STAGES[stage](terminal)
    terminal.finish(error=PlatformUnavailable(Outage.TIMEOUT))
    assert terminal.page == NoticePage("platform-unavailable")
    terminal.touch("leave")
    assert isinstance(terminal.page, TakeCardPage)


def test_a_pad_that_is_gone_says_so(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    terminal.finish(error=PadGone("gone"))
    assert terminal.page == NoticePage("pad-gone")
    assert ("device-fault", "pad-gone") in terminal.alarms.raised


def test_a_mute_card_is_told_before_anything_is_sent_to_it(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.post(device.CardMuted(READER))
    assert terminal.page == NoticePage("card-mute")
    assert terminal.executor.jobs == []


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


def test_the_idle_screen_comes_and_a_touch_brings_the_menu(terminal: TerminalDouble) -> None:
    terminal.wait(terminal.limits.attract_seconds + 1)
    assert terminal.page == IdlePage()
    terminal.wait(2 * terminal.limits.device_retry)
    assert terminal.page == IdlePage()
    terminal.touch("start")
    assert isinstance(terminal.page, HomePage)


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


def test_the_idle_screen_speaks_the_terminals_own_language(terminal: TerminalDouble) -> None:
    terminal.touch("language")
    terminal.wait(terminal.limits.attract_seconds + 1)
    assert terminal.page == IdlePage()
    assert terminal.runner.moment.language == "zh-CN"


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


def test_a_bug_in_a_flow_wipes_and_after_some_repeats_refuses_service(
    terminal: TerminalDouble,
) -> None:
    for count in range(1, terminal.limits.failsafe_repeats + 1):
        terminal.to_identify()
        terminal.insert()
        terminal.finish(error=ZeroDivisionError())
        assert terminal.page == NoticePage("unexpected")
        terminal.take()
        terminal.touch("leave")
        assert terminal.audit.events().count("failsafe") == count
    assert terminal.page == OutOfServicePage("unexpected")


def test_a_screen_that_cannot_be_drawn_ends_the_visit_not_the_terminal(
    terminal: TerminalDouble,
) -> None:
    terminal.to_pin()

    def draw(moment: Moment) -> None:
        if isinstance(moment.page, OverviewPage):
            raise ValueError("it does not fit")
        terminal.moments.append(moment)

    terminal.runner._show = draw
    terminal.finish(Pin())
    terminal.finish(holder())
    terminal.finish(an_overview())
    assert terminal.moments[-1].page == NoticePage("unexpected")
    assert terminal.audit.events().count("failsafe") == 1


def test_a_full_disk_refuses_service(terminal: TerminalDouble) -> None:
    terminal.free_bytes = 0
    terminal.to_overview()
    terminal.touch("leave")
    terminal.take()
    assert terminal.page == OutOfServicePage("disk")


def test_without_its_audit_log_the_terminal_serves_nobody(terminal: TerminalDouble) -> None:
    terminal.to_pin()

    def broken(*arguments: object, **keywords: object) -> None:
        raise AuditUnavailable("the disk is full")

    terminal.audit.write = broken  # type: ignore[method-assign]
    terminal.finish(Pin())
    terminal.finish(error=card.PinRejected(2))
    assert terminal.page == OutOfServicePage("audit")
    terminal.touch(QUERY)
    assert terminal.page == OutOfServicePage("audit")
    assert terminal.station.refusal == "audit"


def test_stopping_ends_the_visit(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.runner.stop()
    assert terminal.audit.details("visit.ended") == [{"reason": "stopped"}]


def test_a_failure_is_always_one_of_the_catalogue() -> None:
    known = (card.CardError(), PadGone("gone"), PlatformUnavailable(Outage.TIMEOUT))
    for error in known:
        failure = failure_of(error)
        assert failure is not None
        assert failure.name in kinds()
    assert failure_of(ValueError()) is None
    lost = Failure("card-lost")
    assert failure_of(lost) is lost
