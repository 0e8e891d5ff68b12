"""What visitors do again and again, as rows of steps.

Time limits are those of the walk's own configuration (`hw_sim.hall.terminal`), short enough to sit
through; a machine with the limits of the field walks the same visits, only slower.
"""

from __future__ import annotations

from hw_sim.hall.slot import Way
from hw_sim.hall.steps import (
    Approach,
    Expect,
    ExpectSheets,
    Insert,
    Press,
    Remove,
    Sim,
    Stays,
    Step,
    Touch,
    Visit,
)
from hw_sim.population import DEMO_PIN

QUERY = "item.429900-QUERY-ALL"
CARD_STATUS = "item.429900-CARD-STATUS"
CERTIFICATE = "item.429900-CERT-PARTICIPATION"
VERIFY = "item.429900-CERT-VERIFY"

PIN = f"{DEMO_PIN}#"
WRONG_PIN = "999999#"
LIMIT = 30.0
"""Seconds for what the machine does by a time limit of its own, in the walk's configuration."""


LINE_BACK: tuple[Step, ...] = (Sim("platform", {"state": "up"}), Stays("home", 1.5))
"""At home: the line is mended, and the terminal has time to notice."""


def fault(where: str, what: str) -> Sim:
    """Schedule what goes wrong; ``none`` forgets it."""
    return Sim("fault", {"where": where, "what": what})


ANY_WAY = frozenset(Way)
PCSCD = frozenset({Way.PCSCD})
DISPENSER = frozenset({Way.DISPENSER})
BY_READER = frozenset({Way.PCSCD, Way.DIRECT})
WITH_PLUG = frozenset({Way.PCSCD, Way.DISPENSER})
"""The direct sockets have none that could be pulled."""


def visit(name: str, *steps: Step | tuple[Step, ...], ways: frozenset[Way] = ANY_WAY) -> Visit:
    """A visit from steps and rows of steps."""
    flat = [one for step in steps for one in (step if isinstance(step, tuple) else (step,))]
    return Visit(name, tuple(flat), ways)


TO_SLOT: tuple[Step, ...] = (Approach(), Touch(QUERY), Expect("identify"))
TAKE_CARD: tuple[Step, ...] = (Expect("take-card"), Remove(), Expect("home"))
LEAVE: tuple[Step, ...] = (Touch("leave"), *TAKE_CARD)
HOME: tuple[Step, ...] = (Touch("leave"), Expect("home"))
"""The way out of whom no card keeps."""


def to_pin(card: str) -> tuple[Step, ...]:
    return *TO_SLOT, Insert(card), Expect("pin")


def to_overview(card: str) -> tuple[Step, ...]:
    return *to_pin(card), Press(PIN), Expect("overview")


def ecard(card: str = "v3", state: str = "fresh") -> Sim:
    return Sim("ecard", {"card": card, "state": state})


def to_period(card: str) -> tuple[Step, ...]:
    return Approach(), Touch(CERTIFICATE), Expect("identify"), ecard(card), Expect("period")


def to_preview(card: str = "v3", months: int = 24) -> tuple[Step, ...]:
    """By e-card up to the certificate's pages: one of 24 months, two of 60."""
    return *to_period(card), Touch(f"period.{months}"), Expect("preview", LIMIT)


def to_printing(months: int = 24) -> tuple[Step, ...]:
    return *to_preview(months=months), Touch("print"), Expect("printing")


def taken(sheets: int = 1) -> tuple[Step, ...]:
    """The print ends well; nobody rates it."""
    return (
        Expect("take-sheet", LIMIT),
        ExpectSheets(sheets),
        Touch("taken"),
        Expect("rating"),
        Touch("skip"),
        Expect("home"),
    )


def refused_code(name: str, screen: str, *code: Step) -> Visit:
    """A code that does not help; a fresh one does."""
    return visit(
        name,
        TO_SLOT,
        code,
        Expect(screen),
        ecard(),
        Expect("overview"),
        Touch("leave"),
        Expect("home"),
    )


def served(name: str, card: str, *, ways: frozenset[Way] = ANY_WAY) -> Visit:
    return visit(name, to_overview(card), LEAVE, ways=ways)


def refused(
    name: str, card: str, failure: str, *more: Step, ways: frozenset[Way] = ANY_WAY
) -> Visit:
    came = Expect(f"failure.{failure}", LIMIT)
    return visit(name, TO_SLOT, Insert(card), came, more, LEAVE, ways=ways)


def torn(name: str, *until: Step | tuple[Step, ...]) -> Visit:
    return visit(
        name, *until, Remove(), Expect("failure.card-removed"), Touch("leave"), Expect("home")
    )
