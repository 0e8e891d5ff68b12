"""Bodies that invite and offer: idle screen, menu."""

from __future__ import annotations

from ui.parts import draw_head, draw_message
from ui.scene import Colour, Rect, Role
from ui.sheet import Align, Setting, Sheet
from ui.theme import Face, mix
from ui.views import Idle, Menu, Tile

_GAP = 28


def draw_idle(sheet: Sheet, idle: Idle, frame: Rect) -> int:
    """Clock and date above, the invitation in the reach of a hand below."""
    palette = sheet.palette
    whole = Rect(0, 0, *sheet.size)
    sheet.fill(whole, palette.header)
    white = palette.on_header
    soft = mix(palette.header, white, 0.85)
    for share, spread in ((0.05, 1.0), (0.06, 0.72), (0.08, 0.44)):
        side = int(min(whole.w, whole.h) * (0.9 if sheet.portrait else 0.84) * spread)
        x = whole.centre if sheet.portrait else whole.w * 3 // 4
        y = whole.h // 2 if sheet.portrait else whole.middle
        sheet.disc((x, y), side, mix(palette.header, white, share))
    margin = sheet.u(88)
    if sheet.portrait:
        column = whole.inset(margin, 0)
        align, y = Align.CENTRE, whole.h * 11 // 100
        title_y = whole.h * 44 // 100
        button = Rect(column.x, whole.h * 79 // 100, column.w, sheet.u(152))
    else:
        column = Rect(margin, 0, whole.w // 2 - margin, whole.h)
        align, y = Align.LEFT, whole.h * 10 // 100
        title_y = whole.h * 42 // 100
        x = whole.w * 3 // 4 - sheet.u(300)
        button = Rect(x, whole.middle - sheet.u(76), sheet.u(600), sheet.u(152))
    place = Rect(column.x, y, column.w, 0)
    y = sheet.paragraph(idle.clock, Face(132, 150, bold=True), place, white, align=align)
    place = Rect(column.x, y, column.w, 0)
    sheet.paragraph(idle.date, Face(40, 56), place, soft, align=align)
    place = Rect(column.x, title_y, column.w, 0)
    y = sheet.paragraph(
        idle.title, Face(80, 104, bold=True), place, white, most=2, align=align, balance=True
    )
    place = Rect(column.x, y + sheet.u(20), column.w, 0)
    sheet.paragraph(idle.hint, Face(38, 58), place, soft, most=3, align=align, balance=True)
    sheet.plate(button, palette.paper, radius=76, focus="start")
    inner = button.inset(sheet.u(48), sheet.u(12))
    sheet.label(idle.invitation, Face(48, 64, bold=True), inner, palette.accent, most=2)
    sheet.touchable("start", Role.SCREEN, whole)
    return button.bottom


def draw_menu(sheet: Sheet, menu: Menu, frame: Rect) -> int:
    if sheet.theme.large:
        return _one_column(sheet, menu, frame)
    if sheet.portrait:
        return _tall(sheet, menu, frame)
    return _wide(sheet, menu, frame)


def _opening(sheet: Sheet, menu: Menu, place: Rect) -> int:
    y = draw_head(sheet, place, menu.title, menu.hint)
    if menu.message is not None:
        y = draw_message(sheet, menu.message, Rect(place.x, y, place.w, 0)) + sheet.u(_GAP)
    return y


def _tall(sheet: Sheet, menu: Menu, frame: Rect) -> int:
    gap = max(sheet.u(_GAP), sheet.gap)
    y = _opening(sheet, menu, frame)
    if menu.first is not None:
        first = Rect(frame.x, y, frame.w, _first_height(sheet, menu.first, frame.w))
        _first(sheet, menu.first, first)
        y = first.bottom + gap
    if menu.tiles:
        # A tile alone is a bar over the whole width: half a row would look forgotten.
        alone = len(menu.tiles) == 1
        columns = 1 if alone else 2
        width = frame.w if alone else (frame.w - gap) // 2
        tall = _flat_height if alone else _tile_height
        height = max(tall(sheet, tile, width) for tile in menu.tiles)
        place = Rect(frame.x, y, frame.w, height)
        y = _grid(sheet, menu.tiles, place, columns=columns, flat=alone) + gap
    if menu.links:
        y = _links(sheet, menu, Rect(frame.x, y, frame.w, 0), min(4, len(menu.links))) + gap
    return y - gap


def _wide(sheet: Sheet, menu: Menu, frame: Rect) -> int:
    gap = max(sheet.u(24), sheet.gap)
    left = Rect(frame.x, frame.y, frame.w * 35 // 100, frame.h)
    right = Rect(left.right + sheet.u(56), frame.y, frame.right - left.right - sheet.u(56), frame.h)
    y = _opening(sheet, menu, left)
    links = sheet.u(96) * -(-len(menu.links) // 2) + gap * (-(-len(menu.links) // 2) - 1)
    if menu.first is not None:
        least = _first_height(sheet, menu.first, left.w)
        end = left.bottom - (links + gap if menu.links else 0)
        height = max(least, min(end - y, sheet.u(330)))
        _first(sheet, menu.first, Rect(left.x, y, left.w, height))
        y += height + gap
    if menu.links:
        top = max(y, left.bottom - links) if menu.first is not None else y
        y = _links(sheet, menu, Rect(left.x, top, left.w, 0), min(2, len(menu.links))) + gap
    if not menu.tiles:
        return y - gap
    width = (right.w - gap) // 2
    rows = -(-len(menu.tiles) // 2)
    least = max(_flat_height(sheet, tile, width) for tile in menu.tiles)
    height = max(least, min((right.h - gap * (rows - 1)) // rows, sheet.u(300)))
    place = Rect(right.x, right.y, right.w, height)
    end = _grid(sheet, menu.tiles, place, columns=2, flat=True)
    return max(y - gap, end)


def _one_column(sheet: Sheet, menu: Menu, frame: Rect) -> int:
    """For large type: every choice is one wide bar, as the first one."""
    y = _opening(sheet, menu, frame)
    gap = max(sheet.u(32), sheet.gap)
    tiles = ((menu.first,) if menu.first else ()) + menu.tiles
    columns = 1 if sheet.portrait or len(tiles) < 3 else 2
    width = (frame.w - gap * (columns - 1)) // columns
    rows = -(-len(tiles) // columns)
    room = frame.bottom - y - (sheet.u(112) + gap if menu.links else 0)
    least = sheet.u(150)
    height = max(least, min(sheet.u(236), (room - gap * (rows - 1)) // max(1, rows)))
    for index, tile in enumerate(tiles):
        place = Rect(
            frame.x + (index % columns) * (width + gap),
            y + (index // columns) * (height + gap),
            width,
            height,
        )
        _bar(sheet, tile, place, strong=tile is menu.first)
    y += rows * (height + gap)
    if menu.links:
        y = _links(sheet, menu, Rect(frame.x, y, frame.w, 0), min(2, len(menu.links))) + gap
    return y - gap


# --- tiles -------------------------------------------------------------------------------------


def _first_height(sheet: Sheet, tile: Tile, width: int) -> int:
    title, hint = _first_texts(sheet, tile, width)
    return max(sheet.u(220), title.height + hint.height + sheet.u(8) + 2 * sheet.u(40))


def _first_texts(sheet: Sheet, tile: Tile, width: int) -> tuple[Setting, Setting]:
    inner = width - 2 * sheet.u(56) - sheet.u(72)
    title = sheet.set(tile.title, Face(56, 74, bold=True), inner, most=2, balance=True)
    return title, sheet.set(_words(tile), Face(32, 46), inner, most=3)


def _words(tile: Tile) -> str:
    return tile.hint if tile.enabled else tile.note


def _first(sheet: Sheet, tile: Tile, rect: Rect) -> None:
    palette = sheet.palette
    title, hint = _first_texts(sheet, tile, rect.w)
    if tile.enabled:
        sheet.plate(rect, palette.primary, radius=28, focus=tile.id)
        sheet.touchable(tile.id, Role.TILE, rect)
        ink, soft = palette.on_primary, mix(palette.primary, palette.on_primary, 0.9)
    else:
        sheet.plate(rect, palette.background, radius=28, border=2, edge=palette.line)
        ink, soft = palette.ink_2, palette.warn
    x, width = rect.x + sheet.u(56), rect.w - 2 * sheet.u(56)
    y = rect.y + (rect.h - title.height - hint.height - sheet.u(8)) // 2
    y = sheet.put(title, x, y, width, ink, Align.LEFT) + sheet.u(8)
    sheet.put(hint, x, y, width, soft, Align.LEFT)
    if tile.enabled:
        _chevron(sheet, rect, ink, palette.primary)


def _chevron(sheet: Sheet, rect: Rect, colour: Colour, ground: Colour) -> None:
    side = sheet.u(48)
    x = rect.right - sheet.u(48) - side
    sheet.drawing(Rect(x, rect.middle - side // 2, side, side), "chevron", (colour, ground))


def _bar(sheet: Sheet, tile: Tile, rect: Rect, *, strong: bool) -> None:
    palette = sheet.palette
    if not tile.enabled:
        ground, ink = palette.background, palette.ink_2
        sheet.plate(rect, ground, radius=28, border=3, edge=palette.line)
    elif strong:
        ground, ink = palette.primary, palette.on_primary
        sheet.plate(rect, ground, radius=28, focus=tile.id)
    else:
        ground, ink = palette.paper, palette.accent
        sheet.plate(rect, ground, radius=28, border=4, edge=palette.primary, focus=tile.id)
    inner = Rect(rect.x + sheet.u(56), rect.y, rect.w - 2 * sheet.u(56) - sheet.u(72), rect.h)
    if tile.enabled:
        sheet.touchable(tile.id, Role.TILE, rect)
        sheet.label(tile.title, Face(72, 92, bold=True), inner, ink, most=2, align=Align.LEFT)
        _chevron(sheet, rect, ink, ground)
        return
    title = sheet.set(tile.title, Face(60, 80, bold=True), inner.w)
    note = sheet.set(tile.note, Face(40, 54), inner.w)
    y = rect.y + (rect.h - title.height - note.height) // 2
    y = sheet.put(title, inner.x, y, inner.w, ink, Align.LEFT)
    sheet.put(note, inner.x, y, inner.w, palette.warn, Align.LEFT)


def _tile_texts(sheet: Sheet, tile: Tile, width: int) -> tuple[Setting, Setting]:
    title = sheet.set(tile.title, Face(42, 58, bold=True), width, most=2, balance=True)
    return title, sheet.set(_words(tile), Face(28, 40), width, most=2)


def _tile_height(sheet: Sheet, tile: Tile, width: int) -> int:
    title, hint = _tile_texts(sheet, tile, width - 2 * sheet.u(40))
    return sheet.u(36 + 84 + 20 + 4 + 34) + title.height + hint.height


def _flat_height(sheet: Sheet, tile: Tile, width: int) -> int:
    title, hint = _tile_texts(sheet, tile, _flat_text_width(sheet, width))
    return sheet.u(2 * 32 + 4) + title.height + hint.height


def _flat_text_width(sheet: Sheet, width: int) -> int:
    return width - sheet.u(40 + 84 + 28 + 32)


def _grid(
    sheet: Sheet, tiles: tuple[Tile, ...], row: Rect, *, columns: int, flat: bool = False
) -> int:
    """Tiles in rows of the height of ``row``; returns where the last row ends."""
    gap = max(sheet.u(24 if flat else _GAP), sheet.gap)
    width = (row.w - gap * (columns - 1)) // columns
    y = row.y
    for index, tile in enumerate(tiles):
        column = index % columns
        if column == 0 and index:
            y += row.h + gap
        _tile(sheet, tile, Rect(row.x + column * (width + gap), y, width, row.h), flat=flat)
    return y + row.h


def _tile(sheet: Sheet, tile: Tile, rect: Rect, *, flat: bool) -> None:
    """Glyph, title and hint: one below the other, or (flat) the glyph at the left."""
    palette = sheet.palette
    if tile.enabled:
        sheet.card(rect, focus=tile.id)
        sheet.touchable(tile.id, Role.TILE, rect)
        ground, sign, ink, soft = palette.tint, palette.accent, palette.ink, palette.ink_2
    else:
        sheet.plate(rect, palette.background, border=2, edge=palette.line)
        ground, sign, ink, soft = palette.line, palette.ink_2, palette.ink_2, palette.warn
    pad, side = sheet.u(40), sheet.u(84)
    if flat:
        icon = Rect(rect.x + pad, rect.middle - side // 2, side, side)
        x, width = icon.right + sheet.u(28), _flat_text_width(sheet, rect.w)
        title, hint = _tile_texts(sheet, tile, width)
        y = rect.middle - (title.height + hint.height + sheet.u(4)) // 2
    else:
        width = rect.w - 2 * pad
        title, hint = _tile_texts(sheet, tile, width)
        used = side + sheet.u(20 + 4) + title.height + hint.height
        top = rect.y + min(sheet.u(36), (rect.h - used) // 2)
        icon = Rect(rect.x + pad, top, side, side)
        x, y = icon.x, icon.bottom + sheet.u(20)
    sheet.plate(icon, ground, radius=22)
    sheet.label(tile.glyph, Face(44, 60, bold=True), icon, sign)
    y = sheet.put(title, x, y, width, ink, Align.LEFT) + sheet.u(4)
    sheet.put(hint, x, y, width, soft, Align.LEFT)


def _links(sheet: Sheet, menu: Menu, place: Rect, columns: int) -> int:
    palette = sheet.palette
    gap = max(sheet.u(20), sheet.gap)
    height = max(sheet.u(104 if sheet.portrait else 96), sheet.target)
    width = (place.w - gap * (columns - 1)) // columns
    y = place.y
    for index, link in enumerate(menu.links):
        column = index % columns
        if column == 0 and index:
            y += height + gap
        rect = Rect(place.x + column * (width + gap), y, width, height)
        inner = rect.inset(sheet.u(12), sheet.u(8))
        if link.enabled:
            sheet.plate(rect, palette.tint, radius=24, focus=link.id)
            sheet.touchable(link.id, Role.LINK, rect)
            colour = palette.accent
        else:
            sheet.plate(rect, palette.background, radius=24, border=2, edge=palette.line)
            colour = palette.ink_3
        sheet.label(link.label, Face(32, 42, bold=True), inner, colour, most=2)
    return y + height
