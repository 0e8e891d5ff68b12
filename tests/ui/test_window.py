"""The window with SDL's dummy driver; events are posted as SDL would."""

from __future__ import annotations

import gc
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from ui.inputs import Closed, Touched, TouchedNothing
from ui.sample_words import CHINESE
from ui.samples import samples
from ui.scene import Text
from ui.sdl import pygame
from ui.theme import Theme
from ui.views import Action, Footer, Overview, Screen
from ui.window import NoDisplay, Window

SIZE = (1080, 1920)
SCREENS = samples(CHINESE)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def observed() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def window(observed: io.StringIO) -> Iterator[Window]:
    with Window(SIZE, observe=observed, clock=Clock()) as opened:
        yield opened


def test_a_driver_that_shows_nothing_is_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SDL_VIDEODRIVER")
    monkeypatch.setattr(pygame.display, "get_driver", lambda: "offscreen")
    with pytest.raises(NoDisplay):
        Window(SIZE)


def lines(observed: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in observed.getvalue().splitlines()]


def centre_of(observed: io.StringIO, name: str) -> tuple[int, int]:
    focus = lines(observed)[-1]["focus"]
    assert isinstance(focus, list)
    x, y, w, h = next(thing["rect"] for thing in focus if thing["id"] == name)
    return x + w // 2, y + h // 2


def post(kind: int, **attributes: object) -> None:
    pygame.event.post(pygame.event.Event(kind, attributes))


def click(at: tuple[int, int], *, touch: bool = False) -> None:
    post(pygame.MOUSEBUTTONDOWN, pos=at, button=1, touch=touch)
    post(pygame.MOUSEBUTTONUP, pos=at, button=1, touch=touch)


def finger(kind: int, at: tuple[int, int], finger_id: int = 7) -> None:
    x, y = at[0] / SIZE[0], at[1] / SIZE[1]
    post(kind, x=x, y=y, finger_id=finger_id, touch_id=3)


def test_mouse_and_finger_touch(window: Window, observed: io.StringIO) -> None:
    window.show(SCREENS["menu"])
    click(centre_of(observed, "card"))
    assert window.wait(1.0) == [Touched("card")]
    finger(pygame.FINGERDOWN, centre_of(observed, "help"))
    finger(pygame.FINGERUP, centre_of(observed, "help"))
    assert window.wait(1.0) == [Touched("help")]


def test_mouse_that_sdl_made_of_a_finger_is_dropped(window: Window, observed: io.StringIO) -> None:
    window.show(SCREENS["menu"])
    click(centre_of(observed, "card"), touch=True)
    assert window.wait(0.02) == []


def test_other_mouse_buttons_do_nothing(window: Window, observed: io.StringIO) -> None:
    window.show(SCREENS["menu"])
    post(pygame.MOUSEBUTTONDOWN, pos=centre_of(observed, "card"), button=3)
    post(pygame.MOUSEBUTTONUP, pos=centre_of(observed, "card"), button=3)
    assert window.wait(0.02) == []


def test_touch_beside_everything_and_on_a_disabled_tile(window: Window) -> None:
    window.show(SCREENS["menu"])
    click((5, 700))
    assert window.wait(1.0) == [TouchedNothing()]
    click((900, 700))  # the tile of the empty printer
    assert window.wait(1.0) == [TouchedNothing()]


def test_pressed_button_is_drawn_darker_until_released(
    window: Window, observed: io.StringIO, tmp_path: Path
) -> None:
    window.show(SCREENS["overview"])
    at = centre_of(observed, "finish")
    spot = (at[0], at[1] - 48)

    def colour() -> tuple[int, ...]:
        window.screenshot(tmp_path / "shot.png")
        pixel = Image.open(tmp_path / "shot.png").convert("RGB").getpixel(spot)
        assert isinstance(pixel, tuple)
        return pixel

    plain = colour()
    post(pygame.MOUSEBUTTONDOWN, pos=at, button=1)
    assert window.wait(0.02) == []
    assert sum(colour()) < sum(plain)
    post(pygame.MOUSEMOTION, pos=(5, 5), rel=(0, 0), buttons=(1, 0, 0))
    assert window.wait(0.02) == []
    assert colour() == plain
    post(pygame.MOUSEBUTTONUP, pos=(5, 5), button=1)
    assert window.wait(1.0) == [TouchedNothing()]


