"""Our queue and queues of PyPI behind one protocol: put, take, done.

Each is used as its own documentation shows it. What a candidate has no word for does nothing here
and is told in the method's comment.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, Protocol, assert_never


class Held(NamedTuple):
    """An item in the hands of whoever took it; ``ticket`` is what the candidate knows it by."""

    body: bytes
    ticket: Any


class Adapter(Protocol):
    """What the scenarios ask of a queue. Errors of the candidate pass through."""

    def put(self, body: bytes) -> None:
        """Store an item: ASCII, since one candidate keeps text."""

    def put_done(self, body: bytes) -> None:
        """Store an item and finish it, as cheaply as the candidate's own calls can."""

    def take(self) -> Held | None:
        """The next item, or None."""

    def done(self, held: Held) -> None:
        """Say that the item is finished."""

    def ask(self) -> None:
        """Free what others took and did not finish, where the candidate has a call for that."""

    def unfinished(self) -> int:
        """How many items the candidate counts as neither finished nor given up."""

    def close(self) -> None:
        """Close the file."""


class OurQueue:
    def __init__(self, folder: Path) -> None:
        from kiosk.clock import SystemClock
        from offline_queue.queue import Queue
        from tests.offline_queue.queue_world import DEVICE_KEY

        self._queue = Queue(folder / "queue.sqlite", DEVICE_KEY, SystemClock())

    def put(self, body: bytes) -> None:
        self._queue.enqueue("parcel", body, key=secrets.token_hex(16))

    def put_done(self, body: bytes) -> None:
        self.put(body)
        held = self.take()
        assert held is not None
        self.done(held)

    def take(self) -> Held | None:
        claim = self._queue.claim("worker")
        return None if claim is None else Held(claim.body, claim)

    def done(self, held: Held) -> None:
        self._queue.confirm(held.ticket, "r-1")

    def ask(self) -> None:
        """Leases run out by themselves."""

    def unfinished(self) -> int:
        return self._queue.metrics().open

    def close(self) -> None:
        self._queue.close()


class LiteQueue:
    def __init__(self, folder: Path) -> None:
        import litequeue  # type: ignore[import-untyped]

        self._queue = litequeue.LiteQueue(folder / "litequeue.sqlite")

    def put(self, body: bytes) -> None:
        self._queue.put(body.decode())

    def put_done(self, body: bytes) -> None:
        self._queue.done(self._queue.put(body.decode()).message_id)

    def take(self) -> Held | None:
        message = self._queue.pop()
        return None if message is None else Held(message.data.encode(), message.message_id)

    def done(self, held: Held) -> None:
        self._queue.done(held.ticket)

    def ask(self) -> None:
        for message in list(self._queue.list_locked(threshold_seconds=0)):
            self._queue.retry(message.message_id)

    def unfinished(self) -> int:
        return int(self._queue.qsize())

    def close(self) -> None:
        self._queue.close()


class PersistQueue:
    """`SQLiteAckQueue`, the one of its queues that can be told what is finished."""

    def __init__(self, folder: Path, auto_resume: bool) -> None:
        import persistqueue

        self._empty = persistqueue.Empty
        self._queue = persistqueue.SQLiteAckQueue(str(folder), auto_resume=auto_resume)

    def put(self, body: bytes) -> None:
        self._queue.put(body)

    def put_done(self, body: bytes) -> None:
        self._queue.ack(id=self._queue.put(body))

    def take(self) -> Held | None:
        try:
            item = self._queue.get(block=False, raw=True)
        except self._empty:
            return None
        return Held(item["data"], item["pqid"])

    def done(self, held: Held) -> None:
        self._queue.ack(id=held.ticket)

    def ask(self) -> None:
        self._queue.resume_unack_tasks()

    def unfinished(self) -> int:
        from persistqueue.sqlackqueue import AckStatus

        ended = (int(AckStatus.acked), int(AckStatus.ack_failed))
        return sum(row["status"] not in ended for row in self._queue.queue())

    def close(self) -> None:
        self._queue.close()


