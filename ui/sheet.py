"""A sheet to lay things out on: text that always fits its place, plates, buttons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from ui import fonts, wrapping
from ui.scene import Colour, Drawing, Fill, Focusable, Node, Plate, Rect, Role, Text, Veil
from ui.theme import Face, Palette, Theme
from ui.views import Action, Emphasis

# From the baseline a Han character reaches 0.88 em up and 0.12 em down; its middle, and that of a
# capital letter, is 0.38 em above. Accents and descenders stay within the line box below.
_MIDDLE_ABOVE_BASELINE = 0.38
_INK_ABOVE = 1.0
_INK_BELOW = 0.3


class Align(Enum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True)
class Setting:
    """Text broken into lines that fit; sizes in pixels."""

    lines: tuple[str, ...]
    face: Face

    @property
    def height(self) -> int:
        return len(self.lines) * self.face.line

    @property
    def width(self) -> int:
        return max(fonts.width(line, self.face.size, self.face.bold) for line in self.lines)


@lru_cache(maxsize=1024)
def _set(text: str, face: Face, width: int, most: int, floor: int, balance: bool) -> Setting:
    breaking = wrapping.balanced if balance else wrapping.without_orphan
    size = face.size
    while True:
        shrunk = Face(size, round(face.line * size / face.size), face.bold)

        def measure(line: str, size: int = size) -> int:
            return fonts.width(line, size, face.bold)

        lines = breaking(text, width, measure)
        if len(lines) <= most and all(measure(line) <= width for line in lines):
            return Setting(tuple(lines), shrunk)
        if size <= floor:
            return Setting(tuple(wrapping.shortened(lines, most, width, measure)), shrunk)
        size = max(floor, size * 15 // 16)


def forget() -> None:
    """Drop every remembered text."""
    _set.cache_clear()


class Sheet:
    """Collects the nodes of one part of a screen.

    Args:
        grade: 1.0, or less to set everything smaller when there is much to show. Text never
            goes under the theme's smallest size.
        lines: the most lines of a bold and of a plain paragraph; fewer as a last resort.
    """

    def __init__(
        self,
        theme: Theme,
        size: tuple[int, int],
        locale: str,
        *,
        grade: float = 1.0,
        lines: tuple[int, int] = (9, 9),
    ) -> None:
        self.theme = theme
        self.size = size
        self.portrait = size[1] > size[0]
        self.nodes: list[Node] = []
        self.focus: list[Focusable] = []
        self._grade = grade
        self._lines = lines
        self._locale = locale
        self._narrow = not locale.lower().startswith(("zh", "ja"))

    def blank(self) -> Sheet:
        """An empty sheet of the same kind, to measure on."""
        return Sheet(self.theme, self.size, self._locale, grade=self._grade, lines=self._lines)

    @property
    def palette(self) -> Palette:
        return self.theme.palette

    def u(self, units: float) -> int:
        """Units to pixels at this sheet's grade."""
        return self.theme.px(units * self._grade)

    @property
    def tightest(self) -> bool:
        """Whether every paragraph has only one line: nothing more can be saved by cutting."""
        return self._lines == (1, 1)

    @property
    def smallest(self) -> int:
        """Pixels of the smallest text."""
        return self._floor

    @property
    def target(self) -> int:
        """Smallest height of what can be touched, in pixels, whatever the grade."""
        return self.theme.px(72)

    @property
    def gap(self) -> int:
        """Smallest distance between what can be touched, in pixels, whatever the grade."""
        return self.theme.px(16)

    # --- text -------------------------------------------------------------------------------

    def _pixels(self, face: Face) -> Face:
        size = max(self.u(face.size), self._floor)
        return Face(size, round(face.line * size / face.size), face.bold)

    @property
    def _floor(self) -> int:
        return self.theme.px(self.theme.type.smallest)

    def set(
        self, text: str, face: Face, width: int, *, most: int = 1, balance: bool = False
    ) -> Setting:
        """Break ``text`` into at most ``most`` lines of ``width`` pixels.

        A text that is too long is set smaller, and at the smallest size cut with an ellipsis.
        """
        if self._narrow:
            text = fonts.narrow_punctuation(text)
        most = min(most, self._lines[0] if face.bold else self._lines[1])
        return _set(text, self._pixels(face), max(1, width), most, self._floor, balance)

    def set_alike(self, texts: list[str], face: Face, widths: list[int]) -> list[Setting]:
        """One line each, all in the size that the one with least room needs."""
        pairs = list(zip(texts, widths, strict=True))
        size = min(self.set(text, face, width).face.size for text, width in pairs)
        pixels = self._pixels(face)
        same = Face(size, round(pixels.line * size / pixels.size), pixels.bold)
        return [_set(text, same, width, 1, self._floor, False) for text, width in pairs]

    def natural_width(self, text: str, face: Face) -> int:
        """Width in pixels of the text on one line in full size."""
        pixels = self._pixels(face)
        if self._narrow:
            text = fonts.narrow_punctuation(text)
        return fonts.width(text, pixels.size, pixels.bold)

    def put(
        self, setting: Setting, x: int, y: int, width: int, colour: Colour, align: Align
    ) -> int:
        """Draw lines from the top ``y`` down; returns where they end."""
        size, bold = setting.face.size, setting.face.bold
        for line in setting.lines:
            advance = fonts.width(line, size, bold)
            match align:
                case Align.LEFT:
                    left = x
                case Align.CENTRE:
                    left = x + (width - advance) // 2
                case Align.RIGHT:
                    left = x + width - advance
            baseline = y + setting.face.line // 2 + round(size * _MIDDLE_ABOVE_BASELINE)
            box = Rect(
                left,
                baseline - round(size * _INK_ABOVE),
                advance,
                round(size * _INK_ABOVE) + round(size * _INK_BELOW),
            )
            if line:
                self.nodes.append(Text(box, line, size, bold, colour, baseline))
            y += setting.face.line
        return y

    def paragraph(
        self,
        text: str,
        face: Face,
        place: Rect,
        colour: Colour,
        *,
        most: int = 1,
        align: Align = Align.LEFT,
        balance: bool = False,
    ) -> int:
        """Text from the top of ``place`` down; its height is not looked at. Returns the end."""
        if not text:
            return place.y
        setting = self.set(text, face, place.w, most=most, balance=balance)
        return self.put(setting, place.x, place.y, place.w, colour, align)

    def label(
        self,
        text: str,
        face: Face,
        place: Rect,
        colour: Colour,
        *,
        most: int = 1,
        align: Align = Align.CENTRE,
    ) -> None:
        """Text in the vertical middle of ``place``, as large as fits its width and height."""
        setting = self.set(text, face, place.w, most=most, balance=True)
        while setting.height > place.h and len(setting.lines) > 1:
            setting = self.set(text, face, place.w, most=len(setting.lines) - 1, balance=True)
        self.put(
            setting, place.x, place.y + (place.h - setting.height) // 2, place.w, colour, align
        )

    # --- shapes -----------------------------------------------------------------------------

    def fill(self, rect: Rect, colour: Colour) -> None:
        self.nodes.append(Fill(rect, colour))

    def plate(
        self,
        rect: Rect,
        fill: Colour,
        *,
        radius: float = 26,
        border: float = 0,
        edge: Colour = (0, 0, 0),
        focus: str = "",
    ) -> None:
        """A plate; ``radius`` and ``border`` in units."""
        corner = min(self.u(radius), rect.w // 2, rect.h // 2)
        thickness = max(1, self.theme.px(border)) if border else 0
        self.nodes.append(Plate(rect, corner, fill, thickness, edge if thickness else fill, focus))

    def card(self, rect: Rect, *, focus: str = "") -> None:
        """The white plate that most things lie on."""
        self.plate(rect, self.palette.paper, border=2, edge=self.palette.line, focus=focus)

    def disc(
        self,
        centre: tuple[int, int],
        diameter: int,
        fill: Colour,
        *,
        border: float = 0,
        edge: Colour = (0, 0, 0),
    ) -> None:
        """A circle; ``diameter`` in pixels, ``border`` in units."""
        rect = Rect(centre[0] - diameter // 2, centre[1] - diameter // 2, diameter, diameter)
        thickness = max(1, self.theme.px(border)) if border else 0
        self.nodes.append(Plate(rect, diameter // 2, fill, thickness, edge if thickness else fill))

    def drawing(
        self,
        rect: Rect,
        name: str,
        sign: tuple[Colour, Colour] | None = None,
        *,
        muted: bool = False,
    ) -> None:
        self.nodes.append(Drawing(rect, name, sign, muted))

    def veil(self, rect: Rect, colour: Colour, strength: int) -> None:
        self.nodes.append(Veil(rect, colour, strength))

    # --- buttons ----------------------------------------------------------------------------

    def touchable(self, name: str, role: Role, rect: Rect) -> None:
        self.focus.append(Focusable(name, role, rect))

    def button_width(self, action: Action, *, least: float = 240) -> int:
        """Width in pixels at which the label stands on one line in full size."""
        natural = self.natural_width(action.label, self.theme.type.button)
        return max(self.u(least), natural + 2 * self.u(44))

    def button(self, action: Action, rect: Rect, *, on_page: bool = False) -> None:
        """A button in ``rect``; one that is not enabled can't be touched and is set in grey.

        Args:
            on_page: it lies on the page, where a quiet button needs a ground to be seen.
        """
        palette = self.palette
        if not action.enabled:
            self.plate(rect, palette.background, radius=24, border=2, edge=palette.line)
            colour = palette.ink_3
        else:
            match action.emphasis:
                case Emphasis.PRIMARY:
                    self.plate(rect, palette.primary, radius=24, focus=action.id)
                    colour = palette.on_primary
                case Emphasis.SECONDARY:
                    self.plate(
                        rect,
                        palette.paper,
                        radius=24,
                        border=3,
                        edge=palette.primary,
                        focus=action.id,
                    )
                    colour = palette.accent
                case Emphasis.QUIET:
                    ground = palette.tint if on_page else palette.background
                    self.plate(rect, ground, radius=24, focus=action.id)
                    colour = palette.accent if on_page else palette.ink
            self.touchable(action.id, Role.BUTTON, rect)
        inner = rect.inset(self.u(20), self.u(8))
        self.label(action.label, self.theme.type.button, inner, colour, most=2)

    def row_of_buttons(
        self, actions: tuple[Action, ...], place: Rect, *, align: Align = Align.LEFT
    ) -> None:
        """Buttons side by side in ``place``, each as wide as its label, narrower if they must."""
        gap = max(self.u(32), self.gap)
        free = place.w - gap * (len(actions) - 1)
        widths = [self.button_width(action) for action in actions]
        widths = shared(widths, free)
        x = place.x
        total = sum(widths) + gap * (len(actions) - 1)
        match align:
            case Align.LEFT:
                pass
            case Align.CENTRE:
                x += (place.w - total) // 2
            case Align.RIGHT:
                x += place.w - total
        for action, width in zip(actions, widths, strict=True):
            self.button(action, Rect(x, place.y, width, place.h), on_page=True)
            x += width + gap


def shared(wishes: list[int], free: int) -> list[int]:
    """Cut the widest wishes down until all together are no more than ``free``."""
    if sum(wishes) <= free:
        return wishes
    low, high = 0, max(wishes)
    while high - low > 1:
        middle = (low + high) // 2
        if sum(min(wish, middle) for wish in wishes) <= free:
            low = middle
        else:
            high = middle
    return [min(wish, low) for wish in wishes]
