"""The cards that a person or a test can insert, by name.

A name is that of an image (``v3``, ``bank``), ``resident:N``, ``blank:N`` or another piece of
plastic, and then any traps: ``v2+no-sfi+master-first``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from hw_sim.cards.contents import Piece
from hw_sim.cards.image import image_names, load_image, traps
from hw_sim.cards.iso7816 import Card
from hw_sim.cards.others import BankCard, ClonedCard, mute_card, silent_card
from hw_sim.cards.psam import Psam
from hw_sim.cards.social_security import SocialSecurityCard
from hw_sim.population import Resident, population

NAMES: tuple[str, ...] = (*image_names(), "unknown", "mute", "silent", "psam")
"""Every name besides ``resident:N``, ``blank:N`` and those with traps."""

_RESIDENT, _BLANK = "resident", "blank"
_BLANKS = 1000


@cache
def roles() -> Mapping[str, int]:
    """Image and its holder's index in the population."""
    holders = {name: load_image(name).holder for name in image_names()}
    return MappingProxyType({name: index for name, index in holders.items() if index is not None})


class UnknownCardError(ValueError):
    """No card has this name."""


@dataclass(frozen=True)
class _Name:
    """A name taken apart; ``number`` is after the colon."""

    base: str
    number: int | None
    traps: tuple[str, ...]

    def __str__(self) -> str:
        base = self.base if self.number is None else f"{self.base}:{self.number}"
        return "+".join((base, *self.traps))


def canonical_name(name: str) -> str:
    """One name for each physical card: ``resident:0`` is the card ``v3``.

    Raises:
        UnknownCardError: no such card.
    """
    return str(_parsed(name))


def _parsed(name: str) -> _Name:
    base, *added = name.split("+")
    what, colon, digits = base.partition(":")
    number = int(digits) if digits.isascii() and digits.isdecimal() else None
    if not set(added) <= {trap.name for trap in traps()} or bool(colon) != (number is not None):
        raise UnknownCardError("no card of that name")
    added = sorted(set(added))
    if number is None:
        if what not in NAMES or (added and what not in image_names()):
            raise UnknownCardError("no card of that name")
    elif what == _BLANK and number < _BLANKS:
        number = number or None
    elif what == _RESIDENT and number < len(population()):
        for role, index in roles().items():
            # The clone is another piece of plastic than its original, resident:6.
            if index == number and not load_image(role).forged:
                return _Name(role, None, tuple(added))
    else:
        raise UnknownCardError("no card of that name")
    return _Name(what, number, tuple(added))


def holder(name: str) -> Resident | None:
    """Whom the card names; ``None`` for cards without a holder. Raises UnknownCardError."""
    parsed = _parsed(name)
    if parsed.base == _RESIDENT:
        assert parsed.number is not None
        return population()[parsed.number]
    return population()[roles()[parsed.base]] if parsed.base in roles() else None


def make_card(name: str, *, challenge_seed: int | None = None) -> Card:
    """A card fresh from issuance.

    Args:
        name: see the module.
        challenge_seed: the same challenges after each power-on (social security cards only).

    Raises:
        UnknownCardError: no such card.
    """
    parsed = _parsed(name)
    match parsed.base:
        case "unknown":
            return BankCard()
        case "mute":
            return mute_card()
        case "silent":
            return silent_card()
        case "psam":
            return Psam()
    resident = holder(name)
    made_of = parsed.base
    if parsed.base == _RESIDENT and resident is not None:
        made_of = f"v{resident.card.version[0]}"
    image = load_image(made_of, parsed.traps)
    piece = Piece.blank(parsed.number or 0) if resident is None else Piece.issued(resident)
    kind = ClonedCard if image.forged else SocialSecurityCard
    return kind(image, piece, challenge_seed=challenge_seed)
