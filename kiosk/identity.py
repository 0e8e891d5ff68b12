"""Who is standing there, leg by leg, each with its evidence (DESIGN §4.1).

A number read from an unproven card identifies nobody: `Identity.resident` is there only when the
legs that a service needs are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from kiosk.platform.models import Asker


class Leg(Enum):
    """The three separate checks, 实名 实人 实卡 (S2 三(六), S4 (十四)), and the PIN."""

    REAL_NAME = "real-name"
    REAL_PERSON = "real-person"
    GENUINE_CARD = "card-genuine"
    PIN = "pin-verified"


@dataclass(frozen=True)
class Evidence:
    """How a leg was established.

    Attributes:
        method: for example ``internal-authenticate`` or ``verify``.
        custodian: who recomputed a cryptogram; empty where none was involved.
        at: Unix time in seconds.
    """

    leg: Leg
    method: str
    at: float
    custodian: str = ""


@dataclass(frozen=True)
class Resident:
    """A person whose number came from a proven source."""

    number: str = field(repr=False)
    name: str = field(repr=False)


class Identity:
    """What one visit has established so far; wiped when it ends."""

    def __init__(self) -> None:
        self.resident: Resident | None = None
        self.asker: Asker | None = None
        self._evidence: dict[Leg, Evidence] = {}

    def establish(self, evidence: Evidence) -> None:
        """Record a leg; the latest evidence for a leg counts."""
        self._evidence[evidence.leg] = evidence

    def has(self, need: frozenset[Leg]) -> bool:
        """True when every needed leg is established."""
        return need <= self._evidence.keys()

    @property
    def legs(self) -> frozenset[Leg]:
        return frozenset(self._evidence)

    def wipe(self) -> None:
        """Forget everything."""
        self.resident = self.asker = None
        self._evidence.clear()
