from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.gallery import LANDSCAPE, PORTRAIT
from ui.renderer import Renderer, SurfaceCache
from ui.sample_words import CHINESE, ENGLISH
from ui.samples import samples
from ui.scene import Fill, Plate, Rect, Scene, changed
from ui.sdl import pygame
from ui.theme import Theme
from ui.views import Badge, Footer, PinEntry, Progress, Screen, Tone

THEME = Theme.make()
SCREENS = {
    **samples(CHINESE),
    **{f"{name}-en": screen for name, screen in samples(ENGLISH).items()},
}
NAMES = sorted(SCREENS)


def pixels(surface: pygame.Surface) -> bytes:
    return pygame.image.tobytes(surface, "RGB")


def assert_same_as_full(
    surface: pygame.Surface, theme: Theme, screen: Screen, pressed: str = ""
) -> None:
    fresh = pygame.Surface(surface.get_size(), 0, 32)
    Renderer(fresh, theme).draw_full(screen, pressed=pressed)
    assert pixels(surface) == pixels(fresh)


def with_seconds(screen: Screen, seconds: int) -> Screen:
    footer = screen.footer
    assert isinstance(footer, Footer) and footer.countdown is not None
    return replace(
        screen, footer=replace(footer, countdown=replace(footer.countdown, seconds=seconds))
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 8)), min_size=2, max_size=6),
    st.booleans(),
)
def test_updates_leave_the_pixels_of_a_full_redraw(
    walk: list[tuple[str, int]], portrait: bool
) -> None:
    surface = pygame.Surface(PORTRAIT if portrait else LANDSCAPE, 0, 32)
    renderer = Renderer(surface, THEME)
    for name, number in walk:
        screen = SCREENS[name]
        renderer.update(screen)
        focus = renderer.scene.focus if renderer.scene else ()
        pressed = focus[number].id if number < len(focus) else ""
        renderer.update(screen, pressed=pressed)
    assert_same_as_full(surface, THEME, screen, pressed)


def small_changes() -> list[tuple[Screen, Screen]]:
    pin, progress, timeout = SCREENS["pin"], SCREENS["progress"], SCREENS["timeout"]
    assert isinstance(pin.body, PinEntry) and isinstance(progress.body, Progress)
    assert timeout.overlay is not None
    return [
        (pin, replace(pin, body=replace(pin.body, count=4))),
        (pin, replace(pin, body=replace(pin.body, message=None))),
        (pin, with_seconds(pin, 9)),
        (pin, with_seconds(pin, 118)),
        (progress, replace(progress, body=replace(progress.body, fraction=0.65))),
        (
            progress,
            replace(
                progress,
                body=replace(progress.body, lines=(*progress.body.lines, Badge("完成", Tone.WARN))),
            ),
        ),
        (timeout, replace(timeout, overlay=replace(timeout.overlay, seconds=19))),
        (timeout, replace(timeout, overlay=None)),
        (replace(timeout, overlay=None), timeout),
        (SCREENS["menu"], replace(SCREENS["menu"], footer=None)),
    ]


@pytest.mark.parametrize("change", small_changes())
@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE])
def test_small_changes_leave_the_pixels_of_a_full_redraw(
    change: tuple[Screen, Screen], size: tuple[int, int]
) -> None:
    surface = pygame.Surface(size, 0, 32)
    renderer = Renderer(surface, THEME)
    renderer.update(change[0])
    renderer.update(change[1])
    assert_same_as_full(surface, THEME, change[1])


def test_countdown_redraws_only_its_digits() -> None:
    renderer = Renderer(pygame.Surface(PORTRAIT, 0, 32), THEME)
    renderer.draw_full(with_seconds(SCREENS["pin"], 30))
    (rect,) = renderer.update(with_seconds(SCREENS["pin"], 29))
    assert rect.w * rect.h < 2_000


