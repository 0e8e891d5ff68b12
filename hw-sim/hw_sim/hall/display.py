"""X displays: a virtual one where there is no screen, and how large a given one is."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from pathlib import Path

from hw_sim.hall.children import Child
from hw_sim.hall.window import DisplayUnusable as DisplayUnusable

_START_SECONDS = 15.0
_OPTIONS = ("-nolisten", "tcp", "-noreset")


class VirtualDisplay:
    """An X server without a screen (Xvfb), on a free display.

    Attributes:
        name: for ``DISPLAY``, for example ``:99``.

    Raises:
        DisplayUnusable: Xvfb isn't installed or did not start.
    """

    def __init__(self, size: tuple[int, int], logs: Path) -> None:
        program = shutil.which("Xvfb")
        if program is None:
            raise DisplayUnusable("Xvfb is not installed")
        read, write = os.pipe()
        shape = f"{size[0]}x{size[1]}x24"
        try:
            # -displayfd: the server itself picks a free number and tells it once it listens.
            self._child = Child(
                "xvfb",
                [program, "-displayfd", str(write), "-screen", "0", shape, *_OPTIONS],
                logs,
                pass_fds=(write,),
            )
            os.close(write)
            write = -1
            told = b""
            while not told.endswith(b"\n"):
                ready, _, _ = select.select([read], [], [], _START_SECONDS)
                piece = os.read(read, 32) if ready else b""
                if not piece:
                    self._child.end()
                    raise DisplayUnusable(f"Xvfb did not start; its log is {self._child.log}")
                told += piece
        finally:
            os.close(read)
            if write >= 0:
                os.close(write)
        self.name = f":{int(told)}"

    def close(self) -> None:
        """End the server."""
        self._child.end()


def room_of(display: str) -> tuple[int, int] | None:
    """Width and height of a display, None when that can't be found out."""
    program = shutil.which("xdotool")
    if program is None or not display:
        return None
    done = subprocess.run(
        [program, "getdisplaygeometry"], capture_output=True, text=True, timeout=5, check=False
    )
    if done.returncode != 0:
        return None
    width, height = done.stdout.split()
    return int(width), int(height)
