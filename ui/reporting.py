"""The overview: all about one person in blocks."""

from __future__ import annotations

from ui.parts import draw_sign, draw_steps
from ui.scene import Rect
from ui.sheet import Align, Setting, Sheet, shared
from ui.theme import Face, mix
from ui.views import Badge, Bars, Block, Figure, Overview, Tone

_GAP = 28
_MAIN_VALUE = Face(56, 72, bold=True)
_VALUE = Face(44, 60, bold=True)
_REVEAL_HEIGHT = 80


def draw_overview(sheet: Sheet, overview: Overview, frame: Rect) -> int:
    y = _head(sheet, overview, frame)
    gap = sheet.u(_GAP)
    if sheet.portrait:
        main = Rect(frame.x, y, frame.w, _height(sheet, overview.main, frame.w, main=True))
        _block(sheet, overview.main, main, main=True)
        rest = Rect(frame.x, main.bottom + gap, frame.w, 0)
        return _blocks(sheet, overview.blocks, rest) if overview.blocks else main.bottom
    if not overview.blocks:
        main = Rect(frame.x, y, frame.w, _height(sheet, overview.main, frame.w, main=True))
        _block(sheet, overview.main, main, main=True)
        return main.bottom
    width = frame.w * (42 if _columns(sheet, overview.blocks) == 3 else 50) // 100 - gap // 2
    right = Rect(frame.x + width + gap, y, frame.w - width - gap, 0)
    least = _height(sheet, overview.main, width, main=True)
    end = _blocks(sheet, overview.blocks, right, least=least)
    _block(sheet, overview.main, Rect(frame.x, y, width, end - y), main=True)
    return end


