"""Identity by e-card, beside the card, on one screen; and what becomes of other codes."""

from __future__ import annotations

import pytest

from drivers import events as device
from drivers.code_scanner import ScannerGone, ScannerReason, ScannerStatus
from drivers.device import DeviceKind
from kiosk.codes import CodeFamily
from kiosk.device_watch import DeviceSeen
from kiosk.identity import Leg
from kiosk.pacing import LATE_SOURCE
from kiosk.pages import (
    CertificateShownPage,
    CodeProblem,
    HomePage,
    IdentifyPage,
    NoProofPage,
    NoticePage,
    OverviewPage,
    PinPage,
    VerifiedPage,
    WorkingPage,
)
from kiosk.platform.errors import Outage, PlatformUnavailable
from kiosk.platform.models import CardVerdict, EcardResult, EcardVerdict, Evidence
from kiosk.steps import Run
from tests.kiosk.code_examples import example
from tests.kiosk.terminal_double import (
    ECARD_CODE,
    NUMBER,
    QUERY,
    READER,
    TICKET,
    TerminalDouble,
    an_ecard,
    an_overview,
    reading,
)


def to_verified(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.finish(ECARD_CODE)
    terminal.finish(an_ecard())


def test_an_ecard_leads_to_the_overview_without_card_and_pin(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    assert terminal.page == IdentifyPage(ecard=True, codes=True)
    terminal.finish(ECARD_CODE)
    assert terminal.page == WorkingPage("ecard.checking")
    step = terminal.runner._attendant.visit.step
    assert isinstance(step, Run)
    assert step.args == (ECARD_CODE.decode(), "429900", "T429900-0003-1")
    terminal.finish(an_ecard())
    assert terminal.page == WorkingPage("overview.loading")
    (asker,) = terminal.runner._attendant.visit.step.args  # type: ignore[attr-defined]
    assert (asker.number, asker.card_id, asker.ticket) == (NUMBER, None, TICKET)
    assert asker.evidence == {Evidence.ECARD_VERIFIED}
    terminal.finish(an_overview())
    assert isinstance(terminal.page, OverviewPage)
    legs = [detail["leg"] for detail in terminal.audit.details("identity.leg")]
    assert legs == [Leg.GENUINE_CARD.value, Leg.REAL_NAME.value]
    terminal.touch("leave")
    assert isinstance(terminal.page, HomePage)


def test_the_code_is_nowhere_in_the_audit_log(terminal: TerminalDouble) -> None:
    to_verified(terminal)
    terminal.touch("leave")
    assert ECARD_CODE.decode() not in repr(terminal.audit.lines)
    assert TICKET not in repr(terminal.audit.lines)
    assert NUMBER not in repr(terminal.audit.lines)


def test_whichever_comes_first_the_card_stops_the_scanner(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.insert()
    assert terminal.page == WorkingPage("card.reading")
    assert [stream.cancelled for stream in terminal.scanner.streams] == [1]
    terminal.finish(reading())
    terminal.finish(CardVerdict.NORMAL)
    assert terminal.page == PinPage()


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (EcardResult.UNKNOWN, CodeProblem.NOT_OURS),
        (EcardResult.EXPIRED, CodeProblem.EXPIRED),
        (EcardResult.USED, CodeProblem.USED),
        (EcardResult.WRONG_CHANNEL, CodeProblem.WRONG_CHANNEL),
    ],
)
def test_a_code_that_does_not_help_is_said_and_the_next_one_may(
    terminal: TerminalDouble, result: EcardResult, problem: CodeProblem
) -> None:
    terminal.to_identify()
    terminal.finish(ECARD_CODE)
    terminal.finish(EcardVerdict(result, None))
    assert terminal.page == IdentifyPage(ecard=True, codes=True, problem=problem)
    assert terminal.audit.details("ecard.refused") == [{"reason": result.value}]
    terminal.finish(ECARD_CODE)
    terminal.finish(an_ecard())
    assert terminal.page == WorkingPage("overview.loading")


@pytest.mark.parametrize(
    ("result", "failure"),
    [
        (EcardResult.CARD_LOST, "card-lost"),
        (EcardResult.CARD_LOCKED, "card-locked"),
        (EcardResult.CARD_CANCELLED, "card-cancelled"),
    ],
)
def test_an_ecard_follows_its_card(
    terminal: TerminalDouble, result: EcardResult, failure: str
) -> None:
    terminal.to_identify()
    terminal.finish(ECARD_CODE)
    terminal.finish(EcardVerdict(result, None))
    assert terminal.page == NoticePage(failure)


@pytest.mark.parametrize(
    "payload",
    [
        b"https://pay.example/q?id=1",
        ECARD_CODE + b"x",
        ECARD_CODE[:-1],
        b"\x1b[2J" + ECARD_CODE,
        ECARD_CODE + b"\n",
        "社保".encode("gb18030"),
        b"\0" * 40,
        b"A" * 3000,
        b"$(reboot)",
    ],
)
def test_other_codes_never_leave_the_terminal(terminal: TerminalDouble, payload: bytes) -> None:
    terminal.to_identify()
    terminal.finish(payload)
    assert terminal.page == IdentifyPage(ecard=True, codes=True, problem=CodeProblem.NOT_OURS)
    assert [job.lane for job in terminal.executor.jobs] == ["scanner", "scanner"]


@pytest.mark.parametrize(
    ("family", "problem"),
    [
        (CodeFamily.CARD_PLATFORM, CodeProblem.CARD_PLATFORM),
        (CodeFamily.GOVERNMENT_SERVICE, CodeProblem.GOVERNMENT_SERVICE),
    ],
)
def test_a_code_of_another_family_is_called_by_its_name(
    terminal: TerminalDouble, family: CodeFamily, problem: CodeProblem
) -> None:
    terminal.to_identify()
    terminal.finish(example(family))
    assert terminal.page == IdentifyPage(ecard=True, codes=True, problem=problem)
    assert terminal.audit.details("code.read") == [{"family": family.value}]
    assert "platform" not in [job.lane for job in terminal.executor.jobs]


def test_a_certificate_in_place_of_an_ecard_is_verified_if_they_wish(
    terminal: TerminalDouble,
) -> None:
    terminal.to_identify()
    terminal.finish(example(CodeFamily.CERTIFICATE))
    assert terminal.page == CertificateShownPage()
    terminal.touch("verify")
    assert isinstance(terminal.page, VerifiedPage)
    assert terminal.audit.details("certificate.checked") == [
        {"way": "scanned", "result": "not-ours"}
    ]
    terminal.touch("again")
    problem = CodeProblem.CERTIFICATE
    assert terminal.page == IdentifyPage(ecard=True, codes=True, problem=problem)
    terminal.finish(ECARD_CODE)
    terminal.finish(an_ecard())
    assert terminal.page == WorkingPage("overview.loading")


def test_a_certificate_in_place_of_an_ecard_need_not_be_verified(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.finish(example(CodeFamily.CERTIFICATE))
    terminal.touch("again")
    problem = CodeProblem.CERTIFICATE
    assert terminal.page == IdentifyPage(ecard=True, codes=True, problem=problem)
    assert terminal.audit.details("certificate.checked") == []


def test_each_resident_may_show_what_the_last_one_showed(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.finish(b"nonsense")
    assert terminal.scanner.newcomers == 1
    terminal.touch("leave")
    terminal.to_identify()
    assert terminal.scanner.newcomers == 2


def test_codes_that_help_nobody_end_the_visit(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    for _ in range(terminal.limits.code_tries):
        terminal.finish(b"nonsense")
    assert terminal.page == NoticePage("ecard-refused")


def test_offline_an_ecard_is_impossible_and_the_card_is_offered(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.line_down()
    assert terminal.runner.moment.badges.platform_up is False
    for _ in range(terminal.limits.code_tries + 1):
        terminal.finish(ECARD_CODE)
        terminal.finish(error=PlatformUnavailable(Outage.NO_CONNECTION))
        expected = IdentifyPage(ecard=True, codes=True, problem=CodeProblem.OFFLINE)
        assert terminal.page == expected
    terminal.insert()
    assert terminal.page == WorkingPage("card.reading")


def test_a_code_whose_answer_was_lost_is_asked_about_under_the_same_key(
    terminal: TerminalDouble,
) -> None:
    keys = []
    terminal.to_identify()
    for payload in (ECARD_CODE, ECARD_CODE, ECARD_CODE.swapcase()[:4] + ECARD_CODE[4:], ECARD_CODE):
        terminal.finish(payload)
        step = terminal.runner._attendant.visit.step
        if isinstance(step, Run):
            keys.append(step.args[2])
            terminal.finish(error=PlatformUnavailable(Outage.TIMEOUT))
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_without_scanner_the_card_is_still_taken_and_staff_are_told_once(
    terminal: TerminalDouble,
) -> None:
    gone = DeviceSeen(DeviceKind.SCANNER, ScannerStatus(ScannerReason.GONE))
    for told in ([], [("device-fault", "scanner.gone")]):
        assert terminal.alarms.raised == told
        terminal.to_identify()
        terminal.finish(error=ScannerGone("gone"))
        assert terminal.page == IdentifyPage(ecard=True, codes=False)
        terminal.touch("back")
        assert terminal.scanner.failed
        terminal.post(gone, gone)
    assert terminal.alarms.raised == [("device-fault", "scanner.gone")]
    terminal.to_identify()
    terminal.finish(ECARD_CODE)
    assert terminal.audit.details("device.back")[-1] == {"device": "scanner"}


def test_without_reader_an_ecard_still_serves(terminal: TerminalDouble) -> None:
    terminal.post(device.ReaderDetached(READER))
    assert isinstance(terminal.page, HomePage)
    assert ("item.429900-CARD-STATUS", "reader") in terminal.page.unavailable
    to_verified(terminal)
    terminal.finish(an_overview())
    assert isinstance(terminal.page, OverviewPage)


def test_a_reader_that_goes_while_a_code_may_come_ends_nothing(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.post(device.ReaderDetached(READER))
    assert terminal.page == IdentifyPage(ecard=True, codes=True)


def test_who_has_neither_is_told_what_to_do(terminal: TerminalDouble) -> None:
    terminal.touch(QUERY, "neither")
    assert terminal.page == NoProofPage()
    terminal.touch("again")
    assert terminal.page == IdentifyPage(ecard=True, codes=True)
    terminal.touch("neither", "leave")
    assert isinstance(terminal.page, HomePage)


def test_the_way_back_ends_a_visit_that_no_card_holds(terminal: TerminalDouble) -> None:
    to_verified(terminal)
    terminal.finish(an_overview())
    terminal.touch("back")
    assert isinstance(terminal.page, HomePage)
    assert terminal.phase == "home"
    assert terminal.wipes == 1
    terminal.to_identify()
    assert terminal.page == IdentifyPage(ecard=True, codes=True)


def test_a_card_in_the_slot_stays_known_on_the_way_back(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.touch("back", QUERY)
    assert terminal.page == WorkingPage("overview.loading")


def test_a_scanner_that_is_still_busy_costs_only_its_own_way(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.touch("back")
    terminal.executor.stuck_lanes.add("scanner")
    terminal.to_identify()
    assert terminal.page == IdentifyPage(ecard=True, codes=False)


def test_a_scanner_that_was_busy_is_watched_as_soon_as_it_is_free(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.touch("back")
    terminal.executor.stuck_lanes.add("scanner")
    terminal.to_identify()
    terminal.wait(2 * LATE_SOURCE)
    assert terminal.page == IdentifyPage(ecard=True, codes=False)
    terminal.executor.stuck_lanes.clear()
    terminal.wait(2 * LATE_SOURCE)
    assert terminal.page == IdentifyPage(ecard=True, codes=True)
    begun = len(terminal.executor.jobs)
    terminal.wait(2 * LATE_SOURCE)
    assert len(terminal.executor.jobs) == begun
    terminal.finish(ECARD_CODE, lane="scanner")
    assert terminal.page == WorkingPage("ecard.checking")
