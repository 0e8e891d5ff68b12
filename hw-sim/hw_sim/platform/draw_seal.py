"""Draw ``seal.png``, once: ``python -m hw_sim.platform.draw_seal FONT PICTURE``.

A round seal as agencies use it, without a star or an emblem: a ring, the agency on an arc inside
it, what the seal is for upright in the middle. 720 pixels are 61 mm at 300 dpi, so that 30 mm on
paper hold twice the printer's pixels. The committed picture is in Noto Serif CJK SC Bold (OFL).
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

RED = (200, 22, 29)
SIZE = 720
_FINER = 4
"""Drawn so many times larger, then reduced: smooth edges."""

# In parts of the picture's width.
_RING_OUTER = 0.492
_RING_WIDTH = 0.020
_ARC_RADIUS = 0.386
"""Of the circle through the middle of the characters."""
_ARC_DEGREES = 254.0
"""From the middle of the first character to that of the last."""
_ARC_SIZE = 0.114
_NARROW = 0.94
"""Characters on the arc are a little slimmer than high."""
_FATTER = 0.006
"""Ink added around every stroke, of the em: a Song face's thin strokes survive the printer."""


class _Sheet:
    """A square mask that is painted on with glyphs; white is ink."""

    def __init__(self, font: Path, face: int) -> None:
        self.side = SIZE * _FINER
        self.mask = Image.new("L", (self.side, self.side), 0)
        self._font, self._face = font, face

    def ring(self, outer: float, width: float) -> None:
        middle, radius = self.side / 2, outer * self.side
        box = (middle - radius, middle - radius, middle + radius, middle + radius)
        ImageDraw.Draw(self.mask).ellipse(box, outline=255, width=round(width * self.side))

    def character(
        self, text: str, size: float, at: tuple[float, float], turn: float = 0.0, slim: float = 1.0
    ) -> None:
        """Paint one character.

        Args:
            size: of the em square.
            at: middle of the em square, from the picture's middle.
            turn: degrees clockwise.
            slim: width in parts of the natural one.
        """
        pixels = round(size * self.side)
        font = ImageFont.truetype(self._font, pixels, index=self._face)
        glyph = Image.new("L", (2 * pixels, 2 * pixels), 0)
        # By the em square, not by the ink: 一 stays in the middle of its place.
        ascent, descent = font.getmetrics()
        top = pixels - (ascent + descent) / 2
        ImageDraw.Draw(glyph).text(
            (pixels, top), text, 255, font, anchor="ma", stroke_width=_FATTER * pixels
        )
        if slim != 1.0:
            width = round(glyph.width * slim)
            glyph = glyph.resize((width, glyph.height), Image.Resampling.LANCZOS)
        glyph = glyph.rotate(-turn, Image.Resampling.BICUBIC, expand=True)
        middle = self.side / 2
        corner = (
            round(middle + at[0] * self.side - glyph.width / 2),
            round(middle + at[1] * self.side - glyph.height / 2),
        )
        self.mask.paste(255, corner, glyph)

    def arc(self, text: str) -> None:
        """The characters evenly on the arc, each upright to its radius."""
        step = _ARC_DEGREES / (len(text) - 1)
        for position, character in enumerate(text):
            turn = -_ARC_DEGREES / 2 + position * step
            angle = math.radians(turn)
            at = (_ARC_RADIUS * math.sin(angle), -_ARC_RADIUS * math.cos(angle))
            self.character(character, _ARC_SIZE, at, turn, _NARROW)

    def line(self, text: str, size: float, middle: float, pitch: float) -> None:
        """One upright line, ``middle`` below the picture's middle, a character each ``pitch``."""
        start = -pitch * (len(text) - 1) / 2
        for position, character in enumerate(text):
            self.character(character, size, (start + position * pitch, middle))

    def picture(self) -> Image.Image:
        alpha = self.mask.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
        # 33 levels look the same and halve the file, which every certificate carries.
        alpha = alpha.point([min(255, (value + 4) // 8 * 8) for value in range(256)])
        drawn = Image.new("RGBA", (SIZE, SIZE), (*RED, 0))
        drawn.putalpha(alpha)
        return drawn


def draw(font: Path, face: int, agency: str) -> Image.Image:
    """The demo province's seal, RGBA, 720x720."""
    sheet = _Sheet(font, face)
    sheet.ring(_RING_OUTER, _RING_WIDTH)
    sheet.arc(agency)
    sheet.line("社保证明", 0.124, -0.062, 0.134)
    sheet.line("专用章", 0.124, 0.086, 0.134)
    sheet.line("（演示）", 0.068, 0.235, 0.062)
    return sheet.picture()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m hw_sim.platform.draw_seal")
    parser.add_argument("font", type=Path, help="a Han font, bold; a Song face looks best")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--face", type=int, default=0, help="of a font collection")
    parser.add_argument("--agency", default="江城市社会保险事业管理中心")
    options = parser.parse_args()
    draw(options.font, options.face, options.agency).save(
        options.picture, optimize=True, dpi=(600, 600)
    )


if __name__ == "__main__":
    main()
