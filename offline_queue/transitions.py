"""Every change of a row's state, one function each, inside the caller's transaction.

* enqueued: ready, or behind an earlier row of its order
* behind -> ready: the row before it is settled
* ready -> leased: claimed
* leased -> confirmed, dead: settled
* leased -> waiting -> ready: a try failed, and the next is due
* leased -> sent -> ready: it went out and nobody knows what became of it
* leased -> ready: nothing was sent, or the lease ran out
* ready, behind, waiting, leased, sent -> confirmed, dead: settled by another way
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from offline_queue.chain import START
from offline_queue.errors import LeaseLost
from offline_queue.message import HEAD_START, Claim, State
from offline_queue.seal import Header

LEASE_OVER = "lease-over"
"""The reason of a row whose worker neither settled it nor gave it back in time."""

_COLUMNS = (
    "seq, kind, key, lane, ordering, priority, created, boot, monotonic, wall, trust, expires,"
    " replaces, key_version"
)
_IMMUTABLE = _COLUMNS.count(",") + 1

_INSERT = f"""
    INSERT INTO message ({_COLUMNS}, rank, state) VALUES ({"?, " * _IMMUTABLE}?, ?)
    ON CONFLICT (key) DO NOTHING
"""

# What was lost at the end gives its numbers to nobody else.
_NEWEST = """
    SELECT max(coalesce(seq, 0), coalesce((SELECT max(last) FROM purged), 0)), chain, max(version)
    FROM key_ring LEFT JOIN (SELECT seq, chain FROM body ORDER BY seq DESC LIMIT 1)
"""

_UNSETTLED_OF_ORDER = """
    SELECT 1 FROM message WHERE ordering = ? AND ordering <> '' AND settled IS NULL
"""

_SEALED = "(SELECT sealed FROM body WHERE body.seq = message.seq)"

_SEALED_ROW = f"SELECT {_COLUMNS}, {_SEALED} FROM message"

_TIMED = "state IN ('waiting', 'leased', 'sent')"

_ANY_DUE = f"SELECT 1 FROM message WHERE {_TIMED} AND due <= ? AND settled IS NULL LIMIT 1"

_WAKE = f"""
    UPDATE message SET state = 'ready', due = 0, owner = NULL, epoch = epoch + 1,
        reason = CASE state WHEN 'leased' THEN '{LEASE_OVER}' ELSE reason END,
        unsure = unsure OR state = 'leased'
    WHERE {_TIMED} AND due <= ? AND settled IS NULL
"""

# The first row of each lane that does not rest, and of these the first.
_HEAD = """
    SELECT head.seq FROM lane JOIN message AS head ON head.seq = (
        SELECT seq FROM message
        WHERE state = 'ready' AND due = 0 AND settled IS NULL AND message.lane = lane.name
        ORDER BY rank, seq LIMIT 1)
    WHERE until <= ? ORDER BY head.rank, head.seq LIMIT 1
"""

_LEASE = f"""
    UPDATE message SET state = 'leased', owner = ?, epoch = epoch + 1, due = ?
    WHERE seq = ({_HEAD})
    RETURNING {_COLUMNS}, {_SEALED}, attempts, epoch, unsure
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

# The newest row stays: it holds the sequence and the chain.
_PURGEABLE = """
    SELECT message.seq, chain FROM message JOIN body ON body.seq = message.seq
    WHERE state IN ('confirmed', 'dead') AND settled IS NOT NULL AND settled <= ?
        AND (state = 'confirmed' OR replaced IS NOT NULL)
        AND message.seq < (SELECT max(seq) FROM message)
    LIMIT ?
"""

_MOVE_MARK = """
    INSERT INTO mark VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
    WHERE excluded.value > value
"""


_HEAD_START = {int(priority): seconds * 1000 for priority, seconds in HEAD_START.items()}


class SealedRow(NamedTuple):
    """A row as it stands in the file; its seal is not proven yet."""

    header: Header
    key_version: int
    sealed: bytes


class Leased(NamedTuple):
    """A row that was just leased, with what its claim needs besides."""

    row: SealedRow
    attempts: int
    epoch: int
    unsure: bool


class Newest(NamedTuple):
    """Where the next row goes on.

    Attributes:
        seq: the last one that was given.
        chain: of the newest row.
        key_version: of the newest key.
    """

    seq: int
    chain: bytes
    key_version: int


def newest(connection: sqlite3.Connection) -> Newest:
    """Where the next row goes on."""
    found = connection.execute(_NEWEST).fetchone()
    return Newest(found[0], found[1] or START, found[2])


