"""UI tests draw without a display; golden pictures are compared with a small tolerance.

``UPDATE_GOLDENS=1 pytest tests/ui`` writes the golden pictures anew (look at them!).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

os.environ["SDL_VIDEODRIVER"] = "dummy"

import pytest
from PIL import Image, ImageChops

from ui.sdl import pygame

GOLDEN = Path(__file__).with_name("golden")
# Pictures are stored without loss (WebP is a third of PNG here). pygame 2.6 and pygame-ce round
# the edges of drawings differently: a few hundred pixels by a little, hardly any by much. One
# changed digit of the smallest text changes 66 pixels or more by much.
LITTLE, PIXELS_BY_LITTLE = 4, 600
MUCH, PIXELS_BY_MUCH = 48, 30


def to_image(surface: pygame.Surface) -> Image.Image:
    return Image.frombytes("RGB", surface.get_size(), pygame.image.tobytes(surface, "RGB"))


@pytest.fixture
def assert_golden(tmp_path: Path) -> Callable[[str, pygame.Surface], None]:
    """Compare a surface with tests/ui/golden/NAME.webp."""

    def check(name: str, surface: pygame.Surface) -> None:
        actual = to_image(surface)
        path = GOLDEN / f"{name}.webp"
        if os.environ.get("UPDATE_GOLDENS") == "1":
            actual.save(path, lossless=True, quality=100, exact=True)
        assert path.is_file(), f"no golden {name}; run with UPDATE_GOLDENS=1 and look at it"
        golden = Image.open(path).convert("RGB")
        assert actual.size == golden.size
        bands = ImageChops.difference(actual, golden).split()
        worst = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
        histogram = worst.histogram()
        by_little, by_much = sum(histogram[LITTLE + 1 :]), sum(histogram[MUCH + 1 :])
        same = by_little <= PIXELS_BY_LITTLE and by_much <= PIXELS_BY_MUCH
        if not same:
            actual.save(tmp_path / f"{name}-actual.png")
            worst.point([0] * (LITTLE + 1) + [255] * (255 - LITTLE)).save(
                tmp_path / f"{name}-difference.png"
            )
        assert same, f"{by_little} pixels differ from {name}, {by_much} by much; see {tmp_path}"

    return check
