"""Bodies that ask for something outside the screen: a card, a code, a number on the pad."""

from __future__ import annotations

from ui.parts import draw_head, draw_message
from ui.scene import Rect
from ui.sheet import Align, Setting, Sheet
from ui.views import Identify, PinEntry, Way

_PICTURE_SHAPE = (320, 248)
"""Width and height of the drawings' view boxes."""


def draw_identify(sheet: Sheet, identify: Identify, frame: Rect) -> int:
    y = draw_head(sheet, frame, identify.title, identify.hint, identify.steps)
    if identify.message is not None:
        y = draw_message(sheet, identify.message, Rect(frame.x, y, frame.w, 0)) + sheet.u(32)
    ways = identify.ways
    if not ways:
        return y
    if sheet.portrait:
        gap = sheet.u(36)
        room = (frame.bottom - y - gap * (len(ways) - 1)) // len(ways)
        least = max(_wide_least(sheet, way, frame.w) for way in ways)
        height = max(least, min(sheet.u(340), room))
        for way in ways:
            _wide_way(sheet, way, Rect(frame.x, y, frame.w, height))
            y += height + gap
        return y - gap
    gap = sheet.u(32)
    width = min(sheet.u(880), (frame.w - gap * (len(ways) - 1)) // len(ways))
    least = max(_tall_least(sheet, way, width) for way in ways)
    height = max(least, min(sheet.u(560), frame.bottom - y))
    words = max(_texts_height(sheet, _tall_texts(sheet, way, width)) for way in ways)
    for index, way in enumerate(ways):
        _tall_way(sheet, way, Rect(frame.x + index * (width + gap), y, width, height), words)
    return y + height


def _frame_of(sheet: Sheet, way: Way, rect: Rect) -> None:
    if way.prominent:
        palette = sheet.palette
        sheet.plate(rect, palette.paper, radius=28, border=5, edge=palette.primary)
    else:
        sheet.card(rect)


def _texts(sheet: Sheet, way: Way, width: int) -> tuple[Setting, list[Setting]]:
    kinds = sheet.theme.type
    title = sheet.set(way.title, kinds.title, width, most=2, balance=True)
    return title, [sheet.set(line, kinds.lead, width, most=2) for line in way.lines]


def _texts_height(sheet: Sheet, texts: tuple[Setting, list[Setting]]) -> int:
    title, lines = texts
    return title.height + sheet.u(12 if lines else 0) + sum(line.height for line in lines)


def _put_texts(
    sheet: Sheet, texts: tuple[Setting, list[Setting]], x: int, y: int, width: int
) -> int:
    title, lines = texts
    y = sheet.put(title, x, y, width, sheet.palette.ink, Align.LEFT) + sheet.u(12)
    for line in lines:
        y = sheet.put(line, x, y, width, sheet.palette.ink_2, Align.LEFT)
    return y


def _wide_columns(sheet: Sheet, rect: Rect) -> tuple[Rect, Rect]:
    """Places of the picture (left) and of the words."""
    pad = min(sheet.u(46), (rect.h - sheet.u(150)) // 2)
    height = min(rect.h - 2 * pad, sheet.u(_PICTURE_SHAPE[1]))
    width = height * _PICTURE_SHAPE[0] // _PICTURE_SHAPE[1]
    picture = Rect(rect.x + sheet.u(50), rect.middle - height // 2, width, height)
    x = picture.right + sheet.u(48)
    return picture, Rect(x, rect.y, rect.right - sheet.u(40) - x, rect.h)


def _wide_least(sheet: Sheet, way: Way, width: int) -> int:
    words = _wide_columns(sheet, Rect(0, 0, width, sheet.u(340)))[1].w
    return max(sheet.u(240), _texts_height(sheet, _texts(sheet, way, words)) + 2 * sheet.u(28))


def _wide_way(sheet: Sheet, way: Way, rect: Rect) -> None:
    _frame_of(sheet, way, rect)
    picture, words = _wide_columns(sheet, rect)
    sheet.plate(picture, sheet.palette.wash, radius=24)
    sheet.drawing(picture, way.picture.value)
    # Set in the width of the largest picture, as measured for the height.
    least = _wide_columns(sheet, Rect(rect.x, rect.y, rect.w, sheet.u(340)))[1]
    texts = _texts(sheet, way, min(words.w, least.w))
    y = words.middle - _texts_height(sheet, texts) // 2
    _put_texts(sheet, texts, words.x, y, words.w)


def _tall_least(sheet: Sheet, way: Way, width: int) -> int:
    words = _texts_height(sheet, _tall_texts(sheet, way, width))
    return sheet.u(36 + 160 + 28 + 36) + words


def _tall_texts(sheet: Sheet, way: Way, width: int) -> tuple[Setting, list[Setting]]:
    return _texts(sheet, way, width - 2 * sheet.u(48))


def _tall_way(sheet: Sheet, way: Way, rect: Rect, words: int) -> None:
    """Picture above, then ``words`` pixels of height for the texts."""
    _frame_of(sheet, way, rect)
    pad = sheet.u(36)
    texts = _tall_texts(sheet, way, rect.w)
    plate = Rect(rect.x + pad, rect.y + pad, rect.w - 2 * pad, 0)
    height = min(sheet.u(280), rect.h - 2 * pad - sheet.u(28) - words)
    plate = plate._replace(h=height)
    sheet.plate(plate, sheet.palette.wash, radius=24)
    width = min(plate.w, height * _PICTURE_SHAPE[0] // _PICTURE_SHAPE[1])
    sheet.drawing(Rect(plate.centre - width // 2, plate.y, width, height), way.picture.value)
    _put_texts(
        sheet, texts, rect.x + sheet.u(48), plate.bottom + sheet.u(28), rect.w - 2 * sheet.u(48)
    )


def draw_pin_entry(sheet: Sheet, entry: PinEntry, frame: Rect) -> int:
    if sheet.portrait:
        y = draw_head(sheet, frame, entry.title, entry.hint, entry.steps)
        y = _circles(sheet, entry, Rect(frame.x, y + sheet.u(16), frame.w, sheet.u(200)))
        if entry.message is not None:
            y = draw_message(sheet, entry.message, Rect(frame.x, y, frame.w, 0)) + sheet.u(36)
        height = max(sheet.u(326), _wide_least(sheet, entry.aside, frame.w))
        _wide_way(sheet, entry.aside, Rect(frame.x, y, frame.w, height))
        return y + height
    gap = sheet.u(64)
    left = Rect(frame.x, frame.y, frame.w * 60 // 100, frame.h)
    right = Rect(left.right + gap, frame.y, frame.right - left.right - gap, frame.h)
    y = draw_head(sheet, left, entry.title, entry.hint, entry.steps)
    y = _circles(sheet, entry, Rect(left.x, y, left.w, sheet.u(168)))
    if entry.message is not None:
        y = draw_message(sheet, entry.message, Rect(left.x, y, left.w, 0))
    height = max(_tall_least(sheet, entry.aside, right.w), min(right.h, sheet.u(580)))
    words = _texts_height(sheet, _tall_texts(sheet, entry.aside, right.w))
    _tall_way(sheet, entry.aside, Rect(right.x, right.y, right.w, height), words)
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
