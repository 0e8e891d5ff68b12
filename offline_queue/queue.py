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
from functools import partial
from pathlib import Path

from offline_queue import chain, inspection, transitions
from offline_queue.access import settling
from offline_queue.damage.losses import SalvageReport
from offline_queue.damage.recovery import told
from offline_queue.desk import Desk
from offline_queue.errors import KeyConflict, RowForged
from offline_queue.file_time import QueueClock
from offline_queue.message import (
    Claim,
    Enqueued,
    Metrics,
    Priority,
    QueueLimits,
    Row,
    State,
    Trust,
    check_id,
    check_receipt,
    check_word,
)
from offline_queue.queue_file import QueueFile
from offline_queue.room import Admission, Room
from offline_queue.seal import Header
from offline_queue.space import BallastEvent, unheard

_log = logging.getLogger(__name__)

_LIMITS = QueueLimits()

_PURGED_AT_ONCE = 500
"""Rows deleted in one transaction, so that an enqueue never waits long for a purge."""

EXPIRED = "expired"
"""The reason of a row that was not delivered in its time."""

MAIN_LANE = "main"


class Queue:
    """One file of messages. Safe to call from several threads, and to open in several processes.

    A file that is found damaged is copied aside and salvaged, and `salvage` tells of it.

    Every method may raise `QueueUnavailable`: then nothing was changed.

    Attributes:
        desk: what people and their tools do with single rows and with the whole file.

    Args:
        device_key: 16 bytes; the file's own keys are wrapped by it (`offline_queue.key_ring`).
        random: gives 0 <= x < 1 for the jitter of the backoff.
        random_bytes: gives keys and nonces.
        boot: names this start of the machine; the kernel's name by default.
        ballast_told: hears what becomes of the ballast; it must not use the queue.

    Raises:
        offline_queue.database.DatabaseError: the file is of a newer program, or its disk cannot
            keep anything, or it is damaged while another process has it open.
        KeysWrong: the file was sealed under another device key.
        QueueUnavailable: the disk is full or another process holds the file.
        OSError: the folder.
    """

    def __init__(
        self,
        path: Path,
        device_key: bytes,
        clock: QueueClock,
        *,
        limits: QueueLimits = _LIMITS,
        random: Callable[[], float] = random_module.random,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        boot: str | None = None,
        ballast_told: Callable[[BallastEvent], None] = unheard,
    ) -> None:
        self._limits = limits
        self._random = random
        self._file = QueueFile(path, device_key, clock, limits, random_bytes, boot, ballast_told)
        self._access, self._time = self._file.access, self._file.time
        self.desk = Desk(self._file)

    def enqueue(
        self,
        kind: str,
        body: bytes,
        *,
        key: str,
        lane: str = MAIN_LANE,
        order: str = "",
        priority: Priority = Priority.NORMAL,
        expires_after: float | None = None,
        mark: tuple[str, int] | None = None,
        admission: Admission = Admission.ORDINARY,
    ) -> Enqueued:
        """Store a message. On the disk when it returns.

        The same key with the same kind and body again stores nothing.

        Args:
            kind, key: 1..64 visible ASCII characters; seen by staff. The key is minted once for
                an effect and sent with every delivery.
            lane: by which way it is delivered; a lane that fails rests alone.
            order: messages with the same one are delivered one after the other as enqueued. The
                file holds a tag of it, never the text.
            expires_after: seconds; what is not delivered by then is dead, with the reason
                `EXPIRED`.
            mark: name and value of a cursor that moves forward in the same transaction.
            admission: how much it matters when room is short.

        Raises:
            KeyConflict, QueueFull, SpaceExhausted: see there.
            RowForged: the row that has this key already was changed.
            ValueError: a word or the body is too long, or a word holds a long number.
        """
        check_word("kind", kind)
        check_id("key", key)
        check_word("lane", lane)
        if order:
            check_id("order", order)
            order = self._file.ring.order_tag(order)
        if mark is not None:
            check_word("mark", mark[0])
        if len(body) > self._limits.body_bytes:
            raise ValueError(f"a body has at most {self._limits.body_bytes} bytes")
        self._access.admit(admission)
        with self._access.writing as connection:
            if mark is not None:
                transitions.move_mark(connection, *mark)
            stamp = self._time.stamp()
            expires = None if expires_after is None else stamp.created + int(expires_after * 1000)
            seq = self._file.next_seq(connection)
            header = Header(seq, kind, key, lane, order, int(priority), *stamp, expires, None)
            if not self._file.insert(connection, header, body):
                return Enqueued(self._same_message(connection, kind, key, body), fresh=False)
        self._file.stored(lane)
        return Enqueued(seq, fresh=True)

    def mark(self, name: str) -> int | None:
        """Where the cursor stands that `enqueue` moves; None before the first."""
        with self._access.reading() as connection:
            return inspection.mark(connection, name)

    @settling
    def claim(self, owner: str) -> Claim | None:
        """Lease the first row that can be delivered now: by priority and age, then the oldest.

        Of rows with the same order only the oldest unsettled one can be claimed; lanes that rest
        are passed over. A row whose seal does not hold, or whose time is over, is buried on the
        way, and the next one is taken.

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
                header = leased.row.header
                claim = partial(
                    Claim,
                    header.seq,
                    header.kind,
                    header.key,
                    lane=header.lane,
                    order=header.order,
                    attempts=leased.attempts,
                    epoch=leased.epoch,
                    unsure=leased.unsure,
                )
                try:
                    body = self._file.ring.open(connection, *leased.row)
                except RowForged as forged:
                    self._bury_forged(connection, claim(body=b""), now, forged.reason)
                    continue
                if header.expires is None or header.expires > now:
                    return claim(body=body)
                transitions.bury(connection, claim(body=b""), now, EXPIRED)
        return None

    @settling
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
            transitions.recover(connection, claim.lane)

    @settling
    def bury(self, claim: Claim, reason: str) -> None:
        """Commit that the row is never delivered. It stays for staff, with the reason.

        Raises:
            LeaseLost: see there.
            ValueError: the reason is no short word.
        """
        check_word("reason", reason)
        with self._access.writing as connection:
            transitions.bury(connection, claim, self._time.now(), reason)

    @settling
    def retry(
        self,
        claim: Claim,
        reason: str,
        *,
        after: float | None = None,
        unsure: bool = False,
        lane_failed: bool = False,
    ) -> None:
        """Let the row wait: any time up to a limit that doubles with every attempt (full jitter).

        Args:
            after: seconds that the other side asked for (Retry-After); the wait is no shorter,
                as far as the limits allow.
            unsure: it went out, and may have arrived.
            lane_failed: nothing would get through now. After some of these in a row the lane
                rests (circuit breaker); a confirmation sets it right.

        Raises:
            LeaseLost: see there.
            ValueError: the reason is no short word.
        """
        check_word("reason", reason)
        asked = min(after or 0, self._limits.after_cap)
        with self._access.writing as connection:
            now = self._time.shared(connection)
            due = now + int(max(self._backoff(claim.attempts), asked) * 1000)
            transitions.wait(connection, claim, due, reason, unsure=unsure)
            if lane_failed:
                over = transitions.failures(connection, claim.lane) + 1
                over -= self._limits.breaker_failures
                until = 0 if over < 0 else now + int(max(self._backoff(over), asked) * 1000)
                transitions.rest(connection, claim.lane, until, reason)
            self._time.record(connection, now)

    @settling
    def release(self, claim: Claim) -> None:
        """Give the row back as it was: nothing was sent.

        Raises:
            LeaseLost: see there.
        """
        with self._access.writing as connection:
            transitions.release(connection, claim)

    @settling
    def pause(self, lane: str, reason: str, seconds: float) -> None:
        """Claim nothing of a lane for some time: the other side does not let us in.

        Raises:
            ValueError: the reason is no short word.
        """
        check_word("reason", reason)
        with self._access.writing as connection:
            until = self._time.shared(connection) + int(seconds * 1000)
            transitions.rest(connection, lane, until, reason)

    @settling
    def hurry(self) -> int:
        """Make every waiting row due now, and every lane open; returns how many rows waited."""
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

    def room(self) -> Room:
        """How full the file and its disk are, and what is admitted."""
        return self._access.room()

    def rows(
        self, state: State | None = None, limit: int = 100, *, after: int = 0
    ) -> tuple[Row, ...]:
        """Rows behind the number ``after``, of one state or of all, without their bodies."""
        with self._access.reading() as connection:
            now = self._time.shared(connection)
            return inspection.rows(connection, now, state=state, after=after, limit=limit)

    @settling
    def purge(self) -> int:
        """Delete the rows that were confirmed longer ago than the retention, and the keys that no
        row needs any more; returns how many rows."""
        total = 0
        while True:
            with self._access.writing as connection:
                before = self._time.shared(connection) - int(self._limits.retention_seconds * 1000)
                left = transitions.purge(connection, before, _PURGED_AT_ONCE)
                chain.add_ranges(connection, self._file.ring, left)
                if len(left) < _PURGED_AT_ONCE:
                    self._file.ring.drop(connection, transitions.unused_keys(connection))
            total += len(left)
            if len(left) < _PURGED_AT_ONCE:
                break
        self._file.keep_keys()
        return total

    def learn_time(self, ahead: float) -> Trust:
        """The other side's clock is so many seconds ahead of ours; returns what is known of ours
        from now on."""
        return self._time.learn(ahead)

    @property
    def salvage(self) -> SalvageReport | None:
        """What became of the damaged file that was here before, until `salvage_told`."""
        return self._file.salvage

    def salvage_told(self) -> None:
        """Somebody who can act knows of the salvage.

        Raises:
            OSError: the disk.
        """
        told(self._file.path)
        self._file.salvage = None

    def close(self) -> None:
        """Close the file. What is leased stays so until the lease runs out."""
        self._access.close()

    def _backoff(self, attempts: int) -> float:
        limits = self._limits
        # After 32 doublings any cap is reached, and the power stays a small number.
        ceiling = min(limits.backoff_cap, limits.backoff_first * 2 ** min(attempts, 32))
        return float(self._random() * ceiling)

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
        assert row is not None
        if self._file.ring.open(connection, *row) != body or row.header.kind != kind:
            raise KeyConflict("the key stands for another message")
        return row.header.seq
