"""What goes wrong in a visit: cards pulled, devices and lines gone, bugs, a full disk."""

from __future__ import annotations

import pytest

from apdu import errors as card
from drivers import events as device
from drivers.pin_pad import PadGone, PadTampered
from kiosk.audit.log import AuditUnavailable
from kiosk.executor import Result
from kiosk.failures import Failure, failure_of, kinds
from kiosk.moment import Moment
from kiosk.pages import (
    HomePage,
    IdentifyPage,
    NoticePage,
    OutOfServicePage,
    OverviewPage,
    TakeCardPage,
)
from kiosk.platform.errors import Outage, PlatformUnavailable
from kiosk.platform.link import PlatformUp
from tests.kiosk.terminal_double import (
    QUERY,
    READER,
    Pin,
    TerminalDouble,
    an_overview,
    holder,
    reading,
)

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
    terminal.scanner.failed = True
    STAGES[stage](terminal)
    terminal.post(device.ReaderDetached(READER))
    assert terminal.page == NoticePage("reader-gone")
    terminal.touch("leave")
    assert isinstance(terminal.page, OutOfServicePage)
    terminal.post(device.ReaderAttached(READER))
    assert isinstance(terminal.page, HomePage)


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
    assert isinstance(terminal.page, IdentifyPage)


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
    terminal.scanner.failed = True
    terminal.executor.stuck_lanes.add("card")
    terminal.post(device.ReaderDetached(READER), device.ReaderAttached(READER))
    assert terminal.page == OutOfServicePage("reader-busy")
    terminal.executor.stuck_lanes.clear()
    terminal.wait(terminal.limits.device_retry + 1)
    assert isinstance(terminal.page, HomePage)


def test_the_line_down_says_so_and_comes_back(terminal: TerminalDouble) -> None:
    terminal.line_down()
    assert isinstance(terminal.page, HomePage)
    assert terminal.runner.moment.badges.platform_up is False
    terminal.touch(QUERY)
    assert terminal.page == NoticePage("platform-unavailable")
    terminal.touch("leave")
    terminal.post(PlatformUp(1.0))
    terminal.touch(QUERY)
    assert isinstance(terminal.page, IdentifyPage)


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


def test_a_pad_that_was_opened_says_so_and_the_card_comes_back(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    terminal.finish(error=PadTampered(0xE2, "master key required"))
    assert terminal.page == NoticePage("pad-tampered")
    assert ("tamper", "pad-tampered") in terminal.alarms.raised
    assert terminal.audit.events().count("device.tampered") == 1
    terminal.touch("leave")
    assert isinstance(terminal.page, TakeCardPage)


def test_a_mute_card_is_told_before_anything_is_sent_to_it(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.post(device.CardMuted(READER))
    assert terminal.page == NoticePage("card-mute")
    assert [job.lane for job in terminal.executor.jobs] == ["scanner"]


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


def test_a_failure_is_always_one_of_the_catalogue() -> None:
    known = (card.CardError(), PadGone("gone"), PlatformUnavailable(Outage.TIMEOUT))
    for error in known:
        failure = failure_of(error)
        assert failure is not None
        assert failure.name in kinds()
    assert failure_of(ValueError()) is None
    lost = Failure("card-lost")
    assert failure_of(lost) is lost