def _head(sheet: Sheet, overview: Overview, frame: Rect) -> int:
    palette, kinds = sheet.palette, sheet.theme.type
    y = frame.y
    if overview.steps is not None:
        y = draw_steps(sheet, overview.steps, Rect(frame.x, y, frame.w, frame.h)) + sheet.u(36)
    width = frame.w
    if overview.reveal is not None:
        reveal = overview.reveal
        height = max(sheet.u(_REVEAL_HEIGHT), sheet.target)
        button = min(sheet.button_width(reveal, least=200), frame.w * 2 // 5)
        rect = Rect(frame.right - button, y + (sheet.u(80) - height) // 2, button, height)
        width -= button + sheet.u(32)
        sheet.button(reveal, rect, on_page=True)
    top = y
    y = sheet.paragraph(
        overview.title,
        kinds.display,
        Rect(frame.x, y, width, 0),
        palette.ink,
        most=2,
        balance=True,
    )
    y = max(y, top + sheet.u(80)) + sheet.u(8)
    badge = overview.status
    pill = _pill_width(sheet, badge, frame.w) if badge else 0
    subtitle = sheet.set(overview.subtitle, kinds.lead, frame.w, most=2)
    beside = frame.w - pill - sheet.u(24)
    if badge is not None and subtitle.width > beside:
        y = sheet.put(subtitle, frame.x, y, frame.w, palette.ink_2, Align.LEFT) + sheet.u(8)
        _pill(sheet, badge, Rect(frame.x, y, pill, _pill_height(sheet)))
        return y + _pill_height(sheet) + sheet.u(32)
    end = sheet.put(subtitle, frame.x, y, frame.w, palette.ink_2, Align.LEFT)
    if badge is not None:
        x = frame.x + subtitle.width + sheet.u(24)
        middle, height = y + subtitle.face.line // 2, _pill_height(sheet)
        _pill(sheet, badge, Rect(x, middle - height // 2, pill, height))
    return end + sheet.u(36)


def _pill_height(sheet: Sheet) -> int:
    return max(sheet.u(48), sheet.smallest * 3 // 2)


def _pill_width(sheet: Sheet, badge: Badge, most: int) -> int:
    padding = sheet.u(16 + 28 + 10 + 20)
    return sheet.set(badge.text, Face(28, 42, bold=True), most - padding).width + padding


def _pill(sheet: Sheet, badge: Badge, rect: Rect) -> None:
    colour, ground = sheet.palette.of(badge.tone)
    sheet.plate(rect, ground, radius=24)
    dot = sheet.u(28)
    draw_sign(sheet, badge.tone, (rect.x + sheet.u(16) + dot // 2, rect.middle), dot)
    x = rect.x + sheet.u(16 + 28 + 10)
    text = sheet.set(badge.text, Face(28, 42, bold=True), rect.right - x)
    y = rect.middle - text.face.line // 2
    sheet.put(text, x, y, text.width, colour, Align.LEFT)


# --- blocks ------------------------------------------------------------------------------------


def _blocks(sheet: Sheet, blocks: tuple[Block, ...], place: Rect, *, least: int = 0) -> int:
    """Columns, rows of equally high blocks, together at least ``least`` pixels high.

    Returns where the last row ends.
    """
    gap, columns = sheet.u(_GAP), _columns(sheet, blocks)
    width = (place.w - gap * (columns - 1)) // columns
    rows = [blocks[index : index + columns] for index in range(0, len(blocks), columns)]
    heights = [max(_height(sheet, block, width) for block in row) for row in rows]
    spare = max(0, least - sum(heights) - gap * (len(rows) - 1))
    y = place.y
    for index, (row, natural) in enumerate(zip(rows, heights, strict=True)):
        height = natural + spare * (index + 1) // len(rows) - spare * index // len(rows)
        for column, block in enumerate(row):
            _block(sheet, block, Rect(place.x + column * (width + gap), y, width, height))
        y += height + gap
    return y - gap


def _columns(sheet: Sheet, blocks: tuple[Block, ...]) -> int:
    return 2 if sheet.portrait or len(blocks) <= 4 else 3


def _height(sheet: Sheet, block: Block, width: int, *, main: bool = False) -> int:
    """By drawing into a sheet of its own, so that measuring and drawing can't differ."""
    trial = sheet.blank()
    return _block(trial, block, Rect(0, 0, width, 0), main=main)


def _block(sheet: Sheet, block: Block, rect: Rect, *, main: bool = False) -> int:
    """Draw a block; returns where its content with the padding below ends."""
    palette = sheet.palette
    sheet.card(rect)
    pad = sheet.u(48 if main else 40)
    x, width = rect.x + pad, rect.w - 2 * pad
    y = sheet.paragraph(
        block.title,
        Face(36 if main else 34, 52, bold=True),
        Rect(x, rect.y + sheet.u(36 if main else 32), width, 0),
        palette.accent,
        most=2,
    )
    bottom = sheet.u(36 if main else 30)
    if block.unavailable:
        y += sheet.u(8)
        dot = sheet.u(32)
        left = x + dot + sheet.u(14)
        text = sheet.set(block.unavailable, Face(30, 44), x + width - left, most=3)
        draw_sign(sheet, Tone.WARN, (x + dot // 2, y + text.face.line // 2), dot)
        return sheet.put(text, left, y, width, palette.ink_2, Align.LEFT) + bottom
    if block.figures:
        place = Rect(x, y + sheet.u(16 if main else 4), width, 0)
        y = _figures(sheet, block.figures, place, _MAIN_VALUE if main else _VALUE)
    elif block.headline:
        y = sheet.paragraph(
            block.headline,
            _MAIN_VALUE if main else _VALUE,
            Rect(x, y + sheet.u(4), width, 0),
            palette.ink,
            most=2,
        )
    if block.lines:
        y += sheet.u(4)
        for line in block.lines:
            y = sheet.paragraph(line, Face(28, 42), Rect(x, y, width, 0), palette.ink_2, most=2)
    if block.bars is not None:
        y = _bars(sheet, block.bars, Rect(x, y + sheet.u(28 if main else 16), width, 0), main=main)
    return y + bottom


def _figures(sheet: Sheet, figures: tuple[Figure, ...], place: Rect, face: Face) -> int:
    """Side by side with equal gaps; one below the other where they would be too narrow."""
    least = sheet.u(40)
    free = place.w - least * (len(figures) - 1)
    words = [figure.value for figure in figures]
    values = [sheet.set(word, face, place.w) for word in words]
    captions = [sheet.set(figure.caption, Face(28, 42), place.w) for figure in figures]
    widths = [max(v.width, c.width) for v, c in zip(values, captions, strict=True)]
    if sum(widths) > free:
        widths = shared(widths, free)
        values = sheet.set_alike(words, face, widths)
        captions = [
            sheet.set(figure.caption, Face(28, 38), width, most=2)
            for figure, width in zip(figures, widths, strict=True)
        ]
        small = values[0].face.size * 3 < sheet.u(face.size) * 2
        cut = any(_cut(value, word) for value, word in zip(values, words, strict=True))
        if (small or cut) and not sheet.tightest:
            return _stacked(sheet, figures, place, face)
    gap = (place.w - sum(widths)) // max(1, len(figures) - 1) if len(figures) > 1 else 0
    gap = min(gap, sheet.u(96))
    line = max(value.face.line for value in values)
    x, end = place.x, place.y
    for value, caption, width in zip(values, captions, widths, strict=True):
        y = place.y + line - value.face.line
        sheet.put(value, x, y, width, sheet.palette.ink, Align.LEFT)
        y = place.y + line
        end = max(end, sheet.put(caption, x, y, width, sheet.palette.ink_2, Align.LEFT))
        x += width + gap
    return end


def _cut(setting: Setting, text: str) -> bool:
    return len(setting.lines) > 1 or len(setting.lines[0]) < len(text.strip())


def _stacked(sheet: Sheet, figures: tuple[Figure, ...], place: Rect, face: Face) -> int:
    y = place.y
    for figure in figures:
        y = sheet.paragraph(figure.value, face, Rect(place.x, y, place.w, 0), sheet.palette.ink)
        y = sheet.paragraph(
            figure.caption, Face(28, 42), Rect(place.x, y, place.w, 0), sheet.palette.ink_2, most=2
        ) + sheet.u(8)
    return y - sheet.u(8)


def _bars(sheet: Sheet, bars: Bars, place: Rect, *, main: bool) -> int:
    palette = sheet.palette
    height = sheet.u(164 if main else 96)
    count = max(1, len(bars.values))
    pitch = place.w / (count + (count - 1) * 0.46)
    width = min(sheet.u(72), int(pitch))
    step = (place.w - width) / (count - 1) if count > 1 else 0.0
    step = min(step, width * 2.0)
    solid = mix(palette.primary, palette.paper, 0.1)
    for index, (value, settled) in enumerate(zip(bars.values, bars.settled, strict=True)):
        tall = round(height * min(1.0, max(0.0, value)))
        if tall < 1:
            continue
        rect = Rect(place.x + round(index * step), place.y + height - tall, width, tall)
        if settled:
            sheet.plate(rect, solid, radius=8)
        else:
            sheet.plate(rect, palette.tint, radius=8, border=2, edge=solid)
    y = place.y + height + sheet.u(2)
    sheet.fill(Rect(place.x, y, place.w, max(1, sheet.u(2))), palette.line)
    if not bars.caption:
        return y + sheet.u(2)
    place = Rect(place.x, y + sheet.u(20), place.w, 0)
    return sheet.paragraph(bars.caption, Face(28, 42), place, palette.ink_2, most=2)
