"""What people and their tools do with single rows, and with the file as a whole."""

from __future__ import annotations

import sqlite3

from offline_queue import chain, inspection, transitions
from offline_queue.access import settling
from offline_queue.chain import ChainReport
from offline_queue.errors import KeyConflict, NotDead, RowForged
from offline_queue.message import (
    Enqueued,
    Message,
    Row,
    State,
    Trust,
    check_id,
    check_receipt,
    check_word,
)
from offline_queue.queue_file import QueueFile
from offline_queue.room import Admission
from offline_queue.transitions import SealedRow


class Desk:
    """`Queue.desk`. Every method may raise `QueueUnavailable`: then nothing was changed."""

    def __init__(self, file: QueueFile) -> None:
        self._file = file
        self._access = file.access

    @settling
    def unsettled(self, after: int = 0, most: int = 500) -> tuple[Message, ...]:
        """Rows behind the number ``after`` that are neither confirmed nor dead, in order, for
        another way of delivery. From now on they count as perhaps delivered (`Claim.unsure`).

        A row whose seal does not hold is left out; it is buried when it is claimed.
        """
        with self._access.writing as connection:
            rows = transitions.unsettled(connection, after, most)
            if rows:
                transitions.doubt(connection, rows[0].header.seq, rows[-1].header.seq)
            messages = [self._message(connection, row) for row in rows]
        return tuple(message for message in messages if message is not None)

    def settle(self, key: str, receipt: str) -> bool:
        """Commit that the other side has the message of this key, by whatever way it came;
        False when no such row is unsettled.

        Raises:
            ValueError: the receipt has another form.
        """
        check_receipt(receipt)
        return self._settle(key, State.CONFIRMED, receipt)

    def reject(self, key: str, reason: str) -> bool:
        """Commit that the other side refuses the message of this key for ever; False when no such
        row is unsettled.

        Raises:
            ValueError: the reason is no short word.
        """
        check_word("reason", reason)
        return self._settle(key, State.DEAD, reason)

    def replay(self, seq: int, key: str) -> Enqueued:
        """Enqueue the message of a dead row anew, under another key; both rows name each other.

        Raises:
            NotDead, RowForged, QueueFull, SpaceExhausted: see there.
            KeyConflict: another row has the key.
        """
        check_id("key", key)
        self._access.admit(Admission.CRITICAL)
        with self._access.writing as connection:
            old = transitions.by_seq(connection, seq)
            if old is None or not transitions.decide(connection, seq):
                raise _not_dead(seq)
            body = self._file.ring.open(connection, *old)
            stamp = self._file.time.stamp()
            successor = self._file.next_seq(connection)
            header = old.header._replace(
                seq=successor, key=key, expires=None, replaces=seq, **stamp._asdict()
            )
            if not self._file.insert(connection, header, body):
                raise KeyConflict("the key stands for another message")
            transitions.name_successor(connection, seq, successor)
        self._file.stored(header.lane)
        return Enqueued(successor, fresh=True)

    @settling
    def forget(self, seq: int) -> None:
        """Decide that nothing follows a dead row: it leaves after the retention.

        Raises:
            NotDead: see there.
        """
        with self._access.writing as connection:
            if not transitions.decide(connection, seq):
                raise _not_dead(seq)

    def row(self, seq: int) -> Row | None:
        """One row without its body."""
        with self._access.reading() as connection:
            return inspection.row(connection, self._file.time.shared(connection), seq)

    def body(self, seq: int) -> bytes | None:
        """The body of one row, for somebody who may read it; None when there is no such row.

        Raises:
            RowForged: its seal does not hold.
        """
        with self._access.reading() as connection:
            row = transitions.by_seq(connection, seq)
            return None if row is None else self._file.ring.open(connection, *row)

    def verify(self) -> ChainReport:
        """Walk the whole chain and open every body."""
        with self._access.reading() as connection:
            connection.execute("BEGIN")
            try:
                return chain.verify(connection, self._file.ring)
            finally:
                connection.execute("COMMIT")

    def rotate(self) -> int:
        """Seal by a new key from now on, also in the other processes; its version."""
        with self._access.writing as connection:
            version = self._file.ring.rotate(connection)
        with self._access.reading() as connection:
            self._file.ring.follow(connection, version)
        self._file.keep_keys()
        return version

    def rewrap(self, device_key: bytes) -> None:
        """Wrap the file's keys by another device key. Other processes that have the file open go
        on with the keys that they hold."""
        with self._access.writing as connection:
            ring = self._file.ring.rewrapped(connection, device_key)
        self._file.ring = ring
        self._file.keep_keys()

    @settling
    def _settle(self, key: str, state: State, word: str) -> bool:
        with self._access.writing as connection:
            row = transitions.by_key(connection, key)
            if row is None:
                return False
            return transitions.settle(
                connection, row, self._file.time.shared(connection), state, word
            )

    def _message(self, connection: sqlite3.Connection, row: SealedRow) -> Message | None:
        header = row.header
        try:
            body = self._file.ring.open(connection, *row)
        except RowForged:
            return None
        return Message(
            header.seq, header.kind, header.key, header.lane, header.order,
            header.wall / 1000, Trust(header.trust), body,
        )  # fmt: skip


def _not_dead(seq: int) -> NotDead:
    return NotDead(f"{seq} is no dead row that waits for a decision")
