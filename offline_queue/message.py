"""The queue's values and limits."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum, IntEnum
from typing import NamedTuple

from offline_queue.room import SpaceLimits

_VISIBLE = re.compile(r"[!-~]+")
_LONG_NUMBER = re.compile(r"[0-9]{14}")

WORD_LENGTH = 64
"""Characters at most of a kind, key, lane, order, owner, mark or reason."""

RECEIPT_LENGTH = 256
"""Characters at most."""


class State(Enum):
    """Where a row stands."""

    READY = "ready"
    """Can be claimed now."""
    BEHIND = "behind"
    """An earlier row of the same order is not settled."""
    WAITING = "waiting"
    """Was tried, and is tried again when its time comes."""
    LEASED = "leased"
    """Claimed; can be claimed again when the lease runs out."""
    SENT = "sent"
    """Went out, and what became of it is not known; is looked after when its time comes."""
    CONFIRMED = "confirmed"
    """The receipt is stored; kept for the retention."""
    DEAD = "dead"
    """Given up with a reason; kept until somebody decides."""


class Priority(IntEnum):
    """What goes first; within one, the older. See `HEAD_START`."""

    URGENT = 10
    NORMAL = 20
    BULK = 30


HEAD_START: Mapping[Priority, int] = {
    Priority.URGENT: 0,
    Priority.NORMAL: 600,
    Priority.BULK: 3600,
}
"""Seconds by which a row stands behind an urgent one of the same age. What waits longer than that
goes before what is more urgent and younger: nothing starves (ageing)."""


class Trust(Enum):
    """What is known of the wall clock when a message is made."""

    UNKNOWN = "unknown"
    """Nobody has told the right time since the start."""
    BEHIND = "behind"
    """It was before a time that this file has seen: it is wrong."""
    CONFIRMED = "confirmed"
    """The other side's clock says the same."""
    WRONG = "wrong"
    """The other side's clock says another time."""


@dataclass(frozen=True)
class QueueLimits:
    """Every delay and limit of the queue; seconds unless the name says otherwise."""

    open_rows: int = 100_000
    """So many rows may be unsettled."""
    body_bytes: int = 128 * 1024
    lease_seconds: float = 120
    """A claim not settled for so long can be claimed by another. Longer than any delivery takes."""
    backoff_first: float = 2
    """Upper end of the first delay; it doubles with every attempt."""
    backoff_cap: float = 300
    after_cap: float = 3600
    """The other side can ask for no longer delay than this."""
    retention_seconds: float = 7 * 86_400
    """Confirmed rows stay so long: their keys still stop a second enqueue."""
    busy_timeout_ms: int = 5_000
    """How long another process's transaction is waited for."""
    breaker_failures: int = 5
    """So many failures of a lane in a row, and it rests (circuit breaker)."""
    clock_tolerance: float = 300
    """The wall clock is right when it differs from the other side's by no more."""
    space: SpaceLimits = field(default_factory=SpaceLimits)
    """Where storing is refused, and what is kept back for settling."""


class Enqueued(NamedTuple):
    """What `Queue.enqueue` did.

    Attributes:
        seq: the row's number, in the order of enqueueing.
        fresh: False when the same message was there already.
    """

    seq: int
    fresh: bool


@dataclass(frozen=True)
class Claim:
    """A row in the hands of one worker.

    Attributes:
        lane: by which way it is delivered.
        order: the tag of its ordering key, or empty.
        attempts: how many deliveries failed before.
        epoch: grows with every lease of the row; an older one settles nothing.
        unsure: an earlier delivery may have arrived: ask by the key before it is sent again.
    """

    seq: int
    kind: str
    key: str
    body: bytes = field(repr=False)
    lane: str
    order: str
    attempts: int
    epoch: int
    unsure: bool


@dataclass(frozen=True)
class Message:
    """An unsettled row for another way of delivery (`Queue.unsettled`).

    Attributes:
        wall: Unix seconds of the wall clock when it was made, right or wrong as ``trust`` says.
    """

    seq: int
    kind: str
    key: str
    lane: str
    order: str
    wall: float
    trust: Trust
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Pause:
    """A lane that rests.

    Attributes:
        seconds: how long still.
        failures: in a row.
    """

    lane: str
    seconds: float
    reason: str
    failures: int


@dataclass(frozen=True)
class Row:
    """A row as staff may see it: never its body.

    Attributes:
        owner: who holds the lease, if leased.
        reason: why the last try failed, or why it is dead.
        receipt: what the other side answered, if confirmed.
        age_seconds: since it was enqueued.
        due_seconds: until it can be claimed, if it waits for a time.
        wall: Unix seconds of the wall clock when it was made, right or wrong as ``trust`` says.
        size: bytes of the sealed body.
        replaces, replaced: the dead row that it repeats; the row that repeats it.
    """

    seq: int
    kind: str
    key: str
    state: State
    attempts: int
    owner: str | None
    reason: str | None
    receipt: str | None
    lane: str
    priority: int
    age_seconds: float
    due_seconds: float | None
    wall: float
    trust: str
    unsure: bool
    size: int
    replaces: int | None
    replaced: int | None


@dataclass(frozen=True)
class Metrics:
    """The queue's health at one moment.

    Attributes:
        states: how many rows are in each state.
        kinds: how many unsettled rows each kind has.
        oldest_seconds: age of the oldest unsettled row of all; None when there is none.
        dead_reasons: how many dead rows each reason has.
        confirmed_seconds: how long ago the last row was confirmed; None when none is kept.
        pauses: the lanes that rest.
    """

    states: Mapping[State, int]
    kinds: Mapping[str, int]
    oldest_seconds: float | None
    dead_reasons: Mapping[str, int]
    confirmed_seconds: float | None
    pauses: tuple[Pause, ...]

    @property
    def open(self) -> int:
        """Rows that are neither confirmed nor dead."""
        return sum(self.kinds.values())

    def as_json(self) -> dict[str, object]:
        """The same in plain values."""
        return {
            "open": self.open,
            "states": {state.value: count for state, count in self.states.items()},
            "kinds": dict(self.kinds),
            "oldest_seconds": self.oldest_seconds,
            "dead_reasons": dict(self.dead_reasons),
            "confirmed_seconds": self.confirmed_seconds,
            "pauses": [asdict(pause) for pause in self.pauses],
        }


def check_id(what: str, text: str) -> None:
    """Refuse a key or order that is not 1..64 visible ASCII characters.

    Digits in a row are let through: random and hashed ids hold them by chance.

    Raises:
        ValueError: that.
    """
    if len(text) > WORD_LENGTH or not _VISIBLE.fullmatch(text):
        raise ValueError(f"a {what} has 1..{WORD_LENGTH} visible ASCII characters")


@functools.lru_cache(maxsize=256)
def check_word(what: str, text: str) -> None:
    """Refuse a text for staff that is no short word, or could hold a person's number.

    Raises:
        ValueError: not 1..64 visible ASCII characters, or 14 digits in a row.
    """
    check_id(what, text)
    if _LONG_NUMBER.search(text):
        raise ValueError(f"a {what} holds what may be a person's number")


def check_receipt(text: str) -> None:
    """Refuse a receipt that is not 1..256 visible ASCII characters.

    Raises:
        ValueError: that.
    """
    if len(text) > RECEIPT_LENGTH or not _VISIBLE.fullmatch(text):
        raise ValueError(f"a receipt has 1..{RECEIPT_LENGTH} visible ASCII characters")
