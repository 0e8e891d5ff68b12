"""What surrounds a body: header, footer, the time-out box."""

from __future__ import annotations

from typing import assert_never

from ui.parts import draw_badges
from ui.scene import Rect, Role
from ui.sheet import Align, Setting, Sheet, shared
from ui.theme import Face, mix
from ui.views import (
    Countdown,
    Footer,
    Header,
    HomeFooter,
    TimeOut,
)

BUTTON_HEIGHT = 112
_FAINT_PLATE = 0.14
_DOT = " · "
_STRIP = 56
_LEAST_BETWEEN = 280
"""Units kept free between the buttons for the time left, and as much for states."""


def margin(sheet: Sheet) -> int:
    """Between the edge of the screen and everything, in pixels."""
    return sheet.theme.px(56 if sheet.portrait else 72)


def header_height(sheet: Sheet) -> int:
    return sheet.u(168 if sheet.portrait else 136)


def footer_height(sheet: Sheet, footer: HomeFooter | Footer | None) -> int:
    match footer:
        case None:
            return 0
        case HomeFooter():
            return sheet.u(176 if sheet.portrait else 120)
        case Footer():
            return sheet.u(176 if sheet.portrait else 144) + sheet.u(_strip(sheet, footer))
        case _ as impossible:
            assert_never(impossible)


def _strip(sheet: Sheet, footer: Footer) -> int:
    """Units of an extra line above the buttons, for what does not fit between them."""
    buttons = [action for action in (footer.back, footer.middle, footer.forward) if action]
    if not sheet.portrait or not buttons:
        return 0
    if footer.badges or (footer.countdown is not None and footer.middle is not None):
        return _STRIP
    if footer.countdown is None:
        return 0
    free = sheet.size[0] - 2 * margin(sheet)
    free -= sum(sheet.button_width(action) + sheet.u(24) for action in buttons)
    words = (footer.countdown.before, footer.countdown.after + "000")
    widest = max(sheet.natural_width(word, Face(28, 42)) for word in words)
    return _STRIP if widest > free else 0


# --- header ------------------------------------------------------------------------------------


