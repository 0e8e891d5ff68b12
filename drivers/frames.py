"""The seam between the terminal and a camera: its newest picture, never an old one.

What the pictures show is decided elsewhere: codes by `drivers.camera.scanner`, faces by
`drivers.face.camera`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Rows x columns x 3 (blue, green, red), or rows x columns (grey); 0 is black, 255 white."""


class CameraError(Exception):
    """Base of everything that goes wrong at a camera."""


class CameraGone(CameraError):
    """The camera is unplugged, switched off, or held by another program."""


class CameraStalled(CameraError):
    """The camera is there and sends no picture, or none that can be read."""


class CameraReason(Enum):
    """Why a camera's pictures are of no use, in order of urgency."""

    GONE = "gone"
    STALLED = "stalled"
    """It is there, and no readable picture comes."""
    DARK = "dark"
    """Nearly black: the light is off, or the lens is covered."""
    COVERED = "covered"
    """The same everywhere: something is right before the lens."""


class CameraNote(Enum):
    """What staff should see to, though pictures come."""

    SLOW = "slow"
    """Fewer pictures than a moving person needs."""


@dataclass(frozen=True)
class CameraStatus:
    """How a camera stands.

    Attributes:
        reason: the most urgent obstacle, None when its pictures are of use.
        size: columns and rows of its pictures, None before the first.
    """

    reason: CameraReason | None
    notes: frozenset[CameraNote] = frozenset()
    size: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture; it may show a person, so it never shows in a repr.

    Attributes:
        image: as the camera sent it. Nobody writes into it: others may hold it too.
        taken_at: `time.monotonic` when it came.
        number: counts up from 1 and never again, also when the camera was away in between.
    """

    image: Picture = field(repr=False)
    taken_at: float
    number: int


class FrameSource(Protocol):
    """A camera. `newest` and `status` may be called from any thread, by several at a time."""

    def newest(self, after: int, timeout: float) -> Frame:
        """Wait for a picture that the caller has not seen.

        Args:
            after: number of the last one seen, 0 for none. A picture that was taken before this
                call is handed on only when it is fresh.
            timeout: seconds, 0 for one that is there already. The call never takes longer,
                whatever hangs.

        Raises:
            CameraGone: there is no camera. Raised as soon as that is known; the next call asks
                again, or waits until the next try is due.
            CameraStalled: none came in time.
        """

    def status(self) -> CameraStatus:
        """Look through it, within a deadline of its own. Never raises."""

    def close(self) -> None:
        """Let go of the camera. Never raises; a second call does nothing. `newest` would open it
        again."""
