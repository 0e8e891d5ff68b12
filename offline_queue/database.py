"""SQLite files that survive power cuts: opened strictly, checked, migrated forward only.

Every pragma that durability rests on is set and read back, because SQLite ignores what it can't
do (WAL on a network folder, for example) without a word.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from offline_queue.durable import sync_folder

BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for another process's transaction."""

_FILE_MODE = 0o600
_SIDE_FILES = ("", "-wal", "-shm")


class DatabaseError(Exception):
    """Base of what this module raises besides `sqlite3.Error` itself."""


class DurabilityRefused(DatabaseError):
    """SQLite did not take a setting that durability rests on; nothing may be stored here."""


class DatabaseDamaged(DatabaseError):
    """The file is no healthy database. It was left in place and copied aside.

    Attributes:
        path: the damaged file.
        copy: folder with the copies of the file and of its WAL.
    """

    def __init__(self, path: Path, copy: Path, finding: str) -> None:
        super().__init__(f"{path} is damaged ({finding}); a copy is in {copy}")
        self.path = path
        self.copy = copy


class SchemaTooNew(DatabaseError):
    """The file was written by a newer program; an older one must not touch it."""


def open_durable(
    path: Path,
    *,
    migrations: Sequence[Sequence[str]],
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    check_same_thread: bool = True,
) -> sqlite3.Connection:
    """Open or create a database whose every commit is on the disk when it returns.

    The connection is in autocommit mode (``isolation_level=None``): use `immediate` for
    transactions. A new file appears under its name only when it is complete, so an empty file is
    damage, never a beginning.

    Args:
        migrations: statements of each schema version, oldest first; version n is made by the
            first n. Only ever appended to. Before an upgrade the old file is backed up beside
            the database, as ``NAME.vN``.
        busy_timeout_ms: milliseconds, at least 1.
        check_same_thread: False when the caller serialises access itself.

    Raises:
        DurabilityRefused, DatabaseDamaged, SchemaTooNew: see there.
        OSError, sqlite3.OperationalError: disk, permissions, a writer that never ends.
    """
    if busy_timeout_ms < 1:
        raise ValueError("a busy timeout below 1 ms means none")
    if not path.exists():
        if _beside(path, "-wal").exists():
            raise _damaged(path, "the file is gone but its WAL is there")
        _create(path, migrations, busy_timeout_ms)
    path.chmod(_FILE_MODE)
    if path.stat().st_size == 0:
        raise _damaged(path, "the file is empty")
    connection = _connect(path, busy_timeout_ms, check_same_thread)
    try:
        _check(connection, path)
        _migrate(connection, path, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One write transaction: ``BEGIN IMMEDIATE``, then COMMIT, or ROLLBACK on any exception.

    The write lock is taken at once: a deferred transaction that reads first fails with
    SQLITE_BUSY when two writers meet, whatever the busy timeout.

    Raises:
        sqlite3.OperationalError: locked for longer than the busy timeout, disk full, or nested.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # SQLite itself rolls back on some errors (disk full); a second ROLLBACK would hide them.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _create(path: Path, migrations: Sequence[Sequence[str]], busy_timeout_ms: int) -> None:
    """Make the whole file under another name, then link it: two creators can't both win."""
    draft = _beside(path, f".new-{secrets.token_hex(4)}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, _FILE_MODE))
    try:
        connection = _connect(draft, busy_timeout_ms, check_same_thread=True)
        try:
            _migrate(connection, draft, migrations)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        for suffix in _SIDE_FILES:
            _beside(draft, suffix).unlink(missing_ok=True)
    sync_folder(path.parent)


def _connect(path: Path, busy_timeout_ms: int, check_same_thread: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=busy_timeout_ms / 1000,
        isolation_level=None,
        check_same_thread=check_same_thread,
    )
    wanted: tuple[tuple[str, str, str | int], ...] = (
        ("busy_timeout", str(busy_timeout_ms), busy_timeout_ms),
        ("journal_mode", "WAL", "wal"),
        ("synchronous", "FULL", 2),
        ("foreign_keys", "ON", 1),
        ("trusted_schema", "OFF", 0),
    )
    try:
        for name, setting, expected in wanted:
            connection.execute(f"PRAGMA {name} = {setting}").fetchall()
            found = connection.execute(f"PRAGMA {name}").fetchone()[0]
            if found != expected:
                raise DurabilityRefused(f"{path}: PRAGMA {name} is {found}, not {expected}")
    except sqlite3.DatabaseError as error:
        connection.close()
        if _is_damage(error):
            raise _damaged(path, _code(error)) from None
        raise
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    try:
        findings = connection.execute("PRAGMA quick_check").fetchall()
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            raise _damaged(path, _code(error)) from None
        raise
    if findings != [("ok",)]:
        # The findings quote page numbers only, but their count is all a caller can use.
        raise _damaged(path, f"quick_check found {len(findings)} faults")


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    # A garbled schema format in the header is only a plain SQLITE_ERROR.
    return (
        _code(error).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
        or str(error) == "unsupported file format"
    )


def _code(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "") or type(error).__name__


def _damaged(path: Path, finding: str) -> DatabaseDamaged:
    """Copy the files aside. The folder's name follows the content, so that repeated starts on
    the same damage don't fill the disk with copies."""
    content = hashlib.sha256()
    present = [_beside(path, s) for s in ("", "-wal") if _beside(path, s).exists()]
    for file in present:
        content.update(file.read_bytes())
    folder = _beside(path, f".damaged-{content.hexdigest()[:12]}")
    folder.mkdir(mode=0o700, exist_ok=True)
    for file in present:
        shutil.copyfile(file, folder / file.name)
    sync_folder(path.parent)
    return DatabaseDamaged(path, folder, finding)


def _migrate(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]]
) -> None:
    newest = len(migrations)
    found = _version(connection)
    if found == newest:
        return
    if found > newest:
        raise SchemaTooNew(f"{path} has schema {found}; this program knows up to {newest}")
    if found > 0:
        _back_up(connection, _beside(path, f".v{found}"))
    with immediate(connection):
        # Another process may have migrated while we waited for the lock.
        for version in range(_version(connection), newest):
            for statement in migrations[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")


def _version(connection: sqlite3.Connection) -> int:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    assert isinstance(version, int)
    return version


def _back_up(connection: sqlite3.Connection, target: Path) -> None:
    draft = _beside(target, ".part")
    draft.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(draft),))
    draft.chmod(_FILE_MODE)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
    sync_folder(target.parent)
