"""Durable enqueue and delivery, against bare sqlite3 with the very same tables and indexes."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from kiosk.clock import SystemClock
from offline_queue.chain import START, link
from offline_queue.database import immediate, open_durable
from offline_queue.key_ring import KeyRing
from offline_queue.message import State, Trust
from offline_queue.queue import Queue
from offline_queue.schema import MIGRATIONS
from offline_queue.seal import Header
from offline_queue.transitions import SealedRow, insert
from tests.bench.figure import Figure, Pairs, median_ms, often, paired

ROUNDS = 1500
FLAT_ROUNDS = 400
BATCH = 100
RESTARTS = 5
RESTART_LIMIT_MS = 1000
FEW, MANY = 1_000, 100_000
"""Rows between which a claim must cost the same."""

DEVICE_KEY = bytes(range(16))
BODY = bytes(range(256)) * 4
NOW = 1_795_000_000_000
BOOT = "00000000-0000-0000-0000-000000000000"


def figures() -> Iterator[Figure]:
    """Measures on a disk: /tmp is often none."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="yikatong-bench-") as name:
        folder = Path(name)
        queue = Queue(folder / "ours", DEVICE_KEY, SystemClock())
        raw = open_durable(folder / "raw", migrations=MIGRATIONS)
        numbers = iter(range(10**9))

        def enqueue() -> None:
            queue.enqueue("rating", BODY, key=key(next(numbers)))

        pairs = paired(enqueue, _raw_enqueue(raw), ROUNDS)
        yield Figure.of_pairs("queue.enqueue", pairs, "ms", "bare sqlite3 WAL+FULL, same schema")
        yield _sealing(pairs)
        pairs = paired(_claim_ack(queue), _raw_claim_ack(raw), ROUNDS // 2)
        yield Figure.of_pairs("queue.claim_ack", pairs, "ms", "its two bare commits")
        queue.close()
        raw.close()
        for figure, state in (
            ("queue.claim_pending", State.READY),
            ("queue.claim_done", State.CONFIRMED),
        ):
            many = _filled(folder / f"{figure}-many", MANY, state)
            few = _filled(folder / f"{figure}-few", FEW, state)
            # What filling left in the kernel's buffers would be written while we measure.
            os.sync()
            pairs = paired(_claim_ack(many), _claim_ack(few), FLAT_ROUNDS)
            against = f"{MANY:,} rows {state.value} against {FEW:,}"
            yield Figure.of_pairs(figure, pairs, "ms", against)
            many.close()
            few.close()
            if state is State.READY:
                yield _restart(folder / f"{figure}-many")


def _sealing(enqueue: Pairs) -> Figure:
    """What seal and chain take of an enqueue."""
    header = Header(
        1, "rating", key(1), "main", "", 20, NOW, BOOT, 1, NOW, Trust.UNKNOWN.value, None, None
    )
    memory = sqlite3.connect(":memory:")
    memory.execute("CREATE TABLE key_ring (version INTEGER PRIMARY KEY, wrapped BLOB)")
    ring, chain = KeyRing(memory, DEVICE_KEY, os.urandom), START

    def seal() -> None:
        link(chain, *ring.seal(header, BODY))

    one = paired(often(seal, BATCH), lambda: None, 50).mine / BATCH
    return Figure.of("queue.seal", one, "ms", enqueue.mine, "the whole enqueue")


def _restart(path: Path) -> Figure:
    """Opening a large queue: checks and all, against the limit."""

    def restart() -> None:
        Queue(path, DEVICE_KEY, SystemClock()).close()

    took = median_ms(restart, RESTARTS)
    return Figure.of("queue.restart", took, "ms", RESTART_LIMIT_MS, f"limit for {MANY:,} rows")


def key(number: int) -> str:
    """As long as the keys of the field: a terminal id and a UUID."""
    text = f"{number:032x}"
    return f"T429900-0003-{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _raw_enqueue(raw: sqlite3.Connection) -> Callable[[], None]:
    numbers = iter(range(1, 10**9))

    def enqueue() -> None:
        number = next(numbers)
        raw.execute("BEGIN IMMEDIATE")
        raw.execute(
            "INSERT INTO message (seq, kind, key, lane, ordering, priority, created, boot,"
            " monotonic, wall, trust, key_version, rank, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number, "rating", key(number), "main", "", 20, NOW + number, BOOT,
                number, NOW + number, "unknown", 1, NOW + number, "ready",
            ),
        )  # fmt: skip
        raw.execute("INSERT INTO body VALUES (?, ?, ?)", (number, START, BODY))
        raw.execute("COMMIT")

    return enqueue


def _raw_claim_ack(raw: sqlite3.Connection) -> Callable[[], None]:
    def claim_ack() -> None:
        raw.execute("BEGIN IMMEDIATE")
        seq, _key, _body = raw.execute(
            "UPDATE message SET state = 'leased', owner = 'peer', epoch = epoch + 1, due = ?"
            " WHERE seq = (SELECT seq FROM message WHERE state = 'ready' AND due = 0"
            " AND settled IS NULL AND lane = 'main' ORDER BY rank, seq LIMIT 1)"
            " RETURNING seq, key, (SELECT sealed FROM body WHERE body.seq = message.seq)",
            (NOW,),
        ).fetchone()
        raw.execute("COMMIT")
        raw.execute("BEGIN IMMEDIATE")
        raw.execute(
            "UPDATE message SET state = 'confirmed', owner = NULL, due = 0, settled = ?,"
            " receipt = 'r-1' WHERE seq = ?",
            (NOW, seq),
        )
        raw.execute("COMMIT")

    return claim_ack


def _claim_ack(queue: Queue) -> Callable[[], None]:
    def claim_ack() -> None:
        claim = queue.claim("bench")
        if claim is None:
            raise AssertionError("the benchmark's queue ran dry")
        queue.confirm(claim, "r-1")

    return claim_ack


def _filled(path: Path, rows: int, state: State) -> Queue:
    """A queue with so many rows, and at least enough ready ones to measure with."""
    Queue(path, DEVICE_KEY, SystemClock()).close()
    connection = open_durable(path, migrations=MIGRATIONS)
    with immediate(connection):
        ring, chain, words = KeyRing(connection, DEVICE_KEY, os.urandom), START, ("main", "", 20)
        for number in range(1, rows + 1):
            header = Header(
                number, "rating", key(number), *words, NOW, BOOT, number, NOW,
                Trust.UNKNOWN.value, None, None,
            )  # fmt: skip
            data, sealed = ring.seal(header, BODY)
            chain = link(chain, data, sealed)
            insert(connection, SealedRow(header, ring.current, sealed), chain)
        if state is State.CONFIRMED:
            connection.execute(
                "UPDATE message SET state = 'confirmed', settled = ?, receipt = 'r-1'", (NOW,)
            )
    connection.close()
    queue = Queue(path, DEVICE_KEY, SystemClock())
    if state is State.CONFIRMED:
        for number in range(rows + 1, rows + FLAT_ROUNDS + 3):
            queue.enqueue("rating", BODY, key=key(number))
    return queue
