"""Services by the id that the pack's items name; each is a generator of one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.identity import Leg
from kiosk.services.card_status import card_status
from kiosk.services.overview import overview
from kiosk.session import Session
from kiosk.steps import Flow


@dataclass(frozen=True)
class Service:
    """One service of the terminal.

    Attributes:
        flow: the generator function.
        needs: devices it can't do without: ``card``, ``pad``, ``platform``.
        establishes: the legs of identity that stand before it shows anything.
    """

    flow: Callable[[Session], Flow[None]]
    needs: frozenset[str]
    establishes: frozenset[Leg]


SERVICES: dict[str, Service] = {
    "overview": Service(
        overview,
        needs=frozenset({"card", "pad", "platform"}),
        establishes=frozenset({Leg.GENUINE_CARD, Leg.PIN, Leg.REAL_NAME}),
    ),
    "card-status": Service(
        card_status,
        needs=frozenset({"card", "platform"}),
        establishes=frozenset({Leg.GENUINE_CARD}),
    ),
}
ESTABLISHED = {name: service.establishes for name, service in SERVICES.items()}
"""What a pack's items may rely on, by service."""
