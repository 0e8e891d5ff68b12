"""Anti-aliased shapes out of SVG: the pictures of ui/pictures/ and the round corners of plates.

SDL draws SVG by nanosvg: no <text>, no <image>, no CSS. The files are painted in the colours of
the light palette; those colours are replaced by the ones in use.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from ui.scene import Colour
from ui.sdl import pygame
from ui.theme import LIGHT, Palette

_FOLDER = Path(__file__).with_name("pictures")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\b")
_SIZE = re.compile(r'(<svg\b[^>]*?) width="[^"]*" height="[^"]*"')
_PAINTED_FROM_PALETTE = ("primary", "deep", "tint", "wash", "ink", "line", "paper")


def load_drawing(
    name: str, size: tuple[int, int], palette: Palette, sign: tuple[Colour, Colour] | None
) -> pygame.Surface:
    """A picture fitted into ``size`` pixels, in the colours of ``palette``.

    Args:
        name: file name without ``.svg``.
        sign: what replaces the warning colour and its tint; None takes the palette's.

    Raises:
        FileNotFoundError: no such picture.
    """
    text = (_FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    replaced = {
        _hex(getattr(LIGHT, colour)): _hex(getattr(palette, colour))
        for colour in _PAINTED_FROM_PALETTE
    }
    front, ground = sign or (palette.warn, palette.warn_tint)
    replaced |= {_hex(LIGHT.warn): _hex(front), _hex(LIGHT.warn_tint): _hex(ground)}
    text = _COLOUR.sub(lambda found: replaced.get(found[0].upper(), found[0]), text)
    text, changes = _SIZE.subn(rf'\1 width="{size[0]}" height="{size[1]}"', text, count=1)
    if changes != 1:
        raise ValueError(f"{name}.svg: width and height of <svg> must stand side by side")
    return draw_svg(text, size)


def draw_corners(radius: int, fill: Colour, border: int, edge: Colour) -> pygame.Surface:
    """A plate of ``2 * radius`` pixels a side, to cut the four corners from."""
    side = 2 * radius
    outer = f'<circle cx="{radius}" cy="{radius}" r="{radius}" fill="{_hex(edge)}"/>'
    inner = (
        f'<circle cx="{radius}" cy="{radius}" r="{max(0, radius - border)}" fill="{_hex(fill)}"/>'
    )
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}">'
        f"{outer if border else ''}{inner}</svg>"
    )
    return draw_svg(text, (side, side))


def draw_svg(text: str, size: tuple[int, int]) -> pygame.Surface:
    """Rasterise an SVG whose width and height are ``size``, with an alpha channel."""
    raw = pygame.image.load(io.BytesIO(text.encode("utf-8")), "picture.svg")
    # A surface of pygame's own pixel order is blitted by its fast path. Adding to nothing copies
    # colour and alpha unchanged, and unlike convert_alpha() needs no open display.
    surface = pygame.Surface(size, pygame.SRCALPHA, 32)
    surface.fill((0, 0, 0, 0))
    surface.blit(raw, (0, 0), special_flags=pygame.BLEND_RGBA_ADD)
    return surface


def _hex(colour: Colour) -> str:
    return "#{:02X}{:02X}{:02X}".format(*colour)