class Huey:
    """What a consumer of huey does with a task: dequeue it, then execute it."""

    def __init__(self, folder: Path) -> None:
        import huey  # type: ignore[import-untyped]

        self._huey = huey.SqliteHuey("peer", filename=str(folder / "huey.db"))
        self._deliver = self._huey.task(name="deliver")(_deliver)

    def put(self, body: bytes) -> None:
        self._deliver(body)

    def put_done(self, body: bytes) -> None:
        self.put(body)
        held = self.take()
        assert held is not None
        self.done(held)

    def take(self) -> Held | None:
        task = self._huey.dequeue()
        return None if task is None else Held(task.args[0], task)

    def done(self, held: Held) -> None:
        self._huey.execute(held.ticket)

    def ask(self) -> None:
        """Taking has removed the task; there is nothing left to ask for."""

    def unfinished(self) -> int:
        return int(self._huey.pending_count())

    def close(self) -> None:
        self._huey.storage.close()


def _deliver(body: bytes) -> None:
    """The task itself: the scenarios look at the queue, not at the work."""


class Candidate(Enum):
    """Whom the scenarios compare. One peer stands there twice: an option changes its answers."""

    OURS = "ours"
    LITEQUEUE = "litequeue"
    PERSIST_QUEUE = "persist-queue"
    PERSIST_QUEUE_ASKED = "persist-queue-asked"
    HUEY = "huey"

    @property
    def label(self) -> str:
        """The name for readers, with version and option."""
        match self:
            case Candidate.OURS:
                return "offline_queue"
            case Candidate.LITEQUEUE:
                return f"litequeue {version('litequeue')}"
            case Candidate.PERSIST_QUEUE:
                return f"persist-queue {version('persist-queue')} SQLiteAckQueue"
            case Candidate.PERSIST_QUEUE_ASKED:
                return "the same, auto_resume=False"
            case Candidate.HUEY:
                return f"huey {version('huey')} SqliteHuey"
            case _:
                assert_never(self)

    def open(self, folder: Path) -> Adapter:
        """Its queue in a folder of its own, as its defaults are."""
        match self:
            case Candidate.OURS:
                return OurQueue(folder)
            case Candidate.LITEQUEUE:
                return LiteQueue(folder)
            case Candidate.PERSIST_QUEUE:
                return PersistQueue(folder, auto_resume=True)
            case Candidate.PERSIST_QUEUE_ASKED:
                return PersistQueue(folder, auto_resume=False)
            case Candidate.HUEY:
                return Huey(folder)
            case _:
                assert_never(self)


class Settings(NamedTuple):
    """What a running connection answers about itself."""

    path: Path
    journal_mode: str
    synchronous: int


class Connections:
    """Every SQLite connection that this process opens inside `watching`, whoever opens it."""

    def __init__(self) -> None:
        self._opened: list[sqlite3.Connection] = []

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        connect = sqlite3.connect

        def watched(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*arguments, **options)
            self._opened.append(connection)
            return connection

        sqlite3.connect = watched  # type: ignore[assignment]
        try:
            yield
        finally:
            sqlite3.connect = connect

    def open(self) -> list[sqlite3.Connection]:
        """Those that are open still."""
        running = []
        for connection in self._opened:
            with contextlib.suppress(sqlite3.ProgrammingError):
                connection.execute("SELECT 1").fetchone()
                running.append(connection)
        return running

    def synchronise(self, how: str) -> None:
        """Set ``synchronous`` on those that are open, so that candidates which would promise
        different things can be compared."""
        for connection in self.open():
            connection.execute(f"PRAGMA synchronous = {how}")

    def settings(self) -> Settings:
        """Of the one file that is open; all connections to it must agree."""
        found = {
            Settings(
                Path(connection.execute("PRAGMA database_list").fetchone()[2]),
                connection.execute("PRAGMA journal_mode").fetchone()[0],
                connection.execute("PRAGMA synchronous").fetchone()[0],
            )
            for connection in self.open()
        }
        (settings,) = found
        return settings
