"""A queue opened for looking: nothing is made, migrated, set right or written back.

Works beside whoever works on the file, and on a file that nobody could open for working.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from offline_queue import chain, inspection, transitions
from offline_queue.chain import ChainReport
from offline_queue.damage.aside import beside, untouched
from offline_queue.damage.pages import PAGE_SIZE
from offline_queue.damage.wal import hides_commits
from offline_queue.database import SchemaTooNew
from offline_queue.errors import QueueError, QueueUnavailable, blame_storage
from offline_queue.file_time import FileTime, QueueClock, boot_id
from offline_queue.key_ring import KeyRing
from offline_queue.message import Metrics, QueueLimits, Row, State, Trust
from offline_queue.room import Room
from offline_queue.schema import MIGRATIONS
from offline_queue.space import Space

_LIMITS = QueueLimits()

_DEAD = """
    SELECT reason, count(*) FROM message
    WHERE state = 'dead' AND settled IS NOT NULL AND replaced IS NULL
    GROUP BY reason ORDER BY reason
"""

_NEWEST = "SELECT max(seq) FROM message"


class SchemaOlder(QueueError):
    """The file waits for an upgrade, which the next opening for working does."""


class Glance:
    """One file of messages, for one thread. Every method may raise `QueueUnavailable`.

    Args:
        device_key: 16 bytes; see `offline_queue.queue.Queue`.

    Raises:
        FileNotFoundError: there is no such file.
        SchemaTooNew, SchemaOlder, KeysWrong, QueueUnavailable: see there.
        OSError: the folder.
    """

    def __init__(
        self,
        path: Path,
        device_key: bytes,
        clock: QueueClock,
        *,
        limits: QueueLimits = _LIMITS,
    ) -> None:
        if path.stat().st_size == 0:
            # SQLite takes it for a new file.
            raise QueueUnavailable("SQLITE_NOTADB")
        wal = beside(path, "-wal")
        # Looked at first: SQLite's own index of the frames, made anew when it opens the file, would
        # end where the damage begins, and nobody could tell any more.
        if hides_commits(wal, PAGE_SIZE):
            raise QueueUnavailable("SQLITE_CORRUPT")
        self._closing = contextlib.ExitStack()
        self._space = Space(path, limits.space)
        with contextlib.ExitStack() as undo, _blaming():
            if wal.exists():
                # Else SQLite would write it back when the last connection closes, and what it
                # cannot read would be gone.
                undo.enter_context(untouched(path))
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw",
                uri=True,
                isolation_level=None,
                timeout=limits.busy_timeout_ms / 1000,
            )
            undo.callback(connection.close)
            connection.text_factory = lambda text: text.decode("utf-8", "replace")
            connection.execute("PRAGMA query_only = ON").fetchall()
            _check_version(connection, path)
            self._connection = connection
            self._ring = KeyRing(connection, device_key, secrets.token_bytes)
            self._time = FileTime(
                clock, connection, boot=boot_id(), tolerance=limits.clock_tolerance
            )
            self._closing = undo.pop_all()

    def metrics(self) -> Metrics:
        """See `Queue.metrics`."""
        with _blaming():
            return inspection.metrics(self._connection, self._time.shared(self._connection))

    def undecided(self) -> Mapping[str, int]:
        """How many dead rows wait for somebody's decision, by reason."""
        with _blaming():
            return dict(self._connection.execute(_DEAD).fetchall())

    def room(self) -> Room:
        """How full the file and its disk are."""
        with _blaming():
            return self._space.measure(self._connection)

    def rows(
        self, state: State | None = None, limit: int = 100, *, after: int = 0
    ) -> tuple[Row, ...]:
        """See `Queue.rows`."""
        with _blaming():
            now = self._time.shared(self._connection)
            return inspection.rows(self._connection, now, state=state, after=after, limit=limit)

    def row(self, seq: int) -> Row | None:
        """See `Desk.row`."""
        with _blaming():
            return inspection.row(self._connection, self._time.shared(self._connection), seq)

    def newest(self) -> Row | None:
        """The row that was made last; None in an empty file."""
        with _blaming():
            (seq,) = self._connection.execute(_NEWEST).fetchone()
        return None if seq is None else self.row(seq)

    def body(self, seq: int) -> bytes | None:
        """See `Desk.body`.

        Raises:
            RowForged: its seal does not hold.
        """
        with _blaming():
            row = transitions.by_seq(self._connection, seq)
            return None if row is None else self._ring.open(self._connection, *row)

    @property
    def trust(self) -> Trust:
        """What this file alone tells of the wall clock: `Trust.BEHIND` or `Trust.UNKNOWN`."""
        return self._time.trust

    def faults(self) -> int:
        """What SQLite itself finds wrong with the file (``quick_check``); 100 at most."""
        with _blaming():
            found = self._connection.execute("PRAGMA quick_check").fetchall()
        return 0 if found == [("ok",)] else len(found)

    def verify(self, progress: Callable[[int], None] = lambda _seq: None) -> ChainReport:
        """See `Desk.verify`.

        Args:
            progress: told the sequence up to which the chain was walked.
        """
        with _blaming():
            self._connection.execute("BEGIN")
            try:
                return chain.verify(self._connection, self._ring, progress)
            finally:
                self._connection.execute("COMMIT")

    def close(self) -> None:
        """Leave the file as it was."""
        self._closing.close()

    def __enter__(self) -> Glance:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > len(MIGRATIONS):
        raise SchemaTooNew(f"{path} has schema {found}; this program knows up to {len(MIGRATIONS)}")
    # The last step of an upgrade drops the table of version 1.
    old = "SELECT 1 FROM sqlite_schema WHERE name = 'seal_key'"
    if found < len(MIGRATIONS) or connection.execute(old).fetchone() is not None:
        raise SchemaOlder(f"{path} has schema {found} of {len(MIGRATIONS)}")


@contextlib.contextmanager
def _blaming() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        blame_storage(error)
        raise
