"""参保证明 from the menu to the sheet in the hand, and everything that keeps it from there."""

from __future__ import annotations

import pytest

from drivers.device import DeviceKind
from drivers.document_printer import (
    PrintEnd,
    PrinterReason,
    PrinterStatus,
    PrintOutcome,
    PrintProgress,
)
from kiosk.device_watch import DeviceSeen
from kiosk.documents.certificate import CertificateRefused, Refusal
from kiosk.documents.composer import CannotShow, ComposeFailed, ComposeProblem
from kiosk.events import QueueSeen
from kiosk.pages import (
    HomePage,
    NoticePage,
    OutOfServicePage,
    PeriodPage,
    PreviewPage,
    PrintingPage,
    RatingPage,
    RiskPage,
    TakeCardPage,
    TakeSheetPage,
    WorkingPage,
)
from kiosk.platform.errors import Outage, PlatformRefused, PlatformUnavailable, Problem
from kiosk.platform.models import Risk, RiskVerdict
from offline_queue.errors import QueueFull
from offline_queue.room import Level
from tests.kiosk.terminal_double import (
    CERTIFICATE,
    ECARD_CODE,
    NUMBER,
    SERIAL,
    Pin,
    TerminalDouble,
    a_document,
    an_ecard,
    holder,
)

ITEM = "429900-CERT-PARTICIPATION"
ALLOW = RiskVerdict(Risk.ALLOW, "")


def to_risk(terminal: TerminalDouble) -> None:
    terminal.to_pin(CERTIFICATE)
    terminal.finish(Pin())
    terminal.finish(holder())
    assert terminal.page == PeriodPage((24, 60))
    terminal.touch("period.60")


def to_preview(terminal: TerminalDouble, pages: int = 1) -> None:
    to_risk(terminal)
    terminal.finish(ALLOW)
    terminal.finish(object())
    terminal.finish(a_document(pages))


def to_printing(terminal: TerminalDouble, pages: int = 1) -> None:
    to_preview(terminal, pages)
    terminal.touch("print")


def test_a_certificate_is_previewed_printed_taken_and_rated(terminal: TerminalDouble) -> None:
    to_preview(terminal, 2)
    document = a_document(2)
    assert terminal.page == PreviewPage(SERIAL, document.pages, 0)
    terminal.touch("print")
    assert terminal.page == PrintingPage(SERIAL, document.pages[0], 2)
    terminal.report(PrintProgress(1))
    assert terminal.page == PrintingPage(SERIAL, document.pages[0], 2, out=1)
    terminal.report(PrintProgress(1, PrinterReason.PAPER_OUT))
    assert terminal.page.waiting is PrinterReason.PAPER_OUT
    terminal.finish(PrintOutcome(PrintEnd.DONE))
    assert terminal.page == TakeSheetPage(2)
    terminal.touch("taken")
    assert terminal.page == RatingPage()
    terminal.touch("grade.4")
    assert terminal.outbox.evaluations == [(ITEM, 4)]
    assert terminal.page == TakeCardPage(done=True)
    terminal.take()
    assert isinstance(terminal.page, HomePage)
    events = terminal.audit.events()
    for event in ("certificate.issued", "evaluation.given", "visit.ended"):
        assert event in events
    assert NUMBER not in repr(terminal.audit.lines)


def test_the_chosen_period_is_asked_for(terminal: TerminalDouble) -> None:
    to_risk(terminal)
    terminal.finish(ALLOW)
    asker, kind, months = terminal.runner._attendant.visit.step.args  # type: ignore[attr-defined]
    assert (asker.number, kind, months) == (NUMBER, "participation", 60)


def test_it_works_by_ecard_too(terminal: TerminalDouble) -> None:
    terminal.touch(CERTIFICATE)
    terminal.finish(ECARD_CODE)
    terminal.finish(an_ecard())
    terminal.touch("period.24")
    for answer in (ALLOW, object(), a_document()):
        terminal.finish(answer)
    terminal.touch("print")
    terminal.finish(PrintOutcome(PrintEnd.DONE))
    terminal.touch("taken", "skip")
    assert terminal.outbox.evaluations == []
    assert isinstance(terminal.page, HomePage)


