"""The paper of a receipt printer: 576 dots across, in dots and in words.

Signs are set into the cells of the printer's font A: 12 dots wide for ASCII, 24 for Chinese, 24
high.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

DOTS = 576
_CELL = 24
SPACING = 34
"""Dots from line to line after power on: 1/6 inch at 203 dpi."""
_TO_CUTTER = 100
"""Dots between head and cutter: what is printed last is cut off only when it was fed past it."""
_FALLBACKS = (
    (Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"), 2),
    (Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"), 0),
)


@dataclass(frozen=True)
class Style:
    """How signs are set.

    Attributes:
        align: 0 left, 1 centre, 2 right.
        across, high: multiples of a sign's own size.
    """

    align: int = 0
    bold: bool = False
    underline: bool = False
    across: int = 1
    high: int = 1


@dataclass(frozen=True)
class Printed:
    """One cut piece of paper."""

    image: Image.Image = field(repr=False)
    text: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class _Glyph:
    sign: str
    style: Style

    @property
    def width(self) -> int:
        return (_CELL // 2 if self.sign.isascii() else _CELL) * self.style.across


@dataclass(frozen=True)
class _Strip:
    """A piece of the paper as it went by under the head; `text` None where no line was printed."""

    image: Image.Image
    text: str | None = None

    @property
    def dark(self) -> bool:
        lightest: tuple[int, int] = self.image.getextrema()  # type: ignore[assignment]
        return lightest[0] < 255


class Paper:
    """What hangs out of the printer, from the last cut on.

    Args:
        font: file of a font with Chinese signs; None for one of Debian's.
    """

    def __init__(self, font: Path | None = None) -> None:
        self._font = _font(font)
        self._strips = [_Strip(_blank(_TO_CUTTER))]
        self._line: list[_Glyph] = []
        self.spacing = SPACING

    @property
    def blank(self) -> bool:
        """Nothing is printed on what hangs out."""
        return not any(strip.dark for strip in self._strips)

    def forget_line(self) -> None:
        """Drop what was not printed yet."""
        self._line = []

    def reset(self) -> None:
        """As after power on; what is printed is printed."""
        self.forget_line()
        self.spacing = SPACING

    def put(self, sign: str, style: Style) -> bool:
        """Set a sign behind the others; true when the line was full and is printed now."""
        glyph = _Glyph(sign, style)
        full = sum(each.width for each in self._line) + glyph.width > DOTS
        if full:
            self.print_line()
        self._line.append(glyph)
        return full

    @property
    def begun(self) -> bool:
        """Signs wait for the end of their line."""
        return bool(self._line)

    def print_line(self) -> None:
        """Print what is set and go to the next line."""
        high = max((_CELL * glyph.style.high for glyph in self._line), default=0)
        strip = _blank(max(high, self.spacing))
        width = sum(glyph.width for glyph in self._line)
        align = self._line[0].style.align if self._line else 0
        across = (DOTS - width) * align // 2
        for glyph in self._line:
            self._draw(strip, glyph, across, high)
            across += glyph.width
        self._strips.append(_Strip(strip, "".join(glyph.sign for glyph in self._line)))
        self._line = []

    def feed(self, dots: int) -> None:
        """Move on without printing."""
        if dots:
            self._strips.append(_Strip(_blank(dots)))

    def picture(self, dots: Image.Image, align: int) -> None:
        """Print a picture at most as wide as the paper."""
        strip = _blank(dots.height)
        strip.paste(dots, ((DOTS - dots.width) * align // 2, 0))
        self._strips.append(_Strip(strip))

    def cut(self) -> Printed:
        """Cut; what has not passed the cutter yet is the beginning of the next piece."""
        whole = _blank(sum(strip.image.height for strip in self._strips))
        edge = whole.height - _TO_CUTTER
        top, words, rest = 0, [], []
        for strip in self._strips:
            whole.paste(strip.image, (0, top))
            bottom = top + strip.image.height
            if bottom <= edge and strip.text is not None:
                words.append(strip.text)
            if bottom > edge:
                below = strip.image.crop((0, max(0, edge - top), DOTS, strip.image.height))
                rest.append(_Strip(below, strip.text if top >= edge else None))
            top = bottom
        self._strips = rest
        return Printed(whole.crop((0, 0, DOTS, edge)), tuple(words))

    def _draw(self, strip: Image.Image, glyph: _Glyph, across: int, high: int) -> None:
        narrow = _CELL // 2 if glyph.sign.isascii() else _CELL
        # A sign of the font that is wider than its cell is made narrower.
        wide = max(narrow, round(self._font.getlength(glyph.sign)) + glyph.style.bold)
        cell = Image.new("L", (wide, _CELL), "white")
        draw = ImageDraw.Draw(cell)
        left = (wide - self._font.getlength(glyph.sign)) / 2
        for shift in (0, 1) if glyph.style.bold else (0,):
            at = (left + shift, _CELL - 4)
            draw.text(at, glyph.sign, font=self._font, fill="black", anchor="ls")
        if glyph.style.underline:
            draw.line((0, _CELL - 1, wide, _CELL - 1), fill="black")
        size = (narrow * glyph.style.across, _CELL * glyph.style.high)
        # A thermal head burns a dot or does not.
        burnt = cell.resize(size, Image.Resampling.BICUBIC).point(lambda grey: 255 * (grey > 150))
        strip.paste(burnt, (across, high - size[1]))


def symbol(octets: bytes, module: int, correction: str) -> Image.Image:
    """A QR code of these bytes as a printer's own generator makes it, without quiet zone.

    Raises:
        ValueError: no code holds them.
    """
    import qrcode

    levels = {
        "L": qrcode.constants.ERROR_CORRECT_L,
        "M": qrcode.constants.ERROR_CORRECT_M,
        "Q": qrcode.constants.ERROR_CORRECT_Q,
        "H": qrcode.constants.ERROR_CORRECT_H,
    }
    code = qrcode.QRCode(error_correction=levels[correction], border=0)
    code.add_data(octets)
    code.make(fit=True)
    matrix = code.get_matrix()
    image = Image.new("L", (len(matrix), len(matrix)), "white")
    for y, line in enumerate(matrix):
        for x, dark in enumerate(line):
            if dark:
                image.putpixel((x, y), 0)
    size = len(matrix) * module
    if size > DOTS:
        raise ValueError("the code is wider than the paper")
    return image.resize((size, size), Image.Resampling.NEAREST)


def raster(data: bytes) -> Image.Image:
    """The picture of a GS v 0: m, xL, xH, yL, yH and the dots, a set bit is black."""
    mode, across, lines = data[0] & 3, data[1] + 256 * data[2], data[3] + 256 * data[4]
    size = (across * 8, lines)
    image = Image.frombytes("1", size, bytes(octet ^ 0xFF for octet in data[5:])).convert("L")
    wide, high = 2 if mode & 1 else 1, 2 if mode & 2 else 1
    return image.resize((size[0] * wide, size[1] * high), Image.Resampling.NEAREST)


def _blank(high: int) -> Image.Image:
    return Image.new("L", (DOTS, high), "white")


@cache
def _font(path: Path | None) -> ImageFont.FreeTypeFont:
    candidates = ((path, 0),) if path is not None else _FALLBACKS
    for found, face in candidates:
        if found.is_file():
            return ImageFont.truetype(found, 22, index=face)
    raise FileNotFoundError("no font with Chinese signs: install fonts-noto-cjk")
