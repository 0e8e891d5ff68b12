"""Status words: what each means, and the one place where they become exceptions.

The words are data (``status.toml``), with texts for staff; texts for residents belong to the
kiosk's message catalogue, under the meaning's name.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from typing import Any, assert_never

from apdu.errors import (
    ApplicationBlocked,
    AuthenticationFailed,
    CardError,
    MalformedAnswer,
    PinBlocked,
    PinRejected,
    UnexpectedStatus,
)
from apdu.response import Response


class Outcome(Enum):
    """What a status word amounts to."""

    SUCCESS = "success"
    WARNING = "warning"
    """Done, with a remark; the data is good."""
    MORE_DATA = "more-data"
    WRONG_LE = "wrong-le"
    DAMAGED = "damaged"
    PIN_REJECTED = "pin-rejected"
    PIN_BLOCKED = "pin-blocked"
    AUTHENTICATION_FAILED = "authentication-failed"
    LOCKED_OUT = "locked-out"
    """A PIN or key is needed first."""
    BLOCKED = "blocked"
    NOT_FOUND = "not-found"
    REFUSED = "refused"
    CARD_FAULT = "card-fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class StatusMeaning:
    """The meaning of one status word.

    Attributes:
        sw: the status word, 0..0xFFFF.
        name: stable identifier in kebab case, for catalogues and statistics.
        outcome: what it amounts to.
        staff_zh, staff_en: one sentence for staff.
        retryable: whether the same step may succeed when simply repeated.
        tries_left: how many tries remain, where the word tells it (63Cx; blocked: 0).
        mark: how sure the meaning is: A, B, C, I or M (see ``status.toml``).
    """

    sw: int
    name: str
    outcome: Outcome
    staff_zh: str
    staff_en: str
    retryable: bool
    tries_left: int | None
    mark: str


@dataclass(frozen=True)
class _Entry:
    value: int
    mask: int
    commands: frozenset[str]
    name: str
    outcome: Outcome
    staff_zh: str
    staff_en: str
    retryable: bool
    mark: str

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> _Entry:
        return cls(
            value=table["value"],
            mask=table.get("mask", 0xFFFF),
            commands=frozenset(table.get("commands", ())),
            name=table["name"],
            outcome=Outcome(table["outcome"]),
            staff_zh=table["zh"],
            staff_en=table["en"],
            retryable=table.get("retryable", False),
            mark=table["mark"],
        )

    def fits(self, sw: int, command: str) -> bool:
        return sw & self.mask == self.value and (not self.commands or command in self.commands)


@functools.cache
def _entries() -> tuple[_Entry, ...]:
    text = resources.files("apdu").joinpath("status.toml").read_text(encoding="utf-8")
    return tuple(_Entry.from_table(table) for table in tomllib.loads(text)["word"])


@functools.lru_cache(maxsize=256)
def meaning(sw: int, command: str = "") -> StatusMeaning:
    """What `sw` means, for `command` (such as ``VERIFY``) where that makes a difference.

    Raises:
        ValueError: `sw` is not in 0..0xFFFF.
    """
    if not 0 <= sw <= 0xFFFF:
        raise ValueError(f"{sw} is no status word")
    entry = next(entry for entry in _entries() if entry.fits(sw, command))
    tries_left: int | None = None
    if sw & 0xFFF0 == 0x63C0:
        tries_left = sw & 0x000F
    elif entry.outcome is Outcome.PIN_BLOCKED:
        tries_left = 0
    return StatusMeaning(
        sw,
        entry.name,
        entry.outcome,
        entry.staff_zh,
        entry.staff_en,
        entry.retryable,
        tries_left,
        entry.mark,
    )


def commands_of(sw: int) -> tuple[str, ...]:
    """Commands to which `sw` answers something else than to all others, such as ``VERIFY``."""
    found = {command for entry in _entries() for command in entry.commands}
    return tuple(sorted(each for each in found if meaning(sw, each) != meaning(sw)))


_JUDGING = frozenset({"VERIFY", "CHANGE PIN", "EXTERNAL AUTHENTICATE"})
"""Commands by which the card judges: a remark about the end of a file is no yes to them."""


def raise_for(command: str, response: Response, *, accept: Collection[int] = ()) -> Response:
    """Return `response` when the card did what it was told, else raise what went wrong.

    Args:
        command: the command's name, such as ``READ RECORD``.
        response: the card's answer.
        accept: further status words that the caller deals with itself.

    Raises:
        PinRejected, PinBlocked: VERIFY was refused.
        AuthenticationFailed: a cryptogram was refused. Never repeat it.
        ApplicationBlocked: the application or the card is locked.
        MalformedAnswer: the card says itself that its data may be damaged.
        UnexpectedStatus: any other refusal.
    """
    if response.ok or response.sw in accept:
        return response
    error = _error(command, meaning(response.sw, command))
    if error is None:
        return response
    raise error


def _error(command: str, found: StatusMeaning) -> CardError | None:
    match found.outcome:
        case Outcome.SUCCESS:
            return None
        case Outcome.WARNING if command not in _JUDGING:
            return None
        case Outcome.PIN_REJECTED if found.tries_left is not None:
            return PinRejected(found.tries_left)
        case Outcome.PIN_BLOCKED:
            return PinBlocked("the PIN is blocked")
        case Outcome.AUTHENTICATION_FAILED:
            return AuthenticationFailed(f"{command} answered {found.sw:04X}", found.sw)
        case Outcome.BLOCKED:
            return ApplicationBlocked(f"{command} answered {found.sw:04X}", found.sw)
        case Outcome.DAMAGED:
            return MalformedAnswer(f"{command} answered {found.sw:04X}")
        case (
            Outcome.WARNING
            | Outcome.PIN_REJECTED
            | Outcome.MORE_DATA
            | Outcome.WRONG_LE
            | Outcome.LOCKED_OUT
            | Outcome.NOT_FOUND
            | Outcome.REFUSED
            | Outcome.CARD_FAULT
            | Outcome.UNKNOWN
        ):
            return UnexpectedStatus(command, found.sw)
        case _:
            assert_never(found.outcome)