def draw_header(sheet: Sheet, header: Header) -> None:
    palette = sheet.palette
    band = Rect(0, 0, sheet.size[0], header_height(sheet))
    sheet.fill(band, palette.header)
    left, side, gap = margin(sheet), sheet.u(104), sheet.u(16)
    right = band.w - left
    if header.tools:
        right -= len(header.tools) * side + (len(header.tools) - 1) * gap
    x = right
    for tool in header.tools:
        rect = Rect(x, band.middle - side // 2, side, side)
        faint = mix(palette.header, palette.on_header, _FAINT_PLATE)
        sheet.plate(rect, faint, radius=20, focus=tool.id)
        sheet.touchable(tool.id, Role.TOOL, rect)
        half = Rect(rect.x + sheet.u(4), rect.y + sheet.u(8), side - 2 * sheet.u(4), sheet.u(52))
        sheet.label(tool.glyph, Face(36, 52, bold=True), half, palette.on_header)
        below = Rect(half.x, half.bottom, half.w, sheet.u(32))
        sheet.label(tool.label, Face(26, 32), below, palette.on_header)
        x += side + gap
    width = right - left - (sheet.u(24) if header.tools else 0)
    title = sheet.set(header.title, Face(40, 56, bold=True), width, most=1)
    place = _place_lines(sheet, header.place, width)
    y = band.middle - (title.height + place.height + sheet.u(4)) // 2
    y = sheet.put(title, left, y, width, palette.on_header, Align.LEFT) + sheet.u(4)
    soft = mix(palette.header, palette.on_header, 0.88)
    sheet.put(place, left, y, width, soft, Align.LEFT)


def _place_lines(sheet: Sheet, place: str, width: int) -> Setting:
    """On one line, or broken at one of the dots between its parts."""
    face = Face(26, 36)
    parts = place.split(_DOT)
    for count in range(len(parts), 0, -1):
        head, tail = _DOT.join(parts[:count]), _DOT.join(parts[count:])
        if sheet.natural_width(head, face) <= width:
            return sheet.set(f"{head}\n{tail}" if tail else head, face, width, most=2)
    return sheet.set(place, face, width, most=2)


# --- footers -----------------------------------------------------------------------------------


def draw_footer(sheet: Sheet, footer: HomeFooter | Footer) -> None:
    height = footer_height(sheet, footer)
    width, bottom = sheet.size
    band = Rect(0, bottom - height, width, height)
    sheet.fill(band, sheet.palette.paper)
    sheet.fill(Rect(0, band.y, width, max(1, sheet.u(2))), sheet.palette.line)
    match footer:
        case HomeFooter():
            _home(sheet, footer, band)
        case Footer():
            _way(sheet, footer, band)
        case _ as impossible:
            assert_never(impossible)


def _home(sheet: Sheet, footer: HomeFooter, band: Rect) -> None:
    palette = sheet.palette
    inner = band.inset(margin(sheet), 0)
    phone = sheet.set(footer.phone, Face(46, 60, bold=True), inner.w // 3)
    label = sheet.set(footer.phone_label, Face(30, 44), inner.w // 2 - phone.width)
    y = band.middle - phone.face.line // 2
    sheet.put(
        label,
        inner.x,
        y + (phone.face.line - label.face.line) // 2 + sheet.u(4),
        inner.w,
        palette.ink_2,
        Align.LEFT,
    )
    sheet.put(phone, inner.x + label.width + sheet.u(12), y, inner.w, palette.accent, Align.LEFT)
    draw_badges(sheet, footer.badges, Rect(inner.centre, band.y, inner.w // 2, band.h), Align.RIGHT)


def _way(sheet: Sheet, footer: Footer, band: Rect) -> None:
    inner = band.inset(margin(sheet), 0)
    strip = sheet.u(_strip(sheet, footer))
    height = sheet.u(BUTTON_HEIGHT)
    y = band.y + strip + (band.h - strip - height) // 2
    gap = sheet.u(24)
    actions = [action for action in (footer.back, footer.middle, footer.forward) if action]
    between = 0 if strip else (footer.countdown is not None) + (1 if footer.badges else 0)
    room = inner.w - gap * len(actions) - between * sheet.u(_LEAST_BETWEEN)
    wishes = shared([sheet.button_width(action) for action in actions], room)
    widths = dict(zip((action.id for action in actions), wishes, strict=True))
    left, right = inner.x, inner.right
    if footer.back:
        sheet.button(footer.back, Rect(left, y, widths[footer.back.id], height))
        left += widths[footer.back.id] + gap
    if footer.forward:
        width = widths[footer.forward.id]
        sheet.button(footer.forward, Rect(right - width, y, width, height))
        right -= width + gap
    free = Rect(left, y, right - left, height)
    if footer.middle:
        width = widths[footer.middle.id]
        x = free.x + (free.w - width) // 2 if sheet.portrait else free.right - width
        sheet.button(footer.middle, Rect(x, y, width, height))
        free = Rect(left, y, x - gap - left, height)
    if strip:
        top = Rect(inner.x, band.y + sheet.u(22), inner.w, sheet.u(48))
        if footer.badges:
            right_half = Rect(top.centre, top.y, top.w // 2, top.h)
            draw_badges(sheet, footer.badges, right_half, Align.RIGHT)
        if footer.countdown:
            if footer.badges:
                draw_countdown(sheet, footer.countdown, top._replace(w=top.w // 2), Align.LEFT)
            else:
                draw_countdown(sheet, footer.countdown, top, Align.CENTRE)
        return
    if footer.badges:
        share = free.w // 2 if footer.countdown else free.w
        draw_badges(sheet, footer.badges, free._replace(w=share), Align.LEFT)
        free = Rect(free.x + share + gap, free.y, free.w - share - gap, free.h)
    if footer.countdown:
        draw_countdown(sheet, footer.countdown, free, Align.CENTRE)


def draw_countdown(sheet: Sheet, countdown: Countdown, place: Rect, align: Align) -> None:
    """Three pieces of one line; the place of the words does not depend on the digit drawn."""
    palette, face = sheet.palette, Face(28, 42)
    digits = sheet.set(str(countdown.seconds), Face(28, 42, bold=True), place.w)
    # Room for as many zeros as there are digits: figures are all equally wide.
    room = sheet.set("0" * max(2, len(str(countdown.seconds))), digits.face, place.w).width
    gap = sheet.u(8)
    y = place.middle - digits.face.line // 2
    words = sheet.set(countdown.before, face, place.w)
    before = sheet.natural_width(countdown.before, face) + gap if countdown.before else 0
    rest = room + gap + sheet.natural_width(countdown.after, face)
    if before and before + rest > place.w:
        if place.h * 10 >= (words.height + digits.face.line) * 9:
            y = place.middle - (words.height + digits.face.line) // 2
            y = sheet.put(words, place.x, y, place.w, palette.ink_2, align)
            before = 0
        else:
            before = max((place.w - room - gap) // 2, place.w - rest)
            words = sheet.set(countdown.before, face, before - gap)
    after = sheet.set(countdown.after, face, place.w - before - room - gap)
    total = before + room + gap + after.width
    x = place.x if align is Align.LEFT else place.x + (place.w - total) // 2
    if before:
        sheet.put(words, x, y, place.w, palette.ink_2, Align.LEFT)
    sheet.put(digits, x + before, y, room, palette.ink, Align.CENTRE)
    sheet.put(after, x + before + room + gap, y, place.w, palette.ink_2, Align.LEFT)


def draw_time_out(sheet: Sheet, box: TimeOut) -> None:
    """The box over the dimmed screen."""
    palette, kinds = sheet.palette, sheet.theme.type
    whole = Rect(0, 0, *sheet.size)
    sheet.veil(whole, palette.veil, 150)
    width = min(sheet.u(864), sheet.size[0] - 2 * margin(sheet))
    pad, ring = sheet.u(56), sheet.u(208)
    inner = width - 2 * pad
    title = sheet.set(box.title, kinds.title, inner, most=2, balance=True)
    hint = sheet.set(box.hint, kinds.lead, inner, most=3, balance=True)
    height = pad + ring + sheet.u(32) + title.height + sheet.u(8) + hint.height + sheet.u(48)
    height += sheet.u(BUTTON_HEIGHT) + pad
    plate = Rect((whole.w - width) // 2, (whole.h - height) // 2, width, height)
    sheet.plate(plate, palette.paper, radius=36)
    centre = (plate.centre, plate.y + pad + ring // 2)
    sheet.disc(centre, ring, palette.wash, border=10, edge=palette.primary)
    seconds = Rect(centre[0] - ring // 3, centre[1] - ring // 3, 2 * (ring // 3), 2 * (ring // 3))
    sheet.label(str(box.seconds), Face(88, 110, bold=True), seconds, palette.accent)
    x, y = plate.x + pad, plate.y + pad + ring + sheet.u(32)
    y = sheet.put(title, x, y, inner, palette.ink, Align.CENTRE) + sheet.u(8)
    y = sheet.put(hint, x, y, inner, palette.ink_2, Align.CENTRE) + sheet.u(48)
    row = Rect(x, y, inner, sheet.u(BUTTON_HEIGHT))
    actions = (box.action,) if box.leave is None else (box.leave, box.action)
    gap = sheet.u(32)
    each = (row.w - gap * (len(actions) - 1)) // len(actions)
    for index, action in enumerate(actions):
        sheet.button(action, Rect(row.x + index * (each + gap), row.y, each, row.h))
