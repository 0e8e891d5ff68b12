"""Bodies that show a document as it lies on paper: preview, printing."""

from __future__ import annotations

from ui.parts import draw_bar, draw_head, draw_message
from ui.scene import Image, Plate, Rect, Shadow
from ui.sheet import Align, Sheet
from ui.theme import Face
from ui.views import PageImage, Picture, Preview, Printing
from ui.ways import PICTURE_SHAPE

_PNG_OPENING = b"\x89PNG\r\n\x1a\n"
_LEAST_PAGE = 420
"""Units; the height below which a page tells nothing."""
_MOST_WIDTH = 860
_MOST_WIDTH_PRINTING = 700
_TURNING_HEIGHT = 96
_ABOVE_BAR = 72
_BELOW_BAR = 40
_CAPTION = Face(30, 44)
_SHADOW_SPREAD = 88
_SHADOW_DROP = 14
_SHADOW_STRENGTH = 46
_WIDE_SHARE = 48
"""Percent of a landscape screen that a page may take."""


def shape(page: PageImage) -> tuple[int, int]:
    """Width and height of a page in its own pixels, without decoding it.

    Raises:
        ValueError: not a PNG (PNG specification 11.2.2: IHDR comes first), or an empty one.
    """
    if not page.png.startswith(_PNG_OPENING) or page.png[12:16] != b"IHDR":
        raise ValueError(f"page {page.id}: not a PNG")
    width = int.from_bytes(page.png[16:20], "big")
    height = int.from_bytes(page.png[20:24], "big")
    if not width or not height:
        raise ValueError(f"page {page.id}: an empty picture")
    return width, height


