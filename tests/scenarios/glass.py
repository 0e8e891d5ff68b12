"""A window without a picture: it lays out what the terminal shows, and is touched by ids."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from ui.inputs import Closed, Input, Touched
from ui.layout import forget, layout
from ui.theme import Theme
from ui.views import Footer, HomeFooter, Screen, Tone


@dataclass(frozen=True)
class Glimpse:
    """One picture.

    Attributes:
        number: counts the pictures.
        name: the screen's.
        ids: what answers a touch.
        counts_down: it says how long it stays.
        warns: the time-out warning lies over it.
        well: no badge says that something is wrong.
    """

    number: int
    name: str
    ids: frozenset[str]
    counts_down: bool
    warns: bool
    well: bool


class Glass:
    """Stands for `ui.window.Window`; residents may touch it from any thread.

    Attributes:
        seen: every picture, oldest first.
    """

    def __init__(
        self, size: tuple[int, int], *, theme: Theme, fullscreen: bool, observe: TextIO | None
    ) -> None:
        self._size = size
        self._theme = theme
        self._news = threading.Condition()
        self._inputs: list[Input] = []
        self._woken = False
        self.seen: list[Glimpse] = []

    # --- the terminal's side -------------------------------------------------------------------

    def show(self, screen: Screen) -> None:
        scene = layout(screen, self._theme, self._size)
        footer = screen.footer
        with self._news:
            self.seen.append(
                Glimpse(
                    len(self.seen),
                    screen.name,
                    frozenset(thing.id for thing in scene.focus),
                    isinstance(footer, Footer) and footer.countdown is not None,
                    screen.overlay is not None,
                    not isinstance(footer, HomeFooter)
                    or all(badge.tone is not Tone.WARN for badge in footer.badges),
                )
            )
            self._news.notify_all()

    def wait(self, timeout_seconds: float) -> list[Input]:
        with self._news:
            self._news.wait_for(lambda: self._inputs or self._woken, timeout_seconds)
            found, self._inputs, self._woken = self._inputs, [], False
            return found

    def wake(self) -> None:
        with self._news:
            self._woken = True
            self._news.notify_all()

    def forget(self) -> None:
        forget()

    def close(self) -> None:
        self.forget()

    # --- the resident's side -------------------------------------------------------------------

    @property
    def latest(self) -> Glimpse:
        return self.seen[-1]

    def touch(self, wanted: str) -> None:
        with self._news:
            self._inputs.append(Touched(wanted))
            self._news.notify_all()

    def close_it(self) -> None:
        """As the system does when it asks the terminal to end."""
        with self._news:
            self._inputs.append(Closed())
            self._news.notify_all()

    def await_picture(self, after: int, seconds: float) -> bool:
        """Wait for a picture behind that number."""
        with self._news:
            return self._news.wait_for(lambda: len(self.seen) > after + 1, seconds)

    def await_that(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until something holds that may have to do with pictures or not."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= end:
                return False
            with self._news:
                self._news.wait(0.02)
        return True
