"""Services by the id that the pack's items name; each is a generator of one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from kiosk.identity import Leg
from kiosk.services.card_status import card_status
from kiosk.services.certificate import certificate
from kiosk.services.overview import overview
from kiosk.services.verification import verification
from kiosk.session import Session
from kiosk.steps import Flow


class Need(Enum):
    """What a service can't do without, in the order in which its lack is told."""

    CARD = "card"
    """The card's reader."""
    IDENTITY = "identity"
    """Reader and PIN pad, the scanner, or the ID reader where the item needs no genuine card."""
    PRINTER = "printer"
    PLATFORM = "platform"


@dataclass(frozen=True)
class Service:
    """One service of the terminal.

    Attributes:
        flow: the generator function.
        establishes: the legs of identity that can stand before it shows anything; those that its
            item needs do, whichever way the resident chose.
    """

    flow: Callable[[Session], Flow[None]]
    needs: frozenset[Need]
    establishes: frozenset[Leg]


_IDENTIFIED = frozenset({Leg.GENUINE_CARD, Leg.REAL_NAME})

SERVICES: dict[str, Service] = {
    "overview": Service(
        overview, needs=frozenset({Need.IDENTITY, Need.PLATFORM}), establishes=_IDENTIFIED
    ),
    "certificate": Service(
        certificate,
        needs=frozenset({Need.IDENTITY, Need.PRINTER, Need.PLATFORM}),
        establishes=_IDENTIFIED,
    ),
    "card-status": Service(
        card_status,
        needs=frozenset({Need.CARD, Need.PLATFORM}),
        establishes=frozenset({Leg.GENUINE_CARD}),
    ),
    "verification": Service(verification, needs=frozenset(), establishes=frozenset()),
}
ESTABLISHED = {name: service.establishes for name, service in SERVICES.items()}
"""What a pack's items may rely on, by service."""
