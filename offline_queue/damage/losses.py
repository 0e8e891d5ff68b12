"""What a salvage brought over and what it could not, for staff and for the alarm."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Range = tuple[int, int]
"""First and last sequence, both included."""


@dataclass(frozen=True)
class SalvageReport:
    """The end of a damaged file.

    Attributes:
        finding: what was wrong with it.
        recovered: how many rows are in the new file, by state.
        unsure: so many of them were under way; whether they arrived is not known.
        unprovable: rows that are there in the copy, but whose seal does not hold.
        lost: rows of which nothing is left but their sequence.
        purged: so many left after their confirmation.
        last_seen: the greatest sequence of which there is evidence; 0 without any.
        tail_unknown: newer rows than that may be lost: the damage reaches the file's end.
        kept: the folder with the copies of the damaged file and of its WAL.
        kept_bytes: their size.
    """

    finding: str
    recovered: Mapping[str, int] = field(default_factory=dict)
    unsure: int = 0
    unprovable: tuple[Range, ...] = ()
    lost: tuple[Range, ...] = ()
    purged: int = 0
    last_seen: int = 0
    tail_unknown: bool = True
    kept: str = ""
    kept_bytes: int = 0

    @property
    def rows(self) -> int:
        """Rows in the new file."""
        return sum(self.recovered.values())

    def as_json(self) -> dict[str, object]:
        """The same in plain values."""
        return {
            "finding": self.finding,
            "rows": self.rows,
            "recovered": dict(self.recovered),
            "unsure": self.unsure,
            "unprovable_rows": size(self.unprovable),
            "unprovable": [list(gap) for gap in self.unprovable],
            "lost_rows": size(self.lost),
            "lost": [list(gap) for gap in self.lost],
            "purged": self.purged,
            "last_seen": self.last_seen,
            "tail_unknown": self.tail_unknown,
            "kept": self.kept,
            "kept_bytes": self.kept_bytes,
        }


def from_json(text: bytes) -> SalvageReport:
    """A report that was stored.

    Raises:
        ValueError: it is none.
    """
    try:
        found = json.loads(text)
        return SalvageReport(
            finding=found["finding"],
            recovered=found["recovered"],
            unsure=found["unsure"],
            unprovable=tuple((first, last) for first, last in found["unprovable"]),
            lost=tuple((first, last) for first, last in found["lost"]),
            purged=found["purged"],
            last_seen=found["last_seen"],
            tail_unknown=found["tail_unknown"],
            kept=found["kept"],
            kept_bytes=found["kept_bytes"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not the report of a salvage") from error


def size(ranges: Iterable[Range]) -> int:
    """How many sequences."""
    return sum(last - first + 1 for first, last in ranges)


def as_ranges(numbers: Iterable[int]) -> tuple[Range, ...]:
    """Rising numbers, each once, as ranges."""
    ranges: list[Range] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)


def gaps(present: Sequence[Range], last: int) -> Iterator[Range]:
    """The ranges between 1 and ``last`` that no other covers; ``present`` may overlap."""
    after = 1
    for first, end in sorted(present):
        if first > last:
            break
        if first > after:
            yield after, first - 1
        after = max(after, end + 1)
    if after <= last:
        yield after, last
