"""Measuring and drawing one line of text; which characters can be drawn at all.

Two committed fonts (ui/fonts/, GB 2312) draw nearly everything. A character they lack, such as
one of a rare name, comes from a full font of the system when there is one. `pygame.font` can't
choose a face of a collection and face 0 of the usual one is Japanese, so those few characters
are drawn with `pygame.freetype`, which can.

Sizes are pixels of the em square. Baselines and advances are whole pixels.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from ui.cmap import FontFormatError, read_coverage
from ui.sdl import pygame

Colour = tuple[int, int, int]

_FOLDER = Path(__file__).with_name("fonts")
_COMMITTED = {
    False: _FOLDER / "YikatongSans-Regular.otf",
    True: _FOLDER / "YikatongSans-Bold.otf",
}


@dataclass(frozen=True)
class SystemFont:
    """A full font that the machine may have; ``face`` is the Simplified Chinese one."""

    regular: Path
    bold: Path
    face: int


SYSTEM_FONTS = (
    SystemFont(
        Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
        Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"),
        2,
    ),
    SystemFont(
        Path("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc"),
        Path("/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc"),
        2,
    ),
    SystemFont(
        Path("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc"),
        Path("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Bold.ttc"),
        2,
    ),
    SystemFont(
        Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
        Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
        0,
    ),
)
"""Where to look for rare characters, best first (Debian, Arch, Fedora; then WenQuanYi)."""

_NARROW_FORMS = str.maketrans("‘’“”", "\ue018\ue019\ue01c\ue01d") | {ord("…"): "..."}


def narrow_punctuation(text: str) -> str:
    """Curly quotes and dots as text in Latin letters has them, not as wide as a Han character.

    The committed fonts hold these forms at private code points (ui/fonts/build.py).
    """
    return text.translate(_NARROW_FORMS)


def missing(text: str) -> str:
    """The characters of ``text`` that neither the committed nor a system font can draw.

    Each once, in order of appearance; blanks and line ends are not counted.
    """
    found = dict.fromkeys(
        character
        for character in text
        if not character.isspace()
        and ord(character) not in _coverage(_COMMITTED[False], 0)
        and _system_font_for(character) is None
    )
    return "".join(found)


@lru_cache(maxsize=4096)
def width(text: str, size: int, bold: bool) -> int:
    """Advance of one line in pixels."""
    return sum(_part_width(part, rare, size, bold) for part, rare in _parts(text))


def ascent(size: int, bold: bool) -> int:
    """Distance from the top of what `render` returns to the baseline, in pixels."""
    return _committed(size, bold).get_ascent()


def render(text: str, size: int, bold: bool, colour: Colour) -> pygame.Surface:
    """One line as a surface with an alpha channel, `width` wide, its baseline at `ascent`."""
    font = _committed(size, bold)
    parts = _parts(text)
    if not any(rare for _, rare in parts):
        return font.render("".join(part for part, _ in parts), True, colour)
    line = pygame.Surface((width(text, size, bold), font.get_height()), pygame.SRCALPHA, 32)
    line.fill((*colour, 0))
    x = 0
    for part, rare in parts:
        if rare is None:
            line.blit(font.render(part, True, colour), (x, 0))
            x += font.size(part)[0]
            continue
        face = _system(rare, size, bold)
        for character in part:
            glyph, box = face.render(character, colour)
            line.blit(glyph, (x + box.x, font.get_ascent() - box.y))
            x += _advance(face, character)
    return line


def forget() -> None:
    """Drop every remembered string. The fonts themselves stay open."""
    width.cache_clear()


def _parts(text: str) -> list[tuple[str, SystemFont | None]]:
    """Split into stretches of one font; what cannot be drawn stays, as the font's empty box."""
    clean = "".join(
        character for character in text if unicodedata.category(character) not in ("Cc", "Cf", "Cs")
    )
    committed = _coverage(_COMMITTED[False], 0)

    def source(character: str) -> SystemFont | None:
        return None if ord(character) in committed else _system_font_for(character)

    return [("".join(group), rare) for rare, group in groupby(clean, source)]


def _part_width(part: str, rare: SystemFont | None, size: int, bold: bool) -> int:
    if rare is None:
        return _committed(size, bold).size(part)[0]
    face = _system(rare, size, bold)
    return sum(_advance(face, character) for character in part)


def _advance(face: pygame.freetype.Font, character: str) -> int:
    (metrics,) = face.get_metrics(character)
    return round(metrics[4])


def _system_font_for(character: str) -> SystemFont | None:
    if character.isspace():
        return None
    return next((font for font in _present() if ord(character) in _system_coverage(font)), None)


@lru_cache(maxsize=1)
def _present() -> tuple[SystemFont, ...]:
    return tuple(font for font in SYSTEM_FONTS if font.regular.is_file())


def _system_coverage(font: SystemFont) -> frozenset[int]:
    try:
        return _coverage(font.regular, font.face)
    except (FontFormatError, OSError):
        return frozenset()  # a damaged system font is as good as none


@lru_cache(maxsize=8)
def _coverage(path: Path, face: int) -> frozenset[int]:
    return read_coverage(path, face)


@lru_cache(maxsize=64)
def _committed(size: int, bold: bool) -> pygame.font.Font:
    pygame.font.init()
    return pygame.font.Font(str(_COMMITTED[bold]), size)


@lru_cache(maxsize=16)
def _system(font: SystemFont, size: int, bold: bool) -> pygame.freetype.Font:
    pygame.freetype.init()
    path = font.bold if bold and font.bold.is_file() else font.regular
    return pygame.freetype.Font(str(path), size, font_index=font.face)
