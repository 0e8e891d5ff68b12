"""Keeps room back, so that a queue can settle what it has whatever happens to the disk.

Storing is refused long before the disk is full. The ballast is spent only by transactions that
end or shrink something: were it spent on new rows, even such as have a reserve of their own,
nothing would be left to acknowledge them with.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from offline_queue.ballast import Ballast
from offline_queue.database import DurabilityRefused
from offline_queue.room import Admission, Level, Room, SpaceExhausted, SpaceLimits

_log = logging.getLogger(__name__)

_WANT_OF_ROOM = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")
"""Its names: the last when -wal or -shm cannot be made, ``SQLITE_IOERR_SHMSIZE`` when the latter
cannot grow."""

_LOOK_SECONDS = 0.1
"""Between two looks at what is left on a disk that has plenty: from there to where anything is
refused is more than others write in that time."""


class BallastEvent(Enum):
    """What became of the ballast."""

    RELEASED = "released"
    """The disk was full; the queue settles what it has and stores nothing."""
    MADE = "made"
    """It is there, for the first time or again."""
    MISSING = "missing"
    """There is room for it and yet it cannot be made: a full disk will stop the queue."""


def unheard(event: BallastEvent) -> None:
    """Nobody listens."""


class Space:
    """Watches over one database file; the caller serialises access.

    Args:
        tell: hears each change of the ballast, while the caller's lock is held: it notes
            it and must not use the queue.
    """

    def __init__(
        self, path: Path, limits: SpaceLimits, tell: Callable[[BallastEvent], None] = unheard
    ) -> None:
        self._limits = limits
        self._tell_caller = tell
        self._path = path
        self._folder = str(path.parent)
        self._wal = path.with_name(path.name + "-wal")
        self._ballast = Ballast(path, limits.ballast_bytes)
        self._told: BallastEvent | None = None
        self._page = 0
        self._unmeasured = 0
        self._enough = 0
        self._look_again = 0.0

    def open(self, connect: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
        """Open the file by ``connect``, with the ballast's help when the disk is full.

        Raises:
            DurabilityRefused: SQLite did not take a limit.
            sqlite3.Error, OSError: as ``connect`` does.
        """
        while True:
            try:
                connection = self._connect(connect)
                break
            except sqlite3.OperationalError as error:
                # Not even -wal and -shm can be made.
                if not (error.sqlite_errorname.startswith(_WANT_OF_ROOM) and self._release()):
                    raise
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._release():
                    raise
        self.room(connection)
        return connection

    def room(self, connection: sqlite3.Connection) -> Room:
        """Measure; shrink a WAL that takes up others' room, restore the ballast when it fits.

        Called outside of transactions. Microseconds, unless there is something to do.
        """
        room = self.measure(connection)
        if room.level > Level.FREE and room.wal > 2 * self._limits.wal_bytes:
            # A large transaction or a slow reader let it grow, and it would stay so for good:
            # who is refused writes nothing that would begin it anew.
            self._write_back(connection, "TRUNCATE")
            room = self.measure(connection)
        if not room.ballast and room.level < Level.FULL:
            # The ballast is already taken off from what is free, so this does not toss about.
            try:
                self._ballast.make()
            except OSError as error:
                self._tell(BallastEvent.MISSING, f": {error.strerror}")
            else:
                self._tell(BallastEvent.MADE)
                room = self.measure(connection)
        self._unmeasured = self._limits.rows_unmeasured if room.level is Level.FREE else 0
        self._enough = self._disk_free() - room.free + self._limits.warn.free
        return room

    def measure(self, connection: sqlite3.Connection) -> Room:
        """How full it is; nothing is set right."""
        page = self._page or _pragma(connection, "page_size")
        pages = _pragma(connection, "page_count")
        live = (pages - _pragma(connection, "freelist_count")) * page
        try:
            wal = self._wal.stat().st_size
        except FileNotFoundError:
            wal = 0
        owed = max(0, pages * page - self._path.stat().st_size)
        ballast = self._ballast.held() == self._ballast.size
        owed += self._ballast.size - self._ballast.held()
        used, free = live + wal, self._disk_free() - owed
        level = Level.FREE if ballast else Level.WARN
        for reached, mark in self._limits.marks():
            if used >= mark.share * self._limits.max_bytes or free < mark.free:
                level = reached
        return Room(level, used, self._limits.max_bytes, free, wal, ballast)

    def level(self, connection: sqlite3.Connection) -> Level:
        """What is admitted now."""
        return self.room(connection).level

    def has_plenty(self) -> bool:
        """Whether anything is admitted without a measurement; asked for each row, in any thread."""
        if self._unmeasured <= 0:
            return False
        now = time.monotonic()
        if now >= self._look_again:
            if self._disk_free() < self._enough:
                return False
            self._look_again = now + _LOOK_SECONDS
        self._unmeasured -= 1
        return True

    def admit(self, connection: sqlite3.Connection, admission: Admission) -> None:
        """Let a row in; called before the transaction that is to store it, unless `has_plenty`.

        Raises:
            SpaceExhausted: nothing of this kind is admitted now.
        """
        room = self.room(connection)
        if not room.level.admits(admission):
            raise SpaceExhausted(room, admission)

    def make_room(self, connection: sqlite3.Connection, errorname: str, attempt: int) -> bool:
        """Give what there is to a transaction that ends or shrinks something and was rolled back.

        Args:
            errorname: SQLite's name of why.
            attempt: how often it was rolled back before; the first time costs no ballast.

        Returns:
            Whether it is worth one more try.
        """
        if not errorname.startswith(_WANT_OF_ROOM):
            return False
        self._unmeasured = 0
        if attempt > 0 and not self._release():
            return False
        # What the WAL holds goes to its place; then it begins anew in blocks that it has.
        self._write_back(connection, "PASSIVE")
        return True

    def _connect(self, connect: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
        connection = connect()
        try:
            self._set_limits(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _release(self) -> bool:
        disk = os.statvfs(self._folder)
        no_inodes = disk.f_files > 0 and disk.f_favail == 0
        if not no_inodes and self._disk_free() >= self._limits.full.free:
            return False
        released = self._ballast.release()
        if released:
            self._tell(BallastEvent.RELEASED)
        return released

    @staticmethod
    def _write_back(connection: sqlite3.Connection, mode: str) -> None:
        """As far as readers and the disk allow, and at once."""
        patience = _pragma(connection, "busy_timeout")
        connection.execute("PRAGMA busy_timeout = 0").fetchall()
        try:
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
        finally:
            connection.execute(f"PRAGMA busy_timeout = {patience}").fetchall()

    def _disk_free(self) -> int:
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize

    def _set_limits(self, connection: sqlite3.Connection) -> None:
        self._page = _pragma(connection, "page_size")
        wal = max(1, self._limits.wal_bytes // self._page)
        wanted = (
            ("wal_autocheckpoint", wal, wal),
            # Else large sorts and undone statements need room in a folder for temporary files.
            ("temp_store", "MEMORY", 2),
            # FAST: Debian's SQLite overwrites all that is deleted, and a purge would need as much
            # room as it gives back. Only what costs no room is overwritten; it is sealed anyway.
            ("secure_delete", "FAST", 2),
        )
        for name, setting, expected in wanted:
            connection.execute(f"PRAGMA {name} = {setting}").fetchall()
            found = _pragma(connection, name)
            if found != expected:
                raise DurabilityRefused(f"{self._path}: PRAGMA {name} is {found}, not {expected}")
        pages = (self._limits.max_bytes + self._limits.ballast_bytes) // self._page
        connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        found = _pragma(connection, "max_page_count")
        # SQLite takes no limit below what the file has already.
        if found != max(pages, _pragma(connection, "page_count")):
            raise DurabilityRefused(f"{self._path}: PRAGMA max_page_count is {found}")

    def _tell(self, event: BallastEvent, why: str = "") -> None:
        if event is self._told and event is not BallastEvent.MADE:
            return
        self._told = event
        level = logging.INFO if event is BallastEvent.MADE else logging.WARNING
        _log.log(level, "the ballast is %s%s", event.value, why)
        self._tell_caller(event)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value = connection.execute(f"PRAGMA {name}").fetchone()[0]
    assert isinstance(value, int)
    return value
