"""An open file of messages: the connection, the keys, the time, and how a row gets in."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from offline_queue import chain, spare_keys, transitions, upgrade
from offline_queue.access import Access, settling
from offline_queue.backlog import Backlog
from offline_queue.damage.losses import SalvageReport
from offline_queue.damage.proof import Proof
from offline_queue.damage.recovery import open_recovered
from offline_queue.errors import blame_storage
from offline_queue.file_time import FileTime, QueueClock, boot_id
from offline_queue.key_ring import KeyRing
from offline_queue.message import QueueLimits
from offline_queue.schema import MIGRATIONS
from offline_queue.seal import Header
from offline_queue.space import BallastEvent, Space
from offline_queue.transitions import Newest, SealedRow


class QueueFile:
    """What `offline_queue.queue` and `offline_queue.desk` share. See `Queue` for the arguments and
    the errors.

    Attributes:
        access: the connection, for reading and for write transactions.
        ring: the file's keys.
        time: the file's time.
        salvage: what became of the damaged file that was here before, until somebody was told.
    """

    def __init__(
        self,
        path: Path,
        device_key: bytes,
        clock: QueueClock,
        limits: QueueLimits,
        random_bytes: Callable[[int], bytes],
        boot: str | None,
        ballast_told: Callable[[BallastEvent], None],
    ) -> None:
        self.path = path
        self.limits = limits
        self._backlog = Backlog(limits.open_rows)
        self._lanes: set[str] = set()
        # Where the next row goes on: known while nobody else writes, not known within `insert`.
        self._newest: Newest | None = None
        self._stored: Newest | None = None
        self._data_version = 0
        self.salvage: SalvageReport | None = None

        def proof(salvaged: sqlite3.Connection) -> Proof:
            spare_keys.fill(path, salvaged)
            return Proof(salvaged, device_key)

        def open_file() -> sqlite3.Connection:
            connection, self.salvage = open_recovered(
                path,
                migrations=MIGRATIONS,
                keyring=proof,
                busy_timeout_ms=limits.busy_timeout_ms,
                check_same_thread=False,
            )
            return connection

        space = Space(path, limits.space, ballast_told)
        try:
            connection = space.open(open_file)
        except sqlite3.Error as error:
            blame_storage(error)
            raise
        self.access = self._access = Access(connection, space)
        try:
            self.ring = self._set_right(device_key, random_bytes)
            self.keep_keys()
            with self.access.reading():
                self.time = FileTime(
                    clock,
                    connection,
                    boot=boot_id() if boot is None else boot,
                    tolerance=limits.clock_tolerance,
                )
        except BaseException:
            self.access.close()
            raise

    @settling
    def _set_right(self, device_key: bytes, random_bytes: Callable[[int], bytes]) -> KeyRing:
        with self.access.writing as connection:
            ring = _open_ring(connection, device_key, random_bytes)
            if self.salvage is not None:
                chain.add_losses(connection, ring, (*self.salvage.lost, *self.salvage.unprovable))
            transitions.free_strays(connection)
            transitions.find_lanes(connection)
        return ring

    def keep_keys(self) -> None:
        """The file's keys were changed: so is their copy."""
        with self.access.reading() as connection:
            spare_keys.keep(self.path, connection)

    def next_seq(self, connection: sqlite3.Connection) -> int:
        """The number of the next row; within the transaction that stores it."""
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if self._newest is None or version != self._data_version:
            # Another process has written since.
            self._data_version = version
            self._newest = transitions.newest(connection)
            self.ring.follow(connection, self._newest.key_version)
        return self._newest.seq + 1

    def insert(self, connection: sqlite3.Connection, header: Header, body: bytes) -> bool:
        """Seal and link a row with the number `next_seq`; `stored` is called when the transaction
        was committed. False, and nothing stored, when its key is there already.

        Raises:
            QueueFull: see there.
        """
        assert self._newest is not None
        last, self._newest = self._newest.chain, None
        if header.lane not in self._lanes:
            transitions.add_lane(connection, header.lane)
        data, sealed = self.ring.seal(header, body)
        row = SealedRow(header, self.ring.current, sealed)
        value = chain.link(last, data, sealed)
        if not transitions.insert(connection, row, value):
            return False
        self._backlog.add(connection)
        self._stored = Newest(header.seq, value, self.ring.current)
        return True

    def stored(self, lane: str) -> None:
        """The transaction of `insert` was committed."""
        self._lanes.add(lane)
        self._newest = self._stored


def _open_ring(
    connection: sqlite3.Connection, device_key: bytes, random_bytes: Callable[[int], bytes]
) -> KeyRing:
    """The file's keys; what schema version 1 left is finished with them."""
    if not upgrade.is_open(connection):
        return KeyRing(connection, device_key, random_bytes)
    upgrade.prove_key(connection, device_key)
    ring = KeyRing(connection, device_key, random_bytes)
    upgrade.finish(connection, ring, device_key)
    return ring
