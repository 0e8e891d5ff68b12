"""A camera for the driver's tests: pictures that are given to it, and calls that hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from drivers.frames import Picture

PICTURE = np.full((72, 128, 3), 120, np.uint8)


class CameraDouble:
    """Pass `open` as the opener.

    Attributes:
        there: whether it can be opened.
        grab: what each grab does: True for a picture; it may sleep, hang or say False.
        opened, released: how often.
        picture: that it gives.
    """

    def __init__(self) -> None:
        self.there = True
        self.grab: Callable[[], bool] = self.at_a_rate
        self.picture: Picture | None = PICTURE
        self.opened = 0
        self.released = 0
        self.opening = threading.Event()
        self.opening.set()
        self._hanging = threading.Event()
        self.limits: tuple[str, float, float] | None = None

    def open(self, source: str, open_seconds: float, read_seconds: float) -> OpenDouble | None:
        self.limits = (source, open_seconds, read_seconds)
        self.opening.wait()
        if not self.there:
            return None
        self.opened += 1
        return OpenDouble(self)

    def at_a_rate(self) -> bool:
        time.sleep(0.005)
        return True

    def nothing(self) -> bool:
        """A stream that ended."""
        return False

    def slowly_nothing(self) -> bool:
        """A picture that cannot be decoded."""
        time.sleep(0.01)
        return False

    def hang(self) -> bool:
        """Until `let_hanging_calls_return`."""
        self._hanging.wait()
        return False

    def let_hanging_calls_return(self) -> None:
        self._hanging.set()
        self.opening.set()


class OpenDouble:
    """What `CameraDouble.open` returns."""

    def __init__(self, camera: CameraDouble) -> None:
        self._camera = camera

    def grab(self) -> bool:
        return self._camera.grab()

    def picture(self) -> Picture | None:
        picture = self._camera.picture
        return None if picture is None else picture.copy()

    def release(self) -> None:
        self._camera.released += 1
