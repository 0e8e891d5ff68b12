"""What staff and monitors may know of the queue: counts, ages and rows without their bodies."""

from __future__ import annotations

import sqlite3
from collections import Counter

from offline_queue.message import Metrics, Row, State

_FIRST_DUE = " UNION ALL ".join(
    f"SELECT * FROM (SELECT due FROM message WHERE state = '{state}' AND settled IS NULL"
    " ORDER BY due LIMIT 1)"
    for state in ("ready", "waiting", "leased")
)


def mark(connection: sqlite3.Connection, name: str) -> int | None:
    """Where a cursor stands; None before the first."""
    row = connection.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])


def first_due(connection: sqlite3.Connection) -> int | None:
    """When something can be claimed, in milliseconds of the file's time; 0 for at once."""
    return min((int(due) for (due,) in connection.execute(_FIRST_DUE)), default=None)


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
    )


def rows(connection: sqlite3.Connection, state: State | None, limit: int) -> tuple[Row, ...]:
    """The oldest rows, of one state or of all."""
    found = connection.execute(
        "SELECT seq, kind, key, state, attempts, owner, reason, receipt FROM message"
        " WHERE :state IS NULL OR state = :state ORDER BY seq LIMIT :limit",
        {"state": None if state is None else state.value, "limit": limit},
    )
    return tuple(
        Row(seq, kind, key, State(name), attempts, owner, reason, receipt)
        for seq, kind, key, name, attempts, owner, reason, receipt in found
    )


def _age(at: int | None, now: int) -> float | None:
    return None if at is None else max(0.0, (now - at) / 1000)
