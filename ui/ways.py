"""One way to do a thing: a drawing and words; the drawing at the left (wide) or above (tall)."""

from __future__ import annotations

from dataclasses import dataclass

from ui.parts import draw_sign
from ui.scene import Rect
from ui.sheet import Align, Setting, Sheet
from ui.theme import mix
from ui.views import Tone, Way

PICTURE_SHAPE = (320, 248)
"""Width and height of the drawings' view boxes."""
_WIDE_MOST = 340


@dataclass(frozen=True)
class _Texts:
    title: Setting
    lines: list[Setting]
    indent: int
    """Pixels before the lines, where the sign of a way that can't be used stands."""
    gap: int

    @property
    def height(self) -> int:
        gap = self.gap if self.lines else 0
        return self.title.height + gap + sum(line.height for line in self.lines)


def _texts(sheet: Sheet, way: Way, width: int) -> _Texts:
    kinds = sheet.theme.type
    title = sheet.set(way.title, kinds.title, width, most=2, balance=True)
    gap = sheet.u(12)
    if way.unavailable:
        indent = _sign(sheet) + sheet.u(14)
        reason = sheet.set(way.unavailable, kinds.lead, width - indent, most=3)
        return _Texts(title, [reason], indent, gap)
    lines = [sheet.set(line, kinds.lead, width, most=2) for line in way.lines]
    return _Texts(title, lines, 0, gap)


def _sign(sheet: Sheet) -> int:
    return max(sheet.u(36), sheet.smallest)


def _put_texts(sheet: Sheet, way: Way, texts: _Texts, x: int, y: int) -> None:
    palette = sheet.palette
    ink, soft = palette.ink, palette.ink_2
    if way.unavailable:
        ink, soft = palette.ink_2, palette.warn
    y = sheet.put(texts.title, x, y, texts.title.width, ink, Align.LEFT) + texts.gap
    if way.unavailable:
        middle = y + texts.lines[0].face.line // 2
        draw_sign(sheet, Tone.WARN, (x + _sign(sheet) // 2, middle), _sign(sheet))
    for line in texts.lines:
        y = sheet.put(line, x + texts.indent, y, line.width, soft, Align.LEFT)


def _draw_frame(sheet: Sheet, way: Way, rect: Rect) -> None:
    palette = sheet.palette
    if way.unavailable:
        sheet.plate(rect, palette.background, border=2, edge=palette.line)
    elif way.prominent:
        sheet.plate(rect, palette.paper, radius=28, border=5, edge=palette.primary)
    else:
        sheet.card(rect)


def _draw_picture(sheet: Sheet, way: Way, plate: Rect, picture: Rect) -> None:
    muted = bool(way.unavailable)
    palette = sheet.palette
    ground = mix(palette.background, palette.line, 0.35) if muted else palette.wash
    sheet.plate(plate, ground, radius=24)
    sheet.drawing(picture, way.picture.value, muted=muted)


# --- wide --------------------------------------------------------------------------------------


def wide_least(sheet: Sheet, way: Way, width: int, *, lowest: int = 240) -> int:
    """Least height in pixels of a wide way; not under ``lowest`` units."""
    words = _wide_columns(sheet, Rect(0, 0, width, sheet.u(_WIDE_MOST)))[1].w
    return max(sheet.u(lowest), _texts(sheet, way, words).height + 2 * sheet.u(28))


def draw_wide_way(sheet: Sheet, way: Way, rect: Rect) -> None:
    _draw_frame(sheet, way, rect)
    picture, words = _wide_columns(sheet, rect)
    _draw_picture(sheet, way, picture, picture)
    # Set in the width of the largest picture, as measured for the height.
    least = _wide_columns(sheet, Rect(rect.x, rect.y, rect.w, sheet.u(_WIDE_MOST)))[1]
    texts = _texts(sheet, way, min(words.w, least.w))
    _put_texts(sheet, way, texts, words.x, words.middle - texts.height // 2)


def _wide_columns(sheet: Sheet, rect: Rect) -> tuple[Rect, Rect]:
    """Places of the picture (left) and of the words."""
    pad = min(sheet.u(46), (rect.h - sheet.u(150)) // 2)
    height = min(rect.h - 2 * pad, sheet.u(PICTURE_SHAPE[1]))
    width = height * PICTURE_SHAPE[0] // PICTURE_SHAPE[1]
    picture = Rect(rect.x + sheet.u(50), rect.middle - height // 2, width, height)
    x = picture.right + sheet.u(48)
    return picture, Rect(x, rect.y, rect.right - sheet.u(40) - x, rect.h)


# --- tall --------------------------------------------------------------------------------------


def tall_least(sheet: Sheet, way: Way, width: int) -> int:
    """Least height in pixels of a tall way."""
    return sheet.u(36 + 160 + 28 + 36) + tall_words(sheet, way, width)


def tall_words(sheet: Sheet, way: Way, width: int) -> int:
    """Height in pixels of the words of a tall way."""
    return _tall_texts(sheet, way, width).height


def draw_tall_way(sheet: Sheet, way: Way, rect: Rect, words: int) -> None:
    """Picture above, then ``words`` pixels of height for the texts."""
    _draw_frame(sheet, way, rect)
    pad = sheet.u(36)
    plate = Rect(rect.x + pad, rect.y + pad, rect.w - 2 * pad, 0)
    height = min(sheet.u(280), rect.h - 2 * pad - sheet.u(28) - words)
    plate = plate._replace(h=height)
    width = min(plate.w, height * PICTURE_SHAPE[0] // PICTURE_SHAPE[1])
    picture = Rect(plate.centre - width // 2, plate.y, width, height)
    _draw_picture(sheet, way, plate, picture)
    texts = _tall_texts(sheet, way, rect.w)
    _put_texts(sheet, way, texts, rect.x + sheet.u(48), plate.bottom + sheet.u(28))


def _tall_texts(sheet: Sheet, way: Way, width: int) -> _Texts:
    return _texts(sheet, way, width - 2 * sheet.u(48))
