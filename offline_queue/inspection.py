"""What staff and monitors may know of the queue: counts, ages and rows without their bodies."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

from sqlite_utils import Database

from offline_queue.message import Metrics, Pause, Row, State

_FIRST_DUE = """
    SELECT min(until) AS due FROM lane WHERE EXISTS (
        SELECT 1 FROM message WHERE state = 'ready' AND due = 0 AND settled IS NULL
            AND message.lane = lane.name)
""" + "".join(
    f" UNION ALL SELECT min(due) FROM message WHERE state = '{state}' AND settled IS NULL"
    for state in ("waiting", "leased", "sent")
)

_ROWS = """
    SELECT message.*, coalesce(length(sealed), 0) AS size
    FROM message LEFT JOIN body ON body.seq = message.seq
"""


def mark(connection: sqlite3.Connection, name: str) -> int | None:
    """Where a cursor stands; None before the first."""
    row = connection.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])


def first_due(connection: sqlite3.Connection) -> int | None:
    """When something can be claimed, in milliseconds of the file's time; 0 for at once."""
    found = (due for (due,) in connection.execute(_FIRST_DUE) if due is not None)
    return min(found, default=None)


def metrics(connection: sqlite3.Connection, now: int) -> Metrics:
    """One consistent picture; ``now`` in milliseconds of the file's time."""
    connection.execute("BEGIN")
    try:
        unsettled = connection.execute(
            "SELECT state, kind, count(*), min(created) FROM message"
            " WHERE settled IS NULL GROUP BY state, kind"
        ).fetchall()
        settled = connection.execute(
            "SELECT state, count(*), max(settled) FROM message"
            " WHERE settled IS NOT NULL GROUP BY state"
        ).fetchall()
        dead = connection.execute(
            "SELECT reason, count(*) FROM message"
            " WHERE state = 'dead' AND settled IS NOT NULL GROUP BY reason"
        ).fetchall()
        resting = connection.execute(
            "SELECT name, until, reason, failures FROM lane WHERE until > ? ORDER BY name", (now,)
        ).fetchall()
    finally:
        connection.execute("COMMIT")
    states = dict.fromkeys(State, 0)
    kinds: Counter[str] = Counter()
    for state, kind, count, _created in unsettled:
        states[State(state)] += count
        kinds[kind] += count
    latest = {State(state): at for state, _count, at in settled}
    states.update({State(state): count for state, count, _at in settled})
    return Metrics(
        states=states,
        kinds=dict(kinds),
        oldest_seconds=_age(min((row[3] for row in unsettled), default=None), now),
        dead_reasons=dict(dead),
        confirmed_seconds=_age(latest.get(State.CONFIRMED), now),
        pauses=tuple(
            Pause(name, (until - now) / 1000, reason or "", count)
            for name, until, reason, count in resting
        ),
    )


def rows(
    connection: sqlite3.Connection, now: int, *, state: State | None, after: int, limit: int
) -> tuple[Row, ...]:
    """Rows behind the number ``after``, of one state or of all, the oldest first."""
    found = _tables(connection).query(
        _ROWS + " WHERE (:state IS NULL OR state = :state) AND message.seq > :after"
        " ORDER BY message.seq LIMIT :limit",
        {"state": None if state is None else state.value, "after": after, "limit": limit},
    )
    return tuple(_row(row, now) for row in found)


def row(connection: sqlite3.Connection, now: int, seq: int) -> Row | None:
    """One row."""
    found = _tables(connection).query(_ROWS + " WHERE message.seq = ?", (seq,))
    return next((_row(each, now) for each in found), None)


def _tables(connection: sqlite3.Connection) -> Database:
    return Database(connection, recursive_triggers=False)


def _row(found: dict[str, Any], now: int) -> Row:
    return Row(
        seq=found["seq"],
        kind=found["kind"],
        key=found["key"],
        state=State(found["state"]),
        attempts=found["attempts"],
        owner=found["owner"],
        reason=found["reason"],
        receipt=found["receipt"],
        lane=found["lane"],
        priority=found["priority"],
        age_seconds=(now - found["created"]) / 1000,
        due_seconds=max(0, found["due"] - now) / 1000 if found["due"] else None,
        wall=found["wall"] / 1000,
        trust=found["trust"],
        unsure=bool(found["unsure"]),
        size=found["size"],
        replaces=found["replaces"],
        replaced=found["replaced"],
    )


def _age(at: int | None, now: int) -> float | None:
    return None if at is None else max(0.0, (now - at) / 1000)
