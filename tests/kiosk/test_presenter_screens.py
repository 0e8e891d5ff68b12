"""Every page in every language becomes a screen, and a screen says no more than it may."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from kiosk.bilingual import Bilingual
from kiosk.failures import kinds
from kiosk.moment import Badges, Moment, Overlay
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
from kiosk.platform.models import CardVerdict
from kiosk.presenter import Place, Presenter
from kiosk.texts import LANGUAGES
from tests.kiosk.terminal_double import NAME, NUMBER, QUERY, STATUS, TerminalDouble, an_overview
from ui import views

MENU = TerminalDouble().station.pack.menu
PAGES: list[tuple[str, Any]] = [
    ("idle", IdlePage()),
    ("home", HomePage(MENU.first, MENU.entries)),
    ("home", HomePage(MENU.first, MENU.entries, card_seen=True)),
    ("identify", IdentifyPage()),
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
        for reason in ("reader", "reader-busy", "pad", "catalogue", "audit", "disk", "unexpected")
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
