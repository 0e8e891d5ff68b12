"""What is drawn once and kept: the pictures of ui/pictures/, round corners, shadows, pages.

SDL draws SVG by nanosvg: no <text>, no <image>, no CSS. The files are painted in the colours of
the light palette; those colours are replaced by the ones in use.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from ui.scene import Colour
from ui.sdl import pygame
from ui.theme import LIGHT, Palette, mix, rgb

_FOLDER = Path(__file__).with_name("pictures")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\b")
_SIZE = re.compile(r'(<svg\b[^>]*?) width="[^"]*" height="[^"]*"')
_PAINTED_FROM_PALETTE = ("primary", "deep", "tint", "wash", "ink", "line", "paper")
_PALE = 0.62
"""Share of the page's colour in a muted picture."""
SHADOW_STRIPE = 64
"""Pixels between two corners of what `draw_shadow` gives; both ways the shadow is even there."""


def load_drawing(
    name: str,
    size: tuple[int, int],
    palette: Palette,
    sign: tuple[Colour, Colour] | None,
    muted: bool = False,
) -> pygame.Surface:
    """A picture fitted into ``size`` pixels, in the colours of ``palette``.

    Args:
        name: file name without ``.svg``.
        sign: what replaces the warning colour and its tint; None takes the palette's.
        muted: every colour is mixed with that of the page.

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

    def painted(found: re.Match[str]) -> str:
        colour = replaced.get(found[0].upper(), found[0])
        return _hex(mix(rgb(colour), palette.background, _PALE)) if muted else colour

    text = _COLOUR.sub(painted, text)
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


def draw_shadow(spread: int, colour: Colour, strength: int) -> pygame.Surface:
    """A shadow to cut corners (``spread`` pixels a side) and stripes between them from."""
    side = 2 * spread + SHADOW_STRIPE
    # Starts and ends flat, as the edge of something blurred does.
    steps = (at / spread for at in range(spread))
    curve = [step**3 * (step * (6 * step - 15) + 10) for step in steps]
    profile = [*curve, *([1.0] * SHADOW_STRIPE), *reversed(curve)]
    surface = pygame.Surface((side, side), pygame.SRCALPHA, 32)
    for x, share in enumerate(profile):
        surface.fill((*colour, round(255 * share)), (x, 0, 1, side))
    for y, share in enumerate(profile):
        faint = (255, 255, 255, round(strength * share))
        surface.fill(faint, (0, y, side, 1), pygame.BLEND_RGBA_MULT)
    return surface


def load_page(png: bytes, size: tuple[int, int]) -> pygame.Surface:
    """A picture scaled to ``size`` pixels, on white; reading it takes a while.

    Raises:
        pygame.error: not a picture.
    """
    raw = pygame.image.load(io.BytesIO(png), "page.png")
    # Scaling wants 24 or 32 bits a pixel; pictures of paper are often grey or have a palette.
    page = pygame.Surface(raw.get_size(), 0, 32)
    page.fill((255, 255, 255))
    page.blit(raw, (0, 0))
    scaled = pygame.transform.smoothscale(page, size)
    # It rounds down several times: white comes out as 252 and more.
    scaled.fill((3, 3, 3), special_flags=pygame.BLEND_RGB_ADD)
    return scaled


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
