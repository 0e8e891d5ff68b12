"""One connection behind one lock, with errors of the disk told apart from bugs."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from types import TracebackType

from offline_queue.errors import blame_storage


class Access:
    """A connection that several threads share."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        # One flipped bit in a text must not stop everybody; the seal notices it.
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        self._connection = connection
        self._lock = threading.Lock()
        self.writing = Writing(connection, self._lock)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for reading.

        Raises:
            QueueUnavailable: see there.
        """
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                blame_storage(error)
                raise

    def close(self) -> None:
        """Close the connection when nobody uses it."""
        with self._lock:
            self._connection.close()


class Writing:
    """``with writing as connection``: one write transaction, as `database.immediate` makes it.

    A class that is made once: generators would cost as much here as a row's statements.

    Raises:
        QueueUnavailable: see there; the transaction was rolled back.
    """

    def __init__(self, connection: sqlite3.Connection, lock: threading.Lock) -> None:
        self._connection = connection
        self._lock = lock

    def __enter__(self) -> sqlite3.Connection:
        self._lock.acquire()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._lock.release()
            blame_storage(error)
            raise
        return self._connection

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._commit()
            else:
                self._roll_back()
                blame_storage(error)
        finally:
            self._lock.release()

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except BaseException as error:
            self._roll_back()
            blame_storage(error)
            raise

    def _roll_back(self) -> None:
        # SQLite itself rolls back on some errors (disk full).
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
