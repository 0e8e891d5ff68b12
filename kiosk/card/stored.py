"""Files of a card as they are found: read, or the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from apdu.card import SocialSecurityCard
from apdu.dictionary import Access, AccessRule, CardFile, FileKind, Item
from apdu.errors import (
    AccessNever,
    ApplicationBlocked,
    AuthenticationFailed,
    CardError,
    PinNeeded,
    PsamUnavailable,
    UnexpectedStatus,
)
from apdu.files import StoredFile
from apdu.status import Outcome, meaning
from kiosk.card.survey import GONE

if TYPE_CHECKING:
    from kiosk.card.session import Hand

_TAG_AND_LENGTH = 2


class State(Enum):
    """Whether a file could be read, and why not."""

    READ = "read"
    NEEDS_PIN = "needs-pin"
    NEEDS_KEY = "needs-key"
    NEVER = "never"
    KEY_REFUSED = "key-refused"
    BLOCKED = "blocked"
    ABSENT = "absent"
    DAMAGED = "damaged"


WORDS = {
    State.READ: "可读 readable",
    State.NEEDS_PIN: "需密码 wants the PIN",
    State.NEEDS_KEY: "需密钥 wants a key",
    State.NEVER: "不开放 never readable",
    State.KEY_REFUSED: "密钥被拒 key refused",
    State.BLOCKED: "已锁定 locked",
    State.ABSENT: "卡上没有 not on this card",
    State.DAMAGED: "数据异常 damaged",
}
"""For people."""


@dataclass(frozen=True, repr=False)
class Look:
    """One file as it was found.

    Attributes:
        stored: what it holds; None unless it was read.
    """

    file: CardFile
    state: State
    stored: StoredFile | None = None


def opened(hand: Hand) -> SocialSecurityCard:
    """The card, its profile known. Raises CardError."""
    card = SocialSecurityCard.open(hand.line, trace=hand.trace)
    card.issuer()
    return card


def looking(
    card: SocialSecurityCard, file: CardFile, *, size: int | None = None
) -> Callable[[Hand], Look]:
    """The step that reads a file, with the keys that can be had.

    Args:
        size: of a transparent file, only so many bytes.

    Raises (the step):
        CardError: the card or the reader is gone; anything else is a state.
    """

    def look(hand: Hand) -> Look:
        try:
            return Look(file, State.READ, card.files.read(file, hand.custodian, size=size))
        except GONE:
            raise
        except CardError as error:
            return Look(file, _state(error))

    return look


def _state(error: CardError) -> State:
    match error:
        case PinNeeded():
            return State.NEEDS_PIN
        case PsamUnavailable():
            return State.NEEDS_KEY
        case AccessNever():
            return State.NEVER
        case AuthenticationFailed():
            return State.KEY_REFUSED
        case ApplicationBlocked():
            return State.BLOCKED
        case UnexpectedStatus(sw=sw) if meaning(sw).outcome is Outcome.NOT_FOUND:
            return State.ABSENT
        case _:
            return State.DAMAGED


def rule_in_words(rule: AccessRule) -> str:
    """An access expression, Chinese first."""
    match rule.condition:
        case Access.FREE:
            return "自由 free"
        case Access.KEY:
            return f"密钥 key {rule.key}"
        case Access.PIN:
            return "密码 PIN"
        case Access.PIN_OR_KEY:
            return f"密码或密钥 PIN or key {rule.key}"
        case Access.PIN_AND_KEY:
            return f"密码和密钥 PIN and key {rule.key}"
        case Access.NEVER:
            return "不开放 never"


def size_of(file: CardFile) -> int | None:
    """Bytes that a file holds when full; None where no source tells."""
    if file.kind is FileKind.TRANSPARENT:
        return file.size
    lengths = [item.length for item in file.items]
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths):
        return None
    if file.kind is FileKind.CYCLIC:
        return sum(known) * (file.records or 0)
    return sum(known) + _TAG_AND_LENGTH * len(known)


def title(item: Item) -> str:
    """An item's names; that of one which no source names says so."""
    return f"{item.zh} {item.en}".strip() or "（未公开 not public）"