def draw_preview(sheet: Sheet, preview: Preview, frame: Rect) -> int:
    page = preview.pages[preview.current]
    turning = _turning_height(sheet, preview)
    if sheet.portrait:
        y = draw_head(sheet, frame, preview.title, preview.hint, preview.steps)
        y = _draw_message(sheet, preview, Rect(frame.x, y, frame.w, 0))
        gap = sheet.u(44) if turning else 0
        height = max(sheet.u(_LEAST_PAGE), frame.bottom - y - gap - turning)
        width = min(frame.w, sheet.u(_MOST_WIDTH))
        paper = _fitted(page, Rect(frame.centre - width // 2, y, width, height))
        _draw_page(sheet, page, paper)
        row = Rect(frame.centre - width // 2, paper.bottom + gap, width, turning)
    else:
        paper, words = _side_by_side(sheet, page, frame)
        y = draw_head(sheet, words, preview.title, preview.hint, preview.steps)
        y = _draw_message(sheet, preview, Rect(words.x, y, words.w, 0))
        _draw_page(sheet, page, paper)
        y = max(y, words.bottom - turning)
        row = Rect(words.x, y, min(words.w, sheet.u(_MOST_WIDTH)), turning)
    if turning:
        _draw_turning(sheet, preview, row)
    return max(paper.bottom, row.bottom)


def _draw_message(sheet: Sheet, preview: Preview, place: Rect) -> int:
    if preview.message is None:
        return place.y
    return draw_message(sheet, preview.message, place) + sheet.u(36)


def draw_printing(sheet: Sheet, printing: Printing, frame: Rect) -> int:
    message = printing.message
    if sheet.portrait:
        y = draw_head(sheet, frame, printing.title, printing.hint, printing.steps)
        told = draw_message(sheet.blank(), message, Rect(0, 0, frame.w, 0)) if message else 0
        below = sheet.u(_ABOVE_BAR + 20) + (sheet.u(_BELOW_BAR) + told if message else 0)
        height = max(sheet.u(_LEAST_PAGE), frame.bottom - y - below)
        width = min(frame.w, sheet.u(_MOST_WIDTH_PRINTING))
        room = Rect(frame.centre - width // 2, y, width, height)
        y = _draw_printed(sheet, printing.page, room) + sheet.u(_ABOVE_BAR)
        y = draw_bar(sheet, printing.fraction, Rect(frame.x, y, frame.w, 0))
        if message is None:
            return y
        return draw_message(sheet, message, Rect(frame.x, y + sheet.u(_BELOW_BAR), frame.w, 0))
    left, words = _side_by_side(sheet, printing.page, frame)
    y = draw_head(sheet, words, printing.title, printing.hint, printing.steps) + sheet.u(12)
    y = draw_bar(sheet, printing.fraction, Rect(words.x, y, words.w, 0))
    if message is not None:
        place = Rect(words.x, y + sheet.u(_BELOW_BAR), words.w, 0)
        y = draw_message(sheet, message, place)
    return max(y, _draw_printed(sheet, printing.page, left))


def _side_by_side(sheet: Sheet, page: PageImage | None, frame: Rect) -> tuple[Rect, Rect]:
    """Places of the page (left) and of the words of a landscape screen."""
    height = max(frame.h, sheet.u(_LEAST_PAGE))
    room = Rect(frame.x, frame.y, frame.w * _WIDE_SHARE // 100, height)
    left = _fitted(page, room) if page else room._replace(w=min(room.w, sheet.u(560)))
    left = left._replace(x=frame.x)
    x = left.right + sheet.u(88)
    return left, Rect(x, frame.y, frame.right - x, frame.h)


def _fitted(page: PageImage, room: Rect) -> Rect:
    """As large as ``room`` allows in the page's own shape, at its top, in its middle."""
    width, height = shape(page)
    if width * room.h > height * room.w:
        w, h = room.w, max(1, room.w * height // width)
    else:
        w, h = max(1, room.h * width // height), room.h
    return Rect(room.centre - w // 2, room.y, w, h)


def _draw_printed(sheet: Sheet, page: PageImage | None, room: Rect) -> int:
    """The page, or a printer; returns where it ends."""
    if page is not None:
        paper = _fitted(page, room)
        _draw_page(sheet, page, paper)
        return paper.bottom
    width = min(room.w, sheet.u(560), room.h * PICTURE_SHAPE[0] // PICTURE_SHAPE[1])
    height = width * PICTURE_SHAPE[1] // PICTURE_SHAPE[0]
    place = Rect(room.centre - width // 2, room.y, width, height)
    sheet.card(place)
    sheet.drawing(place, Picture.PRINTER.value)
    return place.bottom


def _draw_page(sheet: Sheet, page: PageImage, rect: Rect) -> None:
    """A page that fills ``rect``, with a thin edge, on its shadow."""
    px = sheet.theme.px
    spread = min(px(_SHADOW_SPREAD), rect.w // 2, rect.h // 2)
    below = rect.inset(-spread // 2, -spread // 2)
    below = below._replace(y=below.y + px(_SHADOW_DROP))
    edge = max(1, px(1))
    sheet.nodes += (
        Shadow(below, spread, sheet.palette.veil, _SHADOW_STRENGTH),
        Plate(rect, 0, sheet.palette.paper, edge, sheet.palette.line),
        Image(rect.inset(edge, edge), page.id, page.png),
    )


# --- turning pages -----------------------------------------------------------------------------


def _turning_height(sheet: Sheet, preview: Preview) -> int:
    if preview.previous or preview.next:
        return max(sheet.u(_TURNING_HEIGHT), sheet.target)
    return sheet.set(preview.caption, _CAPTION, sheet.size[0]).height if preview.caption else 0


def _draw_turning(sheet: Sheet, preview: Preview, row: Rect) -> None:
    """Buttons at both ends of ``row``, the caption between them."""
    gap = max(sheet.u(24), sheet.gap)
    least = min(sheet.natural_width(preview.caption, _CAPTION), row.w // 3)
    most = (row.w - least) // 2 - gap
    words = row
    if preview.previous is not None:
        width = min(most, sheet.button_width(preview.previous))
        sheet.button(preview.previous, row._replace(w=width), on_page=True)
        words = Rect(row.x + width + gap, row.y, row.w - width - gap, row.h)
    if preview.next is not None:
        width = min(most, sheet.button_width(preview.next))
        sheet.button(preview.next, Rect(row.right - width, row.y, width, row.h), on_page=True)
        words = words._replace(w=words.w - width - gap)
    align = Align.CENTRE if sheet.portrait or words != row else Align.LEFT
    if preview.caption:
        sheet.label(preview.caption, _CAPTION, words, sheet.palette.ink_2, align=align)
