"""The real window on a real X server: Xvfb and a hand made of XTEST."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

pytestmark = [
    pytest.mark.window,
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")) and "CI" not in os.environ,
        reason="needs Xvfb and xdotool",
    ),
]

KIOSK = """
import sys
from ui.sample_words import CHINESE
from ui.samples import samples
from ui.sdl import pygame
from ui.window import Window

screens = samples(CHINESE)
with Window((1080, 1920), fullscreen=True, observe=sys.stdout) as window:
    window.show(screens["menu"])
    print(pygame.display.get_driver(), window.size, flush=True)
    while True:
        for happened in window.wait(20.0) or ["nothing"]:
            print(repr(happened), flush=True)
            if happened == "nothing" or type(happened).__name__ == "Closed":
                sys.exit()
        window.show(screens["pin"])
"""


@pytest.fixture
def display() -> Iterator[str]:
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1080x1920x24", "-nolisten", "tcp"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        server.terminate()
        server.wait(10)


def test_a_hand_touches_the_window(display: str) -> None:
    environment = {**os.environ, "DISPLAY": display, "SDL_VIDEODRIVER": "x11"}
    kiosk = subprocess.Popen(
        [sys.executable, "-c", KIOSK], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert kiosk.stdout is not None
        tree = json.loads(kiosk.stdout.readline())
        assert kiosk.stdout.readline() == "x11 (1080, 1920)\n"
        x, y, w, h = next(thing["rect"] for thing in tree["focus"] if thing["id"] == "card")
        place = ["mousemove", "--sync", str(x + w // 2), str(y + h // 2)]
        subprocess.run(["xdotool", *place, "click", "1"], check=True, env=environment)
        assert kiosk.stdout.readline() == "Touched(id='card')\n"
        assert json.loads(kiosk.stdout.readline())["view"] == "PinEntry"
        kiosk.terminate()  # SDL tells the wish to stop as a closed window
        assert kiosk.stdout.readline() == "Closed()\n"
        assert kiosk.wait(10) == 0
    finally:
        kiosk.kill()
        kiosk.wait(10)
