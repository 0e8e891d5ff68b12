"""A durable queue of sealed messages that are delivered at least once, each under its own key.

What `Queue.enqueue` has returned for is on the disk. A worker claims a row, delivers it with its
key, and confirms it with the receipt; the other side tells repeats by the key, so the effect is
once. A worker that dies loses its lease, and one that comes late settles nothing.
"""

from __future__ import annotations

import logging
import random as random_module
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

from offline_queue import inspection, transitions
from offline_queue.access import Access
from offline_queue.backlog import Backlog
from offline_queue.database import open_durable
from offline_queue.errors import KeyConflict, KeysWrong, RowForged, blame_storage
from offline_queue.file_time import FileTime, QueueClock
from offline_queue.message import (
    Claim,
    Enqueued,
    Metrics,
    Priority,
    QueueLimits,
    Row,
    State,
    check_id,
    check_receipt,
    check_word,
)
from offline_queue.schema import MIGRATIONS
from offline_queue.seal import NONCE_SIZE, Header, SealKeys
from offline_queue.transitions import SealedRow

_log = logging.getLogger(__name__)

_PROOF = Header(seq=0, kind="key-proof", key="", order="", priority=0, created=0)

_LIMITS = QueueLimits()

_PURGED_AT_ONCE = 500
"""Rows deleted in one transaction, so that an enqueue never waits long for a purge."""


