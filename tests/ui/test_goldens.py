from __future__ import annotations

from collections.abc import Callable

import pytest

from ui.gallery import draw, sheets
from ui.sdl import pygame
from ui.theme import Theme
from ui.views import Screen

GOLDENS = {
    name: (screen, theme, size)
    for name, screen, theme, size in sheets()
    if name.endswith(("portrait-zh", "landscape-en"))
}


@pytest.mark.parametrize("name", GOLDENS)
def test_screen_looks_as_it_was_approved(
    name: str, assert_golden: Callable[[str, pygame.Surface], None]
) -> None:
    screen: Screen
    theme: Theme
    screen, theme, size = GOLDENS[name]
    assert_golden(name, draw(screen, theme, size))
