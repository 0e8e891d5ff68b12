"""A camera as a code scanner: every new picture is looked at for a code."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import assert_never

import cv2
import numpy as np

from drivers.code_scanner import (
    ScanCancelled,
    ScannerGone,
    ScannerNote,
    ScannerReason,
    ScannerStatus,
)
from drivers.decoding import CodeRefused, decode
from drivers.frames import (
    CameraError,
    CameraNote,
    CameraReason,
    FrameSource,
    Picture,
)


@dataclass(frozen=True)
class CameraScannerTimes:
    """Delays in seconds.

    Attributes:
        look: longest wait before a cancellation is looked for again.
        pause: between two pictures that are looked at: ten a second are more than a hand moves,
            and take some hundredths of one processor.
        patience: without a picture for so long, the camera counts as gone.
    """

    look: float = 0.03
    pause: float = 0.1
    patience: float = 4.0


class CameraScanner:
    """`CodeScanner` on a camera. A picture with two different codes counts as one without: the
    resident sees that nothing happens, and takes one away."""

    def __init__(self, frames: FrameSource, times: CameraScannerTimes | None = None) -> None:
        self._frames = frames
        self._times = times or CameraScannerTimes()

    def read_code(self, cancelled: threading.Event) -> bytes:
        last = 0
        seen_at = time.monotonic()
        while not cancelled.is_set():
            try:
                frame = self._frames.newest(last, self._times.look)
            except CameraError as error:
                # One that loses its line for a moment is opened anew: no way is closed for that.
                if time.monotonic() - seen_at > self._times.patience:
                    raise ScannerGone("no picture for the code scanner") from error
                continue
            last, seen_at = frame.number, time.monotonic()
            payload = _payload(frame.image)
            if payload is not None:
                return payload
            cancelled.wait(self._times.pause)
        raise ScanCancelled

    def status(self) -> ScannerStatus:
        camera = self._frames.status()
        reason = None if camera.reason is None else _reason(camera.reason)
        return ScannerStatus(reason, frozenset(_note(each) for each in camera.notes))

    def close(self) -> None:
        self._frames.close()


def _reason(reason: CameraReason) -> ScannerReason:
    match reason:
        case CameraReason.GONE:
            return ScannerReason.GONE
        case CameraReason.STALLED | CameraReason.DARK | CameraReason.COVERED:
            return ScannerReason.BLIND
        case _:
            assert_never(reason)


def _note(note: CameraNote) -> ScannerNote:
    match note:
        case CameraNote.SLOW:
            return ScannerNote.SLOW
        case _:
            assert_never(note)


def _payload(image: Picture) -> bytes | None:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    try:
        found = decode(grey.astype(np.uint8, copy=False))
    except CodeRefused:
        return None
    return found.payload if found else None
