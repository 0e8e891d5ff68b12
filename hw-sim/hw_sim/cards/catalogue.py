"""The cards that a person or a test can insert, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hw_sim.cards.image import load_image
from hw_sim.cards.iso7816 import Card
from hw_sim.cards.others import BankCard, ClonedCard, mute_card, silent_card
from hw_sim.cards.psam import Psam
from hw_sim.cards.social_security import SocialSecurityCard
from hw_sim.population import Resident, population

ROLES: Mapping[str, int] = MappingProxyType(
    {"v3": 0, "v2": 1, "v1": 2, "lost": 3, "cancelled": 4, "pin-locked": 5, "clone": 6}
)
"""Role of a card and its holder's index in the population."""

NAMES: tuple[str, ...] = (*ROLES, "unknown", "mute", "silent", "psam")
"""Every name besides ``resident:N``."""

_RESIDENT = "resident:"


class UnknownCardError(ValueError):
    """No card has this name."""


def canonical_name(name: str) -> str:
    """One name for each physical card: ``resident:0`` is the card ``v3``.

    Raises:
        UnknownCardError: no such card.
    """
    if name in NAMES:
        return name
    digits = name.removeprefix(_RESIDENT)
    if digits == name or not digits.isdecimal() or int(digits) >= len(population()):
        raise UnknownCardError("no card of that name")
    index = int(digits)
    for role, holder in ROLES.items():
        # The clone is another piece of plastic than its original, resident:6.
        if holder == index and role != "clone":
            return role
    return f"{_RESIDENT}{index}"


def holder(name: str) -> Resident | None:
    """Whom the card names; ``None`` for cards without a holder. Raises UnknownCardError."""
    name = canonical_name(name)
    if name in ROLES:
        return population()[ROLES[name]]
    if name.startswith(_RESIDENT):
        return population()[int(name.removeprefix(_RESIDENT))]
    return None


def make_card(name: str, *, challenge_seed: int | None = None) -> Card:
    """A card fresh from issuance.

    Args:
        name: one of NAMES or ``resident:N``.
        challenge_seed: the same challenges after each power-on (social security cards only).

    Raises:
        UnknownCardError: no such card.
    """
    name = canonical_name(name)
    resident = holder(name)
    if resident is not None:
        image = load_image(resident.card.version[0])
        kind = ClonedCard if name == "clone" else SocialSecurityCard
        card = kind(image, resident, challenge_seed=challenge_seed)
        if name == "pin-locked":
            card.set_pin_tries(0)
        return card
    match name:
        case "unknown":
            return BankCard()
        case "mute":
            return mute_card()
        case "silent":
            return silent_card()
        case "psam":
            return Psam()
        case _:
            raise AssertionError("NAMES and make_card differ")
