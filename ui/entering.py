"""Bodies that ask for something outside the screen: a card, a code, a number on the pad."""

from __future__ import annotations

from ui.parts import draw_head, draw_message
from ui.scene import Rect
from ui.sheet import Sheet
from ui.views import Identify, PinEntry, Way
from ui.ways import draw_tall_way, draw_wide_way, tall_least, tall_words, wide_least

_ACTION_HEIGHT = 96
_MOST_WAY = 880


def draw_identify(sheet: Sheet, identify: Identify, frame: Rect) -> int:
    y = draw_head(sheet, frame, identify.title, identify.hint, identify.steps)
    if identify.message is not None:
        y = draw_message(sheet, identify.message, Rect(frame.x, y, frame.w, 0)) + sheet.u(32)
    ways, action = identify.ways, identify.action
    gap = sheet.u(36 if sheet.portrait else 32)
    button = max(sheet.u(_ACTION_HEIGHT), sheet.target)
    if ways:
        end = frame.bottom - (button + gap if action else 0)
        draw = _draw_column if sheet.portrait else _draw_row
        y = draw(sheet, ways, Rect(frame.x, y, frame.w, end - y), gap)
    if action is None:
        return y
    y += gap if ways else 0
    width = frame.w if sheet.portrait or not ways else _row_width(sheet, len(ways), frame.w, gap)
    sheet.button(action, Rect(frame.x, y, width, button), on_page=True)
    return y + button


def _row_width(sheet: Sheet, count: int, most: int, gap: int) -> int:
    """Pixels that so many ways side by side take."""
    return min(most, count * sheet.theme.px(_MOST_WAY) + (count - 1) * gap)


def _draw_column(sheet: Sheet, ways: tuple[Way, ...], place: Rect, gap: int) -> int:
    room = (place.h - gap * (len(ways) - 1)) // len(ways)
    least = max(wide_least(sheet, way, place.w) for way in ways)
    height = max(least, min(sheet.u(340), room))
    y = place.y
    for way in ways:
        draw_wide_way(sheet, way, Rect(place.x, y, place.w, height))
        y += height + gap
    return y - gap


def _draw_row(sheet: Sheet, ways: tuple[Way, ...], place: Rect, gap: int) -> int:
    total = _row_width(sheet, len(ways), place.w, gap)
    width = (total - gap * (len(ways) - 1)) // len(ways)
    least = max(tall_least(sheet, way, width) for way in ways)
    height = max(least, min(sheet.u(560), place.h))
    words = max(tall_words(sheet, way, width) for way in ways)
    for index, way in enumerate(ways):
        x = place.x + index * (width + gap)
        draw_tall_way(sheet, way, Rect(x, place.y, width, height), words)
    return place.y + height


def draw_pin_entry(sheet: Sheet, entry: PinEntry, frame: Rect) -> int:
    if sheet.portrait:
        y = draw_head(sheet, frame, entry.title, entry.hint, entry.steps)
        y = _circles(sheet, entry, Rect(frame.x, y + sheet.u(16), frame.w, sheet.u(200)))
        if entry.message is not None:
            y = draw_message(sheet, entry.message, Rect(frame.x, y, frame.w, 0)) + sheet.u(36)
        height = max(sheet.u(326), wide_least(sheet, entry.aside, frame.w))
        draw_wide_way(sheet, entry.aside, Rect(frame.x, y, frame.w, height))
        return y + height
    gap = sheet.u(64)
    left = Rect(frame.x, frame.y, frame.w * 60 // 100, frame.h)
    right = Rect(left.right + gap, frame.y, frame.right - left.right - gap, frame.h)
    y = draw_head(sheet, left, entry.title, entry.hint, entry.steps)
    y = _circles(sheet, entry, Rect(left.x, y, left.w, sheet.u(168)))
    if entry.message is not None:
        y = draw_message(sheet, entry.message, Rect(left.x, y, left.w, 0))
    height = max(tall_least(sheet, entry.aside, right.w), min(right.h, sheet.u(580)))
    words = tall_words(sheet, entry.aside, right.w)
    draw_tall_way(sheet, entry.aside, Rect(right.x, right.y, right.w, height), words)
    return max(y, right.y + height)


def _circles(sheet: Sheet, entry: PinEntry, place: Rect) -> int:
    """One circle a digit, filled when its key was pressed; returns where the place ends."""
    palette = sheet.palette
    pitch = min(sheet.u(108), place.w // max(1, entry.length))
    side = min(sheet.u(64), pitch * 3 // 4)
    x = place.centre - pitch * (entry.length - 1) // 2
    for index in range(entry.length):
        centre = (x + index * pitch, place.middle)
        if index < entry.count:
            sheet.disc(centre, side, palette.primary)
        else:
            sheet.disc(centre, side, palette.paper, border=5, edge=palette.primary)
    return place.bottom
