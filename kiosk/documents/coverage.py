"""Which fonts the texts of a certificate need (DESIGN §4.9).

Used in the composing process only: the character table of a full font takes some 30 MB.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from kiosk.documents.typefaces import STYLES, RareFont
from ui.cmap import FontFormatError, read_coverage

_PRIVATE_USE = range(0xE000, 0xF900)
"""The committed fonts keep narrow quotes here; in a name such a code point means nothing."""


class NoFont(Exception):
    """A character is in none of the fonts; it is not told which."""


def committed_folder() -> Path:
    """The folder of the committed fonts. Raises NoFont."""
    spec = find_spec("ui")
    if spec is None or not spec.submodule_search_locations:
        raise NoFont("the package ui is not installed")
    return Path(spec.submodule_search_locations[0]) / "fonts"


def choose(value: object, rare_fonts: Sequence[RareFont]) -> RareFont | None:
    """The full font that the texts of a JSON value need beside the committed one; None for none.

    Raises:
        NoFont: no single font has all the characters that the committed one lacks.
    """
    lacking = {
        ord(character)
        for text in _texts(value)
        for character in text
        if not character.isspace() and ord(character) not in _committed()
    }
    if not lacking:
        return None
    for font in rare_fonts:
        if lacking <= _full(font.path, font.face):
            return font
    raise NoFont("a character that no font has")


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for entry in value.values():
                yield from _texts(entry)
        case list():
            for entry in value:
                yield from _texts(entry)


@cache
def _committed() -> frozenset[int]:
    regular, bold = (read_coverage(committed_folder() / style) for style in STYLES)
    return (regular & bold).difference(_PRIVATE_USE)


@cache
def _full(path: Path, face: int) -> frozenset[int]:
    try:
        return read_coverage(path, face).difference(_PRIVATE_USE)
    except (FontFormatError, OSError):
        return frozenset()  # absent or damaged: as good as none
