"""The two databases that the platform runs on: an SQLite file, or PostgreSQL.

What differs between them is in this module; everything else speaks to both alike.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, assert_never

from sqlalchemy import Connection, Engine, create_engine, event, func, literal, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from hw_sim.platform.model import Base

_LOCK_SECONDS = 30
_CONNECTIONS = 20
"""Of one process to PostgreSQL, whose server allows 100 by default; more handlers than these wait
for one."""


class UnusableDatabase(Exception):
    """A database that this program cannot serve; the text says why, without a password."""


class _Dialect(Enum):
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


def _dialect(bind: Engine | Connection) -> _Dialect:
    return _Dialect(bind.dialect.name)


def engine_for(database: Path | str) -> Engine:
    """An engine for a file of SQLite, or for ``postgresql://[user[:password]@]host[:port]/name``.

    A file that isn't there is made. Text without ``://`` is the name of a file.

    Raises:
        UnusableDatabase: the URL is none, or of another database; the file cannot be made.
    """
    if isinstance(database, Path) or "://" not in database:
        return _sqlite_engine(Path(database))
    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        # The error's own text holds the URL, and with it a password.
        raise UnusableDatabase("the database's URL cannot be read") from None
    if url.get_backend_name() != _Dialect.POSTGRESQL.value:
        raise UnusableDatabase("the database is a file of SQLite, or postgresql://...")
    # hide_parameters: an SQL error must not carry residents' data into a log.
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_size=_CONNECTIONS,
        max_overflow=0,
        # No ping before each use, a round trip more: after a restart of the server one request is
        # told to come again, and all connections are made anew.
        pool_timeout=_LOCK_SECONDS,
    )


def _sqlite_engine(file: Path) -> Engine:
    try:
        # Readable by its owner only: it holds the platform's key.
        file.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    except OSError as error:
        raise UnusableDatabase(f"the database cannot be opened: {error.strerror}") from None
    engine = create_engine(
        f"sqlite:///{file}", hide_parameters=True, connect_args={"timeout": _LOCK_SECONDS}
    )
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


@contextmanager
def exclusive(engine: Engine) -> Iterator[Connection]:
    """A transaction for the schema: whole or not at all, and one at a time over all processes.

    Raises:
        UnusableDatabase: the database cannot be reached.
    """
    try:
        connecting = engine.connect()
    except OperationalError as error:
        raise UnusableDatabase(f"the database cannot be opened: {error.orig}") from None
    with connecting as connection, connection.begin():
        match _dialect(connection):
            case _Dialect.SQLITE:
                # Python's driver would begin with the first row written, after the tables.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            case _Dialect.POSTGRESQL:
                connection.execute(select(func.pg_advisory_xact_lock(_number("schema"))))
            case impossible:
                assert_never(impossible)
        yield connection


def claimed(session: Session, name: str) -> bool:
    """Whether this transaction got ``name`` for itself, until its end; doesn't wait.

    SQLite knows no such lock and always says yes: there a process keeps its own list, and of two
    processes a UNIQUE constraint lets one commit.
    """
    bind = session.connection()
    match _dialect(bind):
        case _Dialect.SQLITE:
            return True
        case _Dialect.POSTGRESQL:
            return bool(bind.scalar(select(func.pg_try_advisory_xact_lock(_number(name)))))
        case impossible:
            assert_never(impossible)


def alone(session: Session, name: str) -> None:
    """Wait until no other transaction is at ``name``; what it committed is seen from then on.

    On SQLite the caller must have written before: that took the one lock that there is.
    """
    bind = session.connection()
    match _dialect(bind):
        case _Dialect.SQLITE:
            return
        case _Dialect.POSTGRESQL:
            bind.execute(select(func.pg_advisory_xact_lock(_number(name))))
        case impossible:
            assert_never(impossible)


def insert_new(session: Session, table: type[Base], **values: Any) -> bool:
    """Insert a row unless its primary key, or another unique value of it, is there; whether it was
    inserted. One that another transaction is about to commit is waited for."""
    bind = session.connection()
    inserting: sqlite.Insert | postgresql.Insert
    match _dialect(bind):
        case _Dialect.SQLITE:
            inserting = sqlite.insert(table).on_conflict_do_nothing()
        case _Dialect.POSTGRESQL:
            inserting = postgresql.insert(table).on_conflict_do_nothing()
        case impossible:
            assert_never(impossible)
    inserted = inserting.values(**values).returning(literal(True))
    return bind.scalar(inserted) is not None


def close(engine: Engine) -> None:
    """Close all connections; what SQLite has beside the file, in its log, goes into the file."""
    if _dialect(engine) is _Dialect.SQLITE:
        with engine.connect() as connection:
            # Passive: waits for nobody who still reads.
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
    engine.dispose()


def _number(name: str) -> int:
    """PostgreSQL names advisory locks by 64 bits."""
    digest = hashlib.new("sm3", b"yikatong " + name.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
