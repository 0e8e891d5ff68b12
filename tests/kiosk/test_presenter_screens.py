"""Every page in every language becomes a screen, and a screen says no more than it may."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import pytest

from drivers.document_printer import PrinterReason
from kiosk.bilingual import Bilingual
from kiosk.documents.qr_check import QrCheck, QrState
from kiosk.failures import kinds
from kiosk.moment import Badges, Moment, Overlay
from kiosk.pages import (
    CardStatusPage,
    CertificateShownPage,
    CodeEntryPage,
    CodeProblem,
    HomePage,
    IdCardProblem,
    IdCardWay,
    IdentifyPage,
    IdlePage,
    NoProofPage,
    NoticePage,
    OutOfServicePage,
    OverviewPage,
    PeriodPage,
    PinPage,
    PreviewPage,
    PrintingPage,
    RatingPage,
    RiskPage,
    TakeCardPage,
    TakeSheetPage,
    VerifiedPage,
    VerifyPage,
    WorkingPage,
)
from kiosk.platform.models import (
    CardVerdict,
    CertificateState,
    CertificateVerdict,
    ShownCertificate,
)
from kiosk.screens.presenter import Place, Presenter
from kiosk.texts import LANGUAGES
from tests.kiosk.terminal_double import (
    NAME,
    NUMBER,
    QUERY,
    SERIAL,
    STATUS,
    TerminalDouble,
    an_overview,
)
from ui import views

MENU = TerminalDouble().station.pack.menu
SHOWN = ShownCertificate(
    kind="participation",
    number="429900-2026-000001",
    agency="江城市社会保险事业管理中心（演示）",
    issued_at="2026-11-21T09:42:00+08:00",
    valid_until=date(2027, 2, 19),
    name="王*芳",
    holder_number="429***********0029",
)
VERDICTS = [
    CertificateVerdict(state, None if state is CertificateState.UNKNOWN else SHOWN)
    for state in CertificateState
]
CHECKS = [
    QrCheck(
        state,
        "7F3K92MDQ4TXABCD",
        "participation",
        date(2026, 11, 21),
        date(2027, 2, 19),
        "ab" * 32,
        SHOWN.agency,
    )
    for state in QrState
]
PAGES: list[tuple[str, Any]] = [
    ("idle", IdlePage()),
    ("home", HomePage(MENU.first, MENU.entries)),
    ("home", HomePage(MENU.first, MENU.entries, card_seen=True)),
    ("identify", IdentifyPage()),
    ("identify", IdentifyPage(ecard=True, codes=True)),
    ("identify", IdentifyPage(ecard=True, codes=False)),
    *[
        (f"identify.{problem.value}", IdentifyPage(ecard=True, codes=True, problem=problem))
        for problem in CodeProblem
    ],
    *[
        (f"identify.{problem.value}", IdentifyPage(True, True, problem, IdCardWay.READY))
        for problem in IdCardProblem
    ],
    *[("identify", IdentifyPage(True, True, None, way)) for way in IdCardWay],
    ("take-card", TakeCardPage(done=False, card=False, id_card=True)),
    ("take-card", TakeCardPage(done=True, card=True, id_card=True)),
    ("certificate-shown", CertificateShownPage()),
    ("no-proof", NoProofPage()),
    ("ecard.checking", WorkingPage("ecard.checking")),
    ("certificate.preparing", WorkingPage("certificate.preparing")),
    ("period", PeriodPage((24, 60))),
    ("risk", RiskPage("R-0101")),
    ("preview", PreviewPage(SERIAL, (b"png",))),
    ("preview", PreviewPage(SERIAL, (b"png", b"png"), 1)),
    ("printing", PrintingPage(SERIAL, b"png", 2, out=1)),
    *[
        ("printing.waiting", PrintingPage(SERIAL, b"png", 2, waiting=reason))
        for reason in PrinterReason
    ],
    ("take-sheet", TakeSheetPage(1)),
    ("take-sheet", TakeSheetPage(2)),
    ("rating", RatingPage()),
    ("verify", VerifyPage(codes=True)),
    ("verify.other", VerifyPage(codes=False, other=True)),
    ("code-entry", CodeEntryPage("7F3K9")),
    ("code-entry", CodeEntryPage("7F3K92MDQ4TXABCD", wrong=True)),
    ("verify.checking", WorkingPage("verify.checking")),
    *[(f"verified.{verdict.state.value}", VerifiedPage(verdict)) for verdict in VERDICTS],
    *[(f"verified.offline.{check.state.value}", VerifiedPage(check)) for check in CHECKS],
    ("card.reading", WorkingPage("card.reading")),
    ("pin", PinPage(3)),
    ("pin.rejected", PinPage(0, tries_left=1)),
    ("pin.checking", WorkingPage("pin.checking")),
    ("overview.loading", WorkingPage("overview.loading")),
    ("overview", OverviewPage(NAME, NUMBER, CardVerdict.NORMAL, an_overview())),
    ("take-card", TakeCardPage(done=True)),
    ("take-card", TakeCardPage(done=False)),
    *[(f"failure.{name}", NoticePage(name)) for name in kinds()],
    *[
        ("card-status", CardStatusPage("0001", "3.00", "2022-04-13", "", verdict))
        for verdict in CardVerdict
    ],
    *[
        ("out-of-service", OutOfServicePage(reason))
        for reason in (
            *(
                "reader",
                "reader-busy",
                "reader-stuck",
                "psam-stuck",
                "pad",
                "scanner",
                "catalogue",
                "audit",
                "disk",
            ),
            *(
                "unexpected",
                "printer.busy",
                *(f"printer.{reason.value}" for reason in PrinterReason),
            ),
        )
    ],
]


def _moment(page: Any, language: str, **changes: Any) -> Moment:
    moment = Moment(
        page=page,
        language=language,
        overlay=None,
        overlay_seconds=0,
        seconds_left=28,
        minute=datetime(2026, 11, 21, 9, 42, tzinfo=UTC),
        badges=Badges(platform_up=True, reader_ok=True),
    )
    return dataclasses.replace(moment, **changes)


PRESENTER = Presenter(Place(Bilingual("江城市人社服务大厅", "Jiangcheng Hall"), 3, "12333"), 6)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "page"), PAGES, ids=lambda value: str(value)[:30])
def test_every_page_becomes_a_screen_in_every_language(name: str, page: Any, language: str) -> None:
    screen = PRESENTER.screen(_moment(page, language))
    assert screen.name == name
    assert screen.locale == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_name_and_number_are_masked_until_revealed(language: str) -> None:
    page = OverviewPage(NAME, NUMBER, CardVerdict.NORMAL, an_overview())
    masked = repr(PRESENTER.screen(_moment(page, language)))
    assert NAME not in masked
    assert NUMBER not in masked
    revealed = dataclasses.replace(page, revealed=True)
    shown = repr(PRESENTER.screen(_moment(revealed, language)))
    assert NAME in shown
    assert NUMBER in shown


def test_an_id_card_s_way_says_why_it_can_not_be_used() -> None:
    said = {}
    for way in set(IdCardWay) - {IdCardWay.NONE}:
        said[way] = _id_card_way(way, lies=False)
    assert said[IdCardWay.READY] == ""
    assert "阅读器" in said[IdCardWay.FAILED]
    assert "社会保障卡" in said[IdCardWay.NOT_ENOUGH]
    assert "先拿走" in _id_card_way(IdCardWay.READY, lies=True)


def _id_card_way(way: IdCardWay, *, lies: bool) -> str:
    badges = Badges(platform_up=True, reader_ok=True, id_card_lies=lies)
    page = IdentifyPage(ecard=True, codes=True, id_card=way)
    body = PRESENTER.screen(_moment(page, "zh-CN", badges=badges)).body
    assert isinstance(body, views.Identify)
    *_, id_card = body.ways
    assert id_card.id == "id-card"
    return id_card.unavailable


def test_which_card_is_to_be_taken() -> None:
    titles = [
        PRESENTER.screen(_moment(TakeCardPage(False, card, id_card), "zh-CN")).body.title
        for card, id_card in ((True, False), (False, True), (True, True))
    ]
    assert titles == ["请取走您的卡", "请拿走您的身份证", "请取走您的卡和身份证"]


def test_an_ecard_is_offered_only_while_it_can_be_verified() -> None:
    page = IdentifyPage(ecard=True, codes=True)
    badges = Badges(platform_up=False, reader_ok=True)
    body = PRESENTER.screen(_moment(page, "zh-CN", badges=badges)).body
    assert isinstance(body, views.Identify)
    card, ecard = body.ways
    assert not card.unavailable
    assert "网络中断" in ecard.unavailable
    gone = Badges(platform_up=True, reader_ok=False)
    body = PRESENTER.screen(_moment(page, "zh-CN", badges=gone)).body
    assert isinstance(body, views.Identify)
    card, ecard = body.ways
    assert card.unavailable
    assert not ecard.unavailable


@pytest.mark.parametrize("reason", PrinterReason)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_home_screen_says_what_is_wrong_and_how_much_waits(
    reason: PrinterReason, language: str
) -> None:
    page = HomePage(MENU.first, MENU.entries)
    badges = Badges(platform_up=False, reader_ok=True, waiting=12, printer=reason)
    footer = PRESENTER.screen(_moment(page, language, badges=badges)).footer
    assert isinstance(footer, views.HomeFooter)
    printer, line = footer.badges
    assert printer.tone is line.tone is views.Tone.WARN
    assert "12" in line.text


def test_a_genuine_seal_offline_is_no_genuine_certificate() -> None:
    tones = {
        (type(result).__name__, result.state.value): body.tone
        for result in (*VERDICTS, *CHECKS)
        if isinstance(
            body := PRESENTER.screen(_moment(VerifiedPage(result), "en")).body, views.Notice
        )
    }
    assert [key for key, tone in tones.items() if tone is views.Tone.OK] == [
        ("CertificateVerdict", "genuine")
    ]
    offline = PRESENTER.screen(_moment(VerifiedPage(CHECKS[0]), "zh-CN")).body
    assert isinstance(offline, views.Notice)
    assert ("内容摘要", "ABAB ABAB ABAB ABAB") in offline.facts


def test_a_failure_of_a_print_names_its_serial() -> None:
    body = PRESENTER.screen(_moment(NoticePage("print-unknown", SERIAL), "zh-CN")).body
    assert isinstance(body, views.Notice)
    assert SERIAL in body.code


@pytest.mark.parametrize("language", LANGUAGES)
def test_out_of_service_names_the_slot_that_is_stuck(language: str) -> None:
    page = OutOfServicePage("reader-stuck", "Contact Reader")
    body = PRESENTER.screen(_moment(page, language)).body
    assert isinstance(body, views.Notice)
    assert "D03 · Contact Reader" in body.code


def test_a_block_can_be_unavailable_on_its_own() -> None:
    page = OverviewPage(NAME, NUMBER, CardVerdict.NORMAL, an_overview())
    body = PRESENTER.screen(_moment(page, "zh-CN")).body
    assert isinstance(body, views.Overview)
    assert [bool(block.unavailable) for block in body.blocks] == [False, True, False, False]


def test_a_tile_says_why_it_cannot_be_chosen() -> None:
    page = HomePage(MENU.first, MENU.entries, unavailable=((QUERY, "reader"), (STATUS, "platform")))
    body = PRESENTER.screen(_moment(page, "zh-CN")).body
    assert isinstance(body, views.Menu)
    assert body.first is not None
    assert not body.first.enabled
    assert body.first.note
    assert body.tiles[0].enabled, "an item that waits for the line explains itself when touched"


@pytest.mark.parametrize("overlay", Overlay)
def test_overlays_count_down(overlay: Overlay) -> None:
    moment = _moment(PinPage(), "en", overlay=overlay, overlay_seconds=7)
    screen = PRESENTER.screen(moment)
    assert screen.overlay is not None
    assert screen.overlay.seconds == 7


def test_the_same_moment_gives_the_same_screen() -> None:
    moment = _moment(PinPage(2), "en")
    assert PRESENTER.screen(moment) == PRESENTER.screen(moment)