def test_only_the_overlay_answers(window: Window, observed: io.StringIO) -> None:
    window.show(replace(SCREENS["timeout"], overlay=None))
    back = centre_of(observed, "back")
    window.show(SCREENS["timeout"])
    click(back)
    assert window.wait(1.0) == [TouchedNothing()]
    click(centre_of(observed, "go-on"))
    assert window.wait(1.0) == [Touched("go-on")]


def test_idle_screen_is_one_button(window: Window) -> None:
    window.show(SCREENS["idle"])
    click((3, 3))
    assert window.wait(1.0) == [Touched("start")]


def test_screen_that_changes_under_a_finger(window: Window, observed: io.StringIO) -> None:
    window.show(SCREENS["menu"])
    at = centre_of(observed, "guide")
    post(pygame.MOUSEBUTTONDOWN, pos=at, button=1)
    assert window.wait(0.02) == []
    window.show(SCREENS["overview"])
    post(pygame.MOUSEBUTTONUP, pos=at, button=1)
    assert window.wait(1.0) == [TouchedNothing()]


def test_closing(window: Window) -> None:
    post(pygame.QUIT)
    assert window.wait(1.0) == [Closed()]


def test_touch_before_anything_is_shown(window: Window) -> None:
    click((10, 10))
    assert window.wait(0.02) == []


@pytest.mark.timeout(20)
def test_wake_from_another_thread(window: Window) -> None:
    window.show(SCREENS["menu"])
    waker = threading.Timer(0.05, window.wake)
    waker.start()
    assert window.wait(600.0) == []  # else the time-out above ends this test
    waker.join()
    window.wake()
    assert window.wait(600.0) == []  # woken before it slept
    assert window.wait(0.0) == []


def test_observe_tells_changes_only(window: Window, observed: io.StringIO) -> None:
    screen = replace(SCREENS["pin"], name="pin.first")
    window.show(screen)
    footer = screen.footer
    assert isinstance(footer, Footer) and footer.countdown is not None
    later = replace(footer.countdown, seconds=25)
    window.show(replace(screen, footer=replace(footer, countdown=later)))
    window.show(SCREENS["timeout"])
    told = lines(observed)
    assert [line["seq"] for line in told] == [1, 2]
    assert told[0] | {"focus": []} == {
        "seq": 1,
        "view": "PinEntry",
        "name": "pin.first",
        "overlay": False,
        "size": [1080, 1920],
        "focus": [],
    }
    assert told[1]["overlay"] is True
    focus = told[0]["focus"]
    assert isinstance(focus, list)
    assert {"id": "back", "role": "button", "rect": [56, 1776, 240, 112]} in focus


@pytest.mark.parametrize("name", SCREENS)
def test_observe_holds_no_text_of_the_screen(
    window: Window, observed: io.StringIO, name: str
) -> None:
    window.show(SCREENS[name])
    written = observed.getvalue()
    assert written.isascii()
    assert not any(ord(character) > 0x7F for character in json.dumps(json.loads(written)))
    assert "\\u" not in written, "a Chinese text was written, escaped"
    for text in ("429", "84,213", "A-2031", "400 555", "7F3K", "PNG"):
        assert text not in written


def test_idle_forgets_the_visitor(window: Window) -> None:
    overview = SCREENS["overview"].body
    assert isinstance(overview, Overview)
    secret = "王小芳四二九"
    screen = Screen(replace(overview, title=secret), footer=Footer(Action("back", secret)))
    window.show(screen)

    def remembered() -> list[object]:
        gc.collect()
        return [
            thing for thing in gc.get_objects() if isinstance(thing, Text) and thing.text == secret
        ]

    assert remembered()
    del screen
    window.show(SCREENS["idle"])
    assert remembered() == []


def test_theme_can_change(window: Window, observed: io.StringIO) -> None:
    window.show(SCREENS["menu"])
    before = centre_of(observed, "card")
    window.set_theme(Theme.make(large=True))
    window.show(SCREENS["menu"])
    assert centre_of(observed, "card") != before


def test_screenshot_has_the_size_of_the_window(window: Window, tmp_path: Path) -> None:
    window.show(SCREENS["menu"])
    window.screenshot(tmp_path / "menu.png")
    assert Image.open(tmp_path / "menu.png").size == SIZE == window.size
