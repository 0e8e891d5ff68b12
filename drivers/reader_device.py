"""A card slot as a device: how it stands, asked without touching the card in it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum

from apdu.errors import ReaderGone
from drivers.card_service import CardService, ReaderState, find_reader


class SlotReason(Enum):
    """Why no card can be read, in order of urgency."""

    GONE = "gone"
    """No such reader, or no smart card service."""
    STUCK = "stuck"
    """A call that a card or the reader holds has not come back."""
    EMPTY = "empty"
    """There is no card in a slot that must always have one (PSAM)."""
    MUTE = "mute"
    """The card in such a slot does not answer."""


class SlotNote(Enum):
    """What staff should see to, though cards are read."""

    MUTE_CARD = "mute-card"
    """Something is in the slot and does not answer: wrong way round, broken, or no card."""


@dataclass(frozen=True)
class SlotStatus:
    """How the slot stands.

    Attributes:
        reader: its full name; empty without one.
        card: something is in it.
    """

    reason: SlotReason | None
    notes: frozenset[SlotNote] = frozenset()
    reader: str = ""
    card: bool = False


@dataclass(frozen=True)
class SlotTimes:
    """Delays in seconds.

    Attributes:
        first: the service needs so long to tell what readers there are, after its start.
        free: a slot that is no longer free than this is held; a business step takes milliseconds.
        look: between two looks within `first`.
    """

    first: float = 3.0
    free: float = 2.0
    look: float = 0.02


class ReaderDevice:
    """`drivers.device.Device` over a card service that somebody else starts and stops.

    Args:
        name_part: as `drivers.card_service.find_reader` takes it.
        keeps_card: the slot must always have an answering card.
    """

    def __init__(
        self,
        service: CardService,
        name_part: str,
        *,
        keeps_card: bool = False,
        times: SlotTimes | None = None,
    ) -> None:
        self._service = service
        self._name_part = name_part
        self._keeps_card = keeps_card
        self._times = times or SlotTimes()
        self._patient = True

    def status(self) -> SlotStatus:
        try:
            reader = self._reader()
        except ReaderGone:
            return SlotStatus(SlotReason.GONE)
        if not self._service.answers(reader.name, self._times.free):
            return SlotStatus(SlotReason.STUCK, reader=reader.name, card=reader.present)
        reason, notes = None, frozenset[SlotNote]()
        if self._keeps_card and not reader.present:
            reason = SlotReason.EMPTY
        elif self._keeps_card and reader.mute:
            reason = SlotReason.MUTE
        elif reader.mute:
            notes = frozenset({SlotNote.MUTE_CARD})
        return SlotStatus(reason, notes, reader.name, reader.present)

    def close(self) -> None:
        """Nothing: the service is not ours."""

    def _reader(self) -> ReaderState:
        """The reader; at the first question a service that has just started is waited for."""
        end = time.monotonic() + (self._times.first if self._patient else 0)
        self._patient = False
        while True:
            try:
                return find_reader(self._service.readers(), self._name_part)
            except ReaderGone:
                if time.monotonic() >= end:
                    raise
            time.sleep(self._times.look)
