"""The self-check before serving (S5 6.4.5): what must be right, and what may come later."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from apdu.errors import ReaderGone
from drivers.card_service import CardService, find_reader
from kiosk.limits import Limits
from kiosk.state import StateDirectory

_FREE_SECONDS = 0.5
"""A slot that is no longer free than this is held by somebody; a poll takes milliseconds."""


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
    """Look at everything that can be looked at without a card, in milliseconds where all is well.

    Configuration, pack, keys and audit log were checked by loading them before.
    """
    return (
        Finding(
            "disk",
            Severity.REFUSES,
            "" if state.free_bytes() >= limits.free_bytes else "too-little-space",
        ),
        Finding(
            "reader",
            Severity.DEGRADES,
            _slot(cards, contact),
        ),
        Finding(
            "psam",
            Severity.DEGRADES,
            _slot(cards, psam) if psam else "not-attached",
        ),
    )


def _slot(cards: CardService, name_part: str) -> str:
    """What is wrong with a slot; empty when it is there and free."""
    try:
        reader = find_reader(cards.readers(), name_part)
    except ReaderGone:
        return "not-attached"
    # A call of a process before us may hold it still.
    return "" if cards.answers(reader.name, _FREE_SECONDS) else "stuck"
