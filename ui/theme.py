"""Colours, type sizes and the scale of a screen.

All measures are *units*: pixels of a 102.5 ppi screen (21.5 inches, 1080x1920). `Theme.px` makes
them pixels of the screen at hand, so that a button keeps its millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ui.views import Tone

Colour = tuple[int, int, int]

REFERENCE_PPI = 102.5
SMALLEST_TEXT = 26
"""Units; nothing is ever set smaller."""
SMALLEST_TARGET_MM = 12.7
SMALLEST_GAP_MM = 2.54
MM_PER_INCH = 25.4


def rgb(code: str) -> Colour:
    """``"#005BAC"`` to (0, 91, 172).

    Raises:
        ValueError: not a ``#`` and six hexadecimal digits.
    """
    if len(code) != 7 or code[0] != "#":
        raise ValueError(f"not a colour: {code!r}")
    red, green, blue = bytes.fromhex(code[1:])
    return red, green, blue


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """``share`` (0..1) of ``other`` in ``one``."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2 contrast ratio, 1..21."""

    def luminance(colour: Colour) -> float:
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (channel / 255 for channel in colour)
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@dataclass(frozen=True)
class Palette:
    """Every colour of a screen by what it is for.

    Attributes:
        primary: main action, active step; ``on_primary`` is set on it.
        accent: words in the brand colour on paper and on tint.
        deep: bodies of drawn machines; darkest brand colour.
        tint: secondary tiles and icon plates; ``wash`` is paler, behind drawings.
        ink, ink_2, ink_3: text; secondary text and captions; disabled things only.
    """

    primary: Colour
    on_primary: Colour
    header: Colour
    on_header: Colour
    accent: Colour
    deep: Colour
    tint: Colour
    wash: Colour
    ink: Colour
    ink_2: Colour
    ink_3: Colour
    line: Colour
    background: Colour
    paper: Colour
    ok: Colour
    ok_tint: Colour
    warn: Colour
    warn_tint: Colour
    stop: Colour
    stop_tint: Colour
    veil: Colour

    def with_primary(self, primary: Colour) -> Palette:
        """The same palette around another brand colour.

        Raises:
            ValueError: white on it would have less contrast than 4.5:1.
        """
        white, black = (255, 255, 255), (0, 0, 0)
        if contrast(primary, white) < 4.5:
            raise ValueError("the primary colour is too light for white text")
        darker = mix(primary, black, 0.19)
        return replace(
            self,
            primary=primary,
            on_primary=white,
            header=darker,
            accent=darker,
            deep=mix(primary, black, 0.5),
            tint=mix(white, primary, 0.14),
            wash=mix(white, primary, 0.06),
        )

    def of(self, tone: Tone) -> tuple[Colour, Colour]:
        """Colour of the words and of the ground behind them."""
        return {
            Tone.NEUTRAL: (self.ink_2, self.background),
            Tone.INFO: (self.accent, self.tint),
            Tone.OK: (self.ok, self.ok_tint),
            Tone.WARN: (self.warn, self.warn_tint),
            Tone.STOP: (self.stop, self.stop_tint),
        }[tone]


LIGHT = Palette(
    primary=rgb("#005BAC"),
    on_primary=rgb("#FFFFFF"),
    header=rgb("#004A8C"),
    on_header=rgb("#FFFFFF"),
    accent=rgb("#004A8C"),
    deep=rgb("#07305E"),
    tint=rgb("#DCEAFA"),
    wash=rgb("#F0F6FD"),
    ink=rgb("#12233A"),
    ink_2=rgb("#4A5B72"),
    ink_3=rgb("#7A899C"),
    line=rgb("#D5DFEA"),
    background=rgb("#EEF3F9"),
    paper=rgb("#FFFFFF"),
    ok=rgb("#0E7C4A"),
    ok_tint=rgb("#E4F5EC"),
    warn=rgb("#A65A00"),
    warn_tint=rgb("#FFF3DF"),
    stop=rgb("#B3261E"),
    stop_tint=rgb("#FCEAE8"),
    veil=rgb("#07182C"),
)
HIGH_CONTRAST = Palette(
    primary=rgb("#FFD54A"),
    on_primary=rgb("#101820"),
    header=rgb("#000000"),
    on_header=rgb("#FFFFFF"),
    accent=rgb("#FFD54A"),
    deep=rgb("#2A4E78"),
    tint=rgb("#23364C"),
    wash=rgb("#1B2B3E"),
    ink=rgb("#FFFFFF"),
    ink_2=rgb("#D8E2EE"),
    ink_3=rgb("#93A3B5"),
    line=rgb("#51657C"),
    background=rgb("#0C151F"),
    paper=rgb("#131F2C"),
    ok=rgb("#6FE0A6"),
    ok_tint=rgb("#0F3323"),
    warn=rgb("#FFC069"),
    warn_tint=rgb("#3A2703"),
    stop=rgb("#FF9E96"),
    stop_tint=rgb("#431512"),
    veil=rgb("#000000"),
)


@dataclass(frozen=True)
class Face:
    """A type style in units: size of the em square, distance of baselines, weight."""

    size: int
    line: int
    bold: bool = False


@dataclass(frozen=True)
class Type:
    """The type scale."""

    display: Face = Face(60, 80, bold=True)
    title: Face = Face(48, 64, bold=True)
    heading: Face = Face(36, 52, bold=True)
    lead: Face = Face(32, 48)
    body: Face = Face(32, 50)
    button: Face = Face(36, 48, bold=True)
    caption: Face = Face(28, 42)
    figure: Face = Face(56, 72, bold=True)
    smallest: int = SMALLEST_TEXT


LARGE_TYPE = Type(
    display=Face(84, 108, bold=True),
    title=Face(60, 80, bold=True),
    heading=Face(48, 66, bold=True),
    lead=Face(44, 62),
    body=Face(44, 64),
    button=Face(48, 62, bold=True),
    caption=Face(40, 56),
    figure=Face(64, 84, bold=True),
    smallest=40,
)


@dataclass(frozen=True)
class Theme:
    """Look of every screen of one terminal.

    Attributes:
        density: pixels an inch of the screen as it is looked at.
        large: large type and at most five choices a menu (for elderly residents).
    """

    palette: Palette = LIGHT
    density: float = REFERENCE_PPI
    large: bool = False
    type: Type = field(default_factory=Type)

    @classmethod
    def make(
        cls,
        *,
        primary: str | None = None,
        density: float = REFERENCE_PPI,
        large: bool = False,
        high_contrast: bool = False,
    ) -> Theme:
        """A theme from settings.

        Args:
            primary: brand colour as ``#RRGGBB``; not used by the high-contrast palette.

        Raises:
            ValueError: not a colour, too light for white text, or a density of 0 or less.
        """
        if density <= 0:
            raise ValueError("density must be positive")
        light = LIGHT if primary is None else LIGHT.with_primary(rgb(primary))
        return cls(
            palette=HIGH_CONTRAST if high_contrast else light,
            density=density,
            large=large,
            type=LARGE_TYPE if large else Type(),
        )

    def px(self, units: float) -> int:
        """Units to whole pixels of this screen."""
        return round(units * self.density / REFERENCE_PPI)

    def mm(self, millimetres: float) -> float:
        """Millimetres to pixels of this screen."""
        return millimetres * self.density / MM_PER_INCH