def test_nothing_changed_draws_nothing() -> None:
    renderer = Renderer(pygame.Surface(PORTRAIT, 0, 32), THEME)
    renderer.draw_full(SCREENS["menu"])
    assert renderer.update(SCREENS["menu"]) == []


@pytest.mark.parametrize("seconds", [(20, 19), (9, 8)])
def test_time_out_redraws_only_its_digits(seconds: tuple[int, int]) -> None:
    screen = SCREENS["timeout"]
    assert screen.overlay is not None
    renderer = Renderer(pygame.Surface(PORTRAIT, 0, 32), THEME)
    renderer.draw_full(replace(screen, overlay=replace(screen.overlay, seconds=seconds[0])))
    rects = renderer.update(replace(screen, overlay=replace(screen.overlay, seconds=seconds[1])))
    assert sum(rect.w * rect.h for rect in rects) < 20_000


def test_pressed_button_is_darker() -> None:
    surface = pygame.Surface(PORTRAIT, 0, 32)
    renderer = Renderer(surface, THEME)
    renderer.draw_full(SCREENS["overview"])
    assert renderer.scene is not None
    button = next(thing.rect for thing in renderer.scene.focus if thing.id == "finish")
    at = (button.x + 30, button.middle)
    before = surface.get_at(at)
    renderer.update(SCREENS["overview"], pressed="finish")
    assert sum(surface.get_at(at)[:3]) < sum(before[:3])
    renderer.update(SCREENS["overview"])
    assert surface.get_at(at) == before


def test_changed_order_is_seen() -> None:
    one, other = (Plate(Rect(x, 10, 40, 40), 4, (x, 0, 0)) for x in (10, 30))
    page = Fill(Rect(0, 0, 200, 200), (255, 255, 255))
    before = Scene((200, 200), (page, one, other), ())
    after = Scene((200, 200), (page, other, one), ())
    assert changed(before, after) == [Rect(0, 0, 200, 200)]


def test_doubled_node_is_seen() -> None:
    plate = Plate(Rect(10, 10, 40, 40), 4, (1, 0, 0))
    page = Fill(Rect(0, 0, 200, 200), (255, 255, 255))
    before = Scene((200, 200), (page, plate), ())
    assert changed(before, Scene((200, 200), (page, plate, plate), ())) == [plate.rect]


def test_other_size_is_drawn_wholly() -> None:
    page = Fill(Rect(0, 0, 200, 200), (255, 255, 255))
    before = Scene((200, 200), (page,), ())
    assert changed(before, Scene((100, 100), (page,), ())) == [Rect(0, 0, 100, 100)]


def test_cache_is_bounded() -> None:
    cache = SurfaceCache(limit=10_000)
    for number in range(50):
        cache.get(number, lambda: pygame.Surface((20, 20), 0, 32))
        assert cache.held_bytes <= 10_000
    made = []
    cache.get(49, lambda: made.append(1) or pygame.Surface((1, 1)))
    assert made == []
    cache.forget()
    assert cache.held_bytes == 0


def test_round_corners_have_no_fringe() -> None:
    """Every pixel of a corner lies between the colour of the plate and that of the page."""
    surface = pygame.Surface(PORTRAIT, 0, 32)
    Renderer(surface, THEME).draw_full(SCREENS["menu"])
    first = Renderer(surface, THEME)
    first.draw_full(SCREENS["menu"])
    assert first.scene is not None
    plate = next(
        node
        for node in first.scene.nodes
        if isinstance(node, Plate) and node.fill == THEME.palette.primary
    )
    page, steps = THEME.palette.background, set()
    for x in range(plate.rect.x, plate.rect.x + plate.radius):
        for y in range(plate.rect.y, plate.rect.y + plate.radius):
            colour = surface.get_at((x, y))[:3]
            steps.add(colour)
            for channel in range(3):
                low, high = sorted((plate.fill[channel], page[channel]))
                assert low - 2 <= colour[channel] <= high + 2
    assert len(steps) > 8, "the corner is jagged"
