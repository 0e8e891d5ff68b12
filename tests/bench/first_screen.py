"""From the start of the process to a home screen that answers a touch, self-check done."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hw_sim.hall.client import Answer
from hw_sim.hall.display import VirtualDisplay
from hw_sim.hall.hall import Hall, HallSettings
from hw_sim.hall.observed import ObservedScreens
from hw_sim.hall.terminal import PORTRAIT, TerminalScreen, environment, write_configuration
from hw_sim.hall.visits.moves import QUERY
from hw_sim.hall.window import XWindow
from tests.bench.figure import Figure

LIMIT_MS = 1500.0
ROUNDS = 5
_YIKATONG = Path(sys.executable).with_name("yikatong")
_PATIENCE = 20.0


def figures() -> Iterator[Figure]:
    """Starts a hall, enrols one terminal, and starts that terminal some times under Xvfb."""
    with tempfile.TemporaryDirectory(prefix="yikatong-bench-") as folder:
        place = Path(folder)
        hall = Hall(HallSettings(run=place / "run", state=place / "hall"))
        try:
            found = hall.open()
            display = VirtualDisplay(PORTRAIT, place)
            try:
                times = _starts(place, found, display.name)
            finally:
                display.close()
        finally:
            hall.close()
    yield Figure.of("ui.first_screen", statistics.median(times), "ms", LIMIT_MS, "limit")


def _starts(place: Path, found: Answer, display: str) -> list[float]:
    configuration, state = place / "terminal.toml", place / "state"
    screen = TerminalScreen(PORTRAIT, fullscreen=True)
    write_configuration(configuration, found, screen, walk=True)
    common = ["--config", str(configuration), "--state", str(state)]
    surroundings = {
        **os.environ,
        **environment(found),
        "DISPLAY": display,
        "SDL_VIDEODRIVER": "x11",
    }
    enrol = [str(_YIKATONG), "provision", "enrol", *common, "--code", found["enrolment_code"]]
    subprocess.run(enrol, env=surroundings, check=True, capture_output=True)
    return [
        _start([str(_YIKATONG), "kiosk", *common], place / f"observe-{turn}", surroundings, display)
        for turn in range(ROUNDS)
    ]


def _start(command: list[str], observe: Path, surroundings: dict[str, str], display: str) -> float:
    begun = time.perf_counter()
    kiosk = subprocess.Popen([*command, "--observe", str(observe)], env=surroundings)
    try:
        screens = ObservedScreens(observe)
        _await(screens, "home")
        home = screens.latest
        tile = home.find(QUERY) if home is not None else None
        if home is None or tile is None:
            raise AssertionError("the home screen has no tile to touch")
        XWindow(display).touch(tile.centre, home.size)
        _await(screens, "identify")
        return (time.perf_counter() - begun) * 1000
    finally:
        kiosk.terminate()
        kiosk.wait(10)


def _await(screens: ObservedScreens, name: str) -> None:
    def there() -> bool:
        return screens.latest is not None and screens.latest.screen == name

    if not screens.wait(_PATIENCE, there):
        raise AssertionError(f"the terminal did not come to {name}")
