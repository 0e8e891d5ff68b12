"""One device's part of the hall: what can be asked, typed and pressed about it.

A desk is complete in itself; the hall, the command line and the dock only list them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hw_sim.hall.client import Answer
from hw_sim.hall.questions import Questions


@dataclass(frozen=True)
class Word:
    """A word typed after a command: it becomes the question's member of that name.

    Attributes:
        choices: what may be typed; empty for any text.
        option: typed as ``--name VALUE`` and left out where it is not given.
    """

    name: str
    words: str
    choices: tuple[str, ...] = ()
    option: bool = False


@dataclass(frozen=True)
class Verb:
    """A command of ``yikatong-sim`` that asks the question of the same name."""

    name: str
    words: str
    arguments: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Press:
    """A button on the dock.

    Attributes:
        do, arguments: what it asks of the hall.
        chosen: it shows how things stand now.
        wrong: pressing it mends what is broken.
    """

    label: str
    do: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    chosen: bool = False
    wrong: bool = False
    enabled: bool = True


@dataclass(frozen=True)
class Fact:
    """A line of the dock about how the device stands; `good` None where it is neither."""

    text: str
    good: bool | None = None


class Desk(Protocol):
    """A device of the hall.

    Attributes:
        name: the word for it in ``status`` and in ``fault NAME …``, as in `hall.json`.
        title: over its buttons on the dock, Chinese first: ``身份证 · ID reader``.
        verbs: what can be typed.
        questions: what can be asked; every verb's name is one.
        faults: for ``yikatong-sim fault --help``, one line or a few.
    """

    name: str
    title: str
    verbs: Sequence[Verb]
    questions: Questions
    faults: str

    def open(self, run: Path, state: Path) -> Answer:
        """Plug it in; its links go into `run`, what outlives the hall into `state`. Returns what
        ``hall.json`` says: texts under keys that begin with its name."""

    def close(self) -> None:
        """Unplug it; safe at any time and twice."""

    def status(self) -> Answer:
        """How it stands; at least ``plugged`` and ``illegal`` (what no correct host sends)."""

    def set_fault(self, text: str) -> None:
        """Schedule what goes wrong; ``none`` forgets all. Raises FaultSyntaxError."""

    @property
    def faults_pending(self) -> int:
        """How many scheduled faults have not happened yet."""

    def presses(self, status: Answer) -> Sequence[Press]:
        """The dock's buttons for its own status; labels of at most six Chinese characters."""

    def facts(self, status: Answer) -> Sequence[Fact]:
        """The dock's lines about its own status."""

    def configuration(self, announced: Answer) -> Mapping[str, Mapping[str, object]]:
        """Tables of the terminal's configuration, from what ``hall.json`` says."""
