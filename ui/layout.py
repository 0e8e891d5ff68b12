"""From a view to a scene: a pure function, the same view gives the same scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import assert_never

from ui import fonts, scene, sheet
from ui.choosing import draw_idle, draw_menu
from ui.chrome import (
    draw_footer,
    draw_header,
    draw_time_out,
    footer_height,
    header_height,
    margin,
)
from ui.entering import draw_identify, draw_pin_entry
from ui.keying import draw_code_entry
from ui.paper import draw_preview, draw_printing
from ui.rating import draw_rating
from ui.reporting import draw_overview
from ui.scene import Fill, Focusable, Node, Rect, Scene
from ui.sheet import Sheet
from ui.telling import draw_done, draw_notice, draw_progress
from ui.theme import Theme, Type
from ui.views import (
    Body,
    CodeEntry,
    Done,
    Footer,
    Header,
    HomeFooter,
    Identify,
    Idle,
    Menu,
    Notice,
    Overview,
    PinEntry,
    Preview,
    Printing,
    Progress,
    Rating,
    Screen,
    TimeOut,
)

Size = tuple[int, int]
_Part = tuple[tuple[Node, ...], tuple[Focusable, ...]]

_GRADES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)
_MILD_GRADES = _GRADES[:7]
_LINES = ((9, 9), (2, 1), (1, 1))
"""Most lines of a bold and of a plain paragraph, tried in this order."""
_TOP = 48
"""Units between the header and the body."""
_BOTTOM = 40


class DoesNotFitError(ValueError):
    """The view holds more things than the screen has room for, even set small."""


def layout(screen: Screen, theme: Theme, size: Size) -> Scene:
    """Compose a scene of ``size`` pixels.

    Raises:
        DoesNotFitError: see there. Long text does not do that: it is set small, then cut with
            an ellipsis, on screens of up to six tiles or blocks, four ways or six stages.
    """
    whole = Rect(0, 0, *size)
    page = Fill(whole, theme.palette.background)
    head: _Part = ((), ())
    foot: _Part = ((), ())
    if screen.header is not None:
        head = _header(screen.header, theme, size, screen.locale)
    if screen.footer is not None:
        foot = _footer(screen.footer, theme, size, screen.locale)
    body = _body(
        screen.body, screen.header is not None, _kind(screen.footer), theme, size, screen.locale
    )
    nodes = (page, *body[0], *head[0], *foot[0])
    focus = (*head[1], *body[1], *foot[1])
    if screen.overlay is not None:
        box = _overlay(screen.overlay, theme, size, screen.locale)
        nodes, focus = nodes + box[0], box[1]
    return Scene(size, nodes, focus)


def forget() -> None:
    """Drop every remembered text and scene, so that nothing of a visitor stays in memory."""
    for remembering in (_header, _footer, _body, _overlay):
        remembering.cache_clear()
    for module in (scene, sheet, fonts):
        module.forget()


def _kind(footer: HomeFooter | Footer | None) -> HomeFooter | Footer | None:
    """The footer without what changes often and doesn't change its height."""
    if isinstance(footer, Footer) and footer.countdown is not None:
        return replace(footer, countdown=replace(footer.countdown, seconds=0))
    return footer


def _ways_to_fit(theme: Theme) -> Iterator[tuple[Theme, tuple[float, ...], tuple[int, int]]]:
    """Themes, grades and numbers of lines to try, the best looking first.

    Where large type would have to be crowded, regular type a little magnified reads better.
    """
    if theme.large:
        yield theme, _MILD_GRADES, _LINES[0]
        for magnified in (1.25, 1.1):
            kind = replace(_regular(theme), density=theme.density * magnified)
            yield kind, _MILD_GRADES[:3], _LINES[0]
    for lines in _LINES:
        yield _regular(theme), _GRADES, lines


def _regular(theme: Theme) -> Theme:
    return replace(theme, large=False, type=Type()) if theme.large else theme


@lru_cache(maxsize=8)
def _header(header: Header, theme: Theme, size: Size, locale: str) -> _Part:
    # The header keeps its size with large type: it holds the tool that leads there and back.
    sheet = Sheet(_regular(theme), size, locale)
    draw_header(sheet, header)
    return tuple(sheet.nodes), tuple(sheet.focus)


@lru_cache(maxsize=16)
def _footer(footer: HomeFooter | Footer, theme: Theme, size: Size, locale: str) -> _Part:
    sheet = Sheet(theme, size, locale)
    draw_footer(sheet, footer)
    return tuple(sheet.nodes), tuple(sheet.focus)


@lru_cache(maxsize=8)
def _overlay(box: TimeOut, theme: Theme, size: Size, locale: str) -> _Part:
    sheet = Sheet(theme, size, locale)
    draw_time_out(sheet, box)
    return tuple(sheet.nodes), tuple(sheet.focus)


@lru_cache(maxsize=16)
def _body(
    body: Body,
    has_header: bool,
    footer: HomeFooter | Footer | None,
    theme: Theme,
    size: Size,
    locale: str,
) -> _Part:
    plain = Sheet(theme, size, locale)
    top = (header_height(plain) if has_header else 0) + theme.px(_TOP)
    bottom = size[1] - footer_height(plain, footer) - theme.px(_BOTTOM)
    frame = Rect(margin(plain), top, size[0] - 2 * margin(plain), bottom - top)
    for kind, grades, most in _ways_to_fit(theme):
        for grade in grades:
            sheet = Sheet(kind, size, locale, grade=grade, lines=most)
            if _draw(sheet, body, frame) <= frame.bottom:
                return tuple(sheet.nodes), tuple(sheet.focus)
    raise DoesNotFitError(f"{type(body).__name__} in {size[0]}x{size[1]}")


def _draw(sheet: Sheet, body: Body, frame: Rect) -> int:
    """Draw a body; returns where it ends, which may lie below the frame."""
    match body:
        case Idle():
            draw_idle(sheet, body, frame)
            return frame.bottom
        case Menu():
            return draw_menu(sheet, body, frame)
        case Identify():
            return draw_identify(sheet, body, frame)
        case PinEntry():
            return draw_pin_entry(sheet, body, frame)
        case Overview():
            return draw_overview(sheet, body, frame)
        case Progress():
            return draw_progress(sheet, body, frame)
        case Notice():
            return draw_notice(sheet, body, frame)
        case Done():
            return draw_done(sheet, body, frame)
        case Preview():
            return draw_preview(sheet, body, frame)
        case Printing():
            return draw_printing(sheet, body, frame)
        case Rating():
            return draw_rating(sheet, body, frame)
        case CodeEntry():
            return draw_code_entry(sheet, body, frame)
        case _ as impossible:
            assert_never(impossible)
