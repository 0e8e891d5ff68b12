"""The card slots of one terminal and the memory of the cards that are used in them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from hw_sim.cards.catalogue import canonical_name, make_card
from hw_sim.cards.faults import Fault, parse_faults
from hw_sim.cards.iso7816 import Card
from hw_sim.cards.social_security import SocialSecurityCard
from hw_sim.vpcd import HAND_SECONDS, CardLink

CONTACT, PSAM = "contact", "psam"


class SlotError(Exception):
    """The slots refuse: the message says why."""


class _Slot:
    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.faults: tuple[Fault, ...] = ()
        self.faults_text = ""
        self.link: CardLink | None = None
        self.name: str | None = None

    @property
    def occupied(self) -> bool:
        return self.link is not None and self.link.inserted


class Slots:
    """The card slots of one terminal and the memory of every card used in them.

    Args:
        addresses: host and port of the reader behind each slot, by slot name.
    """

    def __init__(self, addresses: Mapping[str, tuple[str, int]]) -> None:
        self._slots = {name: _Slot(address) for name, address in addresses.items()}
        self._cards: dict[str, Card] = {}
        self._swapped_in: list[Card] = []
        self._bugs = 0
        self._lock = threading.Lock()

    def insert(
        self,
        card: str,
        slot: str = CONTACT,
        challenge_seed: int | None = None,
        strict_t0: bool | None = None,
    ) -> None:
        """Puts a card of the catalogue in.

        Args:
            strict_t0: whether a social security card holds to the P3 rules of T=0 while it is
                in; ``None`` leaves it to its image.

        Raises:
            SlotError: the slot is taken, or the card is in another one.
            UnknownCardError: no such card.
        """
        name = canonical_name(card)
        with self._lock:
            place = self._place(slot)
            if place.occupied:
                raise SlotError(f"there is a card in the {slot} slot")
            if any(other.occupied and other.name == name for other in self._slots.values()):
                raise SlotError("that card is in another slot")
            not_before = 0.0
            if place.link is not None:
                place.link.remove()
                not_before = place.link.left_at + HAND_SECONDS
            piece = self._card(name)
            if isinstance(piece, SocialSecurityCard):
                piece.challenge_seed = challenge_seed
                piece.t0 = piece.image.strict_t0 if strict_t0 is None else strict_t0
                piece.reset()
            place.name = name
            place.link = CardLink(*place.address, piece, place.faults, self._other)
            place.link.insert(not_before=not_before)

    def remove(self, slot: str = CONTACT) -> str:
        """The name of the removed card. Raises SlotError where there is none."""
        with self._lock:
            place = self._place(slot)
            if place.link is None or not place.occupied or place.name is None:
                raise SlotError(f"there is no card in the {slot} slot")
            place.link.remove()
            return place.name

    def set_faults(self, text: str, slot: str = CONTACT) -> None:
        """For the inserted card and those after it. Raises SlotError or FaultSyntaxError."""
        faults = parse_faults(text)
        with self._lock:
            place = self._place(slot)
            place.faults, place.faults_text = faults, text
            if place.link is not None and place.occupied:
                place.link.schedule(faults)

    def set_pin_tries(self, card: str, tries: int) -> None:
        """Raises SlotError, UnknownCardError or ValueError."""
        with self._lock:
            piece = self._card(canonical_name(card))
            if not isinstance(piece, SocialSecurityCard):
                raise SlotError("that card has no PIN")
            piece.set_pin_tries(tries)

    def memory(self, card: str) -> dict[str, str]:
        """What a card holds when its power is off, in hexadecimal by word. Raises SlotError or
        UnknownCardError."""
        with self._lock:
            piece = self._card(canonical_name(card))
            if not isinstance(piece, SocialSecurityCard):
                raise SlotError("that card's memory is not shown")
            return {word: value.hex() for word, value in piece.memory.words().items()}

    def renew(self) -> None:
        """Empties the contact slot, clears its faults and issues every card anew."""
        with self._lock:
            kept = {}
            for slot, place in self._slots.items():
                if slot == PSAM and place.occupied and place.name is not None:
                    kept[place.name] = self._cards[place.name]
                    continue
                if place.link is not None:
                    place.link.remove()
                place.faults, place.faults_text = (), ""
            gone = [card for name, card in self._cards.items() if name not in kept]
            self._bugs += sum(len(card.bugs) for card in gone)
            self._cards = kept

    def status(self) -> dict[str, Any]:
        """Slots by name, PIN tries of the cards used so far, and the number of card bugs."""
        with self._lock:
            slots = {
                name: {
                    "card": place.name if place.occupied else None,
                    "connected": place.link is not None and place.link.connected,
                    "noticed": place.occupied and place.link is not None and place.link.noticed,
                    "apdus": place.link.apdus if place.link is not None else 0,
                    "faults": place.faults_text,
                }
                for name, place in self._slots.items()
            }
            tries = {
                name: card.pin_tries
                for name, card in self._cards.items()
                if isinstance(card, SocialSecurityCard)
            }
            return {"slots": slots, "pin_tries": tries, "bugs": self._count_bugs()}

    def close(self) -> None:
        """Pulls every card."""
        with self._lock:
            for place in self._slots.values():
                if place.link is not None:
                    place.link.remove()

    def _count_bugs(self) -> int:
        return self._bugs + sum(
            len(card.bugs) for card in (*self._cards.values(), *self._swapped_in)
        )

    def _place(self, slot: str) -> _Slot:
        try:
            return self._slots[slot]
        except KeyError:
            raise SlotError("there is no such slot") from None

    def _other(self, name: str) -> Card:
        """What a swap brings. Called by a link's thread, while another may wait for its end with
        the lock held."""
        card = make_card(name)
        self._swapped_in.append(card)
        return card

    def _card(self, name: str) -> Card:
        if name not in self._cards:
            self._cards[name] = make_card(name)
        return self._cards[name]
