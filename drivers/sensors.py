"""The seam between the terminal and what watches its case: door, tamper and presence sensors, and
the lights at its slots (灯带).

There is no common protocol for them; ours is here, and its two drivers are a board on a serial
line (`drivers.sensor_board.board`, whose bytes are ours too) and lines of a GPIO chip
(`drivers.sensor_gpio`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class SensorsReason(Enum):
    """Why the terminal's case can't be trusted, in order of urgency."""

    GONE = "gone"
    """No answer: nobody knows what happens to the case."""
    TAMPERED = "tampered"
    """The tamper loop is open, or was at any moment since it was looked at last."""
    FAULT = "fault"
    """The board says that it can't trust its own inputs."""


class SensorsNote(Enum):
    """What staff should see to."""

    DOOR_OPEN = "door-open"
    """The service door, which engineers open to put paper in."""


@dataclass(frozen=True)
class SensorsStatus:
    """How the case stands.

    Attributes:
        reason: the most urgent obstacle, None when all is well.
        present: somebody stands before the terminal; False where no sensor tells.
    """

    reason: SensorsReason | None
    notes: frozenset[SensorsNote] = frozenset()
    present: bool = False


class LightSlot(Enum):
    """Where a light is."""

    CARD = "card"
    RECEIPT = "receipt"
    PRINTER = "printer"


class Light(Enum):
    """What a light does."""

    OFF = "off"
    ON = "on"
    BLINK = "blink"
    """Take or put something here now."""


class Lights(Protocol):
    """The lights at the slots."""

    def show(self, slot: LightSlot, light: Light) -> bool:
        """Set a light; it stays so, also when the device was away for a while.

        Returns:
            False when the device did not acknowledge it, which is no reason to stop anybody.
            True where there is no such light. Never raises.
        """


class Sensors(Lights, Protocol):
    """Sensors and lights of one terminal, owned by one worker."""

    def status(self) -> SensorsStatus:
        """How the case stands now, and whether the tamper loop was open since the last call.
        Never raises."""

    def close(self) -> None:
        """Let go of the port or the lines; the lights go out where that is possible. Never
        raises; a second call does nothing."""


@dataclass(frozen=True)
class Settled:
    """A level that flickers, and what it counts as.

    Attributes:
        value: what it counts as.
        level: what it was last.
        since: time from which it has been so.
    """

    value: bool
    level: bool
    since: float


def settled(was: Settled, level: bool, at: float, rise: float, fall: float) -> Settled:
    """What a level counts as when it is `level` from time `at` on: another one counts once it has
    stayed for `rise` (to on) or `fall` (to off), in the unit of `at`.

    Called again with the same level at a later time, it says what counts by then.
    """
    stayed = at - was.since >= (rise if was.level else fall)
    value = was.level if stayed else was.value
    return Settled(value, level, was.since if level == was.level else at)
