"""``python -m ui.gallery OUT_DIR``: every kind of screen in both sizes and languages, as PNG."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from ui.renderer import Renderer
from ui.sample_words import CHINESE, ENGLISH
from ui.samples import large_samples, samples
from ui.sdl import pygame
from ui.theme import Theme
from ui.views import Screen

PORTRAIT = (1080, 1920)
LANDSCAPE = (1920, 1080)
SIZES = {"portrait": PORTRAIT, "landscape": LANDSCAPE}


def sheets() -> Iterator[tuple[str, Screen, Theme, tuple[int, int]]]:
    """(file name without suffix, screen, theme, size) of every picture."""
    plain, large = Theme.make(), Theme.make(large=True)
    for shape, size in SIZES.items():
        for words in (CHINESE, ENGLISH):
            language = words.locale[:2]
            for name, screen in samples(words).items():
                yield f"{name}-{shape}-{language}", screen, plain, size
            for name, screen in large_samples(words).items():
                yield f"{name}-{shape}-{language}", screen, large, size
    dark = Theme.make(high_contrast=True)
    for name in ("menu", "pin", "overview", "notice", "preview", "code"):
        yield f"dark-{name}-portrait-zh", samples(CHINESE)[name], dark, PORTRAIT


def draw(screen: Screen, theme: Theme, size: tuple[int, int]) -> pygame.Surface:
    """One screen on a surface of its own; needs no display."""
    surface = pygame.Surface(size, 0, 32)
    Renderer(surface, theme).draw_full(screen)
    return surface


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the pictures")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, screen, theme, size in sheets():
        pygame.image.save(draw(screen, theme, size), str(out / f"{name}.png"))


if __name__ == "__main__":
    main()
