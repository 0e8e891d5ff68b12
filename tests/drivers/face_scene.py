"""A person before a camera, drawn from one public picture: nearer, darker, turned, blurred."""

from __future__ import annotations

from functools import cache
from importlib import resources

import cv2
import numpy as np

from drivers.frames import Picture

ROWS, COLUMNS = 720, 1280
_FACE = 95
"""Width of the face in the picture, in pixels."""
_WALL = (150, 160, 165)


@cache
def _portrait() -> Picture:
    data = resources.files("hw_sim").joinpath("pictures", "face.jpg").read_bytes()
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found.astype(np.uint8)


def scene(
    width: int = 220,
    *,
    beside: int = 0,
    tilt: float = 0.0,
    squeeze: float = 1.0,
    blur: float = 0.0,
    gain: float = 1.0,
    offset: float = 0.0,
    noise: float = 6.0,
    persons: int = 1,
) -> Picture:
    """1280x720.

    Args:
        width: of the face in pixels; 0 for nobody.
        beside: pixels to the right of the middle.
        squeeze: the picture's width is that part of what it was.
        gain, offset: on every value, before the noise.
        noise: standard deviation of the camera's noise.
    """
    canvas = np.full((ROWS, COLUMNS, 3), _WALL, np.uint8)
    if width:
        scale = width / _FACE
        person = cv2.resize(_portrait(), None, fx=scale * squeeze, fy=scale)
        high, wide = person.shape[:2]
        if tilt:
            turn = cv2.getRotationMatrix2D((wide / 2, high / 2), tilt, 1)
            person = cv2.warpAffine(person, turn, (wide, high), borderValue=_WALL)
        for index in range(persons):
            middle = COLUMNS * (index + 1) // (persons + 1) + beside
            left, top = max(0, middle - wide // 2), max(0, (ROWS - high) // 2)
            part = person[: ROWS - top, : COLUMNS - left]
            canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
    seen = canvas.astype(np.float32) * gain + offset
    if blur:
        seen = cv2.GaussianBlur(seen, (0, 0), blur).astype(np.float32)
    seen += np.random.default_rng(429900).normal(0, noise, seen.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)
