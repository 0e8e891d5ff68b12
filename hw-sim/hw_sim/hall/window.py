"""Eyes and finger of the autopilot on an X display: screenshots by Pillow, touches by XTEST."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from PIL import Image, ImageChops, ImageGrab

Size = tuple[int, int]
Rect = tuple[int, int, int, int]


class DisplayUnusable(Exception):
    """No X display, no xdotool, or no window to touch; the text says which."""


class XWindow:
    """The terminal's window on a display: the one that has the size of its observed pictures.

    Args:
        display: for example ``:99``.
    """

    SETTLE_GRABS = 6

    def __init__(self, display: str) -> None:
        if not display:
            raise DisplayUnusable("no X display: set DISPLAY, or use demo --headless")
        found = shutil.which("xdotool")
        if found is None:
            raise DisplayUnusable("xdotool is not installed")
        self._xdotool = found
        self._display = display
        self._found: tuple[Size, Rect] | None = None

    def touch(self, at: tuple[int, int], size: Size) -> None:
        """Press and release at a point of the window of that size.

        Raises:
            DisplayUnusable: the window or the display is gone.
        """
        x, y, _, _ = self._rect(size)
        self._run("mousemove", str(x + at[0]), str(y + at[1]), "click", "1")

    def screenshot(self, path: Path, size: Size | None) -> None:
        """Write the settled picture as PNG, of the whole display without a size.

        Raises:
            DisplayUnusable: the window or the display is gone.
        """
        picture = self._grab_settled(None if size is None else self._rect(size))
        picture.save(path, compress_level=1)  # fast rather than small

    def _grab_settled(self, rect: Rect | None) -> Image.Image:
        # Two pictures in a row that are equal: a fade is not caught half way. A picture that
        # never rests (a spinner) is taken as it is after some tries.
        before = self._grab(rect)
        for _ in range(self.SETTLE_GRABS):
            after = self._grab(rect)
            if ImageChops.difference(before, after).getbbox() is None:
                break
            before = after
        return before

    def _grab(self, rect: Rect | None) -> Image.Image:
        box = None if rect is None else (rect[0], rect[1], rect[0] + rect[2], rect[1] + rect[3])
        try:
            return ImageGrab.grab(bbox=box, xdisplay=self._display)
        except OSError as error:
            raise DisplayUnusable(f"display {self._display} can't be read") from error

    def _rect(self, size: Size) -> Rect:
        if self._found is None or self._found[0] != size:
            self._found = (size, self._find(size))
        return self._found[1]

    def _find(self, size: Size) -> Rect:
        if tuple(map(int, self._run("getdisplaygeometry").split())) == size:
            return 0, 0, *size
        for window in self._run("search", "--onlyvisible", "--class", ".").split():
            told = self._run("getwindowgeometry", "--shell", window).splitlines()
            shape = dict(line.split("=", 1) for line in told)
            if (int(shape["WIDTH"]), int(shape["HEIGHT"])) == size:
                return int(shape["X"]), int(shape["Y"]), *size
        raise DisplayUnusable(f"no window of {size[0]}x{size[1]} on display {self._display}")

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._xdotool, *arguments],
            env={**os.environ, "DISPLAY": self._display},
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        if done.returncode != 0 and arguments[0] != "search":
            raise DisplayUnusable(f"xdotool {arguments[0]}: {done.stderr.strip()}")
        return done.stdout
