"""A camera (摄像头) behind an MJPEG stream: what is held before it, its plug, and its faults.

What it sees is drawn in `hw_sim.camera.scene`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from hw_sim.camera.scene import Held, draw, jpeg, noisy
from hw_sim.camera.stream import HEADER, StreamServer, Watcher, part
from hw_sim.faults import Fault, FaultSyntaxError, Schedule

FAULTS = {
    "drop": False,  # the picture is not sent
    "delay": True,  # so many milliseconds late
    "half": False,  # only the first half of its JPEG
    "garbage": False,  # bytes that are no JPEG in its place
    "empty": False,  # a part without a picture
    "boundary": False,  # before it stands a boundary that was never announced
    "dark": False,  # it is black
    "slow": True,  # from then on so many milliseconds between pictures
    "stall": False,  # nothing more comes, to anybody, until it is powered anew
    "close": False,  # the line is closed instead; it may be opened again
    "unplug": False,  # the plug is pulled instead
    "power-cycle": False,  # the power fails instead, and comes back
}
"""What strikes a picture; N counts the pictures that are sent to anybody."""

RATE = 15.0
"""Pictures a second."""
SHOW_SECONDS = 8.0
"""How long a person holds something before the camera."""

_OFF = 0.3
"""Seconds that a power failure lasts."""
_VARIANTS = 4
"""Pictures of one scene with different noise, sent in turn."""
_KEPT = 50


class CameraDevice:
    """A camera that can be plugged in and out.

    Args:
        port: on 127.0.0.1; 0 for any, the same after every plug.
        rate: pictures a second.
        clock: seconds of a monotonic clock.

    Attributes:
        pictures_sent: to anybody since it was made.
    """

    def __init__(
        self, port: int = 0, *, rate: float = RATE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._between = 1 / rate
        self._clock = clock
        self._stream = StreamServer(port, self._attend)
        self._lock = threading.RLock()
        self._schedule = Schedule(FAULTS)
        self._off = threading.Event()
        self._off.set()
        self._slow: float | None = None
        self._stalled = False
        self._held: tuple[Held, ...] = ()
        self._until = 0.0
        self._dark = False
        self._illegal: list[str] = []
        self._variants: tuple[bytes, ...] = ()
        self.pictures_sent = 0

    # --- the plug ------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where a host opens it; known after the first plug."""
        return f"http://127.0.0.1:{self._stream.port}/stream"

    @property
    def plugged(self) -> bool:
        """True while a host could open it."""
        return self._stream.is_open

    @property
    def watchers(self) -> int:
        """How many hosts look."""
        return self._stream.watchers

    def plug(self) -> None:
        """Power it up; nothing happens when it is plugged in."""
        with self._lock:
            if self._stream.is_open:
                return
            self._slow = None
            self._stalled = False
            self._off = threading.Event()
            self._stream.open()

    def unplug(self) -> None:
        """Pull the plug: every line dies, and the port closes."""
        with self._lock:
            self._off.set()
        self._stream.close()

    # --- people --------------------------------------------------------------------------------

    def show(self, *held: Held, seconds: float = SHOW_SECONDS) -> None:
        """Hold things before it, in place of others, for that time.

        Raises:
            ValueError: no QR code holds a payload; the text does not repeat it.
        """
        variants = _variants(held, dark=False)
        with self._lock:
            self._held, self._until = held, self._clock() + seconds
            self._variants, self._dark = variants, False

    def clear(self) -> None:
        """Nobody is there, and the light is on."""
        with self._lock:
            self._held, self._variants, self._dark = (), (), False

    def cover(self) -> None:
        """Hold a hand on the lens until something is shown, or it is cleared."""
        variants = _variants((), dark=True)
        with self._lock:
            self._held, self._variants, self._dark = (), variants, True

    @property
    def shows(self) -> bool:
        """True while something is held before it."""
        with self._lock:
            return bool(self._held) and self._clock() < self._until

    @property
    def covered(self) -> bool:
        """True while it sees nothing."""
        return self._dark

    # --- faults --------------------------------------------------------------------------------

    @property
    def illegal(self) -> tuple[str, ...]:
        """What came that was no request for the stream, at most the last 50."""
        return tuple(self._illegal)

    def set_fault(self, text: str) -> None:
        """Schedule faults for coming pictures; ``none`` forgets all.

        Raises:
            FaultSyntaxError: the schedule can't be read; nothing was added.
        """
        probe = Schedule(FAULTS)
        probe.set(text)
        for fault in probe.waiting:
            if FAULTS[fault.name] and not fault.value.isdecimal():
                raise FaultSyntaxError(f"{fault.name} takes whole milliseconds")
        with self._lock:
            self._schedule.set(text)

    @property
    def faults_pending(self) -> int:
        """How many scheduled faults have not happened yet."""
        return self._schedule.pending

    # --- the wire ------------------------------------------------------------------------------

    def _attend(self, watcher: Watcher) -> None:
        asked = watcher.request()
        words = asked.split(b"\r\n", 1)[0].split()
        if len(words) != 3 or words[0] != b"GET" or not asked.endswith(b"\r\n\r\n"):
            self._illegal = [*self._illegal, f"no request for a stream: {asked[:40]!r}"][-_KEPT:]
            watcher.send(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            return
        off = self._off
        going = watcher.send(HEADER)
        while going and not off.wait(self._slow or self._between):
            going = self._stalled or self._picture(watcher, off)

    def _picture(self, watcher: Watcher, off: threading.Event) -> bool:
        """Send one, or what a fault makes of it; False when the line is to be closed."""
        with self._lock:
            if off.is_set():
                return False
            fault = self._schedule.next() or Fault("")
            image = self._seen()
            self.pictures_sent += 1
        match fault.name:
            case "drop":
                return True
            case "stall":
                self._stalled = True
                return True
            case "close":
                return False
            case "unplug":
                self.unplug()
                return False
            case "power-cycle":
                self.unplug()
                threading.Timer(_OFF, self.plug).start()
                return False
            case "slow":
                self._slow = int(fault.value) / 1000
            case "delay":
                off.wait(int(fault.value) / 1000)
        return watcher.send(_spoiled(image, fault))

    def _seen(self) -> bytes:
        if self._held and self._clock() >= self._until:
            self._held, self._variants = (), ()
        if not self._variants:
            self._variants = _variants((), dark=self._dark)
        return self._variants[self.pictures_sent % len(self._variants)]


@lru_cache(maxsize=8)
def _variants(held: tuple[Held, ...], *, dark: bool) -> tuple[bytes, ...]:
    seen = draw(held, dark=dark)
    return tuple(
        jpeg(noisy(seen, np.random.default_rng(number), 1.0 if dark else 5.0))
        for number in range(_VARIANTS)
    )


def _spoiled(image: bytes, fault: Fault) -> bytes:
    """A part as it goes out."""
    match fault.name:
        case "half":
            return part(image[: len(image) // 2])
        case "garbage":
            return part(np.random.default_rng(0).bytes(len(image)))
        case "empty":
            return part(b"")
        case "boundary":
            return part(image, boundary="another")
        case "dark":
            return part(_variants((), dark=True)[0])
        case _:
            return part(image)
