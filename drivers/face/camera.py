"""A good picture of the face before the camera, or what the person should do about it.

Only the picture's quality is judged here (`drivers.face.gates`). Whose face it is, and whether it
lives, the platform says. Pictures live in memory, shortly, and are wiped by whoever took them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2

from drivers.face.finder import Box, FaceFinder
from drivers.face.gates import FaceGates, FaceMeasures, FaceProblem, problem
from drivers.frames import CameraStalled, CameraStatus, Frame, FrameSource, Picture

_LOOK = 0.1
"""Longest wait for a picture before a cancellation is looked for again, in seconds."""


class FaceCancelled(Exception):
    """Nobody waits for a face any more."""


class FaceTimeout(Exception):
    """No good picture within the time allowed.

    Attributes:
        last: what was wrong with the last picture; None when it was good, and not for long enough.
    """

    def __init__(self, last: FaceProblem | None) -> None:
        super().__init__("no good picture of a face in time")
        self.last = last


@dataclass(frozen=True)
class FaceTimes:
    """Delays in seconds, and how much is enough.

    Attributes:
        pause: between two looks; each takes some 30 ms of one processor.
        stalled: without a picture for so long, the camera has stalled.
        good: pictures in a row that must be good; the sharpest of them is taken.
    """

    pause: float = 0.1
    stalled: float = 2.0
    good: int = 3


@dataclass(frozen=True)
class FaceSight:
    """What the person is told while they stand there; it shows nobody.

    Attributes:
        problem: what to mend; None when the picture is good and they should hold still.
        box: where the face is, for a frame on the screen; None without one.
    """

    problem: FaceProblem | None
    box: Box | None = None


@dataclass(frozen=True)
class FaceStill:
    """The picture that was taken.

    Attributes:
        jpeg: the part of it with the face and its surroundings; `wipe` it after use.
        sharpness: as `FaceMeasures`.
    """

    jpeg: bytearray = field(repr=False)
    sharpness: float

    def wipe(self) -> None:
        """Overwrite the picture."""
        self.jpeg[:] = bytes(len(self.jpeg))


class FaceCamera:
    """Faces from a camera's newest pictures; used by one worker.

    Args:
        frames: the camera; not closed here when others look through it too.
    """

    def __init__(
        self,
        frames: FrameSource,
        gates: FaceGates | None = None,
        times: FaceTimes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._frames = frames
        self._gates = gates or FaceGates()
        self._times = times or FaceTimes()
        self._clock = clock
        self._finder: FaceFinder | None = None

    def status(self) -> CameraStatus:
        """How the camera stands."""
        return self._frames.status()

    def close(self) -> None:
        """Let go of the camera. Never raises."""
        self._frames.close()

    def take(
        self, cancelled: threading.Event, seconds: float, report: Callable[[FaceSight], None]
    ) -> FaceStill:
        """Wait until somebody stands there well, and take the sharpest of a few pictures.

        Args:
            seconds: for the whole of it.
            report: is told what to mend, on this thread, each time that changes.

        Raises:
            FaceCancelled: `cancelled` was set, before or meanwhile.
            FaceTimeout: nobody stood there well in time.
            CameraGone, CameraStalled: no pictures come.
        """
        end = self._clock() + seconds
        told: FaceSight | None = None
        number = 0
        best: _Candidate | None = None
        good = 0
        while True:
            frame = self._next(number, cancelled, end, None if told is None else told.problem)
            number = frame.number
            measures, box = self._measure(frame.image)
            sight = FaceSight(problem(measures, self._gates), box)
            if told is None or sight.problem is not told.problem:
                report(sight)
            told = sight
            if sight.problem is not None or box is None:
                good, best = 0, None
                continue
            good += 1
            if best is None or measures.sharpness > best.sharpness:
                best = _Candidate(frame.image, box, measures.sharpness)
            if good == self._times.good:
                return FaceStill(_jpeg(best.image, best.box), best.sharpness)

    def _measure(self, image: Picture) -> tuple[FaceMeasures, Box | None]:
        if self._finder is None:
            self._finder = FaceFinder()
        return self._finder.measure(image)

    def _next(
        self, after: int, cancelled: threading.Event, end: float, last: FaceProblem | None
    ) -> Frame:
        """The next picture, no sooner than the pause allows.

        A camera that pauses for a moment is waited for; one that is silent for long has stalled.
        """
        if after and cancelled.wait(self._times.pause):
            raise FaceCancelled
        silent_at = self._clock() + self._times.stalled
        while True:
            if cancelled.is_set():
                raise FaceCancelled
            now = self._clock()
            if now >= end:
                raise FaceTimeout(last)
            try:
                return self._frames.newest(after, min(_LOOK, end - now))
            except CameraStalled:
                if self._clock() >= silent_at:
                    raise


@dataclass(frozen=True)
class _Candidate:
    image: Picture = field(repr=False)
    box: Box
    sharpness: float


def _jpeg(image: Picture, face: Box) -> bytearray:
    """The face with half its width around it, as a comparison wants it."""
    x, y, width, height = face
    rows, columns = image.shape[:2]
    left, right = max(0, x - width // 2), min(columns, x + width + width // 2)
    top, bottom = max(0, y - height // 2), min(rows, y + height + height // 2)
    _, packed = cv2.imencode(".jpg", image[top:bottom, left:right], [cv2.IMWRITE_JPEG_QUALITY, 90])
    jpeg = bytearray(packed)
    packed[:] = 0
    return jpeg
