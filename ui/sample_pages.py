"""Two pages of an invented document about the demo person, drawn when they are asked for."""

from __future__ import annotations

import io
from functools import lru_cache
from itertools import pairwise

from ui import fonts
from ui.drawings import draw_svg
from ui.sample_words import CHINESE, ENGLISH, Words
from ui.sdl import pygame
from ui.theme import mix, rgb
from ui.views import PageImage

_SIZE = (1240, 1754)
"""A4 at 150 dots an inch."""
_LEFT, _RIGHT = 132, 1108
_INK, _SOFT, _RED = rgb("#12233A"), rgb("#4A5B72"), rgb("#C8473F")
_COLUMNS = (_LEFT, 476, 662, 934, _RIGHT)
_ROW = 84
_MODULES, _MODULE = 25, 8
_SEAL = (832, 1236)


def sample_pages(words: Words) -> tuple[PageImage, ...]:
    """The pages in the language of ``words``; drawn once a process."""
    return _page(words.locale, 1), _page(words.locale, 2)


@lru_cache(maxsize=4)
def _page(locale: str, number: int) -> PageImage:
    words = CHINESE if locale == CHINESE.locale else ENGLISH
    page = _Page()
    if number == 1:
        page.words(words("个人缴存证明"), 62, 170, bold=True)
        rows: tuple[tuple[str, ...], ...] = (
            ("账户", "状态", "起止时间", "累计月数"),
            ("基本账户", "正常缴存", "2011.05–2026.10", "186"),
            ("失业账户", "正常缴存", "2013.01–2026.10", "152"),
            ("工伤账户", "正常缴存", "2011.05–2026.10", "186"),
        )
        page.bars((290, 720), (352, 520))
        page.table(_spoken(words, rows), 430)
        page.bars((846, 930), (908, 868), (970, 404))
        page.seal(words("电子印章"))
    else:
        page.words(words("缴存明细"), 48, 160, bold=True)
        years = (
            (str(year), f"{year}.01–{year}.12", "正常缴存", str(12 * (year - 2012)))
            for year in range(2013, 2025)
        )
        rows = (("年份", "起止时间", "状态", "累计月数"), *years)
        page.table(_spoken(words, rows), 240)
    page.words(words("验真码"), 30, 1508, x=_LEFT, colour=_SOFT)
    page.words("7F3K-92MD-Q4TX-8HWA", 34, 1560, bold=True, x=_LEFT)
    page.words(f"{number} / 2", 28, 1668, colour=_SOFT)
    page.code()
    return PageImage(f"sample.{locale}.{number}", page.encoded())


def _spoken(words: Words, rows: tuple[tuple[str, ...], ...]) -> list[list[str]]:
    return [[cell if cell[0].isdigit() else words(cell) for cell in row] for row in rows]


class _Page:
    """Shapes are collected as SVG; words are laid on them at the end."""

    def __init__(self) -> None:
        self._shapes: list[str] = []
        self._words: list[tuple[pygame.Surface, tuple[int, int]]] = []

    def words(
        self,
        text: str,
        size: int,
        middle: int,
        *,
        bold: bool = False,
        x: int | None = None,
        centre: int = _SIZE[0] // 2,
        colour: tuple[int, int, int] = _INK,
    ) -> None:
        """One line around the height ``middle``, from ``x`` on or around ``centre``."""
        line = fonts.render(text, size, bold, colour)
        left = centre - line.get_width() // 2 if x is None else x
        top = middle + round(0.38 * size) - fonts.ascent(size, bold)
        self._words.append((line, (left, top)))

    def bars(self, *bars: tuple[int, int]) -> None:
        """Grey bars in place of sentences: (y, width)."""
        for y, width in bars:
            self._rectangle(_LEFT, y, width, 24, "#E4EBF3", 12)

    def table(self, rows: list[list[str]], top: int) -> None:
        right, bottom = _RIGHT - _LEFT, top + _ROW * len(rows)
        self._rectangle(_LEFT, top, right, _ROW, "#F0F6FD", 0)
        for index in range(len(rows) + 1):
            self._rectangle(_LEFT, top + index * _ROW, right, 2, "#9FB2C8", 0)
        for x in _COLUMNS:
            self._rectangle(x, top, 2, bottom - top + 2, "#9FB2C8", 0)
        for index, row in enumerate(rows):
            middle = top + index * _ROW + _ROW // 2
            for (left, end), cell in zip(pairwise(_COLUMNS), row, strict=True):
                self.words(cell, 30, middle, bold=index == 0, centre=(left + end) // 2)

    def seal(self, words: str) -> None:
        x, y = _SEAL
        self._shapes.append(
            f'<circle cx="{x}" cy="{y}" r="128" fill="none" stroke="#C8473F" stroke-width="9"/>'
        )
        red = mix(_RED, (255, 255, 255), 0.05)
        self.words("★", 84, y - 30, centre=x, colour=red)
        self.words(words, 34, y + 58, bold=True, centre=x, colour=red)

    def code(self) -> None:
        """Looks like a two-dimensional code and says nothing."""
        x, y = _RIGHT - _MODULES * _MODULE, 1440
        far = _MODULES - 7
        eyes = ((0, 0), (far, 0), (0, far))
        state = 1
        for row in range(_MODULES):
            for column in range(_MODULES):
                state = state * 1103515245 + 12345 & 0x7FFFFFFF
                free = all(
                    not (a - 1 <= column <= a + 7 and b - 1 <= row <= b + 7) for a, b in eyes
                )
                if free and state >> 16 & 1:
                    self._module(x, y, column, row, 1, "#000000")
        for column, row in eyes:
            self._module(x, y, column, row, 7, "#000000")
            self._module(x, y, column + 1, row + 1, 5, "#FFFFFF")
            self._module(x, y, column + 2, row + 2, 3, "#000000")

    def encoded(self) -> bytes:
        width, height = _SIZE
        shapes = "".join(self._shapes)
        opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        surface = pygame.Surface(_SIZE, 0, 32)
        surface.fill((255, 255, 255))
        surface.blit(draw_svg(f"{opening}{shapes}</svg>", _SIZE), (0, 0))
        for line, place in self._words:
            surface.blit(line, place)
        file = io.BytesIO()
        pygame.image.save(surface, file, "page.png")
        return file.getvalue()

    def _module(self, x: int, y: int, column: int, row: int, side: int, colour: str) -> None:
        left, top = x + column * _MODULE, y + row * _MODULE
        self._rectangle(left, top, side * _MODULE, side * _MODULE, colour, 0)

    def _rectangle(self, x: int, y: int, w: int, h: int, colour: str, radius: int) -> None:
        self._shapes.append(
            f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{radius}" fill="{colour}"/>'
        )
