"""Queues of bare rows on a tiny disk."""

from __future__ import annotations

import pytest

from offline_queue.room import Admission, Level, SpaceExhausted
from offline_queue.space import BallastEvent
from tests.offline_queue.bare_rows import KIB, BareRows
from tests.offline_queue.tiny_disk import TinyDisk

LEFT = [0, 4 * KIB, 8 * KIB, 16 * KIB, 28 * KIB, 32 * KIB, 36 * KIB, 44 * KIB, 64 * KIB, 124 * KIB]
"""So many bytes are left: none, not one transaction's pages, less and more than the shared memory
of a WAL (32 KiB), some transactions, less and more than a WAL."""


def stocked(disk: TinyDisk, rows: int = 60) -> BareRows:
    """A queue of rows that was just opened: its WAL has no room of its own yet."""
    queue = BareRows(disk.path / "q")
    for _ in range(rows):
        queue.store()
    assert queue.events == [BallastEvent.MADE]
    queue.close()
    queue = BareRows(disk.path / "q")
    assert queue.level() is Level.FREE
    return queue


def confirm_all(queue: BareRows) -> list[int]:
    """The sequences, in order."""
    settled = []
    while (seq := queue.confirm()) is not None:
        settled.append(seq)
    return settled


def refused(queue: BareRows) -> Level:
    """The level that an alarm and an audit line meet as well."""
    levels = set()
    for admission in Admission:
        with pytest.raises(SpaceExhausted) as caught:
            queue.store(admission)
        levels.add(caught.value.room.level)
    (level,) = levels
    return level
