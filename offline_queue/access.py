"""One connection behind one lock, with errors of the disk told apart from bugs."""

from __future__ import annotations

import contextlib
import functools
import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from offline_queue.errors import QueueUnavailable, blame_storage
from offline_queue.room import Admission, Room
from offline_queue.space import Space


class Access:
    """A connection that several threads share, and the room that it has."""

    def __init__(self, connection: sqlite3.Connection, space: Space) -> None:
        # One flipped bit in a text must not stop everybody; the seal notices it.
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        self._connection = connection
        self._space = space
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

    def admit(self, admission: Admission) -> None:
        """Called before the transaction that stores a row.

        Raises:
            SpaceExhausted, QueueUnavailable: see there.
        """
        if self._space.has_plenty():
            return
        with self._lock:
            try:
                self._space.admit(self._connection, admission)
            except sqlite3.Error as error:
                blame_storage(error)
                raise

    def room(self) -> Room:
        """What is stored and what is left.

        Raises:
            QueueUnavailable: see there.
        """
        with self.reading() as connection:
            return self._space.room(connection)

    def make_room(self, told: QueueUnavailable, attempt: int) -> bool:
        """See `Space.make_room`."""
        with self.reading() as connection:
            return self._space.make_room(connection, told.errorname, attempt)

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
        self._cursor = connection.cursor()
        self._lock = lock

    def __enter__(self) -> sqlite3.Connection:
        self._lock.acquire()
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
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
            self._cursor.execute("COMMIT")
        except BaseException as error:
            self._roll_back()
            blame_storage(error)
            raise

    def _roll_back(self) -> None:
        # SQLite itself rolls back on some errors (disk full).
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


P = ParamSpec("P")
T = TypeVar("T")


class HasAccess(Protocol):
    """Whose methods can be `settling`."""

    _access: Access


S = TypeVar("S", bound=HasAccess)


def settling(
    method: Callable[Concatenate[S, P], T],
) -> Callable[Concatenate[S, P], T]:
    """For a method of write transactions that end or shrink something: done again while the disk
    is full and there is room to be made."""

    @functools.wraps(method)
    def again(self: S, /, *args: P.args, **named: P.kwargs) -> T:
        for attempt in itertools.count():
            try:
                return method(self, *args, **named)
            except QueueUnavailable as told:
                if not self._access.make_room(told, attempt):
                    raise
        raise AssertionError

    return again
