"""What is done to a picture before a decoder sees it, most of all when none saw a code before.

Each stands here because it brings codes to light that nothing before it does; measured on the
stills of ``./run bench qr.stills``.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from drivers.frames import Picture

# Decoding shares the processor with the screen; OpenCV would take all cores for a millisecond's
# work.
cv2.setNumThreads(1)

Treatment = Callable[[Picture], Picture]

LARGEST_TREATED = 2_000_000
"""Pixels; a larger still is made smaller before it is treated: its modules have pixels to spare."""

_LARGEST_GROWN = 1_000_000


def reduced(image: Picture) -> Picture:
    """Of at most `LARGEST_TREATED` pixels."""
    share = (LARGEST_TREATED / image.size) ** 0.5
    if share >= 1:
        return image
    size = (max(1, int(image.shape[1] * share)), max(1, int(image.shape[0] * share)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def sharpened(image: Picture) -> Picture:
    """Against a lens out of focus."""
    soft = cv2.GaussianBlur(image, (0, 0), 2.5)
    return cv2.addWeighted(image, 2.5, soft, -1.5, 0).astype(np.uint8, copy=False)


def evened(image: Picture) -> Picture:
    """Against faint prints, shadows and glare: contrast is stretched place by place."""
    stretch = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8))
    return stretch.apply(image).astype(np.uint8, copy=False)


def grown(image: Picture) -> Picture:
    """Against modules of a pixel or two; a picture that is large already stays as it is."""
    if image.size > _LARGEST_GROWN:
        return image
    large = cv2.resize(image, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    return large.astype(np.uint8, copy=False)


def denoised(image: Picture) -> Picture:
    """For frames: without the grain of a sensor, in which zxing-cpp sees edges everywhere, an empty
    picture of 1280x720 takes a fourth of the time. Of the stills, four in a hundred are lost."""
    return cv2.GaussianBlur(image, (3, 3), 0).astype(np.uint8, copy=False)


def smoothed(image: Picture) -> Picture:
    """Against noise and scratches."""
    return cv2.GaussianBlur(image, (0, 0), 1.5).astype(np.uint8, copy=False)