def rank(header: Header) -> int:
    """Where a row stands among the ready ones of its lane; smaller goes first."""
    return header.created + _HEAD_START[header.priority]


def insert(connection: sqlite3.Connection, row: SealedRow, chain: bytes) -> bool:
    """Store a row; False, and nothing stored, when its key is there already."""
    header = row.header
    behind = (
        header.order
        and connection.execute(_UNSETTLED_OF_ORDER, (header.order,)).fetchone() is not None
    )
    state = State.BEHIND if behind else State.READY
    values = (*header, row.key_version, rank(header), state.value)
    if not connection.execute(_INSERT, values).rowcount:
        return False
    connection.execute("INSERT INTO body VALUES (?, ?, ?)", (header.seq, chain, row.sealed))
    return True


def add_lane(connection: sqlite3.Connection, name: str) -> None:
    """Make a lane known; rows of unknown ones are never claimed."""
    connection.execute("INSERT OR IGNORE INTO lane (name) VALUES (?)", (name,))


def find_lanes(connection: sqlite3.Connection) -> None:
    """Make known the lanes of all unsettled rows, whatever became of the table of lanes."""
    connection.execute(
        "INSERT OR IGNORE INTO lane (name) SELECT DISTINCT lane FROM message WHERE settled IS NULL"
    )


def move_mark(connection: sqlite3.Connection, name: str, value: int) -> None:
    """Move a cursor forward; it never goes back."""
    connection.execute(_MOVE_MARK, (name, value))


def by_key(connection: sqlite3.Connection, key: str) -> SealedRow | None:
    """The row that has this key."""
    return _one(connection, f"{_SEALED_ROW} WHERE key = ?", key)


def by_seq(connection: sqlite3.Connection, seq: int) -> SealedRow | None:
    """The row with this number."""
    return _one(connection, f"{_SEALED_ROW} WHERE seq = ?", seq)


def unsettled(connection: sqlite3.Connection, after: int, most: int) -> list[SealedRow]:
    """Unsettled rows behind the number ``after``, in order."""
    found = connection.execute(
        f"{_SEALED_ROW} WHERE settled IS NULL AND seq > ? ORDER BY seq LIMIT ?", (after, most)
    )
    return [_sealed_row(row) for row in found]


def lease(connection: sqlite3.Connection, owner: str, now: int, expiry: int) -> Leased | None:
    """Lease the first row that is due at ``now``."""
    wake(connection, now)
    row = connection.execute(_LEASE, (owner, expiry, now)).fetchone()
    if row is None:
        return None
    attempts, epoch, unsure = row[_IMMUTABLE + 1 :]
    return Leased(_sealed_row(row), attempts, epoch, bool(unsure))


def wake(connection: sqlite3.Connection, now: int) -> None:
    """Make ready whatever waited until now."""
    if connection.execute(_ANY_DUE, (now,)).fetchone() is not None:
        connection.execute(_WAKE, (now,))


def confirm(connection: sqlite3.Connection, claim: Claim, now: int, receipt: str) -> None:
    """Settle a row as delivered. Raises `LeaseLost`."""
    change = "state = 'confirmed', due = 0, settled = ?, receipt = ?"
    _end_lease(connection, claim, change, now, receipt)
    free_next(connection, claim.order)


def bury(connection: sqlite3.Connection, claim: Claim, now: int, reason: str) -> None:
    """Settle a row as never to be delivered. Raises `LeaseLost`."""
    _end_lease(connection, claim, "state = 'dead', due = 0, settled = ?, reason = ?", now, reason)
    free_next(connection, claim.order)


def wait(
    connection: sqlite3.Connection, claim: Claim, due: int, reason: str, *, unsure: bool
) -> None:
    """Let a row be tried again at ``due``. Raises `LeaseLost`."""
    state = State.SENT if unsure else State.WAITING
    _end_lease(
        connection,
        claim,
        "state = ?, due = ?, attempts = attempts + 1, reason = ?, unsure = unsure OR ?",
        state.value, due, reason, unsure,
    )  # fmt: skip


def release(connection: sqlite3.Connection, claim: Claim) -> None:
    """Give a row back as it was. Raises `LeaseLost`."""
    _end_lease(connection, claim, "state = 'ready', due = 0")


def hurry(connection: sqlite3.Connection) -> int:
    """Make every waiting row ready and every lane open; returns how many rows there were."""
    connection.execute("UPDATE lane SET until = 0, failures = 0, reason = NULL WHERE until > 0")
    return connection.execute(
        "UPDATE message SET state = 'ready', due = 0"
        " WHERE state IN ('waiting', 'sent') AND settled IS NULL"
    ).rowcount


