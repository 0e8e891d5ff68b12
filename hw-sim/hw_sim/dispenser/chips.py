"""The chips that the dispenser can power: the card at the contacts or the antenna, and its SAMs."""

from __future__ import annotations

import time
from collections.abc import Callable

from hw_sim.cards.catalogue import make_card
from hw_sim.cards.faults import Fault, FaultyContacts
from hw_sim.cards.iso7816 import Card

T0, T1 = b"0", b"1"
_SHORTEST, _LONGEST = 4, 261


class ChipError(Exception):
    """The device's two error digits for what went wrong at a chip."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Socket:
    """Contacts with or without a chip in them.

    Args:
        torn: called when a fault pulls the card out in the middle of a command.
        other: makes the card that a fault brings in its place.
    """

    def __init__(
        self,
        torn: Callable[[], object] = lambda: None,
        other: Callable[[str], Card] = make_card,
    ) -> None:
        self._torn = torn
        self._other = other
        self._faulty: FaultyContacts | None = None
        self.powered = False
        self.apdus = 0

    @property
    def card(self) -> Card | None:
        """The chip in it."""
        return None if self._faulty is None else self._faulty.card

    @property
    def protocol(self) -> bytes:
        """The protocol's digit, from the first of the interface bytes that tells (ISO 7816-3)."""
        atr = b"" if self.card is None else self.card.atr
        if len(atr) < 2 or not atr[1] & 0x80:
            return T0
        first = sum(bool(atr[1] & bit) for bit in (0x10, 0x20, 0x40))
        return T1 if atr[2 + first] & 0x0F == 1 else T0

    def put(self, card: Card | None, faults: tuple[Fault, ...] = ()) -> None:
        """Another chip comes to the contacts, or none; the one before has lost its power."""
        self.off()
        self._faulty = None if card is None else FaultyContacts(card, faults, self._other)

    def schedule(self, faults: tuple[Fault, ...]) -> None:
        """What goes wrong with the chip's coming commands."""
        if self._faulty is not None:
            self._faulty.schedule(faults)

    def power(self) -> bytes:
        """Cold reset; returns protocol and ATR."""
        card = self._chip("61")
        card.power_on()
        if not 2 <= len(card.atr) <= 33:
            raise ChipError("61")
        self.powered = True
        return self.protocol + card.atr

    def warm(self) -> bytes:
        """Reset with power on."""
        card = self._chip("61")
        if not self.powered:
            raise ChipError("65")
        card.reset()
        return self.protocol + card.atr

    def off(self) -> None:
        """Cut the power."""
        if self.powered and self.card is not None:
            self.card.power_off()
        self.powered = False

    def exchange(self, command: bytes, protocol: bytes | None) -> bytes:
        """Hand a command to the chip.

        Args:
            protocol: the only one that was asked for, None for whichever it speaks.
        """
        if not self.powered:
            raise ChipError("65")
        self._chip("67")
        if not _SHORTEST <= len(command) <= _LONGEST:
            raise ChipError("04")
        if protocol not in (None, self.protocol):
            raise ChipError("62")
        self.apdus += 1
        assert self._faulty is not None
        reaction = self._faulty.exchange(command)
        time.sleep(reaction.delay)
        if reaction.pulled:
            self._torn()
            raise ChipError("67")
        if reaction.answer is None:
            # The device waits for the chip's working time, then it cuts the power.
            self.off()
            raise ChipError("63")
        return reaction.answer

    def _chip(self, code: str) -> Card:
        if self.card is None:
            raise ChipError(code)
        return self.card


def seen_at_antenna(card: Card) -> bytes:
    """What the device tells of a type A chip: ``A``, ATQA, UID, SAK and ATS.

    The UID is a demonstration's; the ATS shows the historical bytes of the card's ATR.
    """
    atr = card.atr
    history = atr[len(atr) - (atr[1] & 0x0F) :] if atr[1] & 0x0F else b""
    ats = bytes([5 + len(history), 0x78, 0x80, 0x70, 0x02]) + history
    return b"A" + b"\x00\x08" + b"\x04" + b"\x42\x99\x00\x01" + b"\x28" + ats
