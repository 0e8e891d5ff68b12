"""What taking and finishing an item costs when many lie beside it, pending or finished."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from tests.bench.figure import Pairs, paired
from tests.peers.queue_adapters import Adapter, Candidate, Connections

FEW, MANY = 1_000, 50_000

BODY = b"0123456789abcdef" * 64

_ROUNDS = 101
_COUNTED = 9
_WARM = 2

_SAME = 1.5
"""A tree of fifty times as many rows is a level or two deeper; looking through them is fifty."""


class Beside(Enum):
    """What the many rows are."""

    PENDING = "pending"
    FINISHED = "finished"


class Growth(Enum):
    """How SQLite's work for one item changes with the number of rows beside it."""

    SAME = "the same"
    GROWS = "grows with them"

    @classmethod
    def of(cls, ratio: float) -> Growth:
        """Judges a ratio of SQLite's steps."""
        return cls.SAME if ratio < _SAME else cls.GROWS


class Cost(NamedTuple):
    """One candidate with many rows beside it, against itself with few.

    Attributes:
        steps: ratio of the instructions of SQLite's virtual machine, medians; no machine and no
            other load changes it.
        times: milliseconds, `Pairs.mine` with many and `Pairs.theirs` with few.
    """

    steps: float
    times: Pairs

    @property
    def growth(self) -> Growth:
        return Growth.of(self.steps)


def cost(candidate: Candidate, beside: Beside, folder: Path) -> Cost:
    """Fills two queues in new folders and measures them in turn.

    Both without flushing: what a disk needs for that differs from disk to disk, is the same with
    few rows and with many, and would hide the rest.
    """
    with (
        _filled(candidate, beside, folder / "many", MANY) as crowded,
        _filled(candidate, beside, folder / "few", FEW) as empty,
    ):
        steps = crowded.steps() / empty.steps()
        return Cost(steps, paired(crowded.take_done, empty.take_done, _ROUNDS))


class _Queue(NamedTuple):
    adapter: Adapter
    connections: Connections

    def take_done(self) -> None:
        held = self.adapter.take()
        assert held is not None, "the queue ran dry"
        self.adapter.done(held)

    def steps(self) -> float:
        """Median of SQLite's instructions."""
        counts = [self._steps() for _ in range(_COUNTED + _WARM)]
        return statistics.median(counts[_WARM:])

    def _steps(self) -> int:
        count = 0

        def step() -> None:
            nonlocal count
            count += 1

        for connection in self.connections.open():
            connection.set_progress_handler(step, 1)
        self.take_done()
        for connection in self.connections.open():
            connection.set_progress_handler(None, 1)
        return count


@contextlib.contextmanager
def _filled(candidate: Candidate, beside: Beside, folder: Path, rows: int) -> Iterator[_Queue]:
    """A queue with so many rows, and at least enough pending ones to measure with."""
    folder.mkdir(parents=True)
    connections = Connections()
    with connections.watching():
        adapter = candidate.open(folder)
        # Some connections open with their first use.
        adapter.put_done(BODY)
    connections.synchronise("OFF")
    for _ in range(rows):
        if beside is Beside.PENDING:
            adapter.put(BODY)
        else:
            adapter.put_done(BODY)
    if beside is Beside.FINISHED:
        for _ in range(2 * _ROUNDS):
            adapter.put(BODY)
    try:
        yield _Queue(adapter, connections)
    finally:
        adapter.close()
