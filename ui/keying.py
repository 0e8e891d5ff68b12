"""The body on which a code is typed: boxes above, keys below."""

from __future__ import annotations

from ui.parts import draw_head, draw_message
from ui.scene import Rect, Role
from ui.sheet import Sheet
from ui.theme import SMALLEST_TARGET_MM, Face
from ui.views import CodeEntry
from ui.ways import draw_wide_way, wide_least

_BOX = 112
"""Units; the widest and highest box."""
_LEAST_BOX = 60
"""Units; rather than to be narrower, boxes go on a further line."""
_CHARACTER = Face(56, 64, bold=True)
_KEY = Face(48, 60, bold=True)
_KEY_HEIGHT = 128
_CONTROL_HEIGHT = 96
_LOW_ASIDE = 196


def draw_code_entry(sheet: Sheet, entry: CodeEntry, frame: Rect) -> int:
    if sheet.portrait:
        y = draw_head(sheet, frame, entry.title, entry.hint)
        y = _draw_boxes(sheet, entry, Rect(frame.x, y, frame.w, 0)) + sheet.u(40)
        if entry.message is not None:
            y = draw_message(sheet, entry.message, Rect(frame.x, y, frame.w, 0)) + sheet.u(40)
        aside = 0
        if entry.aside is not None:
            aside = wide_least(sheet, entry.aside, frame.w) + sheet.u(40)
        y = _draw_keys(sheet, entry, Rect(frame.x, y, frame.w, frame.bottom - y - aside))
        if entry.aside is None:
            return y
        place = Rect(frame.x, y + sheet.u(40), frame.w, aside - sheet.u(40))
        draw_wide_way(sheet, entry.aside, place)
        return place.bottom
    gap = sheet.u(72)
    right = Rect(frame.x + frame.w * 46 // 100 + gap, frame.y, 0, frame.h)
    right = right._replace(w=frame.right - right.x)
    left = Rect(frame.x, frame.y, right.x - gap - frame.x, frame.h)
    y = draw_head(sheet, left, entry.title, entry.hint)
    y = _draw_boxes(sheet, entry, Rect(left.x, y, left.w, 0))
    if entry.message is not None:
        y = draw_message(sheet, entry.message, Rect(left.x, y + sheet.u(32), left.w, 0))
    if entry.aside is not None:
        least = wide_least(sheet, entry.aside, left.w, lowest=_LOW_ASIDE)
        place = Rect(left.x, max(y + sheet.u(32), left.bottom - least), left.w, least)
        draw_wide_way(sheet, entry.aside, place)
        y = place.bottom
    return max(y, _draw_keys(sheet, entry, right))


# --- boxes -------------------------------------------------------------------------------------


def _draw_boxes(sheet: Sheet, entry: CodeEntry, place: Rect) -> int:
    """One box a character in groups, on as few lines as may be; returns where they end."""
    lines = _lines(sheet, entry.groups, place.w)
    gap, between, below = _box_gaps(sheet)
    width = min(sheet.u(_BOX), *(_box_width(sheet, line, place.w) for line in lines))
    height = min(sheet.u(_BOX), width * 9 // 8)
    index, y = 0, place.y
    for line in lines:
        x = place.x
        for group in line:
            for _ in range(group):
                _draw_box(sheet, entry.typed, index, Rect(x, y, width, height))
                index += 1
                x += width + gap
            x += between - gap
        y += height + below
    return y - below


def _box_gaps(sheet: Sheet) -> tuple[int, int, int]:
    """Pixels between two boxes, two groups, two lines."""
    return sheet.u(10), sheet.u(40), sheet.u(20)


def _lines(sheet: Sheet, groups: tuple[int, ...], width: int) -> list[tuple[int, ...]]:
    """The groups on as few lines as leave every box wide enough."""
    for count in range(1, len(groups) + 1):
        each = -(-len(groups) // count)
        lines = [groups[at : at + each] for at in range(0, len(groups), each)]
        if all(_box_width(sheet, line, width) >= sheet.u(_LEAST_BOX) for line in lines):
            return lines
    return [(group,) for group in groups]


def _box_width(sheet: Sheet, line: tuple[int, ...], width: int) -> int:
    gap, between, _ = _box_gaps(sheet)
    boxes = sum(line)
    free = width - between * (len(line) - 1) - gap * (boxes - len(line))
    return max(1, free // max(1, boxes))


def _draw_box(sheet: Sheet, typed: str, index: int, rect: Rect) -> None:
    palette = sheet.palette
    if index == len(typed):
        sheet.plate(rect, palette.paper, radius=16, border=5, edge=palette.primary)
    else:
        sheet.plate(rect, palette.paper, radius=16, border=3, edge=palette.line)
    if index < len(typed):
        sheet.label(typed[index], _CHARACTER, rect, palette.ink)


# --- keys --------------------------------------------------------------------------------------


def _draw_keys(sheet: Sheet, entry: CodeEntry, place: Rect) -> int:
    """Keys in a grid, clear and erase below; returns where they end, below everything that can be
    seen when the keys would be too narrow to be hit.
    """
    gap = max(sheet.u(16), sheet.gap)
    columns = max(len(row) for row in entry.keys)
    width = (place.w - gap * (columns - 1)) // columns
    if width < sheet.theme.mm(SMALLEST_TARGET_MM):
        return sheet.size[1]
    control = sheet.theme.px(_CONTROL_HEIGHT)
    room = (place.h - control) // len(entry.keys) - gap
    height = max(sheet.target, min(sheet.theme.px(_KEY_HEIGHT), room))
    y = place.y
    for row in entry.keys:
        x = place.x + (place.w - len(row) * (width + gap) + gap) // 2
        for character in row:
            _draw_key(sheet, character, Rect(x, y, width, height))
            x += width + gap
        y += height + gap
    half = (place.w - gap) // 2
    sheet.button(entry.clear, Rect(place.x, y, half, control), on_page=True)
    sheet.button(entry.erase, Rect(place.right - half, y, half, control), on_page=True)
    return y + control


def _draw_key(sheet: Sheet, character: str, rect: Rect) -> None:
    name = f"key.{character}"
    sheet.plate(rect, sheet.palette.tint, radius=20, focus=name)
    sheet.label(character, _KEY, rect, sheet.palette.accent)
    sheet.touchable(name, Role.KEY, rect)
