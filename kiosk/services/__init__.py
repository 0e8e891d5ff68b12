"""Services by the id that the pack's items name; each is a generator of one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
    """

    flow: Callable[[Session], Flow[None]]
    needs: frozenset[str]


SERVICES: dict[str, Service] = {
    "overview": Service(overview, frozenset({"card", "pad", "platform"})),
    "card-status": Service(card_status, frozenset({"card", "platform"})),
}
