"""What is let in at which level, what is measured for it, and the ballast on a disk with room."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_queue.ballast import Ballast
from offline_queue.database import BUSY_TIMEOUT_MS, DurabilityRefused, open_durable
from offline_queue.errors import QueueFull
from offline_queue.room import Admission, Level, Mark, SpaceExhausted, SpaceLimits
from offline_queue.space import BallastEvent, Space
from tests.offline_queue.bare_rows import KIB, LIMITS, BareRows

ROOMY = dataclasses.replace(
    LIMITS,
    **{
        name: dataclasses.replace(getattr(LIMITS, name), free=0)
        for name in ("warn", "critical_only", "reserved_only", "full")
    },
)
"""Only the queue's own size decides."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory: what is asked here is how much, not how durably."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture
def queue(folder: Path) -> Iterator[BareRows]:
    queue = BareRows(folder / "q", ROOMY)
    yield queue
    queue.close()


def test_each_level_lets_less_in() -> None:
    let_in = {level: {a for a in Admission if level.admits(a)} for level in Level}
    assert let_in == {
        Level.FREE: set(Admission),
        Level.WARN: set(Admission),
        Level.CRITICAL_ONLY: {Admission.CRITICAL, Admission.RESERVED},
        Level.RESERVED_ONLY: {Admission.RESERVED},
        Level.FULL: set(),
    }


def test_the_queue_fills_level_by_level_and_each_admission_ends_at_its_mark(
    queue: BareRows,
) -> None:
    last = Level.FREE
    for admission, mark, then in (
        (Admission.ORDINARY, ROOMY.critical_only, Level.CRITICAL_ONLY),
        (Admission.CRITICAL, ROOMY.reserved_only, Level.RESERVED_ONLY),
        (Admission.RESERVED, ROOMY.full, Level.FULL),
    ):
        with pytest.raises(SpaceExhausted) as caught:
            while True:
                queue.store(admission)
                assert queue.level() >= last
                last = queue.level()
        assert caught.value.admission is admission
        assert caught.value.room.level is then
        room = queue.room()
        assert room.level is then
        # A row with its part of the WAL is no more than this past the mark.
        assert mark.share * room.limit <= room.used < mark.share * room.limit + 40 * KIB
    stored = queue.rows()
    for admission in Admission:
        with pytest.raises(QueueFull, match="FULL: nothing"):
            queue.store(admission)
    assert queue.rows() == stored
    assert queue.healthy()


