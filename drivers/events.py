"""What card readers report without being asked.

Events are posted from a monitor's thread; the receiver only queues them. Nothing here says who
a card belongs to: an ATR names a chip, never a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class CardInserted:
    """A card that answers to reset is in the reader.

    Also posted for a card that was mute and now answers, and at start for a card that is
    already there.

    Attributes:
        reader: the reader's full name.
        atr: answer to reset, 2 to 33 bytes.
        found: nobody put it in now: a motor held it there before the reader was seen.
    """

    reader: str
    atr: bytes
    found: bool = False


@dataclass(frozen=True)
class CardMuted:
    """Something is in the slot and does not answer: wrong way round, broken, or no chip.

    Attributes:
        found: as of `CardInserted`.
    """

    reader: str
    found: bool = False


@dataclass(frozen=True)
class CardTaken:
    """The slot is empty now.

    Attributes:
        kept: nobody took the card: the machine moved it into its bin.
    """

    reader: str
    kept: bool = False


@dataclass(frozen=True)
class ReaderAttached:
    """A reader is there, at start or plugged in later. News of its card follows."""

    reader: str


@dataclass(frozen=True)
class ReaderDetached:
    """A reader is gone. Its card, if any, is gone from us too, yet perhaps still in the slot:
    no `CardTaken` is posted."""

    reader: str


@dataclass(frozen=True)
class ServiceLost:
    """The smart card service does not answer; a `ReaderDetached` for each reader came before."""


@dataclass(frozen=True)
class ServiceRestored:
    """The smart card service answers again; readers and cards are reported afresh after this."""


DeviceEvent = (
    CardInserted
    | CardMuted
    | CardTaken
    | ReaderAttached
    | ReaderDetached
    | ServiceLost
    | ServiceRestored
)

Post = Callable[[DeviceEvent], None]
