"""The smallest queue over `Space`: rows that are stored, settled and purged, and nothing else."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from offline_queue.database import immediate, open_durable
from offline_queue.room import Admission, Level, Mark, Room, SpaceLimits
from offline_queue.space import BallastEvent, Space

KIB = 1024

T = TypeVar("T")

LIMITS = SpaceLimits(
    max_bytes=1024 * KIB,
    warn=Mark(0.70, 320 * KIB),
    critical_only=Mark(0.80, 256 * KIB),
    reserved_only=Mark(0.90, 192 * KIB),
    full=Mark(0.97, 128 * KIB),
    ballast_bytes=256 * KIB,
    wal_bytes=64 * KIB,
    rows_unmeasured=3,
)
"""For a disk of two megabytes."""

BODY = b"x" * 2_000
RECEIPT = "r" * 36

_SCHEMA = (
    (
        """
        CREATE TABLE message (
            seq     INTEGER PRIMARY KEY,
            state   TEXT NOT NULL,
            receipt TEXT
        ) STRICT
        """,
        """
        CREATE TABLE body (
            seq    INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
            sealed BLOB NOT NULL
        ) STRICT
        """,
        "CREATE INDEX message_state ON message (state)",
    ),
)


@dataclass
class BareRows:
    """One process's queue; ``events`` is what became of the ballast."""

    path: Path
    limits: SpaceLimits = LIMITS
    events: list[BallastEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.space = Space(self.path, self.limits, self.events.append)
        self.connection = self.space.open(lambda: open_durable(self.path, migrations=_SCHEMA))

    def store(self, admission: Admission = Admission.ORDINARY, body: bytes = BODY) -> int:
        """One row in; its sequence."""
        if not self.space.has_plenty():
            self.space.admit(self.connection, admission)
        with immediate(self.connection) as connection:
            seq = connection.execute("INSERT INTO message (state) VALUES ('ready')").lastrowid
            assert seq is not None
            connection.execute("INSERT INTO body VALUES (?, ?)", (seq, body))
        return seq

    def confirm(self, receipt: str = RECEIPT) -> int | None:
        """The oldest ready row, settled."""

        def work(connection: sqlite3.Connection) -> int | None:
            found = connection.execute(
                "UPDATE message SET state = 'done', receipt = ? WHERE seq ="
                " (SELECT min(seq) FROM message WHERE state = 'ready') RETURNING seq",
                (receipt,),
            ).fetchone()
            return None if found is None else int(found[0])

        return self.settle(work)

    def purge(self) -> int:
        """All settled rows out; how many."""
        delete = "DELETE FROM message WHERE state = 'done'"
        return self.settle(lambda connection: connection.execute(delete).rowcount)

    def settle(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """One transaction that may spend the ballast."""
        for attempt in itertools.count():
            try:
                with immediate(self.connection) as connection:
                    return work(connection)
            except sqlite3.OperationalError as error:
                if not self.space.make_room(self.connection, error.sqlite_errorname, attempt):
                    raise
        raise AssertionError

    def checkpoint(self) -> None:
        """Write the WAL back and truncate it."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def rows(self, state: str = "ready") -> list[int]:
        """The sequences in this state."""
        found = self.connection.execute(
            "SELECT seq FROM message JOIN body USING (seq)"
            " WHERE state = ? AND length(sealed) > 0 ORDER BY seq",
            (state,),
        )
        return [seq for (seq,) in found]

    def room(self) -> Room:
        """As the status command would ask for it."""
        return self.space.room(self.connection)

    def level(self) -> Level:
        """The same."""
        return self.room().level

    def healthy(self) -> bool:
        """SQLite's own opinion."""
        return self.connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]

    def pragma(self, name: str) -> int:
        """A number of the connection's."""
        value = self.connection.execute(f"PRAGMA {name}").fetchone()[0]
        assert isinstance(value, int)
        return value

    @property
    def ballast(self) -> Path:
        """Where it should be."""
        return self.path.with_name(self.path.name + ".ballast")

    def close(self) -> None:
        """As a process that ends."""
        self.connection.close()