def settle(
    connection: sqlite3.Connection, row: SealedRow, now: int, state: State, word: str
) -> bool:
    """Settle an unsettled row by its number, whoever holds it: CONFIRMED with the receipt
    ``word``, or DEAD with the reason. False when it was settled before."""
    column = "receipt" if state is State.CONFIRMED else "reason"
    done = connection.execute(
        f"UPDATE message SET state = ?, owner = NULL, due = 0, settled = ?, {column} = ?"
        " WHERE seq = ? AND settled IS NULL",
        (state.value, now, word, row.header.seq),
    ).rowcount
    if done:
        free_next(connection, row.header.order)
    return bool(done)


def doubt(connection: sqlite3.Connection, first: int, last: int) -> None:
    """Unsettled rows from ``first`` to ``last`` may arrive by another way."""
    connection.execute(
        "UPDATE message SET unsure = 1 WHERE settled IS NULL AND seq BETWEEN ? AND ?", (first, last)
    )


def decide(connection: sqlite3.Connection, dead: int) -> bool:
    """Nothing more waits for a dead row: its successor is 0, for none. False when it is not dead,
    or was decided before."""
    done = connection.execute(
        "UPDATE message SET replaced = 0 WHERE seq = ? AND state = 'dead' AND replaced IS NULL",
        (dead,),
    )
    return bool(done.rowcount)


def name_successor(connection: sqlite3.Connection, dead: int, successor: int) -> None:
    """The row that repeats one just decided."""
    connection.execute("UPDATE message SET replaced = ? WHERE seq = ?", (successor, dead))


def rest(connection: sqlite3.Connection, lane: str, until: int, reason: str) -> None:
    """Claim nothing of a lane before ``until``; one more failure in a row."""
    add_lane(connection, lane)
    connection.execute(
        "UPDATE lane SET failures = failures + 1, until = max(until, ?), reason = ? WHERE name = ?",
        (until, reason, lane),
    )


def failures(connection: sqlite3.Connection, lane: str) -> int:
    """How often the lane failed in a row."""
    found = connection.execute("SELECT failures FROM lane WHERE name = ?", (lane,)).fetchone()
    return 0 if found is None else int(found[0])


def recover(connection: sqlite3.Connection, lane: str) -> None:
    """The lane works."""
    connection.execute(
        "UPDATE lane SET failures = 0, until = 0, reason = NULL WHERE name = ? AND failures > 0",
        (lane,),
    )


def free_next(connection: sqlite3.Connection, order: str) -> None:
    """Make ready what stood behind a row of this order that was settled."""
    if order:
        connection.execute(_NEXT_IN_ORDER, (order,))


def free_strays(connection: sqlite3.Connection) -> None:
    """Make ready what stands behind nothing: somebody changed or took away the row before it."""
    connection.execute(_FREE_STRAYS)


def purge(connection: sqlite3.Connection, before: int, most: int) -> dict[int, bytes]:
    """Delete rows confirmed, or dead and repeated, at ``before`` or earlier; their chain values
    by sequence."""
    left = dict(connection.execute(_PURGEABLE, (before, most)).fetchall())
    connection.executemany("DELETE FROM message WHERE seq = ?", ((seq,) for seq in left))
    return left


def unused_keys(connection: sqlite3.Connection) -> list[int]:
    """Versions of seal keys before the newest that no row needs."""
    found = connection.execute(
        "SELECT version FROM key_ring WHERE version BETWEEN 1 AND"
        " (SELECT max(version) - 1 FROM key_ring)"
        " AND NOT EXISTS (SELECT 1 FROM message WHERE key_version = version)"
    )
    return [version for (version,) in found]


def _one(connection: sqlite3.Connection, statement: str, value: object) -> SealedRow | None:
    row = connection.execute(statement, (value,)).fetchone()
    return None if row is None else _sealed_row(row)


def _sealed_row(row: tuple[object, ...]) -> SealedRow:
    *header, version, sealed = row[: _IMMUTABLE + 1]
    return SealedRow(Header(*header), version, sealed or b"")  # type: ignore[arg-type]


def _end_lease(connection: sqlite3.Connection, claim: Claim, change: str, *values: object) -> None:
    ended = connection.execute(
        f"UPDATE message SET owner = NULL, {change}"
        " WHERE seq = ? AND epoch = ? AND state = 'leased'",
        (*values, claim.seq, claim.epoch),
    )
    if ended.rowcount != 1:
        raise LeaseLost("the lease is over or was ended before")
