"""Durable SQLite files: pragmas read back, damage kept, migrations forward only."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from offline_queue import database
from offline_queue.damage.aside import beside
from offline_queue.database import (
    DatabaseDamaged,
    DurabilityRefused,
    SchemaTooNew,
    immediate,
    open_durable,
)

ONE = (("CREATE TABLE thing (id INTEGER PRIMARY KEY, body TEXT) STRICT",),)
TWO = (*ONE, ("ALTER TABLE thing ADD COLUMN size INTEGER", "UPDATE thing SET size = 1"))


def fill(path: Path, rows: int = 200) -> None:
    connection = open_durable(path, migrations=ONE)
    with immediate(connection):
        for n in range(rows):
            connection.execute("INSERT INTO thing (body) VALUES (?)", (f"row {n} " * 20,))
    connection.close()


def test_open_sets_what_durability_rests_on(tmp_path: Path) -> None:
    connection = open_durable(tmp_path / "a.sqlite", migrations=ONE, busy_timeout_ms=1234)

    def pragma(name: str) -> object:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2
    assert pragma("foreign_keys") == 1
    assert pragma("busy_timeout") == 1234
    assert pragma("user_version") == 1
    assert connection.isolation_level is None
    connection.close()


def test_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    connection = open_durable(path, migrations=ONE)
    connection.execute("INSERT INTO thing (body) VALUES ('x')")
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == {"a.sqlite": 0o600, "a.sqlite-wal": 0o600, "a.sqlite-shm": 0o600}
    connection.close()


@pytest.mark.parametrize("name", ["synchronous", "journal_mode", "foreign_keys"])
def test_a_setting_that_is_not_taken_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    class Deaf(sqlite3.Connection):
        def execute(self, sql: str, *rest: object) -> sqlite3.Cursor:
            if sql.startswith(f"PRAGMA {name} ="):
                sql = f"PRAGMA {name}"
            return super().execute(sql, *rest)  # type: ignore[arg-type]

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **kw: real(path, factory=Deaf, **kw))
    # SQLite's own default of synchronous is FULL already: make the deaf one start elsewhere.
    if name == "synchronous":
        monkeypatch.setattr(
            sqlite3,
            "connect",
            lambda path, **kw: _with_synchronous_off(real(path, factory=Deaf, **kw)),
        )
    with pytest.raises(DurabilityRefused, match=name):
        open_durable(tmp_path / "a.sqlite", migrations=ONE)
    assert not (tmp_path / "a.sqlite").exists()


def _with_synchronous_off(connection: sqlite3.Connection) -> sqlite3.Connection:
    sqlite3.Connection.execute(connection, "PRAGMA synchronous = OFF")
    return connection


def test_immediate_commits_and_rolls_back(tmp_path: Path) -> None:
    connection = open_durable(tmp_path / "a.sqlite", migrations=ONE)
    with immediate(connection):
        connection.execute("INSERT INTO thing (body) VALUES ('kept')")
    with pytest.raises(KeyError), immediate(connection):
        connection.execute("INSERT INTO thing (body) VALUES ('dropped')")
        raise KeyError
    assert not connection.in_transaction
    assert connection.execute("SELECT body FROM thing").fetchall() == [("kept",)]
    connection.close()


def test_immediate_takes_the_write_lock_at_once(tmp_path: Path) -> None:
    first = open_durable(tmp_path / "a.sqlite", migrations=ONE)
    second = open_durable(tmp_path / "a.sqlite", migrations=ONE, busy_timeout_ms=1)
    with immediate(first), pytest.raises(sqlite3.OperationalError), immediate(second):
        raise AssertionError("two writers")
    first.close()
    second.close()


@pytest.mark.parametrize("at", [0, 40, 4096, 9000])
def test_damage_is_copied_aside_and_the_file_left(tmp_path: Path, at: int) -> None:
    path = tmp_path / "a.sqlite"
    fill(path)
    data = bytearray(path.read_bytes())
    data[at : at + 3000] = b"\x5a" * 3000
    path.write_bytes(data)
    for _ in range(2):
        with pytest.raises(DatabaseDamaged) as caught:
            open_durable(path, migrations=ONE)
        assert path.read_bytes() == bytes(data)
        assert (caught.value.copy / path.name).read_bytes() == bytes(data)
    assert len(list(tmp_path.glob("*.damaged-*"))) == 1


def test_an_emptied_file_is_damage_not_a_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    fill(path)
    path.write_bytes(b"")
    with pytest.raises(DatabaseDamaged, match="empty"):
        open_durable(path, migrations=ONE)


def test_a_lost_file_with_its_wal_left_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    (tmp_path / "a.sqlite-wal").write_bytes(b"acknowledged rows")
    with pytest.raises(DatabaseDamaged) as caught:
        open_durable(path, migrations=ONE)
    assert (caught.value.copy / "a.sqlite-wal").read_bytes() == b"acknowledged rows"


def test_a_file_cut_off_within_a_page_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    fill(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DatabaseDamaged, match="within a page"):
        open_durable(path, migrations=ONE)


def killed_while_writing(folder: Path, rows: int = 50) -> Path:
    """A file whose rows are in its WAL, one commit each."""
    made = folder / "made.sqlite"
    connection = open_durable(made, migrations=ONE)
    for n in range(rows):
        connection.execute("INSERT INTO thing (body) VALUES (?)", (f"row {n} " * 20,))
    path = folder / "a.sqlite"
    for suffix in ("", "-wal"):
        shutil.copy(beside(made, suffix), beside(path, suffix))
    connection.close()
    return path


@pytest.mark.parametrize("at", [0, 20, 32 + 8, 32 + 3_000, 32 + 20 * 4_120 + 100])
def test_commits_that_sqlite_would_drop_are_damage(tmp_path: Path, at: int) -> None:
    path = killed_while_writing(tmp_path)
    wal = bytearray(beside(path, "-wal").read_bytes())
    wal[at] ^= 1
    beside(path, "-wal").write_bytes(wal)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(DatabaseDamaged, match="WAL"):
            open_durable(path, migrations=ONE)
        assert path.read_bytes() == before
        assert beside(path, "-wal").read_bytes() == wal


@pytest.mark.parametrize("cut", [1, 24, 4_000, 4_120, 4_121])
def test_a_wal_whose_end_was_never_acknowledged_is_no_damage(tmp_path: Path, cut: int) -> None:
    path = killed_while_writing(tmp_path)
    wal = beside(path, "-wal")
    wal.write_bytes(wal.read_bytes()[:-cut])
    with contextlib.closing(open_durable(path, migrations=ONE)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM thing").fetchone()
    assert rows in (48, 49)


def test_what_an_older_wal_left_behind_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "made.sqlite"
    connection = open_durable(path, migrations=ONE)
    for n in range(20):
        connection.execute("INSERT INTO thing (body) VALUES (?)", (f"row {n} " * 20,))
    connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    connection.execute("INSERT INTO thing (body) VALUES ('last')")
    copy = tmp_path / "a.sqlite"
    for suffix in ("", "-wal"):
        shutil.copy(beside(path, suffix), beside(copy, suffix))
    connection.close()
    assert beside(copy, "-wal").stat().st_size > 10 * 4_120
    with contextlib.closing(open_durable(copy, migrations=ONE)) as connection:
        assert connection.execute("SELECT count(*) FROM thing").fetchone() == (21,)


def test_a_refused_file_keeps_its_wal(tmp_path: Path) -> None:
    """SQLite's last connection would write it into the file and delete it."""
    made, path = tmp_path / "made.sqlite", tmp_path / "a.sqlite"
    fill(made)
    with contextlib.closing(open_durable(made, migrations=ONE)) as connection:
        connection.execute("INSERT INTO thing (body) VALUES ('last')")
        shutil.copy(beside(made, "-wal"), beside(path, "-wal"))
    data = bytearray(made.read_bytes())
    data[3 * 4096 : 4 * 4096] = bytes(4096)
    path.write_bytes(data)
    wal = beside(path, "-wal").read_bytes()
    for _ in range(2):
        with pytest.raises(DatabaseDamaged):
            open_durable(path, migrations=ONE)
        assert beside(path, "-wal").read_bytes() == wal
        assert path.read_bytes() == data


