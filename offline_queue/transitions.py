"""Every change of a row's state, one function each, inside the caller's transaction.

* enqueued: ready, or behind an earlier row of its order
* behind -> ready: the row before it is settled
* ready -> leased: claimed
* leased -> confirmed, dead: settled
* leased -> waiting -> ready: a try failed, and the next is due
* leased -> ready: nothing was sent, or the lease ran out
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from offline_queue.errors import LeaseLost
from offline_queue.message import Claim, State
from offline_queue.seal import Header

LEASE_OVER = "lease-over"
"""The reason of a row whose worker neither settled it nor gave it back in time."""

_INSERT = """
    INSERT INTO message (seq, kind, key, ordering, priority, created, key_version, state)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING
"""

_UNSETTLED_OF_ORDER = """
    SELECT 1 FROM message WHERE ordering = ? AND ordering <> '' AND settled IS NULL
"""

_SEALED = "(SELECT sealed FROM body WHERE body.seq = message.seq)"

_BY_KEY = f"""
    SELECT seq, kind, key, ordering, priority, created, key_version, {_SEALED}
    FROM message WHERE key = ?
"""

_ANY_DUE = """
    SELECT 1 FROM message
    WHERE state IN ('waiting', 'leased') AND due <= ? AND settled IS NULL LIMIT 1
"""

_WAKE = f"""
    UPDATE message SET state = 'ready', due = 0, owner = NULL, epoch = epoch + 1,
        reason = CASE state WHEN 'leased' THEN '{LEASE_OVER}' ELSE reason END
    WHERE state IN ('waiting', 'leased') AND due <= ? AND settled IS NULL
"""

_LEASE = f"""
    UPDATE message SET state = 'leased', owner = ?, epoch = epoch + 1, due = ?
    WHERE seq = (
        SELECT seq FROM message WHERE state = 'ready' AND due = 0 AND settled IS NULL
        ORDER BY priority, seq LIMIT 1)
    RETURNING seq, kind, key, ordering, priority, created, key_version, {_SEALED}, attempts, epoch
"""

_NEXT_IN_ORDER = """
    UPDATE message SET state = 'ready'
    WHERE state = 'behind' AND seq = (
        SELECT min(seq) FROM message
        WHERE ordering = ? AND ordering <> '' AND settled IS NULL)
"""

_FREE_STRAYS = """
    UPDATE message SET state = 'ready'
    WHERE state = 'behind' AND settled IS NULL AND NOT EXISTS (
        SELECT 1 FROM message AS earlier
        WHERE earlier.ordering = message.ordering AND earlier.ordering <> ''
            AND earlier.settled IS NULL AND earlier.seq < message.seq)
"""

# The newest row stays, so that its sequence is never given again.
_PURGE = """
    DELETE FROM message WHERE seq IN (
        SELECT seq FROM message WHERE state = 'confirmed' AND settled IS NOT NULL AND settled <= ?
            AND seq < (SELECT max(seq) FROM message)
        LIMIT ?)
"""

_MOVE_MARK = """
    INSERT INTO mark VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
    WHERE excluded.value > value
"""


class SealedRow(NamedTuple):
    """A row as it stands in the file; its seal is not proven yet."""

    header: Header
    key_version: int
    sealed: bytes


def next_seq(connection: sqlite3.Connection) -> int:
    """The sequence for the next row."""
    row = connection.execute("SELECT max(seq) FROM message").fetchone()
    return (row[0] or 0) + 1


def insert(connection: sqlite3.Connection, row: SealedRow) -> bool:
    """Store a row; False, and nothing stored, when its key is there already."""
    header = row.header
    behind = (
        header.order
        and connection.execute(_UNSETTLED_OF_ORDER, (header.order,)).fetchone() is not None
    )
    state = State.BEHIND if behind else State.READY
    stored = connection.execute(_INSERT, (*header, row.key_version, state.value)).rowcount
    if not stored:
        return False
    connection.execute("INSERT INTO body VALUES (?, ?)", (header.seq, row.sealed))
    return True


def move_mark(connection: sqlite3.Connection, name: str, value: int) -> None:
    """Move a cursor forward; it never goes back."""
    connection.execute(_MOVE_MARK, (name, value))


def by_key(connection: sqlite3.Connection, key: str) -> SealedRow:
    """The row that has this key; there must be one."""
    row = connection.execute(_BY_KEY, (key,)).fetchone()
    return SealedRow(Header(*row[:6]), row[6], row[7] or b"")


def lease(
    connection: sqlite3.Connection, owner: str, now: int, expiry: int
) -> tuple[SealedRow, int, int] | None:
    """Lease the first row that is due at ``now``; with it its attempts and its epoch."""
    if connection.execute(_ANY_DUE, (now,)).fetchone() is not None:
        connection.execute(_WAKE, (now,))
    row = connection.execute(_LEASE, (owner, expiry)).fetchone()
    if row is None:
        return None
    return SealedRow(Header(*row[:6]), row[6], row[7] or b""), row[8], row[9]


def confirm(connection: sqlite3.Connection, claim: Claim, now: int, receipt: str) -> None:
    """Settle a row as delivered. Raises `LeaseLost`."""
    _end_lease(
        connection, claim, "state = 'confirmed', due = 0, settled = ?, receipt = ?", now, receipt
    )
    _free_next(connection, claim)


def bury(connection: sqlite3.Connection, claim: Claim, now: int, reason: str) -> None:
    """Settle a row as never to be delivered. Raises `LeaseLost`."""
    _end_lease(connection, claim, "state = 'dead', due = 0, settled = ?, reason = ?", now, reason)
    _free_next(connection, claim)


def wait(connection: sqlite3.Connection, claim: Claim, due: int, reason: str) -> None:
    """Let a row be tried again at ``due``. Raises `LeaseLost`."""
    change = "state = 'waiting', due = ?, attempts = attempts + 1, reason = ?"
    _end_lease(connection, claim, change, due, reason)


def release(connection: sqlite3.Connection, claim: Claim) -> None:
    """Give a row back as it was. Raises `LeaseLost`."""
    _end_lease(connection, claim, "state = 'ready', due = 0")


def hurry(connection: sqlite3.Connection) -> int:
    """Make every waiting row ready; returns how many there were."""
    return connection.execute(
        "UPDATE message SET state = 'ready', due = 0 WHERE state = 'waiting' AND settled IS NULL"
    ).rowcount


def free_strays(connection: sqlite3.Connection) -> None:
    """Make ready what stands behind nothing: somebody changed or took away the row before it."""
    connection.execute(_FREE_STRAYS)


def purge(connection: sqlite3.Connection, before: int, most: int) -> int:
    """Delete rows confirmed at ``before`` or earlier; returns how many."""
    return connection.execute(_PURGE, (before, most)).rowcount


def _end_lease(connection: sqlite3.Connection, claim: Claim, change: str, *values: object) -> None:
    ended = connection.execute(
        f"UPDATE message SET owner = NULL, {change}"
        " WHERE seq = ? AND epoch = ? AND state = 'leased'",
        (*values, claim.seq, claim.epoch),
    )
    if ended.rowcount != 1:
        raise LeaseLost("the lease is over or was ended before")


def _free_next(connection: sqlite3.Connection, settled: Claim) -> None:
    if settled.order:
        connection.execute(_NEXT_IN_ORDER, (settled.order,))
