"""Bodies that tell how things stand: progress, notice, done."""

from __future__ import annotations

from ui.chrome import BUTTON_HEIGHT
from ui.parts import draw_bar, draw_head, draw_sign
from ui.scene import Rect
from ui.sheet import Align, Setting, Sheet
from ui.theme import Face
from ui.views import Done, Notice, Picture, Progress, Tone

_SIGN_PICTURES = (Picture.WARNING, Picture.STOPPED, Picture.DONE, Picture.CLOCK)
"""Round signs; the others are illustrations of 320x248."""
_TEXT_WIDTH = 1160
"""Units; longer lines are tiring to read."""


def draw_progress(sheet: Sheet, progress: Progress, frame: Rect) -> int:
    palette, kinds = sheet.palette, sheet.theme.type
    y = draw_head(sheet, frame, progress.title, progress.hint, progress.steps)
    if progress.fraction is None:
        side = sheet.u(240)
        if progress.lines:
            y += sheet.u(24)
        else:  # nothing else to see: a little above the middle of what is free
            y += max(0, frame.bottom - y - side) * 2 // 5
        place = Rect(frame.centre - side // 2, y, side, side)
        sheet.drawing(place, Picture.CLOCK.value, palette.of(Tone.INFO))
        y += side + (sheet.u(48) if progress.lines else 0)
    else:
        bar = Rect(frame.x, y + sheet.u(16), frame.w, 0)
        y = draw_bar(sheet, progress.fraction, bar) + sheet.u(48)
    if not progress.lines:
        return y
    pad, dot = sheet.u(44), sheet.u(40)
    left = frame.x + pad + dot + sheet.u(24)
    width = frame.right - pad - left
    stages = [sheet.set(line.text, kinds.body, width, most=2) for line in progress.lines]
    gap = sheet.u(20)
    height = sum(stage.height + gap for stage in stages) - gap + 2 * sheet.u(36)
    sheet.card(Rect(frame.x, y, frame.w, height))
    end = y + height
    y += sheet.u(36)
    for line, stage in zip(progress.lines, stages, strict=True):
        middle = y + stage.face.line // 2
        draw_sign(sheet, line.tone, (frame.x + pad + dot // 2, middle), dot)
        colour = palette.ink if line.tone in (Tone.NEUTRAL, Tone.INFO) else palette.of(line.tone)[0]
        y = sheet.put(stage, left, y, width, colour, Align.LEFT) + gap
    return end


def draw_notice(sheet: Sheet, notice: Notice, frame: Rect) -> int:
    if not notice.code:
        return _told(sheet, notice, notice.tone, frame)
    code = sheet.set(notice.code, Face(26, 38), frame.w)
    room = frame._replace(h=frame.h - code.height - sheet.u(24))
    end = _told(sheet, notice, notice.tone, room)
    y = frame.bottom - code.height
    sheet.put(code, frame.x, y, frame.w, sheet.palette.ink_2, Align.CENTRE)
    return frame.bottom + max(0, end - room.bottom)


def draw_done(sheet: Sheet, done: Done, frame: Rect) -> int:
    return _told(sheet, done, Tone.OK, frame)


def _told(sheet: Sheet, told: Notice | Done, tone: Tone, frame: Rect) -> int:
    """Picture, what happened, what to do. Returns where it ends; too far down if it must.

    A portrait screen has the picture above and all lines centred, a landscape one has the
    picture at the left.
    """
    picture = _picture_box(sheet, told.picture)
    if sheet.portrait:
        trial = _words(sheet.blank(), told, frame._replace(y=0), Align.CENTRE)
        gap = sheet.u(48)
        free = max(0, frame.h - picture.h - gap - trial)
        y = frame.y + free * 2 // 5
        place = Rect(frame.centre - picture.w // 2, y, picture.w, picture.h)
        _picture(sheet, told.picture, tone, place)
        return _words(sheet, told, frame._replace(y=place.bottom + gap), Align.CENTRE)
    gap = sheet.u(88)
    width = min(frame.w - picture.w - gap, sheet.u(_TEXT_WIDTH if _has_card(told) else 900))
    trial = _words(sheet.blank(), told, Rect(0, 0, width, 0), Align.LEFT)
    x = frame.centre - (picture.w + gap + width) // 2
    middle = frame.y + max(frame.h, trial) // 2
    place = Rect(x, middle - picture.h // 2, picture.w, picture.h)
    _picture(sheet, told.picture, tone, place)
    words = Rect(place.right + gap, middle - trial // 2, width, 0)
    return _words(sheet, told, words, Align.LEFT)


def _has_card(told: Notice | Done) -> bool:
    return bool(told.lines) or (isinstance(told, Notice) and bool(told.facts))


def _words(sheet: Sheet, told: Notice | Done, place: Rect, align: Align) -> int:
    """Title, hint, lines and buttons from the top of ``place``; returns where they end."""
    palette, kinds = sheet.palette, sheet.theme.type
    gap = around = sheet.u(48 if sheet.portrait else 36)
    title = sheet.set(told.title, kinds.display, place.w, most=2, balance=True)
    y = sheet.put(title, place.x, place.y, place.w, palette.ink, align)
    if told.hint:
        hint = sheet.set(told.hint, kinds.lead, place.w, most=3, balance=True)
        y = sheet.put(hint, place.x, y + sheet.u(8), place.w, palette.ink_2, align)
    if isinstance(told, Notice) and told.facts:
        y = _facts_card(sheet, told.facts, Rect(place.x, y + gap, place.w, 0))
        gap = sheet.u(28)
    if told.lines:
        pad = sheet.u(42)
        face = Face(34, 54) if not sheet.theme.large else kinds.body
        lines = [sheet.set(line, face, place.w - 2 * pad, most=3) for line in told.lines]
        height = sum(line.height for line in lines) + 2 * sheet.u(36)
        y = _lines_card(sheet, lines, Rect(place.x, y + gap, place.w, height), pad)
    if told.actions:
        row = Rect(place.x, y + around, place.w, sheet.u(BUTTON_HEIGHT))
        sheet.row_of_buttons(told.actions, row, align=align)
        y = row.bottom
    return y


def _facts_card(sheet: Sheet, facts: tuple[tuple[str, str], ...], place: Rect) -> int:
    """Rows of a label (left) and a value (right) with thin lines between; returns the end."""
    palette, pad, gap = sheet.palette, sheet.u(48), sheet.u(32)
    face = Face(34, 50) if not sheet.theme.large else sheet.theme.type.body
    bold = Face(face.size, face.line, bold=True)
    inner = place.w - 2 * pad
    rows = []
    for label, value in facts:
        left = sheet.set(label, face, inner * 2 // 5, most=2)
        rows.append((left, sheet.set(value, bold, inner - left.width - gap, most=2)))
    around, edge = sheet.u(18 if sheet.portrait else 13), sheet.u(20 if sheet.portrait else 14)
    heights = [max(left.height, right.height) + 2 * around for left, right in rows]
    card = Rect(place.x, place.y, place.w, sum(heights) + 2 * edge)
    sheet.card(card)
    x, y = card.x + pad, card.y + edge
    for index, ((left, right), height) in enumerate(zip(rows, heights, strict=True)):
        if index:
            sheet.fill(Rect(x, y, inner, max(1, sheet.theme.px(2))), palette.line)
        sheet.put(left, x, y + around, inner, palette.ink_2, Align.LEFT)
        sheet.put(right, x, y + around, inner, palette.ink, Align.RIGHT)
        y += height
    return card.bottom


def _lines_card(sheet: Sheet, lines: list[Setting], rect: Rect, pad: int) -> int:
    sheet.card(rect)
    y = rect.y + sheet.u(36)
    for line in lines:
        y = sheet.put(line, rect.x + pad, y, rect.w - 2 * pad, sheet.palette.ink, Align.LEFT)
    return rect.bottom


def _picture_box(sheet: Sheet, picture: Picture) -> Rect:
    if picture in _SIGN_PICTURES:
        return Rect(0, 0, sheet.u(240), sheet.u(240))
    height = sheet.u(372 if sheet.portrait else 341)
    return Rect(0, 0, height * 320 // 248, height)


def _picture(sheet: Sheet, picture: Picture, tone: Tone, rect: Rect) -> None:
    if picture in _SIGN_PICTURES:
        sheet.drawing(rect, picture.value, sheet.palette.of(tone))
        return
    sheet.plate(rect, sheet.palette.paper, radius=28, border=2, edge=sheet.palette.line)
    sheet.drawing(rect, picture.value)
