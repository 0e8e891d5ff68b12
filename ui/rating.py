"""The body that asks for an evaluation: five faces, one touch."""

from __future__ import annotations

from ui.parts import draw_head, draw_sign
from ui.scene import Rect, Role
from ui.sheet import Align, Sheet
from ui.theme import Face
from ui.views import Grade, Rating, Tone


def _label(sheet: Sheet) -> Face:
    """Larger than a heading: it is read together with the face beside it."""
    kinds = sheet.theme.type
    if sheet.portrait:
        return kinds.title if sheet.theme.large else Face(44, 60, bold=True)
    return kinds.heading


def draw_rating(sheet: Sheet, rating: Rating, frame: Rect) -> int:
    """A portrait screen has wide bars one below the other, a landscape one columns."""
    y = draw_head(sheet, frame, rating.title, rating.hint)
    palette, caption = sheet.palette, sheet.theme.type.caption
    small = [sheet.set(line, caption, frame.w, most=2) for line in rating.lines]
    below = sum(line.height for line in small) + (sheet.u(32) if small else 0)
    count = max(1, len(rating.grades))
    gap = max(sheet.u(24), sheet.gap)
    room = frame.bottom - y - below
    if sheet.portrait:
        height = min(sheet.u(200), (room - gap * (count - 1)) // count)
        height = max(height, sheet.u(112), sheet.target)
        for grade in rating.grades:
            _draw_bar(sheet, grade, Rect(frame.x, y, frame.w, height), grade.id == rating.chosen)
            y += height + gap
        y -= gap
    else:
        width = (frame.w - gap * (count - 1)) // count
        face = _label(sheet)
        labels = [sheet.set(g.label, face, width - sheet.u(48), most=2) for g in rating.grades]
        words = max((label.height for label in labels), default=0)
        least = sheet.u(36 + 112 + 24 + 36) + words
        height = max(least, min(room, sheet.u(400)))
        for index, grade in enumerate(rating.grades):
            place = Rect(frame.x + index * (width + gap), y, width, height)
            _draw_column(sheet, grade, place, words, grade.id == rating.chosen)
        y += height
    if small:
        y += sheet.u(32)
    for line in small:
        y = sheet.put(line, frame.x, y, frame.w, palette.ink_2, Align.LEFT)
    return y


def _draw_plate(sheet: Sheet, grade: Grade, rect: Rect, chosen: bool) -> None:
    palette = sheet.palette
    if chosen:
        sheet.plate(rect, palette.tint, radius=28, border=5, edge=palette.primary, focus=grade.id)
    else:
        sheet.plate(rect, palette.paper, radius=28, border=2, edge=palette.line, focus=grade.id)
    sheet.touchable(grade.id, Role.BUTTON, rect)


def _draw_face(sheet: Sheet, grade: Grade, rect: Rect, chosen: bool) -> None:
    palette = sheet.palette
    colours = (palette.on_primary, palette.primary) if chosen else (palette.accent, palette.tint)
    sheet.drawing(rect, f"face-{grade.glyph}", colours)


def _draw_bar(sheet: Sheet, grade: Grade, rect: Rect, chosen: bool) -> None:
    _draw_plate(sheet, grade, rect, chosen)
    palette = sheet.palette
    side = min(sheet.u(112), rect.h - 2 * sheet.u(20))
    face = Rect(rect.x + sheet.u(48), rect.middle - side // 2, side, side)
    _draw_face(sheet, grade, face, chosen)
    sign = sheet.u(48)
    x = face.right + sheet.u(44)
    words = Rect(x, rect.y, rect.right - sheet.u(48) - sign - sheet.u(24) - x, rect.h)
    ink = palette.accent if chosen else palette.ink
    sheet.label(grade.label, _label(sheet), words, ink, most=2, align=Align.LEFT)
    if chosen:
        draw_sign(sheet, Tone.OK, (rect.right - sheet.u(48) - sign // 2, rect.middle), sign)


def _draw_column(sheet: Sheet, grade: Grade, rect: Rect, words: int, chosen: bool) -> None:
    """Face above, then ``words`` pixels of height for the label."""
    _draw_plate(sheet, grade, rect, chosen)
    pad, gap = sheet.u(36), sheet.u(24)
    side = min(sheet.u(168), rect.h - 2 * pad - gap - words, rect.w - 2 * pad)
    y = rect.y + (rect.h - side - gap - words) // 2
    _draw_face(sheet, grade, Rect(rect.centre - side // 2, y, side, side), chosen)
    ink = sheet.palette.accent if chosen else sheet.palette.ink
    inner = Rect(rect.x + sheet.u(24), y + side + gap, rect.w - 2 * sheet.u(24), words)
    sheet.label(grade.label, _label(sheet), inner, ink, most=2)
    if chosen:
        sign = sheet.u(48)
        at = sheet.u(20) + sign // 2
        draw_sign(sheet, Tone.OK, (rect.right - at, rect.y + at), sign)
