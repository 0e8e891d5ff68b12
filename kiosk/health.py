"""The self-check before serving (S5 6.4.5): what must be right, and what may come later."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from drivers.card_service import CardService
from kiosk.limits import Limits
from kiosk.state import StateDirectory


class Severity(Enum):
    """What a failed check means for the service."""

    REFUSES = "refuses"
    """Nobody may be served."""
    DEGRADES = "degrades"
    """What needs it is unavailable until it is back."""


@dataclass(frozen=True)
class Finding:
    """One check of the self-check.

    Attributes:
        check: a word for the audit line.
        reason: empty when it passed.
    """

    check: str
    severity: Severity
    reason: str = ""

    @property
    def passed(self) -> bool:
        return not self.reason


def self_check(
    state: StateDirectory, limits: Limits, cards: CardService, contact: str, psam: str
) -> tuple[Finding, ...]:
    """Look at everything that can be looked at without a card, in milliseconds.

    Configuration, pack, keys and audit log were checked by loading them before.
    """
    names = [reader.name for reader in cards.readers()]
    return (
        Finding(
            "disk",
            Severity.REFUSES,
            "" if state.free_bytes() >= limits.free_bytes else "too-little-space",
        ),
        Finding(
            "reader",
            Severity.DEGRADES,
            "" if any(contact in name for name in names) else "not-attached",
        ),
        Finding(
            "psam",
            Severity.DEGRADES,
            "" if psam and any(psam in name for name in names) else "not-attached",
        ),
    )
