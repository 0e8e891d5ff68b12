"""From a scene to pixels: everything at once, or only where something changed.

Both ways paint the same nodes in the same order, clipped; so they give the same pixels.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import assert_never

from ui import fonts
from ui.drawings import SHADOW_STRIPE, draw_corners, draw_shadow, load_drawing, load_page
from ui.layout import layout
from ui.scene import (
    Drawing,
    Fill,
    Image,
    Node,
    Plate,
    Rect,
    Scene,
    Shadow,
    Text,
    Veil,
    changed,
)
from ui.sdl import pygame
from ui.theme import Theme
from ui.views import Screen

_CACHE_BYTES = 12 * 1024 * 1024


class SurfaceCache:
    """Recently used surfaces, the oldest dropped when their pixels exceed ``limit`` bytes."""

    def __init__(self, limit: int = _CACHE_BYTES) -> None:
        self._limit = limit
        self._surfaces: OrderedDict[Hashable, pygame.Surface] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable, make: Callable[[], pygame.Surface]) -> pygame.Surface:
        surface = self._surfaces.get(key)
        if surface is not None:
            self._surfaces.move_to_end(key)
            return surface
        surface = make()
        self._surfaces[key] = surface
        self._bytes += _weight(surface)
        while self._bytes > self._limit and len(self._surfaces) > 1:
            _, dropped = self._surfaces.popitem(last=False)
            self._bytes -= _weight(dropped)
        return surface

    def forget(self) -> None:
        self._surfaces.clear()
        self._bytes = 0

    @property
    def held_bytes(self) -> int:
        return self._bytes


def _weight(surface: pygame.Surface) -> int:
    return surface.get_pitch() * surface.get_height()


class Renderer:
    """Draws screens on one surface.

    Args:
        surface: 32 bits a pixel, of any size; its size is the size of every scene.
    """

    def __init__(self, surface: pygame.Surface, theme: Theme) -> None:
        self._surface = surface
        self._theme = theme
        self._texts = SurfaceCache()
        self._shapes = SurfaceCache()
        self._pages = SurfaceCache()
        self._shown: Scene | None = None

    @property
    def scene(self) -> Scene | None:
        """What the surface shows now."""
        return self._shown

    def draw_full(self, screen: Screen, *, pressed: str = "") -> list[Rect]:
        """Draw everything; returns the changed rectangle, which is the whole surface."""
        scene = self._compose(screen, pressed)
        whole = Rect(0, 0, *scene.size)
        self._shown = None
        self._paint(scene.nodes, whole)
        self._shown = scene
        return [whole]

    def update(self, screen: Screen, *, pressed: str = "") -> list[Rect]:
        """Draw what differs from what is shown; returns the rectangles that were drawn."""
        if self._shown is None:
            return self.draw_full(screen, pressed=pressed)
        scene = self._compose(screen, pressed)
        rects = changed(self._shown, scene)
        self._shown = None
        for rect in rects:
            self._paint((node for node in scene.nodes if node.rect.meets(rect)), rect)
        self._shown = scene
        return rects

    def forget(self) -> None:
        """Drop all texts and pages that were shown: nothing of a visitor stays in memory."""
        self._texts.forget()
        self._pages.forget()

    def _compose(self, screen: Screen, pressed: str) -> Scene:
        return layout(screen, self._theme, self._surface.get_size()).with_pressed(pressed)

    def _paint(self, nodes: Iterable[Node], clip: Rect) -> None:
        self._surface.set_clip(clip)
        try:
            for node in nodes:
                self._node(node, clip)
        finally:
            self._surface.set_clip(None)

    def _node(self, node: Node, clip: Rect) -> None:
        match node:
            case Fill(rect, colour):
                self._surface.fill(colour, rect)
            case Plate():
                self._plate(node)
            case Text():
                self._text(node)
            case Drawing(rect, name, sign, muted):
                palette = self._theme.palette
                key = (name, rect.w, rect.h, sign, muted)
                drawing = self._shapes.get(
                    key, lambda: load_drawing(name, rect[2:], palette, sign, muted)
                )
                self._surface.blit(drawing, rect[:2])
            case Image(rect, id, png):
                page = self._pages.get((id, rect.w, rect.h), lambda: load_page(png, rect[2:]))
                self._surface.blit(page, rect[:2])
            case Shadow():
                self._shadow(node)
            case Veil():
                self._veil(node)
            case _ as impossible:
                assert_never(impossible)

    def _text(self, node: Text) -> None:
        key = (node.text, node.size, node.bold, node.colour)
        line = self._texts.get(
            key, lambda: fonts.render(node.text, node.size, node.bold, node.colour)
        )
        above = fonts.ascent(node.size, node.bold) - (node.baseline - node.rect.y)
        self._surface.blit(line, node.rect[:2], (0, above, node.rect.w, node.rect.h))

    def _plate(self, node: Plate) -> None:
        x, y, w, h = node.rect
        radius, border = node.radius, node.border
        fill = self._surface.fill
        if radius == 0:
            fill(node.edge if border else node.fill, node.rect)
            if border:
                fill(node.fill, node.rect.inset(border, border))
            return
        key = (radius, node.fill, border, node.edge)
        corners = self._shapes.get(key, lambda: draw_corners(radius, node.fill, border, node.edge))
        for dx, dy, sx, sy in (
            (0, 0, 0, 0),
            (w - radius, 0, radius, 0),
            (0, h - radius, 0, radius),
            (w - radius, h - radius, radius, radius),
        ):
            self._surface.blit(corners, (x + dx, y + dy), (sx, sy, radius, radius))
        inner_w, inner_h = w - 2 * radius, h - 2 * radius
        if border:
            fill(node.edge, (x + radius, y, inner_w, border))
            fill(node.edge, (x + radius, y + h - border, inner_w, border))
            fill(node.edge, (x, y + radius, border, inner_h))
            fill(node.edge, (x + w - border, y + radius, border, inner_h))
        fill(node.fill, (x + radius, y + border, inner_w, h - 2 * border))
        fill(node.fill, (x + border, y + radius, radius - border, inner_h))
        fill(node.fill, (x + w - radius, y + radius, radius - border, inner_h))

    def _shadow(self, node: Shadow) -> None:
        """Four corners and stripes between them; the middle, where the sheet lies, stays clear."""
        (x, y, w, h), spread = node.rect, node.spread
        key = (spread, node.colour, node.strength)
        source = self._shapes.get(key, lambda: draw_shadow(spread, node.colour, node.strength))
        far = spread + SHADOW_STRIPE
        right, bottom = x + w - spread, y + h - spread
        blit = self._surface.blit
        for place, part in (
            ((x, y), (0, 0)),
            ((right, y), (far, 0)),
            ((x, bottom), (0, far)),
            ((right, bottom), (far, far)),
        ):
            blit(source, place, (*part, spread, spread))
        for along in range(x + spread, right, SHADOW_STRIPE):
            length = min(SHADOW_STRIPE, right - along)
            blit(source, (along, y), (spread, 0, length, spread))
            blit(source, (along, bottom), (spread, far, length, spread))
        for along in range(y + spread, bottom, SHADOW_STRIPE):
            length = min(SHADOW_STRIPE, bottom - along)
            blit(source, (x, along), (0, spread, spread, length))
            blit(source, (right, along), (far, spread, spread, length))

    def _veil(self, node: Veil) -> None:
        """A stripe of one colour, laid down row block by row block to stay small in memory."""
        stripe = Rect(0, 0, node.rect.w, 64)
        key = (node.rect.w, node.colour, node.strength)

        def make() -> pygame.Surface:
            surface = pygame.Surface(stripe[2:], 0, 32)
            surface.fill(node.colour)
            surface.set_alpha(node.strength)
            return surface

        surface = self._shapes.get(key, make)
        for y in range(node.rect.y, node.rect.bottom, stripe.h):
            height = min(stripe.h, node.rect.bottom - y)
            self._surface.blit(surface, (node.rect.x, y), (0, 0, node.rect.w, height))
