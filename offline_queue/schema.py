"""The queue's tables.

``message`` holds small rows that change with delivery; ``body`` is written once, so that a claim
of a large body does not write it again. Times are milliseconds of the file's time
(`offline_queue.file_time`).

``message_open`` serves every question about what is not settled: ready rows all have ``due = 0``
and so stand in the order of delivery, lane by lane; what waits for a time stands in its order.

Version 2 added lanes, ranks, ``sent``, the chain and the key ring. `offline_queue.upgrade` seals
and links again what version 1 left, since SQL cannot: such rows have an empty ``boot``.
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
    (
        "DROP INDEX message_open",
        "DROP INDEX message_ordering",
        "DROP INDEX message_settled",
        """
        CREATE TABLE message_2 (
            seq         INTEGER PRIMARY KEY,
            kind        TEXT NOT NULL,
            key         TEXT NOT NULL UNIQUE,
            lane        TEXT NOT NULL,
            ordering    TEXT NOT NULL,
            priority    INTEGER NOT NULL,
            created     INTEGER NOT NULL,
            boot        TEXT NOT NULL,
            monotonic   INTEGER NOT NULL,
            wall        INTEGER NOT NULL,
            trust       TEXT NOT NULL,
            expires     INTEGER,
            replaces    INTEGER,
            key_version INTEGER NOT NULL,
            rank        INTEGER NOT NULL,
            state       TEXT NOT NULL CHECK (state IN
                        ('ready', 'behind', 'waiting', 'leased', 'sent', 'confirmed', 'dead')),
            due         INTEGER NOT NULL DEFAULT 0,
            attempts    INTEGER NOT NULL DEFAULT 0,
            epoch       INTEGER NOT NULL DEFAULT 0,
            unsure      INTEGER NOT NULL DEFAULT 0 CHECK (unsure IN (0, 1)),
            owner       TEXT,
            reason      TEXT,
            receipt     TEXT,
            settled     INTEGER,
            replaced    INTEGER,
            CHECK (due = 0 OR state IN ('waiting', 'leased', 'sent')),
            CHECK ((owner IS NOT NULL) = (state = 'leased')),
            CHECK ((receipt IS NOT NULL) = (state = 'confirmed')),
            CHECK ((settled IS NOT NULL) = (state IN ('confirmed', 'dead'))),
            CHECK (replaced IS NULL OR state = 'dead')
        ) STRICT
        """,
        # The chain value first: after the body it would stand behind overflow pages.
        """
        CREATE TABLE body_2 (
            seq    INTEGER PRIMARY KEY REFERENCES message_2 ON DELETE CASCADE,
            chain  BLOB NOT NULL,
            sealed BLOB NOT NULL
        ) STRICT
        """,
        """
        INSERT INTO message_2 SELECT seq, kind, key, 'main', ordering, priority, created, '', 0,
            created, 'unknown', NULL, NULL, key_version,
            created + CASE WHEN priority < 20 THEN 0 WHEN priority < 30 THEN 600000
                ELSE 3600000 END,
            state, due, attempts, epoch, state = 'leased', owner, reason, receipt, settled, NULL
        FROM message
        """,
        "INSERT INTO body_2 SELECT seq, x'', sealed FROM body",
        "DROP TABLE body",
        "DROP TABLE message",
        # References follow their table's name.
        "ALTER TABLE message_2 RENAME TO message",
        "ALTER TABLE body_2 RENAME TO body",
        "CREATE INDEX message_open ON message (state, due, settled, lane, rank)"
        " WHERE settled IS NULL",
        "CREATE INDEX message_ordering ON message (ordering)"
        " WHERE ordering <> '' AND settled IS NULL",
        "CREATE INDEX message_settled ON message (state, settled) WHERE settled IS NOT NULL",
        # Version 0 is the index key; see `offline_queue.key_ring`.
        "CREATE TABLE key_ring (version INTEGER PRIMARY KEY, wrapped BLOB NOT NULL) STRICT",
        # Sequences that left after their confirmation, or, with an empty chain value, that a
        # salvage could not bring over; any other gap is a loss.
        """
        CREATE TABLE purged (
            first INTEGER PRIMARY KEY,
            last  INTEGER NOT NULL UNIQUE CHECK (last >= first),
            chain BLOB NOT NULL,
            proof BLOB NOT NULL
        ) STRICT
        """,
        # ``until``: milliseconds of the file's time; nothing of the lane is claimed before.
        """
        CREATE TABLE lane (
            name     TEXT PRIMARY KEY,
            failures INTEGER NOT NULL DEFAULT 0,
            until    INTEGER NOT NULL DEFAULT 0,
            reason   TEXT
        ) STRICT, WITHOUT ROWID
        """,
        "INSERT INTO lane (name) SELECT DISTINCT lane FROM message",
    ),
)
