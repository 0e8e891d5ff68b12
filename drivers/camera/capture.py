"""Cameras as OpenCV reads them. Any call here may hang for as long as the driver below it likes:
they belong on a thread that can be given up (`drivers.camera.live`)."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from drivers.frames import Picture

COLUMNS, ROWS = 1280, 720
"""What a camera is asked for; it may give another size."""


class Capture(Protocol):
    """An open camera, on one thread."""

    def grab(self) -> bool:
        """Wait for the next picture; False when none came, or one that cannot be decoded."""

    def picture(self) -> Picture | None:
        """The picture that was grabbed, colours; None when it cannot be decoded."""

    def release(self) -> None:
        """Close it."""


OpenCapture = Callable[[str, float, float], Capture | None]
"""From a source and the seconds allowed for opening and for each picture to an open camera; None
where there is none."""


def is_source(source: str) -> bool:
    """Whether it names a camera: a device's path, or ``http://…`` for an MJPEG stream."""
    return source.startswith(("/", "http://"))


def open_capture(source: str, open_seconds: float, read_seconds: float) -> Capture | None:
    """Open a camera.

    OpenCV keeps to both limits for streams; for devices only to whole seconds for each picture, the
    same for all devices of a process.
    """
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(math.ceil(read_seconds)))
    # Every damaged picture would be a line on standard error.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    if source.startswith("http://"):
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            int(open_seconds * 1000),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            int(read_seconds * 1000),
            cv2.CAP_PROP_N_THREADS,
            1,
        ]
        capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    else:
        capture = cv2.VideoCapture(source, cv2.CAP_V4L2)
        # One by one after opening: of a list, the first one that a camera lacks fails them all.
        # Uncompressed, USB 2 carries this size only ten times a second.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, COLUMNS)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, ROWS)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if not capture.isOpened():
        capture.release()
        return None
    return _OpenCvCapture(capture)


class _OpenCvCapture:
    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture

    def grab(self) -> bool:
        return self._capture.grab()

    def picture(self) -> Picture | None:
        good, image = self._capture.retrieve()
        return image.astype(np.uint8, copy=False) if good and image is not None else None

    def release(self) -> None:
        self._capture.release()
