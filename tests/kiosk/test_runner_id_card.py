"""Identity by ID card: what it opens, what it does not, and the card that is left behind."""

from __future__ import annotations

import pytest

from drivers.code_scanner import ScannerGone
from drivers.device import DeviceKind
from drivers.id_card import IdCard
from drivers.id_reader import (
    IdReaderBroken,
    IdReaderGone,
    IdReaderReason,
    IdReaderStatus,
    LicenceMissing,
    ReadCancelled,
)
from kiosk.device_watch import DeviceSeen
from kiosk.events import IdCardSeen
from kiosk.identity import Leg
from kiosk.pages import (
    HomePage,
    IdCardProblem,
    IdCardWay,
    IdentifyPage,
    OverviewPage,
    PinPage,
    TakeCardPage,
    WorkingPage,
)
from kiosk.platform.models import Evidence
from kiosk.services.identify import identify
from kiosk.steps import AwaitAny, Run
from tests.kiosk.terminal_double import (
    CERTIFICATE,
    ECARD_CODE,
    NAME,
    NUMBER,
    QUERY,
    STATUS,
    TerminalDouble,
    an_ecard,
    an_id_card,
    an_overview,
)

READY = IdentifyPage(ecard=True, codes=True, id_card=IdCardWay.READY)
LANE = "id-reader"


@pytest.fixture
def terminal() -> TerminalDouble:
    return TerminalDouble(with_id_reader=True)


def lay(terminal: TerminalDouble, found: IdCard | IdCardProblem) -> None:
    """A card is read and lies there."""
    terminal.id_card_lies(lies=found is not IdCardProblem.MOVED)
    terminal.finish(found, lane=LANE)


def looks(terminal: TerminalDouble) -> int:
    return sum(job.lane == LANE for job in terminal.executor.aside)


def taken(terminal: TerminalDouble) -> None:
    terminal.id_card_lies(lies=False)
    terminal.post(IdCardSeen(lies=False))