@pytest.mark.parametrize("version", [0, 1, -1, 0x5A5A5A5A])
def test_a_version_that_the_tables_deny_is_damage(tmp_path: Path, version: int) -> None:
    path = tmp_path / "a.sqlite"
    migrations = (*ONE, ("CREATE TABLE other (id INTEGER PRIMARY KEY) STRICT",))
    with contextlib.closing(open_durable(path, migrations=migrations)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(DatabaseDamaged, match="schema"):
        open_durable(path, migrations=migrations)


@pytest.mark.parametrize(("at", "value"), [(18, 9), (19, 9), (59, 2), (59, 4), (47, 9)])
def test_a_header_that_sqlite_takes_for_another_format_is_damage(
    tmp_path: Path, at: int, value: int
) -> None:
    path = tmp_path / "a.sqlite"
    fill(path)
    data = bytearray(path.read_bytes())
    data[at] = value
    path.write_bytes(data)
    with pytest.raises(DatabaseDamaged):
        open_durable(path, migrations=ONE)
    assert path.read_bytes() == data


def test_backups_are_kept_apart_and_only_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    for run in range(database.BACKUPS + 2):
        path.unlink(missing_ok=True)
        fill(path, rows=run + 1)
        open_durable(path, migrations=TWO).close()
    names = [f"a.sqlite.v1-{run}" for run in (3, 4, 5)]
    assert sorted(file.name for file in tmp_path.glob("a.sqlite.v*")) == names
    for rows, name in zip((3, 4, 5), names, strict=True):
        with contextlib.closing(sqlite3.connect(tmp_path / name)) as backup:
            assert backup.execute("SELECT count(*) FROM thing").fetchone() == (rows,)


def test_migration_keeps_rows_and_backs_up(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    fill(path, rows=3)
    connection = open_durable(path, migrations=TWO)
    assert connection.execute("SELECT count(*), sum(size) FROM thing").fetchone() == (3, 3)
    connection.close()
    backup = sqlite3.connect(tmp_path / "a.sqlite.v1")
    assert backup.execute("PRAGMA user_version").fetchone() == (1,)
    assert backup.execute("SELECT count(*) FROM thing").fetchone() == (3,)
    backup.close()
    assert (tmp_path / "a.sqlite.v1").stat().st_mode & 0o777 == 0o600


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    fill(path, rows=3)
    with pytest.raises(sqlite3.OperationalError):
        open_durable(path, migrations=(*ONE, ("DROP TABLE thing", "SELECT nonsense")))
    connection = open_durable(path, migrations=ONE)
    assert connection.execute("SELECT count(*) FROM thing").fetchone() == (3,)
    connection.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    open_durable(path, migrations=TWO).close()
    with pytest.raises(SchemaTooNew):
        open_durable(path, migrations=ONE)


def test_no_draft_stays_behind(tmp_path: Path) -> None:
    open_durable(tmp_path / "a.sqlite", migrations=ONE).close()
    with pytest.raises(sqlite3.OperationalError):
        open_durable(tmp_path / "b.sqlite", migrations=(("nonsense",),))
    assert [file.name for file in tmp_path.iterdir()] == ["a.sqlite"]


WRITER = """
import sys
from pathlib import Path
from offline_queue.database import immediate, open_durable
connection = open_durable(Path(sys.argv[1]), migrations=(("CREATE TABLE t (n INTEGER)",),))
n = 0
while True:
    with immediate(connection):
        connection.execute("INSERT INTO t VALUES (?)", (n,))
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()
    n += 1
"""


def test_acknowledged_rows_survive_kill(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    for stop_after in (0, 7, 40):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(stop_after + 1)]
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        connection = open_durable(path, migrations=(("CREATE TABLE t (n INTEGER)",),))
        rows = [n for (n,) in connection.execute("SELECT n FROM t ORDER BY rowid")]
        assert rows[: len(acknowledged)] == acknowledged
        connection.execute("DELETE FROM t")
        connection.close()
