"""One thing that goes wrong, and when: a row of the matrix of faults and visits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.device import DeviceKind
from hw_sim.hall.slot import Way
from tests.scenarios.errands import Errand


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
        way: how the terminal reaches cards.
    """

    part: str
    kind: DeviceKind | None
    strike: Ask
    moment: Moment
    lasts: bool = False
    mend: tuple[Ask, ...] = ()
    fatal: bool = False
    way: Way = Way.DIRECT

    @property
    def name(self) -> str:
        moment = self.moment
        way = "" if self.way is Way.DIRECT else f"{self.way.value}-"
        return f"{way}{self.part}: {self.strike} at {moment.at}, {moment.errand.name}"
