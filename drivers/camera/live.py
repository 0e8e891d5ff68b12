"""A camera that is read by a thread of its own, so that nobody else ever waits for it too long."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakSet

import cv2

from drivers.camera.capture import Capture, OpenCapture, is_source, open_capture
from drivers.device import most_urgent
from drivers.frames import (
    CameraGone,
    CameraNote,
    CameraReason,
    CameraStalled,
    CameraStatus,
    Frame,
    Picture,
)

_log = logging.getLogger(__name__)

_DARK = 20.0
"""Brightness below which nearly all of a picture is dark."""
_PLAIN = 3.0
"""Standard deviation below which a picture shows nothing; an empty wall under lamps has above 8."""
_SLOW = 0.25
"""Seconds between pictures from which on a moving person is missed."""
_ENDED = 4
"""Answers "no picture" in a row that took no time."""
_HANGING = 2
"""Threads that hang in the driver below and hold the camera, at which no more are added."""


@dataclass(frozen=True)
class CameraTimes:
    """Delays in seconds.

    Attributes:
        open: for a camera to open, and then for its first picture.
        read: for each picture after that; later it has stalled and is opened anew.
        fresh: how old a picture may be for somebody who has just begun to look.
        pace: between two pictures; those that come sooner are not decoded.
        idle: without anybody looking, until the camera is let go.
        first_pause, longest_pause: between tries to open it; each is twice the one before.
        status: for a look at how it stands.
    """

    open: float = 3.0
    read: float = 2.0
    fresh: float = 0.3
    pace: float = 0.05
    idle: float = 3.0
    first_pause: float = 0.5
    longest_pause: float = 4.0
    status: float = 3.0


class Camera:
    """`FrameSource` on a video device or an MJPEG stream. It is opened when somebody looks, and let
    go when nobody has for a while: an unwatched camera takes no processor, and shows no light.

    Args:
        source: ``/dev/video0``, or ``http://host:port/path`` for MJPEG.
    """

    def __init__(
        self,
        source: str,
        times: CameraTimes | None = None,
        *,
        opener: OpenCapture = open_capture,
    ) -> None:
        if not is_source(source):
            raise ValueError("a camera is a device's path or an http URL")
        self._source = source
        self._times = times or CameraTimes()
        self._opener = opener
        # Guards everything below; told whenever a picture came or a reader ended.
        self._news = threading.Condition()
        self._reader: _Reader | None = None
        self._hanging: list[_Reader] = []
        self._frame: Frame | None = None
        self._count = 0
        self._between = 0.0
        self._looked_at = 0.0
        self._failures = 0
        self._trouble: CameraReason | None = None
        self._pause = 0.0
        self._next_try = 0.0
        _cameras.add(self)

    def newest(self, after: int, timeout: float) -> Frame:
        asked = time.monotonic()
        end = asked + timeout
        oldest = asked - self._times.fresh
        with self._news:
            failures = self._failures
            while True:
                now = self._looked_at = time.monotonic()
                frame = self._frame
                if frame is not None and frame.number > after and frame.taken_at >= oldest:
                    return frame
                due = self._tend(now)
                if now >= end or self._failures != failures:
                    self._raise_trouble()
                self._news.wait(max(0.001, min(due, end) - now))

    def status(self) -> CameraStatus:
        try:
            frame = self.newest(0, self._times.status)
        except CameraGone:
            return CameraStatus(CameraReason.GONE)
        except CameraStalled:
            return CameraStatus(CameraReason.STALLED)
        slow = self._between > _SLOW
        return CameraStatus(
            most_urgent(obstacles(frame.image), CameraReason),
            frozenset({CameraNote.SLOW} if slow else ()),
            (frame.image.shape[1], frame.image.shape[0]),
        )

    def close(self) -> None:
        with self._news:
            reader = self._reader
            self._let_go()
            self._trouble, self._pause, self._next_try = None, 0.0, 0.0
        if reader is not None:
            reader.thread.join(self._times.read)

    # --- one reader at a time; the lock is held ------------------------------------------------

    def _tend(self, now: float) -> float:
        """Start a reader where none works, give up one that hangs; returns when to look again."""
        self._hanging = [each for each in self._hanging if each.thread.is_alive()]
        reader = self._reader
        if reader is None:
            if now < self._next_try:
                return self._next_try
            if len(self._hanging) >= _HANGING:
                return now + self._times.first_pause
            reader = self._reader = _Reader(self)
            reader.thread.start()
            return reader.until
        if now < reader.until:
            return reader.until
        _log.warning("camera: a call to its driver hangs, or no picture comes")
        self._hanging.append(reader)
        self._failed(CameraReason.STALLED)
        return self._next_try

    def _failed(self, trouble: CameraReason) -> None:
        self._let_go()
        self._failures += 1
        self._trouble = trouble
        first, longest = self._times.first_pause, self._times.longest_pause
        self._pause = min(longest, self._pause * 2) if self._pause else first
        self._next_try = time.monotonic() + self._pause
        self._news.notify_all()

    def _let_go(self) -> None:
        self._reader = None
        self._frame = None
        self._between = 0.0

    def _raise_trouble(self) -> None:
        if self._trouble is CameraReason.GONE:
            raise CameraGone("the camera is gone")
        raise CameraStalled("no picture from the camera")

    # --- what a reader tells -------------------------------------------------------------------

    def wanted(self, reader: _Reader) -> bool:
        """Whether anybody still looks through this reader; without it, it ends."""
        with self._news:
            if self._reader is not reader:
                return False
            if time.monotonic() - self._looked_at < self._times.idle:
                return True
            self._let_go()
            return False

    def came(self, reader: _Reader, image: Picture) -> None:
        """A picture; dropped when the reader was given up."""
        image.flags.writeable = False
        with self._news:
            if self._reader is not reader:
                return
            now = time.monotonic()
            if self._frame is not None:
                between = now - self._frame.taken_at
                self._between = between if not self._between else (self._between * 7 + between) / 8
            self._count += 1
            self._frame = Frame(image, now, self._count)
            self._trouble, self._pause = None, 0.0
            self._news.notify_all()

    def ended(self, reader: _Reader, trouble: CameraReason) -> None:
        """The reader's camera is not there, or gives nothing any more."""
        with self._news:
            if self._reader is reader:
                self._failed(trouble)


