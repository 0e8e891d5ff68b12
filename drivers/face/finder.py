"""Faces in a picture, measured for `drivers.face.gates`, by the cascades that OpenCV brings along.

They are all that comes with the library itself (OpenCV 5 has dropped them); they find a face, they
can't tell whose it is, nor whether it is alive: that is for the platform to say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from drivers.face.gates import FaceMeasures
from drivers.frames import Picture

Box = tuple[int, int, int, int]
"""Left, top, width, height in pixels of the picture."""

_LOOKED_AT = 360
"""Rows at which faces are looked for: 13 ms for 1280x720, and the smallest good face has 65."""
_SMALLEST = 40
_FACE = 200
"""Pixels of the square in which eyes are looked for."""
_EYE_ROWS = slice(_FACE // 10, int(_FACE * 0.6))
_SHARP = 64


class FaceFinder:
    """Finds and measures; used by one thread.

    Raises:
        RuntimeError: OpenCV was installed without its cascades.
    """

    def __init__(self) -> None:
        self._front = _cascade("frontalface_alt2")
        self._side = _cascade("profileface")
        self._eye = _cascade("eye")

    def measure(self, picture: Picture) -> tuple[FaceMeasures, Box | None]:
        """What the gates want to know about a picture, and where its largest face is."""
        grey = picture
        if picture.ndim == 3:
            grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        rows, columns = grey.shape
        scale = max(1.0, rows / _LOOKED_AT)
        small = cv2.resize(
            grey, (round(columns / scale), round(rows / scale)), interpolation=cv2.INTER_AREA
        )
        boxes = sorted(_found(self._front, small), key=lambda box: box[2], reverse=True)
        if not boxes:
            # The cascade knows one side; a mirror shows it the other.
            side = _found(self._side, small) or _found(self._side, cv2.flip(small, 1))
            return FaceMeasures(profile=bool(side)), None
        x, y, width, height = (round(scale * edge) for edge in boxes[0])
        face = grey[y : y + height, x : x + width]
        eyes = self._eyes(face)
        spread = float(face.std())
        return FaceMeasures(
            faces=tuple(scale * box[2] / rows for box in boxes),
            off_centre=(x + width / 2 - columns / 2) / rows,
            both_eyes=eyes is not None,
            eyes_middle=0.0 if eyes is None else _middle(eyes),
            eyes_apart=0.0 if eyes is None else math.dist(*eyes),
            tilt=0.0 if eyes is None else _tilt(eyes),
            brightness=float(face.mean()),
            contrast=spread,
            sharpness=_sharpness(face),
        ), (x, y, width, height)

    def _eyes(self, face: Picture) -> tuple[Sequence[float], Sequence[float]] | None:
        """Middles of the left and the right eye as the picture shows them, in widths of the face;
        None unless there are exactly two. Whether they can be eyes the gates say."""
        square = cv2.resize(face, (_FACE, _FACE), interpolation=cv2.INTER_LINEAR)[_EYE_ROWS]
        found = _found(self._eye, square, 1.08, _FACE // 8, _FACE // 3)
        middles = sorted(((x + w / 2) / _FACE, (y + h / 2) / _FACE) for x, y, w, h in found)
        if len(middles) != 2:
            return None
        return middles[0], middles[1]


def _cascade(name: str) -> Any:
    file = Path(cv2.__file__).parent / "data" / f"haarcascade_{name}.xml"
    found = cv2.CascadeClassifier(str(file))
    if found.empty():
        raise RuntimeError(f"OpenCV came without its cascade {name}")
    return found


def _found(
    cascade: Any, grey: Any, step: float = 1.15, smallest: int = _SMALLEST, largest: int = 0
) -> list[Box]:
    boxes = cascade.detectMultiScale(
        grey, step, 4, minSize=(smallest, smallest), maxSize=(largest, largest)
    )
    return [(int(x), int(y), int(width), int(height)) for x, y, width, height in boxes]


def _middle(eyes: tuple[Sequence[float], Sequence[float]]) -> float:
    return (eyes[0][0] + eyes[1][0]) / 2 - 0.5


def _tilt(eyes: tuple[Sequence[float], Sequence[float]]) -> float:
    (x, y), (x2, y2) = eyes
    return math.degrees(math.atan2(y2 - y, x2 - x))


def _sharpness(face: Picture) -> float:
    small = cv2.resize(face, (_SHARP, _SHARP), interpolation=cv2.INTER_AREA).astype(np.float64)
    spread = float(small.var())
    return float(cv2.Laplacian(small, cv2.CV_64F).var()) / spread if spread else 0.0
