"""Parts that several bodies share: signs of state, steps, title and hint, message boxes."""

from __future__ import annotations

from ui.scene import Rect
from ui.sheet import Align, Sheet
from ui.theme import Face
from ui.views import Badge, Message, Steps, Tone

_SIGNS = {Tone.NEUTRAL: "", Tone.INFO: "", Tone.OK: "tick", Tone.WARN: "alert", Tone.STOP: "cross"}


def draw_badges(sheet: Sheet, badges: tuple[Badge, ...], place: Rect, align: Align) -> None:
    """States side by side, each a small sign and a word."""
    if not badges:
        return
    gap, dot, between = sheet.u(12), sheet.u(28), sheet.u(32)
    each = (place.w - between * (len(badges) - 1)) // len(badges) - dot - gap
    settings = [sheet.set(badge.text, Face(28, 42), each) for badge in badges]
    total = sum(s.width + dot + gap for s in settings) + between * (len(badges) - 1)
    x = place.right - total if align is Align.RIGHT else place.x
    for badge, setting in zip(badges, settings, strict=True):
        draw_sign(sheet, badge.tone, (x + dot // 2, place.middle), dot)
        x += dot + gap
        colour = sheet.palette.of(badge.tone)[0]
        y = place.middle - setting.face.line // 2
        sheet.put(setting, x, y, place.w, colour, Align.LEFT)
        x += setting.width + between


def draw_sign(sheet: Sheet, tone: Tone, centre: tuple[int, int], diameter: int) -> None:
    """A small disc whose mark, not only its colour, tells the state."""
    colour = sheet.palette.of(tone)[0]
    if sign := _SIGNS[tone]:
        sheet.disc(centre, diameter, colour)
        side = diameter * 5 // 8
        rect = Rect(centre[0] - side // 2, centre[1] - side // 2, side, side)
        sheet.drawing(rect, sign, (sheet.palette.paper, colour))
    else:
        sheet.disc(centre, diameter * 5 // 8, sheet.palette.paper, border=4, edge=colour)


def draw_bar(sheet: Sheet, fraction: float | None, place: Rect) -> int:
    """How far something is, from the top of ``place``; returns where it ends.

    Args:
        fraction: 0.0..1.0, or None when it can't be told: then it has only just begun.
    """
    bar = place._replace(h=sheet.u(20))
    sheet.plate(bar, sheet.palette.line, radius=10)
    if fraction is None:
        done = 2 * bar.h
    else:
        share = min(1.0, max(0.0, fraction))
        done = max(bar.h, round(bar.w * share)) if share > 0 else 0
    if done:
        sheet.plate(bar._replace(w=done), sheet.palette.primary, radius=10)
    return bar.bottom


def draw_steps(sheet: Sheet, steps: Steps, place: Rect) -> int:
    """The row of steps from the top of ``place``; returns where it ends."""
    palette = sheet.palette
    disc = max(sheet.u(48 * sheet.theme.type.caption.size / 28), sheet.smallest * 3 // 2)
    gap = sheet.u(12)
    spread = sheet.u(24)
    faces = [Face(28, 42, bold=index == steps.current) for index in range(len(steps.labels))]
    shown = [sheet.set(text, face, place.w) for text, face in zip(steps.labels, faces, strict=True)]
    widths = [disc + gap + setting.width for setting in shown]
    least_line = sheet.u(40)
    room = place.w - (len(widths) - 1) * (2 * spread + least_line)
    labelled = sum(widths) <= room
    if not labelled:  # only the current step keeps its words
        widths = [w if i == steps.current else disc for i, w in enumerate(widths)]
        excess = max(0, sum(widths) - room)
        current = widths[steps.current] - excess
        shown[steps.current] = sheet.set(
            steps.labels[steps.current], faces[steps.current], current - disc - gap
        )
        widths[steps.current] = disc + gap + shown[steps.current].width
    free = place.w - sum(widths) - (len(widths) - 1) * 2 * spread
    line = min(sheet.u(320), free // max(1, len(widths) - 1))
    x, middle = place.x, place.y + disc // 2
    for index, (setting, width) in enumerate(zip(shown, widths, strict=True)):
        centre = (x + disc // 2, middle)
        if index < steps.current:
            sheet.disc(centre, disc, palette.tint)
            side = disc // 2
            sheet.drawing(
                Rect(centre[0] - side // 2, centre[1] - side // 2, side, side),
                "tick",
                (palette.accent, palette.tint),
            )
        else:
            here = index == steps.current
            if here:
                sheet.disc(centre, disc, palette.primary)
            else:
                sheet.disc(centre, disc, palette.paper, border=3, edge=palette.line)
            number = Rect(x, place.y, disc, disc)
            colour = palette.on_primary if here else palette.ink_2
            sheet.label(str(index + 1), Face(28, 36, bold=here), number, colour)
        if labelled or index == steps.current:
            colour = palette.accent if index == steps.current else palette.ink_2
            y = middle - setting.face.line // 2
            sheet.put(setting, x + disc + gap, y, setting.width, colour, Align.LEFT)
        x += width + spread
        if index < len(widths) - 1:
            sheet.plate(Rect(x, middle - sheet.u(2), line, sheet.u(4)), palette.line, radius=2)
            x += line + spread
    return place.y + disc


def draw_head(sheet: Sheet, place: Rect, title: str, hint: str, steps: Steps | None = None) -> int:
    """Steps, title and hint; returns where the content below may begin."""
    y = place.y
    if steps is not None:
        y = draw_steps(sheet, steps, Rect(place.x, y, place.w, place.h)) + sheet.u(36)
    kinds = sheet.theme.type
    y = sheet.paragraph(
        title, kinds.display, Rect(place.x, y, place.w, 0), sheet.palette.ink, most=2, balance=True
    )
    if hint:
        y = sheet.paragraph(
            hint, kinds.lead, Rect(place.x, y + sheet.u(8), place.w, 0), sheet.palette.ink_2, most=3
        )
    return y + sheet.u(36)


def draw_message(sheet: Sheet, message: Message, place: Rect) -> int:
    """A coloured box from the top of ``place``; returns where it ends."""
    colour, ground = sheet.palette.of(message.tone)
    pad, sign = sheet.u(36), sheet.u(44)
    left = place.x + pad + sign + sheet.u(24)
    width = place.right - pad - left
    kinds = sheet.theme.type
    title = sheet.set(
        message.title,
        Face(34, 50, bold=True) if not sheet.theme.large else kinds.heading,
        width,
        most=2,
    )
    lines = [sheet.set(line, kinds.lead, width, most=3) for line in message.lines]
    height = title.height + sum(line.height for line in lines) + (sheet.u(6) if lines else 0)
    sheet.plate(Rect(place.x, place.y, place.w, height + 2 * pad), ground, border=2, edge=colour)
    y = place.y + pad
    draw_sign(sheet, message.tone, (place.x + pad + sign // 2, y + title.face.line // 2), sign)
    y = sheet.put(title, left, y, width, colour, Align.LEFT) + sheet.u(6)
    for line in lines:
        y = sheet.put(line, left, y, width, sheet.palette.ink, Align.LEFT)
    return place.y + height + 2 * pad
