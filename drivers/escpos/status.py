"""What an ESC/POS printer says of itself: one byte for each of four questions (DLE EOT 1 to 4).

Bits 1 and 4 are always 1, bits 0 and 7 always 0, which also tells these answers from the one to
GS r, whose bit 4 is 0. Source: domain card.md §7, mark A; bit 3 of question 2 (feed button) and
the answer to GS r from the makers' manuals. What those call undefined is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum

from drivers.device import most_urgent
from drivers.receipt_printer import ReceiptNote, ReceiptReason, ReceiptStatus

_FIXED_MASK, _FIXED = 0b1001_0011, 0b0001_0010
_ORDER_MASK, _ORDER = 0b1001_0000, 0


class Question(IntEnum):
    """n of DLE EOT n."""

    PRINTER = 1
    OFFLINE_CAUSE = 2
    ERROR_CAUSE = 3
    PAPER = 4


class Answer(Enum):
    """What a byte from the printer is."""

    STATUS = "status"
    """It answers DLE EOT."""
    REACHED = "reached"
    """It answers GS r: all that was sent before is worked off."""
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Findings:
    """What the bits of some answers say; the empty one says that all is well."""

    reasons: frozenset[ReceiptReason] = frozenset()
    notes: frozenset[ReceiptNote] = frozenset()


def kind_of(octet: int) -> Answer:
    """What a byte is, by its fixed bits."""
    if octet & _FIXED_MASK == _FIXED:
        return Answer.STATUS
    if octet & _ORDER_MASK == _ORDER:
        return Answer.REACHED
    return Answer.DAMAGED


def findings(question: Question, octet: int) -> Findings | None:
    """What one answer says; None when its fixed bits are wrong."""
    if kind_of(octet) is not Answer.STATUS:
        return None
    reasons = {reason for mask, reason in _REASONS[question].items() if octet & mask}
    low = question is Question.PAPER and octet & _PAPER_LOW
    return Findings(frozenset(reasons), frozenset({ReceiptNote.PAPER_LOW} if low else ()))


def paper_end(octet: int) -> bool:
    """Whether an answer to GS r says that the paper has ended."""
    return bool(octet & 0x0C)


def status_of(answers: Mapping[Question, int]) -> ReceiptStatus | None:
    """How the printer stands by its answers; None when one of them is damaged."""
    reasons: set[ReceiptReason] = set()
    notes: set[ReceiptNote] = set()
    for question, octet in answers.items():
        found = findings(question, octet)
        if found is None:
            return None
        reasons |= found.reasons
        notes |= found.notes
    return ReceiptStatus(most_urgent(reasons, ReceiptReason), frozenset(notes))


# Of two bits that belong together one is enough: some models set only the first.
_REASONS: Mapping[Question, Mapping[int, ReceiptReason]] = {
    Question.PRINTER: {0x08: ReceiptReason.OFFLINE},
    Question.OFFLINE_CAUSE: {
        0x04: ReceiptReason.COVER_OPEN,
        0x08: ReceiptReason.OFFLINE,  # its feed button is held
        0x20: ReceiptReason.PAPER_OUT,
        0x40: ReceiptReason.ERROR,
    },
    Question.ERROR_CAUSE: {
        0x08: ReceiptReason.CUTTER_ERROR,
        0x20: ReceiptReason.UNRECOVERABLE,
        0x40: ReceiptReason.RECOVERING,
    },
    Question.PAPER: {0x60: ReceiptReason.PAPER_OUT},
}
_PAPER_LOW = 0x0C
