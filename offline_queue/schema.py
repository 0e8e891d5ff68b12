"""The queue's tables.

``message`` holds small rows that change with delivery; ``body`` is written once, so that a claim
of a large body does not write it again. Times are milliseconds of the file's time
(`offline_queue.file_time`).

``message_open`` serves every question about what is not settled: ready rows all have ``due = 0``
and so stand in the order of delivery; waiting and leased ones stand in the order of time.
"""

from __future__ import annotations

MIGRATIONS = (
    (
        """
        CREATE TABLE message (
            seq         INTEGER PRIMARY KEY,
            kind        TEXT NOT NULL,
            key         TEXT NOT NULL UNIQUE,
            ordering    TEXT NOT NULL,
            priority    INTEGER NOT NULL,
            created     INTEGER NOT NULL,
            key_version INTEGER NOT NULL,
            state       TEXT NOT NULL CHECK
                        (state IN ('ready', 'behind', 'waiting', 'leased', 'confirmed', 'dead')),
            due         INTEGER NOT NULL DEFAULT 0,
            attempts    INTEGER NOT NULL DEFAULT 0,
            epoch       INTEGER NOT NULL DEFAULT 0,
            owner       TEXT,
            reason      TEXT,
            receipt     TEXT,
            settled     INTEGER,
            CHECK (due = 0 OR state IN ('waiting', 'leased')),
            CHECK ((owner IS NOT NULL) = (state = 'leased')),
            CHECK ((receipt IS NOT NULL) = (state = 'confirmed')),
            CHECK ((settled IS NOT NULL) = (state IN ('confirmed', 'dead')))
        ) STRICT
        """,
        """
        CREATE TABLE body (
            seq    INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
            sealed BLOB NOT NULL
        ) STRICT
        """,
        # ``settled`` is always NULL here; with it SQLite need not look into the table to know.
        "CREATE INDEX message_open ON message (state, due, settled, priority)"
        " WHERE settled IS NULL",
        "CREATE INDEX message_ordering ON message (ordering)"
        " WHERE ordering <> '' AND settled IS NULL",
        "CREATE INDEX message_settled ON message (state, settled) WHERE settled IS NOT NULL",
        # One row: the greatest time that the file has seen, to the second.
        """
        CREATE TABLE clock (
            one  INTEGER PRIMARY KEY CHECK (one = 1),
            seen INTEGER NOT NULL
        ) STRICT
        """,
        "INSERT INTO clock VALUES (1, 0)",
        "CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        # A constant sealed by each key, so that wrong keys are noticed before any row is touched.
        "CREATE TABLE seal_key (version INTEGER PRIMARY KEY, proof BLOB NOT NULL) STRICT",
    ),
)
