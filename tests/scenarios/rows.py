"""One thing that goes wrong, and when: a row of the matrix of faults and visits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from drivers.device import DeviceKind
from hw_sim.hall.slot import Way
from tests.scenarios.errands import Errand


class Setup(Enum):
    """Which terminal is in the hall: how it reaches cards, and by what it reads codes."""

    USUAL = (Way.DIRECT, "gm65")
    PCSCD = (Way.PCSCD, "gm65")
    DISPENSER = (Way.DISPENSER, "gm65")
    TYPED = (Way.DIRECT, "hid")
    FILMED = (Way.DIRECT, "camera")

    def __init__(self, way: Way, scanner: str) -> None:
        self.way = way
        self.scanner = scanner


@dataclass(frozen=True)
class Ask:
    """A question of the hall's control socket."""

    do: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([self.do, *self.arguments.values()])


@dataclass(frozen=True)
class Moment:
    """When it goes wrong.

    Attributes:
        at: at the first sight of this screen.
        when: which exchange from there on, as a schedule begins: ``3:``, ``*:``, ``overviews@1:``,
            ``1:job-``; empty for at once.
        detour: the resident leaves the ways of proving oneself and comes again. What was watched
            there is then watched anew, and nothing else is asked of those devices from `at` on.
    """

    at: str
    errand: Errand
    when: str = ""
    detour: bool = False


@dataclass(frozen=True)
class Row:
    """One fault at one moment.

    Attributes:
        part: the hall's word for what fails.
        kind: under which the terminal watches it; None where it does not.
        lasts: it stays until somebody mends it, so that staff must be told.
        mend: what that takes, beside the usual (`FaultyHall.mend`).
        fatal: nobody is served until the terminal is started anew.
    """

    part: str
    kind: DeviceKind | None
    strike: Ask
    moment: Moment
    lasts: bool = False
    mend: tuple[Ask, ...] = ()
    fatal: bool = False
    setup: Setup = Setup.USUAL

    @property
    def stays(self) -> bool:
        """Somebody must mend it. Of a card that was swapped nobody can tell."""
        return self.lasts or "swap=" in str(self.strike)

    @property
    def name(self) -> str:
        moment = self.moment
        setup = "" if self.setup is Setup.USUAL else f"{self.setup.name.lower()}-"
        return f"{setup}{self.part}: {self.strike} at {moment.at}, {moment.errand.name}"
