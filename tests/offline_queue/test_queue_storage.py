"""What disks and other processes do: full, locked, damaged. All of it told, nothing half-done."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offline_queue.database import SchemaTooNew
from offline_queue.errors import QueueUnavailable
from offline_queue.message import Claim, State
from offline_queue.queue import Queue
from tests.offline_queue.queue_world import LIMITS, behind_its_back, claimed, open_queue

ROOMY = dataclasses.replace(LIMITS, open_rows=10_000)

ACTIONS: dict[str, Callable[[Queue, Claim], object]] = {
    "enqueue": lambda queue, claim: queue.enqueue("rating", b"x", key="x", mark=("cursor", 5)),
    "claim": lambda queue, claim: queue.claim("worker"),
    "confirm": lambda queue, claim: queue.confirm(claim, "r-1"),
    "bury": lambda queue, claim: queue.bury(claim, "refused"),
    "retry": lambda queue, claim: queue.retry(claim, "timeout"),
    "release": lambda queue, claim: queue.release(claim),
    "hurry": lambda queue, claim: queue.hurry(),
    "purge": lambda queue, claim: queue.purge(),
}


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    with behind_its_back(path) as file:
        file.execute("BEGIN IMMEDIATE")
        yield
        file.execute("ROLLBACK")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_locked_file_is_told_and_nothing_changes(tmp_path: Path, action: str) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"a", key="k-1")
    queue.enqueue("rating", b"a", key="k-2")
    claim = claimed(queue)
    before = queue.rows()
    with locked(tmp_path):
        with pytest.raises(QueueUnavailable) as caught:
            ACTIONS[action](queue, claim)
        assert caught.value.errorname == "SQLITE_BUSY"
        assert queue.rows() == before
        assert queue.mark("cursor") is None
    ACTIONS[action](queue, claim)


def test_a_locked_file_cannot_be_opened(tmp_path: Path) -> None:
    open_queue(tmp_path).close()
    with locked(tmp_path), pytest.raises(QueueUnavailable, match="SQLITE_BUSY"):
        open_queue(tmp_path)
    open_queue(tmp_path).close()


def test_a_file_locked_before_it_has_its_tables_cannot_be_opened(tmp_path: Path) -> None:
    with behind_its_back(tmp_path) as file:
        file.execute("PRAGMA journal_mode = WAL").fetchall()
        file.execute("CREATE TABLE other (n INTEGER)")
    with locked(tmp_path), pytest.raises(QueueUnavailable, match="SQLITE_BUSY"):
        open_queue(tmp_path)


def test_a_wrong_statement_is_no_trouble_of_the_disk(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    with behind_its_back(tmp_path) as file:
        file.execute("DROP TABLE mark")
    with pytest.raises(sqlite3.OperationalError):
        queue.mark("cursor")
    with pytest.raises(sqlite3.OperationalError):
        queue.enqueue("rating", b"x", key="k-1", mark=("cursor", 1))
    assert queue.enqueue("rating", b"x", key="k-1").fresh


def test_a_damaged_file_is_salvaged_at_open(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    for number in range(20):
        queue.enqueue("rating", b"x" * 1_000, key=f"k-{number}")
    queue.close()
    path = tmp_path / "queue.sqlite"
    data = bytearray(path.read_bytes())
    data[4096:12288] = b"\x5a" * 8192
    path.write_bytes(data)
    again = open_queue(tmp_path)
    assert again.salvage is not None and again.salvage.rows > 10
    assert {claim.body for claim in iter(lambda: again.claim("worker"), None)} == {b"x" * 1_000}
    again.salvage_told()
    again.close()
    assert open_queue(tmp_path).salvage is None


def test_a_file_damaged_while_open_is_told(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"x", key="k-1", mark=("cursor", 1))
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE mark SET value = 2")
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        path = tmp_path / "queue.sqlite"
        with path.open("r+b") as raw:
            raw.seek(4096)
            raw.write(b"\x5a" * (path.stat().st_size - 4096))
        for action in (lambda: queue.mark("cursor"), queue.metrics, queue.next_due, queue.rows):
            with pytest.raises(QueueUnavailable, match="SQLITE_CORRUPT"):
                action()


def test_a_queue_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    open_queue(tmp_path).close()
    with behind_its_back(tmp_path) as file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(SchemaTooNew):
        open_queue(tmp_path)


def test_the_file_is_opened_durably(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    pragma = {
        name: queue._access._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": LIMITS.busy_timeout_ms,
    }


def test_the_states_in_the_file_are_those_of_the_program(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"x", key="k-1")
    with behind_its_back(tmp_path) as file:
        for state in State:
            extra = {
                State.WAITING: "due = 1",
                State.SENT: "owner = NULL, due = 1",
                State.LEASED: "owner = 'w', due = 1",
                State.CONFIRMED: "receipt = 'r', settled = 1, owner = NULL, due = 0",
                State.DEAD: "receipt = NULL, settled = 1",
            }.get(state, "due = 0")
            file.execute(f"UPDATE message SET state = ?, {extra}", (state.value,))
        with pytest.raises(sqlite3.IntegrityError):
            file.execute("UPDATE message SET state = 'lost', settled = NULL")