class Queue:
    """One file of messages. Safe to call from several threads, and to open in several processes.

    Every method may raise `QueueUnavailable`: then nothing was changed.

    Args:
        random: gives 0 <= x < 1 for the jitter of the backoff.
        random_bytes: gives nonces.

    Raises:
        offline_queue.database.DatabaseError: the file cannot be trusted.
        KeysWrong: the file was sealed with other keys.
        QueueUnavailable: the disk is full or another process holds the file.
        OSError: the folder.
    """

    def __init__(
        self,
        path: Path,
        keys: SealKeys,
        clock: QueueClock,
        *,
        limits: QueueLimits = _LIMITS,
        random: Callable[[], float] = random_module.random,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._keys = keys
        self._limits = limits
        self._random = random
        self._random_bytes = random_bytes
        self._backlog = Backlog(limits.open_rows)
        try:
            connection = open_durable(
                path,
                migrations=MIGRATIONS,
                busy_timeout_ms=limits.busy_timeout_ms,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            blame_storage(error)
            raise
        self._access = Access(connection)
        try:
            with self._access.writing:
                self._prove_keys(connection)
                transitions.free_strays(connection)
                self._time = FileTime(clock, connection)
        except BaseException:
            self._access.close()
            raise

    def enqueue(
        self,
        kind: str,
        body: bytes,
        *,
        key: str,
        order: str = "",
        priority: Priority = Priority.NORMAL,
        mark: tuple[str, int] | None = None,
    ) -> Enqueued:
        """Store a message. On the disk when it returns.

        The same key with the same kind and body again stores nothing.

        Args:
            kind, key: 1..64 visible ASCII characters; seen by staff. The key is minted once for
                an effect and sent with every delivery.
            order: messages with the same one are delivered one after the other as enqueued.
            mark: name and value of a cursor that moves forward in the same transaction.

        Raises:
            KeyConflict, QueueFull: see there.
            RowForged: the row that has this key already was changed.
            ValueError: a word or the body is too long, or a word holds a long number.
        """
        check_word("kind", kind)
        check_id("key", key)
        if order:
            check_id("order", order)
        if mark is not None:
            check_word("mark", mark[0])
        if len(body) > self._limits.body_bytes:
            raise ValueError(f"a body has at most {self._limits.body_bytes} bytes")
        with self._access.writing as connection:
            if mark is not None:
                transitions.move_mark(connection, *mark)
            seq = transitions.next_seq(connection)
            header = Header(seq, kind, key, order, int(priority), self._time.now())
            sealed = self._keys.seal(header, body, self._random_bytes(NONCE_SIZE))
            row = SealedRow(header, self._keys.current, sealed)
            if not transitions.insert(connection, row):
                return Enqueued(self._same_message(connection, kind, key, body), fresh=False)
            self._backlog.add(connection)
        return Enqueued(seq, fresh=True)

    def mark(self, name: str) -> int | None:
        """Where the cursor stands that `enqueue` moves; None before the first."""
        with self._access.reading() as connection:
            return inspection.mark(connection, name)

    def claim(self, owner: str) -> Claim | None:
        """Lease the first row that can be delivered now: by priority, then the oldest.

        Of rows with the same order only the oldest unsettled one can be claimed. A row whose
        seal does not hold is buried on the way, and the next one is taken.

        Args:
            owner: names the worker for staff; 1..64 visible ASCII characters.

        Returns:
            None when nothing is due.

        Raises:
            ValueError: the owner is no such word.
        """
        check_word("owner", owner)
        lease = int(self._limits.lease_seconds * 1000)
        with self._access.writing as connection:
            now = self._time.shared(connection)
            while (leased := transitions.lease(connection, owner, now, now + lease)) is not None:
                self._time.record(connection, now)
                row, attempts, epoch = leased
                seq, kind, key, order, *_ = row.header
                try:
                    body = self._keys.open(*row)
                except RowForged as forged:
                    claim = Claim(seq, kind, key, b"", order, attempts, epoch)
                    self._bury_forged(connection, claim, now, forged.reason)
                else:
                    return Claim(seq, kind, key, body, order, attempts, epoch)
        return None

    def confirm(self, claim: Claim, receipt: str) -> None:
        """Commit that the other side has it. On the disk when it returns.

        Args:
            receipt: what the other side answered, 1..256 visible ASCII characters.

        Raises:
            LeaseLost: see there.
            ValueError: the receipt has another form.
        """
        check_receipt(receipt)
        with self._access.writing as connection:
            transitions.confirm(connection, claim, self._time.now(), receipt)

    def bury(self, claim: Claim, reason: str) -> None:
        """Commit that the row is never delivered. It stays for staff, with the reason.

        Raises:
            LeaseLost: see there.
            ValueError: the reason is no short word.
        """
        check_word("reason", reason)
        with self._access.writing as connection:
            transitions.bury(connection, claim, self._time.now(), reason)

    def retry(self, claim: Claim, reason: str, *, after: float | None = None) -> None:
        """Let the row wait: any time up to a limit that doubles with every attempt (full jitter).

        Args:
            after: seconds that the other side asked for (Retry-After); the wait is no shorter,
                as far as the limits allow.

        Raises:
            LeaseLost: see there.
            ValueError: the reason is no short word.
        """
        check_word("reason", reason)
        limits = self._limits
        # After 32 doublings any cap is reached, and the power stays a small number.
        ceiling = min(limits.backoff_cap, limits.backoff_first * 2 ** min(claim.attempts, 32))
        delay = max(self._random() * ceiling, min(after or 0, limits.after_cap))
        with self._access.writing as connection:
            now = self._time.shared(connection)
            transitions.wait(connection, claim, now + int(delay * 1000), reason)
            self._time.record(connection, now)

    def release(self, claim: Claim) -> None:
        """Give the row back as it was: nothing was sent.

        Raises:
            LeaseLost: see there.
        """
        with self._access.writing as connection:
            transitions.release(connection, claim)

    def hurry(self) -> int:
        """Make every waiting row due now; returns how many there were."""
        with self._access.writing as connection:
            return transitions.hurry(connection)

    def next_due(self) -> float | None:
        """Seconds until something can be claimed, 0 for now; None when nothing is left to do.

        A leased row counts with the end of its lease.
        """
        with self._access.reading() as connection:
            due = inspection.first_due(connection)
            now = self._time.shared(connection)
        return None if due is None else max(0, due - now) / 1000

    def metrics(self) -> Metrics:
        """The queue's health now."""
        with self._access.reading() as connection:
            return inspection.metrics(connection, self._time.shared(connection))

    def rows(self, state: State | None = None, limit: int = 100) -> tuple[Row, ...]:
        """The oldest rows, of one state or of all, without their bodies."""
        with self._access.reading() as connection:
            return inspection.rows(connection, state, limit)

    def purge(self) -> int:
        """Delete the rows that were confirmed longer ago than the retention; returns how many."""
        total = 0
        while True:
            with self._access.writing as connection:
                before = self._time.shared(connection) - int(self._limits.retention_seconds * 1000)
                purged = transitions.purge(connection, before, _PURGED_AT_ONCE)
            total += purged
            if purged < _PURGED_AT_ONCE:
                return total

    def close(self) -> None:
        """Close the file. What is leased stays so until the lease runs out."""
        self._access.close()

    def _bury_forged(
        self, connection: sqlite3.Connection, claim: Claim, now: int, reason: str
    ) -> None:
        _log.warning("row %d is never delivered: %s", claim.seq, reason)
        transitions.bury(connection, claim, now, reason)
        # Its order may be forged too, so those behind it are looked for by themselves.
        transitions.free_strays(connection)

    def _same_message(
        self, connection: sqlite3.Connection, kind: str, key: str, body: bytes
    ) -> int:
        """The sequence of the row that has this key already."""
        row = transitions.by_key(connection, key)
        if self._keys.open(*row) != body or row.header.kind != kind:
            raise KeyConflict("the key stands for another message")
        return row.header.seq

    def _prove_keys(self, connection: sqlite3.Connection) -> None:
        """Open what each key sealed when it was new, so that a wrong key buries no rows."""
        proofs = dict(connection.execute("SELECT version, proof FROM seal_key"))
        for version, proof in proofs.items():
            try:
                self._keys.open(_PROOF, version, proof)
            except RowForged as forged:
                raise KeysWrong(f"seal key {version}: {forged.reason}") from None
        if self._keys.current not in proofs:
            proof = self._keys.seal(_PROOF, b"", self._random_bytes(NONCE_SIZE))
            connection.execute("INSERT INTO seal_key VALUES (?, ?)", (self._keys.current, proof))
