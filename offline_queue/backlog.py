"""The limit of unsettled rows, kept without counting them all at every enqueue."""

from __future__ import annotations

import sqlite3

from offline_queue.errors import QueueFull

_COUNT_EVERY = 256
"""After so many rows of our own, those of other processes are counted again."""


class Backlog:
    """An upper estimate of the unsettled rows; the caller serialises access.

    Settled rows are noticed when the estimate reaches the limit: nobody is refused while there
    is room. Rows that other processes add are seen with a delay: together they may pass the
    limit a little.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._estimate = limit
        self._added = 0

    def add(self, connection: sqlite3.Connection) -> None:
        """One row was inserted in this transaction.

        Raises:
            QueueFull: it is one too many.
        """
        self._estimate += 1
        self._added += 1
        if self._estimate <= self._limit and self._added < _COUNT_EVERY:
            return
        row = connection.execute("SELECT count(*) FROM message WHERE settled IS NULL").fetchone()
        self._estimate, self._added = int(row[0]), 0
        if self._estimate > self._limit:
            raise QueueFull(f"{self._limit} rows are not settled")
