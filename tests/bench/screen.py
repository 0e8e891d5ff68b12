"""Drawing the densest screen: all of it, and only a countdown."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from datetime import UTC

from tests.bench.figure import Figure, median_ms

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

SIZE = (1080, 1920)
FULL_LIMIT_MS = 16.0
DIRTY_LIMIT_MS = 1.0


def figures() -> Iterator[Figure]:
    """Measures on one core, without a display."""
    from ui.renderer import Renderer
    from ui.sdl import pygame
    from ui.theme import Theme
    from ui.views import Countdown, Footer
    from ui.window import Window

    window = Window(SIZE)
    renderer = Renderer(pygame.Surface(SIZE, depth=32), Theme.make())
    screen = _densest()
    full = median_ms(lambda: renderer.draw_full(screen), 60)
    assert isinstance(screen.footer, Footer)
    ticks = [
        dataclasses.replace(
            screen, footer=dataclasses.replace(screen.footer, countdown=Countdown("", left, ""))
        )
        for left in (28, 27)
    ]
    turn = iter(range(10**9))
    dirty = median_ms(lambda: renderer.update(ticks[next(turn) % 2]), 400)
    window.close()
    yield Figure.of("ui.full_redraw", full, "ms", FULL_LIMIT_MS, "limit, 1080x1920")
    yield Figure.of("ui.dirty_redraw", dirty, "ms", DIRTY_LIMIT_MS, "limit, one countdown")


def _densest():  # type: ignore[no-untyped-def]
    """The overview with everything in it, as the kiosk shows it."""
    from datetime import datetime

    from kiosk.bilingual import Bilingual
    from kiosk.moment import Badges, Moment
    from kiosk.pages import OverviewPage
    from kiosk.platform.models import CardVerdict
    from kiosk.screens.presenter import Place, Presenter
    from tests.kiosk.terminal_double import NAME, NUMBER, an_overview

    moment = Moment(
        page=OverviewPage(NAME, NUMBER, CardVerdict.NORMAL, an_overview()),
        language="zh-CN",
        overlay=None,
        overlay_seconds=0,
        seconds_left=28,
        minute=datetime(2026, 11, 21, 9, 42, tzinfo=UTC),
        badges=Badges(platform_up=True, reader_ok=True),
    )
    place = Place(Bilingual("江城市人社服务大厅", "Jiangcheng Hall"), 3, "12333")
    return Presenter(place, 6).screen(moment)
