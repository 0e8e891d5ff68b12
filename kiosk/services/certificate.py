"""参保证明打印 (S5 5.4.2.3): sealed by the platform, previewed, printed, taken, rated."""

from __future__ import annotations

from typing import assert_never

from drivers.document_printer import PrintEnd, PrintProgress
from kiosk.documents.composer import Document, PrintStamp
from kiosk.documents.content import CertificateKind
from kiosk.failures import Failure, NoAnswer
from kiosk.identity import Resident
from kiosk.pages import PeriodPage, PreviewPage, PrintingPage, TakeSheetPage, WorkingPage
from kiosk.platform.errors import PlatformUnavailable
from kiosk.services.identify import identify
from kiosk.services.rating import rate
from kiosk.services.risk import weigh_risk
from kiosk.session import Session
from kiosk.slips import Business
from kiosk.steps import Choose, Flow, Option, Run, Show

ITEM = "429900-CERT-PARTICIPATION"


def certificate(session: Session) -> Flow[None]:
    """Identify, choose the period, show the certificate's real pages, print them when wanted."""
    resident = yield from identify(session)
    months = yield from _choose_period(session)
    try:
        yield from weigh_risk(session, ITEM)
        document = yield from _prepare(session, months)
    except (PlatformUnavailable, NoAnswer):
        # Without the platform there is no seal, and nothing unsealed leaves the printer (class D).
        raise Failure("certificate-offline") from None
    session.record(
        "certificate.issued",
        item=ITEM,
        subject=session.station.subject_tag(resident.number),
        pages=len(document.pages),
    )
    yield from _preview(document)
    yield from _print(session, document)
    yield from Show(
        TakeSheetPage(len(document.pages)),
        ("taken",),
        seconds=session.station.limits.take_sheet_seconds,
        card_free=True,
    )
    yield from rate(session, ITEM, _business(session, resident, document))


def _business(session: Session, resident: Resident, document: Document) -> Business:
    station = session.station
    address = station.pack.certificates.seals.verify_url
    return Business(
        item=station.pack.items[ITEM].title.of(station.default_language),
        serial=document.serial,
        at=station.clock.local(),
        name=resident.name,
        number=resident.number,
        code=document.code,
        look_up=f"{address}?c={document.code}",
    )


def _choose_period(session: Session) -> Flow[int]:
    limits = session.station.pack.limits
    months = tuple(limits[f"certificate-months.{length}"].value for length in ("usual", "long"))
    options = tuple(Option(f"period.{count}", count) for count in months)
    return (yield from Choose(PeriodPage(months), options))


def _prepare(session: Session, months: int) -> Flow[Document]:
    station = session.station
    found = yield from Run(
        station.issuing.issue,
        (session.asker, CertificateKind.PARTICIPATION.value, months),
        page=WorkingPage("certificate.preparing"),
        deadline=station.limits.platform_deadline,
    )
    stamp = PrintStamp(station.terminal_id, station.clock.local(), station.printing.new_serial())
    document = yield from Run(
        station.composer.compose,
        (found, stamp),
        page=WorkingPage("certificate.preparing"),
        deadline=station.limits.compose_deadline,
    )
    session.hold(station.composer.forget)
    return document


def _preview(document: Document) -> Flow[None]:
    """Turn pages until the resident wants them printed."""
    current, last = 0, len(document.pages) - 1
    while True:
        page = PreviewPage(document.serial, document.pages, current)
        match (yield from Show(page, ("print", "previous", "next"), sensitive=True)):
            case "print":
                return
            case "next":
                current = min(current + 1, last)
            case _:
                current = max(current - 1, 0)


def _print(session: Session, document: Document) -> Flow[None]:
    station = session.station
    sheets = len(document.pages)

    def page(progress: PrintProgress) -> PrintingPage:
        first = document.pages[0]
        return PrintingPage(document.serial, first, sheets, progress.pages, progress.waiting)

    outcome = yield from Run(
        station.printing.print_document,
        (document,),
        page=page(PrintProgress(None)),
        progress=page,
        deadline=station.limits.print_deadline,
        card_free=True,
    )
    match outcome.end:
        case PrintEnd.DONE:
            return
        case PrintEnd.FAILED:
            raise Failure("print-failed", document.serial)
        case PrintEnd.UNKNOWN:
            raise Failure("print-unknown", document.serial)
        case _:
            assert_never(outcome.end)
