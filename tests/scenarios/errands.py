"""What residents come for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hw_sim.hall.visits.moves import CERTIFICATE, QUERY


class Proof(Enum):
    """By what a resident says who they are."""

    CARD = "card"
    ECARD = "e-card"
    ID_CARD = "ID card"


@dataclass(frozen=True)
class Errand:
    """One of them.

    Attributes:
        goal: the screen that shows that they got it.
        months: of the certificate; 24 make one sheet, 60 make two.
        forgets: they walk away from the card that is given back to them, and come back for it late.
        slip: they take a slip about it.
    """

    name: str
    item: str
    proof: Proof
    goal: str
    months: int = 24
    forgets: bool = False
    slip: bool = False


BY_CARD = Errand("by card", QUERY, Proof.CARD, "overview")
FORGOTTEN = Errand("card forgotten", QUERY, Proof.CARD, "overview", forgets=True)
BY_ECARD = Errand("by e-card", QUERY, Proof.ECARD, "overview")
BY_ID_CARD = Errand("by ID card", QUERY, Proof.ID_CARD, "overview")
CERTIFIED = Errand("one sheet", CERTIFICATE, Proof.ECARD, "take-sheet")
CERTIFIED_LONG = Errand("two sheets", CERTIFICATE, Proof.ECARD, "take-sheet", 60)
CERTIFIED_BY_CARD = Errand("a sheet by card", CERTIFICATE, Proof.CARD, "take-sheet")
WITH_SLIP = Errand("with a slip", CERTIFICATE, Proof.ECARD, "slip.printing", slip=True)
