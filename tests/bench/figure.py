"""One measured figure beside the peer or limit that it is measured against."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Figure:
    """A median.

    Attributes:
        unit: ``ms``, ``us``, ``1/s``, ``%`` or ``count``.
        against: the peer's median in the same run, or the limit.
        ratio: value / against, or of pairs the median of their ratios; turned for a rate: below
            1 is better than the peer or within the limit.
        peer: what ``against`` is.
    """

    name: str
    value: float
    unit: str
    against: float
    ratio: float
    peer: str

    @classmethod
    def of(cls, name: str, value: float, unit: str, against: float, peer: str) -> Figure:
        return cls(name, round(value, 4), unit, round(against, 4), round(value / against, 3), peer)

    @classmethod
    def of_pairs(cls, name: str, pairs: Pairs, unit: str, peer: str) -> Figure:
        """What was measured in turn with its peer."""
        mine, theirs = round(pairs.mine, 4), round(pairs.theirs, 4)
        return cls(name, mine, unit, theirs, round(pairs.ratio, 3), peer)

    @classmethod
    def rate(cls, name: str, value: float, against: float, peer: str) -> Figure:
        """Times a second, where more is better: its ratio is turned, so that below 1 stays so."""
        return cls(name, round(value), "1/s", round(against), round(against / value, 3), peer)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def milliseconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def often(work: Callable[[], object], times: int) -> Callable[[], object]:
    """`work` so many times, where one time is too short to be measured."""
    return lambda: [work() for _ in range(times)]


class Pairs(NamedTuple):
    """Medians in ms, and the median of each pair's ratio."""

    mine: float
    theirs: float
    ratio: float


def paired(ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> Pairs:
    """Measures both in every round, now one first, now the other: the machine's drift hits both
    alike, and so does what one leaves behind for the other."""
    for warm in (ours, peer, ours, peer):
        warm()
    lots, mine, theirs = random.Random(1), [], []
    for _ in range(rounds):
        if lots.getrandbits(1):
            mine.append(milliseconds(ours))
            theirs.append(milliseconds(peer))
        else:
            theirs.append(milliseconds(peer))
            mine.append(milliseconds(ours))
    ratios = [one / other for one, other in zip(mine, theirs, strict=True)]
    return Pairs(statistics.median(mine), statistics.median(theirs), statistics.median(ratios))


def median_ms(work: Callable[[], object], rounds: int) -> float:
    """Median in ms after a warm-up."""
    for _ in range(3):
        work()
    return statistics.median(milliseconds(work) for _ in range(rounds))
