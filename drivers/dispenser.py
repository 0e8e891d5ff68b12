"""The seam between the terminal and its card dispenser (发卡机).

A dispenser issues cards from a stacker and reads the residents' own; a motor moves them between
gate, IC contacts and the bin for captured cards. A second card that comes out by mistake is
somebody's identity, so that no movement is ever repeated before the device has said where the
card is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from drivers.card_service import CardConnection


class DispenserReason(Enum):
    """Why a dispenser can't serve, in order of urgency."""

    GONE = "gone"
    """No answer at all, or none that can be read."""
    JAM = "jam"
    """A card is stuck, or has a wrong size."""
    BROKEN = "broken"
    """Motor, sensor or a state that the device itself can't tell."""
    ERROR_BIN_FULL = "error-bin-full"
    """A forgotten card could not be captured."""
    STACKER_EMPTY = "stacker-empty"


class DispenserNote(Enum):
    """What staff should see to, though it still serves."""

    STACKER_LOW = "stacker-low"


class CardPlace(Enum):
    """Where a card is, as the device's sensors tell."""

    NONE = "none"
    AT_GATE = "at-gate"
    """Held by the rollers; a hand can take it."""
    INSIDE = "inside"
    """At the IC contacts or the antenna; no hand reaches it."""
    UNKNOWN = "unknown"


class Inside(Enum):
    """What becomes of a card that is inside when the device is initialised."""

    HOLD_AT_GATE = "hold-at-gate"
    CAPTURE = "capture"
    KEEP = "keep"


@dataclass(frozen=True)
class DispenserStatus:
    """How the dispenser stands.

    Attributes:
        reason: the most urgent obstacle, None when it serves.
        place: where a card is; of a device that is gone, where it was seen last, and NONE where
            none was seen ever.
    """

    reason: DispenserReason | None
    notes: frozenset[DispenserNote] = frozenset()
    place: CardPlace = CardPlace.UNKNOWN


@dataclass(frozen=True)
class Counters:
    """What the device counts.

    Attributes:
        captured: cards in the bin since it was last said to be empty, 0..999.
    """

    captured: int


class DispenserError(Exception):
    """Base of everything that goes wrong at a dispenser."""


class DispenserGone(DispenserError):
    """Unplugged, switched off, or no readable answer. Whether a movement was done is not known;
    the next status tells."""


class CardStuck(DispenserError):
    """A card did not arrive where it was sent; staff must look."""


class NoCard(DispenserError):
    """There is no card to move; nothing was moved."""


class CardInTheWay(DispenserError):
    """There is a card already, so that none was dispensed."""


class BinFull(DispenserError):
    """The bin takes no more cards; the card is where it was."""


class StackerEmpty(DispenserError):
    """There is nothing to dispense."""


class Refused(DispenserError):
    """The device did not do it.

    Attributes:
        code: as the device gives it, two characters.
        meaning: what its documents say of the code.
    """

    def __init__(self, code: str, meaning: str) -> None:
        super().__init__(f"the dispenser refused with {code}: {meaning}")
        self.code = code
        self.meaning = meaning


class Dispenser(Protocol):
    """One dispenser. Any thread may call; calls wait for each other, and a movement takes seconds.

    Every method but `status` and `close` raises DispenserGone when the device is away, and Refused
    for what has no exception of its own; the next call opens the port again.
    """

    def status(self) -> DispenserStatus:
        """Ask how it stands. Never raises; moves no card. After a jam it asks the device, now and
        then, whether staff have put it right."""

    def init(self, inside: Inside) -> str:
        """Initialise the device; insertion is forbidden afterwards.

        Returns:
            What the device calls itself; may be empty.

        Raises:
            CardStuck, BinFull: the card inside could not be moved.
        """

    def dispense_to_ic(self) -> None:
        """Take a card from the stacker to the IC contacts.

        Raises:
            CardInTheWay, StackerEmpty, CardStuck.
        """

    def dispense_to_gate(self) -> None:
        """Take a card from the stacker and hold it at the gate. Raises as `dispense_to_ic`."""

    def take_in(self) -> None:
        """Move the card at the gate, or elsewhere inside, to the IC contacts.

        Raises:
            NoCard, CardStuck.
        """

    def hold_at_gate(self) -> None:
        """Offer the card: it is held at the gate and can still be captured.

        Raises:
            NoCard, CardStuck.
        """

    def eject(self) -> None:
        """Push the card out of the gate and let go of it; it can't be captured any more.

        Raises:
            NoCard, CardStuck.
        """

    def capture(self) -> None:
        """Move the card into the bin.

        Raises:
            NoCard, BinFull, CardStuck.
        """

    def allow_insertion(self, allowed: bool) -> None:
        """Let people insert cards at the gate, or not."""

    def connect(self) -> CardConnection:
        """Power the card at the IC contacts. Errors as `drivers.card_service.CardService.connect`:
        those of `apdu.errors`."""

    def counters(self) -> Counters:
        """What the device has counted."""

    def bin_was_emptied(self) -> None:
        """Let the device count captured cards from zero."""

    def close(self) -> None:
        """Power the card off and let go of the port. Never raises."""
