"""Giving a card back: offered at the gate, and captured when it is forgotten (DESIGN §3.1)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from drivers.dispenser import (
    BinFull,
    CardPlace,
    CardStuck,
    Dispenser,
    DispenserError,
    DispenserGone,
    DispenserReason,
    NoCard,
)


class ReleaseEnd(Enum):
    """What became of the card; the values are words of the audit log."""

    RELEASED = "released"
    """It was taken, or there was none."""
    STILL_PRESENT = "still-present"
    """Nobody may be served before staff have looked."""
    CAPTURED = "captured"


@dataclass(frozen=True)
class Release:
    """How giving back ended.

    Attributes:
        reason: why the card could not be offered or captured; None where nothing is wrong.
    """

    end: ReleaseEnd
    reason: DispenserReason | None = None


@dataclass(frozen=True)
class ReleaseTimes:
    """Delays in seconds.

    Attributes:
        patience: how long a card is offered before it counts as forgotten.
        poll: between two looks whether it was taken.
    """

    patience: float = 30.0
    poll: float = 0.4


def give_back(
    dispenser: Dispenser,
    times: ReleaseTimes,
    *,
    stop: threading.Event | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Release:
    """Hold the card at the gate until it is taken; capture what is forgotten. Never raises.

    The card is held and not ejected: what the rollers have let go of can't be captured.

    Args:
        stop: set from any thread to wait no longer; the card stays where it is.
    """
    stop = stop or threading.Event()
    if dispenser.status().place is CardPlace.NONE:
        return Release(ReleaseEnd.RELEASED)
    try:
        # A card that is offered must not be pushed in again by the next in the queue.
        dispenser.allow_insertion(False)
        dispenser.hold_at_gate()
    except NoCard:
        return Release(ReleaseEnd.RELEASED)
    except DispenserError as error:
        return _left(dispenser, error)
    end = clock() + times.patience
    # What is inside by now is the next person's: the gate opens again once the card was taken.
    while dispenser.status().place not in (CardPlace.NONE, CardPlace.INSIDE):
        left = end - clock()
        if left <= 0:
            break
        if stop.wait(min(times.poll, left)):
            return _left(dispenser, None)
    else:
        return Release(ReleaseEnd.RELEASED)
    try:
        dispenser.capture()
    except NoCard:
        return Release(ReleaseEnd.RELEASED)
    except DispenserError as error:
        return _left(dispenser, error)
    return Release(ReleaseEnd.CAPTURED)


def _left(dispenser: Dispenser, error: DispenserError | None) -> Release:
    """The card stays, unless the device says that it is gone after all."""
    # A card that is stuck between two sensors looks like none.
    if dispenser.status().place is CardPlace.NONE and not isinstance(error, CardStuck):
        return Release(ReleaseEnd.RELEASED)
    reason: DispenserReason | None
    match error:
        case None:
            reason = None
        case DispenserGone():
            reason = DispenserReason.GONE
        case CardStuck():
            reason = DispenserReason.JAM
        case BinFull():
            reason = DispenserReason.ERROR_BIN_FULL
        case _:
            reason = DispenserReason.BROKEN
    return Release(ReleaseEnd.STILL_PRESENT, reason)