def test_a_full_queue_costs_the_evaluation_and_not_the_visit(terminal: TerminalDouble) -> None:
    def no_room(item: str, grade: int) -> None:
        raise QueueFull("no room")

    terminal.outbox.put_evaluation = no_room  # type: ignore[method-assign]
    to_printing(terminal)
    terminal.finish(PrintOutcome(PrintEnd.DONE))
    terminal.touch("taken", "grade.5")
    assert terminal.page == TakeCardPage(done=True)
    assert ("evaluation.given", "fault", {"item": ITEM, "grade": 5}) in terminal.audit.lines


def test_pages_turn_and_stop_at_both_ends(terminal: TerminalDouble) -> None:
    to_preview(terminal, 3)
    for touched, current in [
        ("previous", 0),
        ("next", 1),
        ("next", 2),
        ("next", 2),
        ("previous", 1),
    ]:
        terminal.touch(touched)
        assert terminal.page.current == current


def test_nothing_is_printed_before_it_is_wanted(terminal: TerminalDouble) -> None:
    to_preview(terminal)
    terminal.touch("back")
    assert isinstance(terminal.page, HomePage)
    assert "printer" not in [job.lane for job in terminal.executor.jobs]
    assert terminal.composer.forgotten == 0
    terminal.touch("leave")
    assert terminal.composer.forgotten == 1


def test_the_rating_and_the_farewell_go_by_themselves(terminal: TerminalDouble) -> None:
    to_printing(terminal)
    terminal.finish(PrintOutcome(PrintEnd.DONE))
    terminal.wait(terminal.limits.take_sheet_seconds + 1)
    assert terminal.page == RatingPage()
    terminal.wait(terminal.limits.rating_seconds + 1)
    assert terminal.page == TakeCardPage(done=True)
    assert terminal.outbox.evaluations == []


def test_the_card_may_be_taken_while_it_prints(terminal: TerminalDouble) -> None:
    to_printing(terminal)
    terminal.take()
    assert isinstance(terminal.page, PrintingPage)
    terminal.finish(PrintOutcome(PrintEnd.DONE))
    terminal.touch("taken", "skip")
    assert isinstance(terminal.page, HomePage)


def test_a_warning_must_be_confirmed_and_both_leave_their_line(terminal: TerminalDouble) -> None:
    to_risk(terminal)
    terminal.finish(RiskVerdict(Risk.WARN, "R-0101"))
    assert terminal.page == RiskPage("R-0101")
    terminal.touch("print", "elapsed", "again")
    assert terminal.page == RiskPage("R-0101")
    terminal.touch("confirm")
    assert terminal.page == WorkingPage("certificate.preparing")
    detail = {"item": ITEM, "code": "R-0101"}
    assert terminal.audit.details("risk.warned") == [detail]
    assert terminal.audit.details("risk.confirmed") == [detail]


def test_blocked_business_ends_with_its_code(terminal: TerminalDouble) -> None:
    to_risk(terminal)
    terminal.finish(RiskVerdict(Risk.BLOCK, "R-0201"))
    assert terminal.page == NoticePage("risk-blocked", "R-0201")
    assert terminal.audit.details("risk.blocked") == [{"item": ITEM, "code": "R-0201"}]


@pytest.mark.parametrize("answers", [(), (ALLOW,)])
def test_without_the_platform_nothing_is_printed(
    terminal: TerminalDouble, answers: tuple[object, ...]
) -> None:
    to_risk(terminal)
    for answer in answers:
        terminal.finish(answer)
    terminal.finish(error=PlatformUnavailable(Outage.TIMEOUT))
    assert terminal.page == NoticePage("certificate-offline")


def test_with_the_line_down_the_tile_says_why(terminal: TerminalDouble) -> None:
    terminal.line_down()
    terminal.touch(CERTIFICATE)
    assert terminal.page == NoticePage("certificate-offline")


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (CertificateRefused(Refusal.SIGNATURE), "certificate-untrusted"),
        (PlatformRefused(Problem.FORBIDDEN), "platform-refused"),
    ],
)
def test_a_certificate_that_is_not_believed_is_not_shown(
    terminal: TerminalDouble, error: Exception, failure: str
) -> None:
    to_risk(terminal)
    terminal.finish(ALLOW)
    terminal.finish(error=error)
    assert terminal.page == NoticePage(failure)
    alarmed = [("tamper", failure)] if failure == "certificate-untrusted" else []
    assert terminal.alarms.raised == alarmed


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ComposeFailed(ComposeProblem.CRASHED), "document-failed"),
        (CannotShow(), "certificate-characters"),
    ],
)
def test_what_cannot_be_laid_out_is_said(
    terminal: TerminalDouble, error: Exception, failure: str
) -> None:
    to_risk(terminal)
    terminal.finish(ALLOW)
    terminal.finish(object())
    terminal.finish(error=error)
    assert terminal.page == NoticePage(failure)