_cameras: WeakSet[Camera] = WeakSet()


@atexit.register
def _close_all() -> None:
    """A thread that comes out of OpenCV while the interpreter ends aborts the process."""
    for camera in list(_cameras):
        camera.close()


class _Reader:
    """Reads one opened camera until nobody wants it or it fails.

    Attributes:
        until: when it must have given a sign of life.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._times = camera._times
        self.until = time.monotonic() + self._times.open * 2
        self.thread = threading.Thread(target=self._run, name="camera", daemon=True)

    def _run(self) -> None:
        times, camera = self._times, self._camera
        try:
            had_pictures = True
            while had_pictures and camera.wanted(self):
                # Opened again at once after pictures, which tells whether it is still there.
                began = time.monotonic()
                self.until = began + times.open * 2
                capture = camera._opener(camera._source, times.open, times.read)
                if capture is None:
                    # One that isn't there says so at once; what takes its time is silent.
                    silent = time.monotonic() - began > times.open * 0.8
                    camera.ended(self, CameraReason.STALLED if silent else CameraReason.GONE)
                    return
                try:
                    had_pictures = self._read(capture)
                finally:
                    capture.release()
            camera.ended(self, CameraReason.STALLED)
        except cv2.error:
            _log.warning("camera: OpenCV failed")
            camera.ended(self, CameraReason.GONE)

    def _read(self, capture: Capture) -> bool:
        """Until nobody wants more, or nothing readable comes; whether anything came."""
        times = self._times
        opened = good_at = time.monotonic()
        shown = 0.0
        at_once = 0
        while self._camera.wanted(self) and at_once < _ENDED:
            began = time.monotonic()
            image = None
            if capture.grab():
                if began - shown < times.pace:
                    continue
                image = capture.picture()
            now = time.monotonic()
            if image is not None:
                shown = began
                good_at, at_once = now, 0
                self.until = now + times.read * 2
                self._camera.came(self, image)
            elif now - good_at > times.read:
                break
            elif now - began < times.pace / 10:
                # A damaged picture takes the time of a picture; a stream that ended, none.
                at_once += 1
                time.sleep(times.pace)
        return good_at > opened


def obstacles(image: Picture) -> Iterator[CameraReason]:
    """What keeps a picture from being of use to anybody; a pure function."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    # Made small by averages, so that the sensor's noise is no content.
    small = cv2.resize(grey, (32, 18), interpolation=cv2.INTER_AREA)
    spread = float(small.std())
    if float(small.mean()) + 2 * spread < _DARK:
        yield CameraReason.DARK
    if spread < _PLAIN:
        yield CameraReason.COVERED
