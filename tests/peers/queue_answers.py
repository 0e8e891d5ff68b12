"""What the scenarios can find out, in the words of docs/queue.md, and the tables of that page."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from tests.peers.queue_adapters import Candidate
from tests.peers.queue_costs import FEW, MANY, Beside, Cost, Growth


class AfterCrash(Enum):
    """When the item of a killed process is given again."""

    AFTER_LEASE = "when its lease has run out"
    AT_OPEN = "when the file is opened next"
    WHEN_ASKED = "when somebody asks for what was taken and not finished"
    NEVER = "not; taking removes it"


class WhileHeld(Enum):
    """What other processes get while the first one works on the only item."""

    NOTHING = "nothing, while the first one works"
    THE_SAME = "the same item"


class LateDone(Enum):
    """What a worker hears who finishes an item after another has taken it over."""

    REFUSED = "refused; the item stays with the other"
    ACCEPTED = "accepted; the item is finished for both"
    NO_OTHER = "nobody else can have it"


class OnDisk(Enum):
    """When what ``put`` returned for is on the disk, by the connection's own settings."""

    AT_ONCE = "before put returns (WAL, synchronous FULL)"
    AT_CHECKPOINT = "at the next checkpoint (WAL, synchronous NORMAL)"
    LEFT_TO_SYSTEM = "when the system writes it (WAL, synchronous OFF)"


class DiskFull(Enum):
    """What a candidate does on a full disk, and when there is room again."""

    SETTLES = "put is refused; what is there can be taken and finished"
    WAITS = "put is refused; the rest can be finished when there is room again"
    LOSES = "something that put returned for is gone"


class FlippedBit(Enum):
    """What becomes of an item one bit of whose body was turned in the file."""

    NOTICED = "noticed, not given"
    GIVEN = "given with the turned bit"


class Answers(NamedTuple):
    """What one candidate answered; `disk_full` is None where no small disk could be mounted."""

    after_crash: AfterCrash
    while_held: WhileHeld
    late_done: LateDone
    on_disk: OnDisk
    disk_full: DiskFull | None
    flipped_bit: FlippedBit
    pending: Growth
    finished: Growth


QUESTIONS = (
    "A worker is killed with an item in hand. It is given again …",
    "Another process looks for an item while a worker has the only one. It gets …",
    "A worker pauses, another takes its item over, then the first one says done. It is …",
    "What `put` returned for is on the disk …",
    "The disk is full.",
    "One bit of a stored body is turned in the file. The item is …",
    f"{MANY:,} items are pending, not {FEW:,}. SQLite's work for one is …",
    f"{MANY:,} items were finished before. SQLite's work for one is …",
)
"""One for each field of `Answers`."""

NOT_TRIED = "not tried: no small disk could be mounted"


def answer_table(answered: Mapping[Candidate, Answers]) -> str:
    """One column a candidate; the same on every machine, for the versions that it names."""
    lines = [
        _line("", *(candidate.label for candidate in answered)),
        _line(*("---" for _ in range(len(answered) + 1))),
    ]
    for number, question in enumerate(QUESTIONS):
        cells = (answers[number] for answers in answered.values())
        lines.append(_line(question, *(NOT_TRIED if c is None else c.value for c in cells)))
    return _marked("answers", lines)


def cost_table(measured: Mapping[Candidate, Mapping[Beside, Cost]]) -> str:
    """One line a candidate; of one machine and one run."""
    lines = [
        _line("", *(f"{MANY:,} {beside.value}: time | SQLite's steps" for beside in Beside)),
        _line(*("---" for _ in range(2 * len(Beside) + 1))),
    ]
    for candidate, costs in measured.items():
        cells = [
            f"{costs[beside].times.mine:.2f} ms, {costs[beside].times.ratio:.2f}x | "
            f"{costs[beside].steps:.2f}x"
            for beside in Beside
        ]
        lines.append(_line(candidate.label, *cells))
    python = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return _marked("costs", [*lines, "", f"Measured with {python}."])


def between_markers(text: str, name: str) -> str:
    """The table of this name in a page, with its markers.

    Raises:
        ValueError: the page has no such markers.
    """
    begin, end = _markers(name)
    return text[text.index(begin) : text.index(end) + len(end)]


def _marked(name: str, lines: list[str]) -> str:
    begin, end = _markers(name)
    return "\n".join((begin, "", *lines, "", end))


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- peers: {name} -->", f"<!-- end of {name} -->"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