def test_an_id_card_leads_to_one_s_own_records(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    assert terminal.page == READY
    lay(terminal, an_id_card())
    assert terminal.page == WorkingPage("overview.loading")
    step = terminal.runner._attendant.visit.step
    assert isinstance(step, Run)
    (asker,) = step.args
    assert (asker.number, asker.card_id, asker.ticket) == (NUMBER, None, None)
    assert asker.evidence == {Evidence.ID_CARD}
    terminal.finish(an_overview())
    assert isinstance(terminal.page, OverviewPage) and terminal.page.name == NAME


def test_it_proves_the_name_and_no_card(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    lay(terminal, an_id_card())
    assert terminal.audit.details("identity.leg") == [
        {"leg": Leg.REAL_NAME.value, "method": "id-card"}
    ]
    assert terminal.audit.details("id-card.read") == [{"kind": "citizen"}]
    assert NUMBER not in repr(terminal.audit.lines) and NAME not in repr(terminal.audit.lines)


def test_a_foreigner_without_a_chinese_name(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    lay(terminal, an_id_card("", "SPECIMEN, GAMMA"))
    terminal.finish(an_overview())
    assert terminal.page.name == "SPECIMEN, GAMMA"


def test_what_needs_the_genuine_card_says_so_and_reads_no_id_card(terminal: TerminalDouble) -> None:
    assert terminal.id_reader is not None
    terminal.touch(CERTIFICATE)
    assert terminal.page == IdentifyPage(ecard=True, codes=True, id_card=IdCardWay.NOT_ENOUGH)
    assert terminal.id_reader.streams == []
    terminal.touch("back", STATUS)
    assert terminal.page == IdentifyPage()
    assert terminal.id_reader.streams == []


def test_who_is_known_by_id_card_must_show_more_where_more_is_needed(
    terminal: TerminalDouble,
) -> None:
    to_overview(terminal)
    session = terminal.runner._attendant.visit.session
    with pytest.raises(StopIteration):
        next(identify(session))
    session.needed = frozenset({Leg.REAL_NAME, Leg.GENUINE_CARD})
    step = next(identify(session))
    assert isinstance(step, AwaitAny) and step.card and step.id_cards is None


def test_the_first_of_three_ends_the_others(terminal: TerminalDouble) -> None:
    assert terminal.id_reader is not None
    terminal.to_identify()
    terminal.finish(ECARD_CODE, lane="scanner")
    assert [stream.cancelled for stream in terminal.id_reader.streams] == [1]
    terminal.finish(an_ecard())
    assert terminal.page == WorkingPage("overview.loading")


def test_an_id_card_ends_the_wait_for_codes(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    lay(terminal, an_id_card())
    assert [stream.cancelled for stream in terminal.scanner.streams] == [1]


def test_a_card_in_the_slot_ends_both(terminal: TerminalDouble) -> None:
    assert terminal.id_reader is not None
    terminal.to_pin()
    assert isinstance(terminal.page, PinPage)
    assert [stream.cancelled for stream in terminal.id_reader.streams] == [1]
    assert [stream.cancelled for stream in terminal.scanner.streams] == [1]


@pytest.mark.parametrize("problem", IdCardProblem)
def test_a_card_that_does_not_help_leaves_all_ways_open(
    terminal: TerminalDouble, problem: IdCardProblem
) -> None:
    terminal.to_identify()
    lay(terminal, problem)
    assert terminal.page == IdentifyPage(True, True, problem, IdCardWay.READY)
    assert terminal.audit.details("id-card.refused") == [{"reason": problem.value}]
    lay(terminal, an_id_card())
    assert terminal.page == WorkingPage("overview.loading")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (IdReaderGone("gone"), "gone"),
        (LicenceMissing("66"), "unlicensed"),
        (IdReaderBroken("60"), "self-test"),
        (RuntimeError("a bug"), "gone"),
    ],
)
def test_a_reader_that_fails_costs_only_its_own_way(
    terminal: TerminalDouble, error: Exception, reason: str
) -> None:
    terminal.to_identify()
    terminal.finish(error=error, lane=LANE)
    assert terminal.page == IdentifyPage(True, True, None, IdCardWay.FAILED)
    assert terminal.alarms.raised == []
    for _ in range(2):
        terminal.post(DeviceSeen(DeviceKind.ID_READER, IdReaderStatus(IdReaderReason(reason))))
    assert terminal.audit.details("device.lost") == [{"device": LANE, "reason": reason}]
    assert terminal.alarms.raised == [("device-fault", f"{LANE}.{reason}")]
    terminal.finish(ECARD_CODE, lane="scanner")
    terminal.finish(an_ecard())
    assert terminal.page == WorkingPage("overview.loading")


def test_a_scanner_that_fails_leaves_the_id_reader(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.finish(error=ScannerGone("gone"), lane="scanner")
    assert terminal.page == IdentifyPage(True, False, None, IdCardWay.READY)
    lay(terminal, an_id_card())
    assert terminal.page == WorkingPage("overview.loading")


def test_a_reader_that_is_back_is_told_once(terminal: TerminalDouble) -> None:
    for _ in range(4):
        terminal.to_identify()
        terminal.finish(error=IdReaderGone("gone"), lane=LANE)
        terminal.touch("back")
    assert terminal.audit.events().count("device.lost") == 1
    terminal.to_identify()
    lay(terminal, an_id_card())
    assert terminal.audit.details("device.back")[-1] == {"device": LANE}


def test_a_cancelled_wait_is_no_fault(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.finish(error=ReadCancelled(), lane=LANE)
    assert terminal.alarms.raised == []


def test_an_id_card_will_do_without_reader_and_scanner(terminal: TerminalDouble) -> None:
    terminal.scanner.failed = True
    terminal.executor.stuck_lanes.add("pad")
    terminal.touch("language")
    reasons = terminal.runner._attendant.offer.reasons()
    assert QUERY not in reasons and CERTIFICATE in reasons
    assert terminal.id_reader is not None
    terminal.id_reader.failed = True
    assert QUERY in terminal.runner._attendant.offer.reasons()


# --- the card that is left behind -----------------------------------------------------------------


def to_overview(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    lay(terminal, an_id_card())
    terminal.finish(an_overview())


def test_it_is_looked_after_from_the_moment_it_was_read(terminal: TerminalDouble) -> None:
    to_overview(terminal)
    assert looks(terminal) == 1
    terminal.post(IdCardSeen(lies=True))
    assert looks(terminal) == 2
    taken(terminal)
    assert looks(terminal) == 2
    terminal.touch("leave")
    assert isinstance(terminal.page, HomePage)


def test_a_card_left_behind_is_asked_for_before_anybody_else_is_served(
    terminal: TerminalDouble,
) -> None:
    to_overview(terminal)
    terminal.touch("leave")
    assert terminal.page == TakeCardPage(done=True, card=False, id_card=True)
    assert "card.reminded" in terminal.audit.events()
    terminal.wait(1)
    assert looks(terminal) == 1
    terminal.touch(QUERY)
    terminal.post(IdCardSeen(lies=True))
    assert isinstance(terminal.page, TakeCardPage)
    taken(terminal)
    assert isinstance(terminal.page, HomePage) and terminal.phase == "home"


def test_both_cards_are_asked_for(terminal: TerminalDouble) -> None:
    to_overview(terminal)
    terminal.insert()
    terminal.touch("leave")
    assert terminal.page == TakeCardPage(done=True, card=True, id_card=True)
    terminal.take()
    assert terminal.page == TakeCardPage(done=True, card=False, id_card=True)
    terminal.insert()
    taken(terminal)
    assert terminal.page == TakeCardPage(done=True, card=True, id_card=False)
    terminal.take()
    assert isinstance(terminal.page, HomePage)


def test_a_card_that_nobody_takes_is_told_to_staff_and_holds_up_nobody(
    terminal: TerminalDouble,
) -> None:
    to_overview(terminal)
    terminal.touch("leave")
    terminal.wait(terminal.limits.take_card_alarm + 1)
    assert ("device-fault", "card.forgotten") in terminal.alarms.raised
    assert isinstance(terminal.page, HomePage)
    terminal.to_identify()
    assert terminal.runner.moment.badges.id_card_lies
    terminal.report(True)
    assert not terminal.runner.moment.badges.id_card_lies


def test_a_visit_that_timed_out_still_asks_for_the_card(terminal: TerminalDouble) -> None:
    to_overview(terminal)
    terminal.wait(terminal.limits.sensitive_seconds + terminal.limits.warning_seconds + 1)
    assert terminal.page == TakeCardPage(done=False, card=False, id_card=True)


def test_without_a_reader_nothing_is_offered() -> None:
    terminal = TerminalDouble()
    terminal.to_identify()
    assert terminal.page == IdentifyPage(ecard=True, codes=True)


def test_the_way_back_ends_a_visit_that_no_card_holds(terminal: TerminalDouble) -> None:
    to_overview(terminal)
    taken(terminal)
    terminal.touch("back")
    assert terminal.phase == "home"
    terminal.to_identify()
    assert terminal.page == READY
