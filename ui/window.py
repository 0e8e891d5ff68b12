"""The window of a terminal: shows screens, tells what residents touch."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from ui import layout
from ui.inputs import Closed, Input
from ui.observe import Observer
from ui.renderer import Renderer
from ui.scene import Rect, Scene
from ui.sdl import pygame
from ui.theme import Theme
from ui.touch import Pointer, TouchTracker
from ui.views import Idle, Screen

_LEFT_BUTTON = 1
_WAKE = pygame.USEREVENT + 1
_INVISIBLE = ("offscreen", "dummy")


class NoDisplay(Exception):
    """No display can be opened."""


class Window:
    """One window. All methods but `wake` belong to the thread that made it.

    Args:
        size: width and height in pixels.
        fullscreen: cover the screen, without frame and with no visible pointer.
        observe: where to write what can be touched (see `ui.observe`).
        clock: steady seconds, for the debouncing of touches.

    Raises:
        NoDisplay: there is no display that anybody could see.
    """

    def __init__(
        self,
        size: tuple[int, int],
        *,
        theme: Theme | None = None,
        fullscreen: bool = False,
        observe: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        title: str = "",
    ) -> None:
        # Not pygame.init(): that would also open sound and joysticks.
        try:
            pygame.display.init()
            pygame.font.init()
            self._surface = pygame.display.set_mode(
                size, pygame.FULLSCREEN if fullscreen else 0, depth=32
            )
        except pygame.error as error:
            raise NoDisplay(str(error)) from None
        # SDL falls back to a driver that shows nothing; only who asked for it by name wants that.
        driver = pygame.display.get_driver()
        if driver in _INVISIBLE and os.environ.get("SDL_VIDEODRIVER") != driver:
            pygame.display.quit()
            raise NoDisplay("there is no display")
        pygame.display.set_caption(title)
        if fullscreen:
            # Hiding the pointer has broken touch on some panels; an empty one never does.
            pygame.mouse.set_cursor((8, 8), (0, 0), (0,) * 8, (0,) * 8)
        pygame.event.set_allowed(None)
        self._theme = theme or Theme.make()
        self._renderer = Renderer(self._surface, self._theme)
        self._observer = Observer(observe) if observe is not None else None
        self._clock = clock
        self._touch = TouchTracker()
        self._screen: Screen | None = None
        self._waking = threading.Event()

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as the display granted them."""
        return self._surface.get_size()

    @property
    def theme(self) -> Theme:
        return self._theme

    def set_theme(self, theme: Theme) -> None:
        """Use another theme from the next `show` on, for example large type."""
        self._theme = theme
        self._renderer = Renderer(self._surface, theme)

    def show(self, screen: Screen) -> None:
        """Make ``screen`` visible; only what changed is drawn.

        Showing `Idle` also forgets every text that was shown before.

        Raises:
            ui.layout.DoesNotFitError: it holds too many things; the last screen stays.
        """
        if isinstance(screen.body, Idle) and not self._is_idle():
            self.forget()
        rects = self._renderer.update(screen, pressed=self._touch.pressed)
        self._screen = screen
        scene = self._scene()
        pressed = self._touch.pressed
        self._touch.scene_changed(scene)
        if self._touch.pressed != pressed:
            rects += self._renderer.update(screen, pressed=self._touch.pressed)
        self._present(rects)
        if self._observer is not None:
            self._observer.observe(screen, scene)

    def wait(self, timeout_seconds: float) -> list[Input]:
        """Sleep until something is touched, `wake` is called or the time is over.

        Returns:
            What happened, oldest first; empty after a time-out or a wake.
        """
        end = time.monotonic() + max(0.0, timeout_seconds)
        found: list[Input] = []
        while not found:
            left = end - time.monotonic()
            if self._waking.is_set():
                left = 0.0
            # 0 would mean "for ever" to pygame.event.wait.
            first = pygame.event.wait(max(1, int(left * 1000)))
            events = [first, *pygame.event.get()] if first.type != pygame.NOEVENT else []
            for event in events:
                found += self._handle(event)
            if self._waking.is_set() or time.monotonic() >= end:
                self._waking.clear()
                break
        return found

    def wake(self) -> None:
        """Let `wait` return; may be called by any thread."""
        if not self._waking.is_set():
            self._waking.set()
            pygame.event.post(pygame.event.Event(_WAKE))

    def forget(self) -> None:
        """Drop all remembered texts and drawings of texts, for when a visitor has left.

        What is still shown stays until the next `show`.
        """
        self._renderer.forget()
        layout.forget()

    def screenshot(self, path: Path) -> None:
        """Write what is shown as PNG."""
        pygame.image.save(self._surface, str(path))

    def close(self) -> None:
        """Close the window. The object can't be used after."""
        self.forget()
        pygame.display.quit()

    # --- events -----------------------------------------------------------------------------

    def _handle(self, event: pygame.event.Event) -> list[Input]:
        match event.type:
            case pygame.QUIT:
                return [Closed()]
            case pygame.WINDOWEXPOSED | pygame.VIDEOEXPOSE:
                pygame.display.flip()
            case pygame.FINGERDOWN | pygame.FINGERMOTION | pygame.FINGERUP:
                width, height = self.size
                pointer = ("finger", int(event.touch_id), int(event.finger_id))
                return self._pointed(event.type, pointer, (event.x * width, event.y * height))
            case pygame.MOUSEBUTTONDOWN | pygame.MOUSEBUTTONUP:
                # A finger comes as a finger; the mouse that SDL makes of it does not count.
                if event.button == _LEFT_BUTTON and not getattr(event, "touch", False):
                    return self._pointed(event.type, ("mouse", 0, 0), event.pos)
            case pygame.MOUSEMOTION:
                if not getattr(event, "touch", False):
                    return self._pointed(event.type, ("mouse", 0, 0), event.pos)
        return []

    def _pointed(self, kind: int, pointer: Pointer, at: tuple[float, float]) -> list[Input]:
        if self._screen is None:
            return []
        match kind:
            case pygame.FINGERDOWN | pygame.MOUSEBUTTONDOWN:
                self._touch.down(pointer, at, self._scene(), self._clock())
                self._refresh()
            case pygame.FINGERMOTION | pygame.MOUSEMOTION:
                self._touch.move(pointer, at)
                self._refresh()
            case _:
                result = self._touch.up(pointer, at, self._clock())
                self._refresh()
                return [] if result is None else [result]
        return []

    # --- drawing ----------------------------------------------------------------------------

    def _scene(self) -> Scene:
        scene = self._renderer.scene
        if scene is None:
            raise RuntimeError("nothing is shown")
        return scene

    def _is_idle(self) -> bool:
        return self._screen is None or isinstance(self._screen.body, Idle)

    def _refresh(self) -> None:
        """Show or take away the darker colour of what is pressed."""
        if self._screen is not None:
            self._present(self._renderer.update(self._screen, pressed=self._touch.pressed))

    def _present(self, rects: list[Rect]) -> None:
        if rects:
            pygame.display.update(rects)
