"""What is drawn where: immutable nodes in painting order, and what can be touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

Colour = tuple[int, int, int]


class Rect(NamedTuple):
    """Whole pixels; ``right`` and ``bottom`` lie just outside."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        return self.x + self.w

    @property
    def bottom(self) -> int:
        return self.y + self.h

    @property
    def middle(self) -> int:
        """y of the horizontal centre line."""
        return self.y + self.h // 2

    @property
    def centre(self) -> int:
        """x of the vertical centre line."""
        return self.x + self.w // 2

    def inset(self, dx: int, dy: int) -> Rect:
        return Rect(self.x + dx, self.y + dy, self.w - 2 * dx, self.h - 2 * dy)

    def holds(self, x: float, y: float) -> bool:
        return self.x <= x < self.right and self.y <= y < self.bottom

    def encloses(self, other: Rect) -> bool:
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def meets(self, other: Rect) -> bool:
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )

    def union(self, other: Rect) -> Rect:
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Rect(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)


class Role(Enum):
    """What kind of thing can be touched."""

    SCREEN = "screen"
    BUTTON = "button"
    KEY = "key"
    TILE = "tile"
    LINK = "link"
    TOOL = "tool"


@dataclass(frozen=True)
class Focusable:
    id: str
    role: Role
    rect: Rect


@dataclass(frozen=True)
class Fill:
    """A plain rectangle."""

    rect: Rect
    colour: Colour


@dataclass(frozen=True)
class Plate:
    """A rectangle with round corners and perhaps a border inside its edge.

    Attributes:
        focus: id of what this plate is the body of; it darkens while pressed.
    """

    rect: Rect
    radius: int
    fill: Colour
    border: int = 0
    edge: Colour = (0, 0, 0)
    focus: str = ""


@dataclass(frozen=True)
class Text:
    """One line of text; its ink stays inside ``rect``."""

    rect: Rect
    text: str
    size: int
    bold: bool
    colour: Colour
    baseline: int


@dataclass(frozen=True)
class Drawing:
    """A picture of ui/pictures/, fitted into ``rect``.

    Attributes:
        sign: colours of what the file paints in the warning colour and its tint; None keeps them.
        muted: pale, for what can't be used now.
    """

    rect: Rect
    name: str
    sign: tuple[Colour, Colour] | None = None
    muted: bool = False


@dataclass(frozen=True)
class Image:
    """A given picture scaled to ``rect``. Its repr shows no content; images compare by their id.

    Attributes:
        png: the encoded picture; the same id means the same picture.
    """

    rect: Rect
    id: str
    png: bytes = field(repr=False, compare=False)


@dataclass(frozen=True)
class Shadow:
    """What lies under a sheet of paper: darkest under it, nothing at the edge of ``rect``.

    Attributes:
        spread: pixels from the edge of ``rect`` to where it is darkest.
        strength: 0..255 where it is darkest.
    """

    rect: Rect
    spread: int
    colour: Colour
    strength: int


@dataclass(frozen=True)
class Veil:
    """Dims all that was painted before; ``strength`` 0..255."""

    rect: Rect
    colour: Colour
    strength: int


Node = Fill | Plate | Text | Drawing | Image | Shadow | Veil


@dataclass(frozen=True)
class Scene:
    """One whole picture.

    Attributes:
        focus: what can be touched now; when two overlap the later one lies above.
    """

    size: tuple[int, int]
    nodes: tuple[Node, ...]
    focus: tuple[Focusable, ...]

    def at(self, x: float, y: float) -> Focusable | None:
        """What a touch at this pixel meets."""
        return next((thing for thing in reversed(self.focus) if thing.rect.holds(x, y)), None)

    def with_pressed(self, pressed: str) -> Scene:
        """The same picture while a finger rests on ``pressed``, an id or empty."""
        return _with_pressed(self, pressed) if pressed else self


@lru_cache(maxsize=8)
def _with_pressed(scene: Scene, pressed: str) -> Scene:
    return replace(
        scene,
        nodes=tuple(
            replace(node, fill=_darker(node.fill))
            if isinstance(node, Plate) and node.focus == pressed
            else node
            for node in scene.nodes
        ),
    )


def _darker(colour: Colour) -> Colour:
    red, green, blue = (channel * 86 // 100 for channel in colour)
    return red, green, blue


def forget() -> None:
    """Drop remembered scenes."""
    _with_pressed.cache_clear()


def changed(old: Scene, new: Scene) -> list[Rect]:
    """Where ``new`` may differ from ``old``: outside these rectangles every pixel is the same.

    A pixel is decided by the nodes over it in their order. Nodes that both scenes have equally
    often, in the same order, therefore change nothing; the rectangles of all others do.
    """
    whole = Rect(0, 0, *new.size)
    if old.size != new.size:
        return [whole]
    before, after = _without_common_ends(old.nodes, new.nodes)
    count_before, count_after = Counter(before), Counter(after)
    kept = {node for node, count in count_before.items() if count_after[node] == count}
    if [node for node in before if node in kept] != [node for node in after if node in kept]:
        return [whole]
    dirty = {node.rect: None for node in (*before, *after) if node not in kept}
    return _merged(dirty, whole)


def _without_common_ends(
    before: tuple[Node, ...], after: tuple[Node, ...]
) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    def same(pair: tuple[Node, Node]) -> bool:
        return pair[0] is pair[1] or pair[0] == pair[1]

    head = sum(1 for _ in takewhile(same, zip(before, after, strict=False)))
    before, after = before[head:], after[head:]
    tail = sum(1 for _ in takewhile(same, zip(reversed(before), reversed(after), strict=False)))
    return before[: len(before) - tail], after[: len(after) - tail]


def _merged(rects: Iterable[Rect], whole: Rect) -> list[Rect]:
    """Unite rectangles that meet; everything when little would be saved."""
    result: list[Rect] = []
    for rect in rects:
        growing = rect
        while met := next((other for other in result if other.meets(growing)), None):
            result.remove(met)
            growing = growing.union(met)
        result.append(growing)
    if sum(rect.w * rect.h for rect in result) * 2 > whole.w * whole.h:
        return [whole]
    return result