def test_what_is_purged_can_be_stored_again(queue: BareRows) -> None:
    with pytest.raises(SpaceExhausted):
        while True:
            queue.store(Admission.RESERVED)
    full = len(queue.rows())
    pages = queue.pragma("page_count")
    while queue.confirm() is not None:
        pass
    assert queue.purge() == full
    assert queue.level() is Level.FREE
    for _ in range(full // 2):
        queue.store()
    assert queue.pragma("page_count") <= pages + ROOMY.ballast_bytes // 4096


def test_a_wal_that_cannot_be_written_back_counts(queue: BareRows) -> None:
    queue.store()
    reader = sqlite3.connect(queue.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM message").fetchall()
    wal = queue.path.with_name("q-wal")
    with pytest.raises(SpaceExhausted):
        while True:
            queue.store()
    assert wal.stat().st_size > 10 * ROOMY.wal_bytes
    assert queue.pragma("page_count") * 4096 < ROOMY.max_bytes / 2
    said: list[str] = []
    queue.connection.set_trace_callback(said.append)
    assert queue.level() is Level.CRITICAL_ONLY
    # Whoever asks for the level waits for no reader.
    assert said.index("PRAGMA busy_timeout = 0") < said.index("PRAGMA wal_checkpoint(TRUNCATE)")
    reader.close()
    # Nobody who is refused would write, and so begin the WAL anew.
    queue.store()
    assert wal.stat().st_size < ROOMY.wal_bytes
    assert queue.pragma("busy_timeout") == BUSY_TIMEOUT_MS


def test_a_wal_is_written_back_when_it_has_its_size(queue: BareRows) -> None:
    for _ in range(100):
        queue.store()
    assert queue.path.with_name("q-wal").stat().st_size < 2 * ROOMY.wal_bytes
    assert queue.path.stat().st_size > 100 * KIB


def test_while_there_is_room_not_every_row_is_measured(queue: BareRows) -> None:
    measured: list[str] = []
    queue.connection.set_trace_callback(
        lambda statement: measured.append(statement) if "freelist" in statement else None
    )
    for _ in range(8):
        queue.store()
    assert len(measured) == 2
    queue.level()
    assert len(measured) == 3


def test_near_a_mark_every_row_is_measured(queue: BareRows) -> None:
    while queue.level() is Level.FREE:
        queue.store()
    measured: list[str] = []
    queue.connection.set_trace_callback(
        lambda statement: measured.append(statement) if "freelist" in statement else None
    )
    for _ in range(4):
        queue.store()
    assert len(measured) >= 4


def test_settling_may_pass_the_limit_by_as_much_as_the_ballast_and_no_further(folder: Path) -> None:
    """Rows so small that their receipts are most of them: the worst that a queue can meet."""
    limits = dataclasses.replace(
        ROOMY, max_bytes=96 * KIB, ballast_bytes=64 * KIB, wal_bytes=16 * KIB
    )
    queue = BareRows(folder / "q", limits)
    with pytest.raises(SpaceExhausted):
        while True:
            queue.store(Admission.RESERVED, b"x")
    stored = queue.rows()
    assert queue.events == [BallastEvent.MADE]
    settled = []
    with pytest.raises(sqlite3.OperationalError, match="full"):
        while (seq := queue.confirm("r" * 256)) is not None:
            settled.append(seq)
    pages = queue.pragma("page_count") * 4096
    assert pages == limits.max_bytes + limits.ballast_bytes
    assert settled == stored[: len(settled)] == queue.rows("done")
    assert queue.rows() == stored[len(settled) :]
    assert queue.level() is Level.FULL
    while queue.rows():
        assert queue.purge() > 0
        with contextlib.suppress(sqlite3.OperationalError):
            while (seq := queue.confirm("r" * 256)) is not None:
                settled.append(seq)
    assert settled == stored
    queue.purge()
    assert queue.level() is Level.FREE
    # The disk was not full, so the ballast would have been no help.
    assert queue.events == [BallastEvent.MADE]
    assert queue.healthy()


def test_the_limits_are_set_and_read_back(queue: BareRows) -> None:
    assert queue.pragma("max_page_count") == (ROOMY.max_bytes + ROOMY.ballast_bytes) // 4096
    assert queue.pragma("wal_autocheckpoint") == ROOMY.wal_bytes // 4096
    assert queue.pragma("temp_store") == 2
    assert queue.pragma("secure_delete") == 2


def test_a_file_above_a_lowered_limit_is_opened_and_full(queue: BareRows) -> None:
    for _ in range(200):
        queue.store()
    lowered = BareRows(queue.path, dataclasses.replace(ROOMY, max_bytes=64 * KIB))
    assert lowered.pragma("max_page_count") == queue.pragma("page_count") > 100
    assert lowered.level() is Level.FULL
    lowered.close()


@pytest.mark.parametrize(
    "pragma", ["wal_autocheckpoint", "temp_store", "secure_delete", "max_page_count"]
)
def test_a_limit_that_sqlite_does_not_take_is_refused(tmp_path: Path, pragma: str) -> None:
    class Deaf(sqlite3.Connection):
        def execute(self, sql: str, *_: object) -> sqlite3.Cursor:
            return super().execute("SELECT 0" if sql.startswith(f"PRAGMA {pragma} =") else sql)

    path = tmp_path / "q"
    open_durable(path, migrations=(("CREATE TABLE t (n INTEGER)",),)).close()
    with pytest.raises(DurabilityRefused, match=pragma):
        Space(path, ROOMY).open(lambda: sqlite3.connect(path, isolation_level=None, factory=Deaf))


@pytest.mark.parametrize(
    "wrong",
    [
        {"warn": Mark(0.85, 320 * KIB)},
        {"warn": Mark(0.0, 320 * KIB)},
        {"full": Mark(1.0, 128 * KIB)},
        {"full": Mark(0.97, 200 * KIB)},
        {"full": Mark(0.97, -1)},
        {"ballast_bytes": 127 * KIB},
    ],
)
def test_limits_that_contradict_themselves_are_a_bug(wrong: dict[str, Mark | int]) -> None:
    with pytest.raises(ValueError, match=r"mark|ballast"):
        dataclasses.replace(LIMITS, **wrong)  # type: ignore[arg-type]


def test_the_default_limits_hold_together() -> None:
    limits = SpaceLimits()
    assert limits.full.free + limits.ballast_bytes < limits.warn.free
    assert (1 - limits.full.share) * limits.max_bytes > 2 * limits.wal_bytes


def test_the_ballast_is_real_blocks(queue: BareRows) -> None:
    found = queue.ballast.stat()
    assert found.st_blocks * 512 >= found.st_size == ROOMY.ballast_bytes
    assert found.st_mode & 0o777 == 0o600
    assert queue.events == [BallastEvent.MADE]
    assert queue.room().ballast


def test_a_ballast_that_stands_is_left_alone(queue: BareRows) -> None:
    before = queue.ballast.stat()
    again = BareRows(queue.path, ROOMY)
    after = queue.ballast.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert again.events == []
    again.close()


@pytest.mark.parametrize("left", ["nothing", "empty", "short", "sparse"])
def test_a_ballast_that_is_not_all_there_is_made_whole(queue: BareRows, left: str) -> None:
    match left:
        case "nothing":
            queue.ballast.unlink()
        case "empty":
            queue.ballast.write_bytes(b"")
        case "short":
            with queue.ballast.open("r+b") as file:
                file.truncate(ROOMY.ballast_bytes - 4096)
        case "sparse":
            queue.ballast.unlink()
            with queue.ballast.open("wb") as file:
                file.truncate(ROOMY.ballast_bytes)
    assert queue.level() is Level.FREE
    assert queue.ballast.stat().st_blocks * 512 >= ROOMY.ballast_bytes
    assert queue.events == [BallastEvent.MADE, BallastEvent.MADE]


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_has_the_ballasts_name_is_told_once_and_the_queue_goes_on(
    queue: BareRows, tmp_path: Path, kind: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"x" * ROOMY.ballast_bytes)
    queue.ballast.unlink()
    if kind == "folder":
        queue.ballast.mkdir()
    else:
        queue.ballast.symlink_to(elsewhere)
    for _ in range(3):
        assert queue.level() is Level.WARN
    queue.store()
    assert queue.confirm() == 1
    assert queue.events == [BallastEvent.MADE, BallastEvent.MISSING]
    assert elsewhere.stat().st_size == ROOMY.ballast_bytes
    if kind == "folder":
        queue.ballast.rmdir()
    else:
        queue.ballast.unlink()
    assert queue.level() is Level.FREE
    assert queue.events[-1] is BallastEvent.MADE


def test_only_what_is_there_can_be_released(tmp_path: Path) -> None:
    """On a disk, not in memory."""
    ballast = Ballast(tmp_path / "q", 64 * KIB)
    assert not ballast.release()
    ballast.make()
    ballast.make()
    assert ballast.held() == 64 * KIB
    for parts in range(7, 0, -1):
        assert ballast.release()
        assert ballast.held() == parts * 8 * KIB
    ballast.make()
    assert ballast.held() == 64 * KIB
    assert [ballast.release() for _ in range(9)] == [True] * 8 + [False]
    assert list(tmp_path.iterdir()) == []


def test_a_ballast_that_finds_no_room_gives_back_what_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems keep what was set aside until they found no more."""
    ballast = Ballast(tmp_path / "q", 64 * KIB)
    ballast.make()
    ballast.release()
    before = ballast.held()

    def half(descriptor: int, offset: int, size: int) -> None:
        os.pwrite(descriptor, b"x" * (before + 4096), offset)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", half)
    with pytest.raises(OSError, match="space"):
        ballast.make()
    assert ballast.held() == before


def _execute(statement: str, connection: sqlite3.Connection) -> None:
    connection.execute(statement)


def test_errors_that_are_no_want_of_room_spend_nothing(queue: BareRows) -> None:
    for statement in ("UPDATE nothing SET n = 1", "INSERT INTO message VALUES (1, NULL, 2, 3)"):
        with pytest.raises(sqlite3.Error):
            queue.settle(functools.partial(_execute, statement))
        assert not queue.connection.in_transaction
    holder = sqlite3.connect(queue.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    queue.connection.execute("PRAGMA busy_timeout = 1")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        queue.confirm()
    holder.close()
    assert queue.events == [BallastEvent.MADE]
    assert queue.ballast.exists()


def test_a_room_in_plain_values(queue: BareRows) -> None:
    queue.store()
    room = queue.room()
    assert json.loads(json.dumps(room.as_json())) == {
        "level": "free",
        "used_bytes": room.used,
        "limit_bytes": ROOMY.max_bytes,
        "free_bytes": room.free,
        "wal_bytes": room.wal,
        "ballast": True,
    }
    assert 0 < room.wal < room.used < 64 * KIB
