"""The one place that imports pygame, after SDL has been told how to behave.

SDL reads these settings when its video part starts, so they stand before anything else.
Only what pygame 2.6 and pygame-ce have in common is used in this room (a test looks).
"""

from __future__ import annotations

import os

_SETTINGS = {
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
    # On X11 SDL would present through OpenGL, in software without a GPU: 20-40 ms a frame,
    # and dirty rectangles would not help.
    "SDL_FRAMEBUFFER_ACCELERATION": "0",
    # A finger must not come a second time as a mouse, nor a mouse as a finger.
    "SDL_TOUCH_MOUSE_EVENTS": "0",
    "SDL_MOUSE_TOUCH_EVENTS": "0",
    "SDL_VIDEO_ALLOW_SCREENSAVER": "0",
}
for _name, _value in _SETTINGS.items():
    os.environ.setdefault(_name, _value)

import pygame as pygame  # noqa: E402 - after the settings
import pygame.font  # noqa: E402
import pygame.freetype  # noqa: E402

__all__ = ["pygame"]
