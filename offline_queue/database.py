"""SQLite files that survive power cuts: opened strictly, checked, migrated forward only.

Every pragma that durability rests on is set and read back, because SQLite ignores what it can't
do (WAL on a network folder, for example) without a word.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from offline_queue.damage.aside import beside, copy_aside, untouched
from offline_queue.damage.pages import PAGE_SIZE
from offline_queue.damage.wal import hides_commits
from offline_queue.durable import sync_folder

BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for another process's transaction."""

BACKUPS = 3
"""So many files from before an upgrade stay, the newest."""

_FILE_MODE = 0o600
_SIDE_FILES = ("", "-wal", "-shm")

_HEADER_ERRORS = (
    "unsupported file format",
    "attached databases must use the same text encoding as main database",
)
"""What is only a plain SQLITE_ERROR."""

MOST_VERSIONS = 1_000
"""A greater number in the file's header is none that a program wrote."""


class DatabaseError(Exception):
    """Base of what this module raises besides `sqlite3.Error` itself."""


class DurabilityRefused(DatabaseError):
    """SQLite did not take a setting that durability rests on; nothing may be stored here."""


class DatabaseDamaged(DatabaseError):
    """The file is no healthy database. It was left in place and copied aside.

    Attributes:
        path: the damaged file.
        copy: folder with the copies of the file and of its WAL.
        finding: what is wrong with it.
    """

    def __init__(self, path: Path, copy: Path, finding: str) -> None:
        super().__init__(f"{path} is damaged ({finding}); a copy is in {copy}")
        self.path = path
        self.copy = copy
        self.finding = finding


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
            the database, as ``NAME.vN`` (``NAME.vN-2`` when that is there from another run).
        busy_timeout_ms: milliseconds, at least 1.
        check_same_thread: False when the caller serialises access itself.

    Raises:
        DurabilityRefused, DatabaseDamaged, SchemaTooNew: see there.
        OSError, sqlite3.OperationalError: disk, permissions, a writer that never ends.
    """
    if busy_timeout_ms < 1:
        raise ValueError("a busy timeout below 1 ms means none")
    if not path.exists():
        if beside(path, "-wal").exists():
            raise _damaged(path, "the file is gone but its WAL is there")
        _create(path, migrations, busy_timeout_ms)
    path.chmod(_FILE_MODE)
    if path.stat().st_size == 0:
        raise _damaged(path, "the file is empty")
    if path.stat().st_size % PAGE_SIZE and not beside(path, "-wal").exists():
        # SQLite takes the missing bytes for zeros.
        raise _damaged(path, "the file ends within a page")
    if hides_commits(beside(path, "-wal"), PAGE_SIZE):
        raise _damaged(path, "committed frames of the WAL stand behind a damaged one")
    connection = _connect(path, busy_timeout_ms, check_same_thread)
    try:
        _check(connection, path)
        _migrate(connection, path, migrations)
    except DatabaseDamaged:
        with untouched(path):
            connection.close()
        raise
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


def _create(path: Path, migrations: Sequence[Sequence[str]], busy_timeout_ms: int) -> None:
    """Make the whole file under another name, then link it: two creators can't both win."""
    draft = beside(path, f".new-{secrets.token_hex(4)}")
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
            beside(draft, suffix).unlink(missing_ok=True)
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
        # Of a new file; salvage must know it when nothing of the header is left.
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        for name, setting, expected in wanted:
            connection.execute(f"PRAGMA {name} = {setting}").fetchall()
            found = connection.execute(f"PRAGMA {name}").fetchone()[0]
            if found != expected:
                raise DurabilityRefused(f"{path}: PRAGMA {name} is {found}, not {expected}")
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if _is_damage(error):
            damaged = _damaged(path, _code(error))
            with untouched(path):
                connection.close()
            raise damaged from None
        connection.close()
        raise
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    try:
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        findings = connection.execute("PRAGMA quick_check").fetchall()
        _touch_header(connection)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if _is_damage(error):
            raise _damaged(path, _code(error)) from None
        raise
    if page_size != PAGE_SIZE:
        raise _damaged(path, f"pages of {page_size} bytes")
    if findings != [("ok",)]:
        # The findings quote page numbers only, but their count is all a caller can use.
        raise _damaged(path, f"quick_check found {len(findings)} faults")


def _touch_header(connection: sqlite3.Connection) -> None:
    """Find now what SQLite notices later: a format that may only be read, another encoding."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(f"PRAGMA user_version = {_version(connection)}")
    finally:
        connection.execute("ROLLBACK")
    connection.execute("PRAGMA writable_schema = RESET")
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()


def _is_damage(error: sqlite3.DatabaseError | UnicodeDecodeError) -> bool:
    # What SQLite says of a garbled schema quotes it, and then is no text.
    if isinstance(error, UnicodeDecodeError):
        return True
    damage = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_READONLY")
    return _code(error).startswith(damage) or str(error) in _HEADER_ERRORS


def _code(error: Exception) -> str:
    return getattr(error, "sqlite_errorname", "") or type(error).__name__


def _damaged(path: Path, finding: str) -> DatabaseDamaged:
    return DatabaseDamaged(path, copy_aside(path), finding)


def _migrate(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]]
) -> None:
    newest = len(migrations)
    found = _version(connection)
    if found == newest:
        return
    _check_version(connection, path, migrations)
    if found > newest:
        raise SchemaTooNew(f"{path} has schema {found}; this program knows up to {newest}")
    if found > 0:
        _back_up(connection, path, found)
    with immediate(connection):
        # Another process may have migrated while we waited for the lock.
        for version in range(_version(connection), newest):
            for statement in migrations[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")


def _check_version(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]]
) -> None:
    """The number is four bytes of the header that nothing protects: the tables must agree."""
    found = _version(connection)
    if not 0 <= found <= MOST_VERSIONS:
        raise _damaged(path, f"{found} is no version of a schema")
    names = _names(connection)
    with contextlib.closing(sqlite3.connect(":memory:")) as model:
        for version, statements in enumerate(migrations, 1):
            before = _names(model)
            for statement in statements:
                model.execute(statement)
            added = _names(model) - before
            if version > found and added and added <= names:
                raise _damaged(path, f"the tables are of schema {version}, not {found}")


def _names(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}


def _version(connection: sqlite3.Connection) -> int:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    assert isinstance(version, int)
    return version


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> None:
    draft = beside(path, ".backup-part")
    draft.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(draft),))
    draft.chmod(_FILE_MODE)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    kept = _backups(path)
    runs = [run for older, run, _file in kept if older == version]
    name = f".v{version}" + (f"-{max(runs) + 1}" if runs else "")
    draft.rename(beside(path, name))
    for _of, _run, backup in _backups(path)[:-BACKUPS]:
        backup.unlink()
    sync_folder(path.parent)


def _backups(path: Path) -> list[tuple[int, int, Path]]:
    """Version, run and name of each, the oldest first."""
    form = re.compile(re.escape(path.name) + r"\.v([0-9]+)(?:-([0-9]+))?")
    found = ((form.fullmatch(file.name), file) for file in path.parent.iterdir())
    return sorted((int(m[1]), int(m[2] or 1), file) for m, file in found if m is not None)
