"""What goes wrong with the document printer, before a print and in the middle of one."""

from __future__ import annotations

from hw_sim.hall.steps import (
    Approach,
    Expect,
    ExpectAlarm,
    ExpectDrawn,
    ExpectEvents,
    Sim,
    Stays,
    Touch,
    Visit,
)
from hw_sim.hall.visits.moves import (
    HOME,
    LIMIT,
    fault,
    taken,
    to_preview,
    to_printing,
    visit,
)


def _obstacle(name: str, away: Sim, back: Sim) -> Visit:
    """Before anything is printed: the terminal serves on, staff are told, printing comes back."""
    return visit(
        f"{name} before the print",
        Approach(),
        away,
        ExpectAlarm(),
        Stays("home", 0.5),
        back,
        to_printing(),
        taken(),
    )


def _mended(name: str, away: Sim, back: Sim) -> Visit:
    """In the middle of a print, and put right in time."""
    return visit(
        f"{name} in a print, put right",
        to_printing(60),
        ExpectDrawn(),
        away,
        Expect("printing.waiting", LIMIT),
        back,
        taken(2),
    )


def _unknown(name: str, away: Sim, back: Sim) -> Visit:
    """In the middle of a print, and nobody comes: unknown, recorded, not printed again."""
    return visit(
        f"{name} in a print",
        to_printing(60),
        ExpectDrawn(),
        away,
        Expect("failure.print-unknown", LIMIT),
        ExpectAlarm(),
        ExpectEvents("print-outcome"),
        back,
        HOME,
    )


_PAPER = (Sim("paper", {"state": "out"}), Sim("paper", {"state": "in"}))
_JAM = (Sim("jam", {"state": "on"}), Sim("jam", {"state": "clear"}))
_DOOR = (Sim("door", {"state": "open"}), Sim("door", {"state": "closed"}))
_POWER = (Sim("printer", {"state": "off"}), Sim("printer", {"state": "on"}))

PRINTER: tuple[Visit, ...] = (
    _obstacle("out of paper", *_PAPER),
    _obstacle("jam", *_JAM),
    _obstacle("door open", *_DOOR),
    _obstacle("printer off", *_POWER),
    _mended("out of paper", *_PAPER),
    _mended("door open", *_DOOR),
    _unknown("out of paper", *_PAPER),
    _unknown("jam", *_JAM),
    _unknown("printer off", *_POWER),
    visit(
        "reply to the print dropped",
        to_preview(),
        fault("printer", "1:job-drop-after"),
        Touch("print"),
        Expect("printing"),
        taken(),
    ),
)
