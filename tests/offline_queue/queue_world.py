"""What the queue's tests share: clocks set by hand, keys, and a look past the queue's back."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from offline_queue.chain import link
from offline_queue.database import immediate
from offline_queue.key_ring import KeyRing
from offline_queue.message import Claim, Priority, QueueLimits, Trust
from offline_queue.queue import Queue
from offline_queue.room import SpaceLimits
from offline_queue.seal import Header
from offline_queue.transitions import SealedRow, add_lane, insert, newest

DEVICE_KEY = bytes(range(16))

START = 1_795_000_000.0
"""The wall clock in November 2026."""

LIMITS = QueueLimits(
    open_rows=50,
    body_bytes=2_000,
    lease_seconds=60,
    backoff_first=2,
    backoff_cap=30,
    after_cap=600,
    retention_seconds=1_000,
    busy_timeout_ms=1,
    space=SpaceLimits(ballast_bytes=512 * 1024, wal_bytes=256 * 1024),
)


class HandClock:
    """A monotonic and a wall clock that only move when told."""

    def __init__(self, wall: float = START) -> None:
        self.wall = wall
        self.ticks = 0.0

    def monotonic(self) -> float:
        return self.ticks

    def time(self) -> float:
        return self.wall

    def pass_(self, seconds: float) -> None:
        """Time goes by."""
        self.ticks += seconds
        self.wall += seconds

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self.wall += seconds

    def reboot(self, wall: float) -> None:
        """The machine starts again: the monotonic clock from zero, the wall clock anywhere."""
        self.ticks = 0.0
        self.wall = wall


def open_queue(
    path: Path,
    clock: HandClock | None = None,
    *,
    limits: QueueLimits = LIMITS,
    random: Callable[[], float] = lambda: 0.5,
    key: bytes = DEVICE_KEY,
) -> Queue:
    """A queue in ``path/queue.sqlite``."""
    return Queue(path / "queue.sqlite", key, clock or HandClock(), limits=limits, random=random)


def claimed(queue: Queue, owner: str = "worker") -> Claim:
    """The next row, which must be there."""
    claim = queue.claim(owner)
    assert claim is not None
    return claim


def drain(queue: Queue) -> list[str]:
    """Claim and confirm what is due; the keys in the order of delivery."""
    keys = []
    while (claim := queue.claim("drain")) is not None:
        queue.confirm(claim, "r-1")
        keys.append(claim.key)
    return keys


def body_of(key: str) -> bytes:
    """Another for every key, and now and then longer than a page."""
    return key.encode() * (900 if key.endswith("7") else 1)


def stock(path: Path, keys: Sequence[str], *, order: str = "") -> None:
    """Many rows in one commit, as another process would make them, with `body_of` their keys."""
    with behind_its_back(path) as file, immediate(file):
        ring = KeyRing(file, DEVICE_KEY, secrets.token_bytes)
        before, chain, _ = newest(file)
        add_lane(file, "main")
        tag = ring.order_tag(order) if order else ""
        for seq, key in enumerate(keys, before + 1):
            header = header_of(seq, key, tag)
            data, sealed = ring.seal(header, body_of(key))
            chain = link(chain, data, sealed)
            insert(file, SealedRow(header, ring.current, sealed), chain)


def header_of(seq: int, key: str, order: str = "") -> Header:
    """Of an ordinary row made at `START`."""
    at, trust = int(START * 1000), Trust.UNKNOWN.value
    words = ("rating", key, "main", order)
    return Header(seq, *words, int(Priority.NORMAL), at, "boot", 0, at, trust, None, None)


@contextlib.contextmanager
def behind_its_back(path: Path) -> Iterator[sqlite3.Connection]:
    """The bare file, as somebody with a database tool would change it."""
    connection = sqlite3.connect(path / "queue.sqlite", isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()