@pytest.mark.parametrize(
    ("end", "failure"),
    [(PrintEnd.FAILED, "print-failed"), (PrintEnd.UNKNOWN, "print-unknown")],
)
def test_a_print_that_did_not_end_well_is_told_with_its_serial(
    terminal: TerminalDouble, end: PrintEnd, failure: str
) -> None:
    to_printing(terminal)
    terminal.finish(PrintOutcome(end, PrinterReason.JAM))
    assert terminal.page == NoticePage(failure, SERIAL)
    assert terminal.alarms.raised == [("device-fault", failure)]
    assert [job.lane for job in terminal.executor.jobs].count("printer") == 1


def test_a_printer_that_never_ends_is_unknown_at_the_deadline(terminal: TerminalDouble) -> None:
    to_printing(terminal)
    terminal.wait(terminal.limits.print_deadline + 1)
    assert terminal.page == NoticePage("print-unknown")


# --- the printer between visits ------------------------------------------------------------------


def printer_is(reason: PrinterReason | None) -> DeviceSeen:
    return DeviceSeen(DeviceKind.PRINTER, PrinterStatus(reason))


@pytest.mark.parametrize("reason", PrinterReason)
def test_an_obstacle_closes_printing_and_nothing_else(
    terminal: TerminalDouble, reason: PrinterReason
) -> None:
    for _ in range(3):
        terminal.post(printer_is(reason))
    assert isinstance(terminal.page, HomePage)
    assert dict(terminal.page.unavailable) == {CERTIFICATE: f"printer.{reason.value}"}
    assert terminal.runner.moment.badges.printer is reason
    terminal.touch(CERTIFICATE)
    assert isinstance(terminal.page, HomePage)
    assert terminal.alarms.raised == [("device-fault", f"printer.{reason.value}")]
    terminal.post(printer_is(None))
    assert terminal.page.unavailable == ()
    terminal.to_identify()
    assert terminal.phase == "visit"


def test_a_flickering_sensor_closes_printing_and_alarms_nobody(terminal: TerminalDouble) -> None:
    for _ in range(3):
        terminal.post(printer_is(PrinterReason.PAPER_OUT))
        assert terminal.page.unavailable
        terminal.post(printer_is(None))
        assert terminal.page.unavailable == ()
    assert terminal.alarms.raised == []


def test_the_printer_is_looked_at_while_nobody_is_served(terminal: TerminalDouble) -> None:
    def looks() -> int:
        return [job.lane for job in terminal.executor.looks].count("printer")

    before = looks()
    terminal.post(printer_is(None))
    terminal.wait(terminal.limits.device_retry + 0.1)
    assert looks() == before + 1
    terminal.to_identify()
    terminal.post(printer_is(None))
    terminal.wait(2 * terminal.limits.device_retry + 1)
    assert looks() == before + 1


def test_the_badge_counts_what_waits(terminal: TerminalDouble) -> None:
    terminal.post(QueueSeen(3, Level.FREE))
    assert terminal.runner.moment.badges.waiting == 3


def test_a_queue_that_fills_up_is_told_while_it_still_takes_alarms(
    terminal: TerminalDouble,
) -> None:
    for level in (Level.WARN, Level.CRITICAL_ONLY, Level.CRITICAL_ONLY, Level.FREE):
        terminal.post(QueueSeen(3, level))
    rooms = [detail["level"] for detail in terminal.audit.details("queue.room")]
    assert rooms == ["warn", "critical-only", "free"]
    assert terminal.alarms.raised == [("device-fault", "queue-critical-only")]


def test_without_room_for_what_must_arrive_nobody_is_served(terminal: TerminalDouble) -> None:
    terminal.post(QueueSeen(3, Level.RESERVED_ONLY))
    terminal.wait(1)
    assert terminal.page == OutOfServicePage("disk")
    terminal.post(QueueSeen(3, Level.FREE))
    terminal.wait(1)
    assert terminal.page != OutOfServicePage("disk")
