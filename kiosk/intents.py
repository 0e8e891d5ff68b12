"""Durable intents: what was about to be done, written down before it is done (DESIGN §3.1).

A submission or print opens its intent first and settles it when the outcome is known. What is
open after a crash is asked for by its key (submissions) or becomes *unknown* (prints); nothing is
silently done twice.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from kiosk.keys import TERMINAL_ID
from offline_queue.database import immediate, open_durable

KEY = re.compile(r"[!-~]{1,64}")
"""An idempotency key: 1..64 visible ASCII characters (docs/platform.md)."""

MAXIMUM_PAYLOAD = 4_096
"""Bytes."""

_PERSON_NUMBER = re.compile(rb"[0-9]{14}")
_TAG = re.compile(rb"\b[0-9a-f]{64}\b")

_MIGRATIONS = (
    (
        """
        CREATE TABLE intent (
            seq      INTEGER PRIMARY KEY AUTOINCREMENT,
            key      TEXT NOT NULL UNIQUE,
            kind     TEXT NOT NULL CHECK (kind IN ('submission', 'print')),
            payload  BLOB NOT NULL,
            opened   INTEGER NOT NULL,
            outcome  TEXT CHECK (outcome IN ('done', 'failed', 'unknown')),
            settled  INTEGER,
            CHECK ((outcome IS NULL) = (settled IS NULL))
        ) STRICT
        """,
        "CREATE INDEX intent_open ON intent (seq) WHERE outcome IS NULL",
    ),
)


class IntentKind(Enum):
    """What is about to be done."""

    SUBMISSION = "submission"
    PRINT = "print"


class IntentOutcome(Enum):
    """How it ended."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


class IntentError(Exception):
    """Base of what is wrong with an intent; each is a bug of the caller."""


class IntentConflict(IntentError):
    """The key was opened or settled before with something else."""


class IntentUnknown(IntentError):
    """No intent has this key."""


@dataclass(frozen=True)
class Intent:
    """One line of the table.

    Attributes:
        seq: order of opening.
        payload: what is needed to ask for the outcome; no personal data.
        opened: Unix milliseconds.
        outcome: None while it is open.
    """

    seq: int
    key: str
    kind: IntentKind
    payload: bytes
    opened: int
    outcome: IntentOutcome | None


class WallClock(Protocol):
    """What is needed of a clock; `kiosk.clock.Clock` has it."""

    def time(self) -> float: ...


def new_key(
    terminal_id: str,
    clock: WallClock,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """An idempotency key, minted once for an effect and sent with every attempt.

    The terminal id, a dash and a UUID of version 7 (RFC 9562 §5.7: 48 bits of milliseconds, then
    74 random bits), 49 characters.

    Raises:
        ValueError: the terminal id has another form.
    """
    if not TERMINAL_ID.fullmatch(terminal_id):
        raise ValueError("a terminal id looks like T429900-0003")
    milliseconds = int(clock.time() * 1000) & (1 << 48) - 1
    random = int.from_bytes(random_bytes(10), "big")
    number = milliseconds << 80 | 0x7 << 76 | (random >> 64 & 0xFFF) << 64
    number |= 0b10 << 62 | random & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{terminal_id}-{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Intents:
    """The table of intents in its own durable file. Safe to call from several threads.

    Raises:
        offline_queue.database.DatabaseError: the file cannot be trusted.
    """

    def __init__(self, path: Path, clock: WallClock) -> None:
        self._connection = open_durable(path, migrations=_MIGRATIONS, check_same_thread=False)
        self._clock = clock
        self._lock = threading.Lock()

    def open(self, kind: IntentKind, key: str, payload: bytes) -> None:
        """Commit that this is about to be done. On the disk when it returns.

        Opening the same again changes nothing.

        Raises:
            IntentConflict: the key stands for another kind or payload.
            ValueError: no valid key, or a payload that is too long or holds a long number.
        """
        if not KEY.fullmatch(key):
            raise ValueError("an intent's key has 1..64 visible ASCII characters")
        if len(payload) > MAXIMUM_PAYLOAD:
            raise ValueError(f"an intent's payload has at most {MAXIMUM_PAYLOAD} bytes")
        # Tags and digests may hold a long run of digits by chance.
        if _PERSON_NUMBER.search(_TAG.sub(b"", payload)):
            raise ValueError("an intent's payload holds what may be a person's number")
        with self._lock, immediate(self._connection) as connection:
            row = connection.execute(
                "SELECT kind, payload FROM intent WHERE key = ?", (key,)
            ).fetchone()
            if row is None:
                connection.execute(
                    "INSERT INTO intent (key, kind, payload, opened) VALUES (?, ?, ?, ?)",
                    (key, kind.value, payload, self._now()),
                )
            elif row != (kind.value, payload):
                raise IntentConflict("the key stands for something else")

    def settle(self, key: str, outcome: IntentOutcome) -> None:
        """Commit how it ended. Settling again with the same outcome changes nothing.

        A *unknown* outcome may become known later; a known one stays.

        Raises:
            IntentUnknown, IntentConflict: see there.
        """
        with self._lock, immediate(self._connection) as connection:
            row = connection.execute("SELECT outcome FROM intent WHERE key = ?", (key,)).fetchone()
            if row is None:
                raise IntentUnknown("no intent has this key")
            if row[0] == outcome.value:
                return
            if row[0] not in (None, IntentOutcome.UNKNOWN.value):
                raise IntentConflict(f"already settled as {row[0]}")
            connection.execute(
                "UPDATE intent SET outcome = ?, settled = ? WHERE key = ?",
                (outcome.value, self._now(), key),
            )

    def unsettled(self) -> tuple[Intent, ...]:
        """All open intents, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT seq, key, kind, payload, opened, outcome FROM intent"
                " WHERE outcome IS NULL ORDER BY seq"
            ).fetchall()
        return tuple(_intent(row) for row in rows)

    def find(self, key: str) -> Intent | None:
        """One intent by its key."""
        with self._lock:
            row = self._connection.execute(
                "SELECT seq, key, kind, payload, opened, outcome FROM intent WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else _intent(row)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _now(self) -> int:
        return int(self._clock.time() * 1000)


def _intent(row: tuple[int, str, str, bytes, int, str | None]) -> Intent:
    seq, key, kind, payload, opened, outcome = row
    return Intent(
        seq=seq,
        key=key,
        kind=IntentKind(kind),
        payload=payload,
        opened=opened,
        outcome=None if outcome is None else IntentOutcome(outcome),
    )
