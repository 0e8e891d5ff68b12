"""What the kiosk says about its screen with ``--observe``: its name, what can be touched, where.

The file grows by one JSON object a line. It names places, never content, so that it can be kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Rect = tuple[int, int, int, int]


class ObserveFormatError(ValueError):
    """A line of the observe file isn't what the seam says."""


@dataclass(frozen=True)
class Focusable:
    """One thing that answers a touch.

    Attributes:
        rect: x, y, width, height in pixels of `Observation.size`.
    """

    id: str
    role: str
    rect: Rect

    @property
    def centre(self) -> tuple[int, int]:
        x, y, width, height = self.rect
        return x + width // 2, y + height // 2


@dataclass(frozen=True)
class Observation:
    """One picture that the kiosk showed.

    Attributes:
        screen: the application's name of the screen, for example ``pin.rejected``.
        view: the kind of picture, a word of the toolkit.
        overlay: a time-out warning lies over it.
        size: width and height in pixels.
    """

    seq: int
    screen: str
    view: str
    overlay: bool
    size: tuple[int, int]
    focus: tuple[Focusable, ...]

    def find(self, wanted: str) -> Focusable | None:
        """The focusable thing with this id, or None."""
        return next((thing for thing in self.focus if thing.id == wanted), None)


def parse(line: str) -> Observation:
    """Read one line.

    Raises:
        ObserveFormatError: it isn't JSON, or a field is missing or of another kind.
    """
    try:
        found = json.loads(line)
        width, height = found["size"]
        focus = tuple(
            Focusable(str(item["id"]), str(item["role"]), _rect(item["rect"]))
            for item in found["focus"]
        )
        return Observation(
            seq=int(found["seq"]),
            screen=str(found["name"]),
            view=str(found["view"]),
            overlay=bool(found["overlay"]),
            size=(int(width), int(height)),
            focus=focus,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ObserveFormatError(f"not a line of the observe output: {line[:80]!r}") from error


def _rect(numbers: object) -> Rect:
    if not isinstance(numbers, list) or len(numbers) != 4:
        raise ValueError("a rectangle has four numbers")
    x, y, width, height = (int(number) for number in numbers)
    return x, y, width, height


class ObservedScreens:
    """Follows a growing observe file and keeps every observation in order.

    A kiosk that starts again begins the file anew; then reading begins anew too, and what was
    seen before stays.
    """

    POLL_SECONDS = 0.01

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""
        self.seen: list[Observation] = []

    @property
    def latest(self) -> Observation | None:
        """The newest observation; call `read` first."""
        return self.seen[-1] if self.seen else None

    def read(self) -> None:
        """Take in every complete line that has arrived.

        Raises:
            ObserveFormatError: a line can't be understood.
        """
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, 2)
                if size < self._offset:
                    self._offset, self._rest = 0, b""
                file.seek(self._offset)
                new = file.read()
        except FileNotFoundError:
            return
        self._offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        self.seen.extend(parse(line.decode()) for line in lines if line.strip())

    def wait(
        self, within: float, condition: Callable[[], bool], watch: Callable[[], None] = lambda: None
    ) -> bool:
        """Read until the condition holds; False when it doesn't within so many seconds.

        Args:
            watch: called on every turn; raises to give up early (for example a kiosk that ended).
        """
        deadline = time.monotonic() + within
        while True:
            self.read()
            if condition():
                return True
            watch()
            if time.monotonic() >= deadline:
                return False
            time.sleep(self.POLL_SECONDS)
