"""Which characters a font file can draw: its Unicode `cmap`, read by fontTools.

`pygame.font.Font.metrics` can't be asked: it answers with numbers for characters that the font
doesn't have.
"""

from __future__ import annotations

from pathlib import Path

from fontTools.ttLib import TTFont


class FontFormatError(ValueError):
    """The file is no OpenType font, has no such face, or no Unicode `cmap`."""


def read_coverage(path: Path, face: int = 0) -> frozenset[int]:
    """All code points that one face maps to a glyph; fontTools leaves out the missing one.

    Args:
        path: .ttf, .otf or collection (.ttc).
        face: index inside a collection; 0 for a plain font.

    Raises:
        FontFormatError: see there.
        OSError: the file can't be read.
    """
    try:
        with TTFont(path, fontNumber=face, lazy=True) as font:
            glyphs = font.getBestCmap() or {}
    except OSError:
        raise
    except Exception as error:  # a damaged table raises whatever its decoder stumbles over
        raise FontFormatError(f"{path.name}: {error}") from error
    if not glyphs:
        raise FontFormatError(f"{path.name}: no Unicode cmap")
    return frozenset(glyphs)
