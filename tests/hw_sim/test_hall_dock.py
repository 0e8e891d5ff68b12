"""The dock's own window, touched as a person would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageGrab

from hw_sim.hall.children import Child
from hw_sim.hall.client import HallClient
from hw_sim.hall.display import VirtualDisplay
from hw_sim.hall.panel import HEIGHT, WIDTH, panel


def until(condition: Callable[[], bool], within: float = 20.0) -> bool:
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.window
def test_buttons_reach_the_hall(tmp_path: Path) -> None:
    if "CI" not in os.environ and not (shutil.which("Xvfb") and shutil.which("xdotool")):
        pytest.skip("Xvfb or xdotool is not installed")
    run = tmp_path / "run"
    sim = [sys.executable, "-m", "hw_sim.hall.cli"]
    state = ["--state", str(tmp_path / "state"), "--direct"]
    hall = Child("hall", [*sim, "start", "--run", str(run), *state], tmp_path)
    # Tall enough for the dock's own size, so that panel coordinates are the window's.
    display = VirtualDisplay((900, 900), tmp_path)
    dock = None
    try:
        assert until(lambda: (run / "hall.json").exists()), hall.log.read_text()
        client = HallClient(run)
        surroundings = {"DISPLAY": display.name, "SDL_VIDEODRIVER": "x11"}
        place = ["--run", str(run), "--position", "0,0"]
        dock = Child("dock", [*sim, "dock", *place], tmp_path, surroundings)

        def shown() -> bool:
            # Of the two, the button that can be pressed now is painted.
            free = status()["card"] is None
            buttons = panel(status()).buttons
            button = next(b for b in buttons if b.do == ("insert" if free else "remove"))
            x, y, width, _ = button.rect
            picture = ImageGrab.grab(bbox=(0, 0, WIDTH, HEIGHT), xdisplay=display.name)
            colour = (0xFF, 0xFF, 0xFF) if free else (0x0E, 0x7C, 0x4A)
            return picture.getpixel((x + width // 2, y + 4)) == colour

        def status() -> dict[str, Any]:
            return client.ask("status")

        def touch(do: str, **arguments: str) -> None:
            for button in panel(status()).buttons:
                if button.do == do and button.arguments == arguments:
                    x, y, width, height = button.rect
                    at = [str(x + width // 2), str(y + height // 2)]
                    subprocess.run(
                        ["xdotool", "mousemove", *at, "click", "1"],
                        env={**os.environ, "DISPLAY": display.name},
                        check=True,
                    )

        assert until(shown), dock.log.read_text()
        touch("insert", card="v2")
        assert until(lambda: status()["card"] == "v2")
        assert until(shown)
        touch("remove")
        assert until(lambda: status()["card"] is None)
        touch("platform", state="down")
        assert until(lambda: status()["platform"]["state"] == "down")
        touch("pad", state="unplugged")
        assert until(lambda: not status()["pad"]["plugged"])
        touch("ecard", card="v3", state="fresh")
        assert until(lambda: status()["scanner"]["code_shown"])
        touch("paper", state="out")
        assert until(lambda: status()["printer"]["paper"] == "out")
        touch("jam", state="on")
        assert until(lambda: status()["printer"]["jam"])
        touch("printer", state="off")
        assert until(lambda: not status()["printer"]["on"])
        dock.check()
    finally:
        if dock is not None:
            dock.end()
        display.close()
        hall.end()
