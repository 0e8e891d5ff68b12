"""The visits that the autopilot walks: one of every kind that a hall sees, and what goes wrong.

Time limits are those of the walk's own configuration (`hw_sim.hall.terminal`), short enough to sit
through; a machine with the limits of the field walks the same visits, only slower.
"""

from __future__ import annotations

from hw_sim.hall.steps import (
    Approach,
    Expect,
    ExpectAlarm,
    Insert,
    Press,
    Remove,
    Sim,
    Stays,
    Step,
    Touch,
    TouchAnywhere,
    Visit,
)
from hw_sim.population import DEMO_PIN

QUERY = "item.429900-QUERY-ALL"
CARD_STATUS = "item.429900-CARD-STATUS"

_PIN = f"{DEMO_PIN}#"
_WRONG_PIN = "999999#"
_LIMIT = 30.0
"""Seconds for what the machine does by a time limit of its own, in the walk's configuration."""


def _fault(where: str, what: str) -> Sim:
    return Sim("fault", {"where": where, "what": what})


def _visit(name: str, *steps: Step | tuple[Step, ...], needs_pcscd: bool = False) -> Visit:
    flat = [one for step in steps for one in (step if isinstance(step, tuple) else (step,))]
    return Visit(name, tuple(flat), needs_pcscd)


_TO_SLOT: tuple[Step, ...] = (Approach(), Touch(QUERY), Expect("identify"))
_TAKE_CARD: tuple[Step, ...] = (Expect("take-card"), Remove(), Expect("home"))
_LEAVE: tuple[Step, ...] = (Touch("leave"), *_TAKE_CARD)


def _to_pin(card: str) -> tuple[Step, ...]:
    return *_TO_SLOT, Insert(card), Expect("pin")


def _to_overview(card: str) -> tuple[Step, ...]:
    return *_to_pin(card), Press(_PIN), Expect("overview")


def _served(name: str, card: str, *, needs_pcscd: bool = False) -> Visit:
    return _visit(name, _to_overview(card), _LEAVE, needs_pcscd=needs_pcscd)


def _refused(name: str, card: str, failure: str, *more: Step) -> Visit:
    return _visit(name, _TO_SLOT, Insert(card), Expect(f"failure.{failure}", _LIMIT), more, _LEAVE)


def _torn(name: str, *until: Step | tuple[Step, ...]) -> Visit:
    return _visit(
        name, *until, Remove(), Expect("failure.card-removed"), Touch("leave"), Expect("home")
    )


_SERVED = (
    _visit(
        "v3 card",
        _to_pin("v3"),
        Press(_PIN[:4]),
        Stays("pin", 0.2),
        Press(_PIN[4:]),
        Expect("overview"),
        _LEAVE,
    ),
    _served("v2 card", "v2"),
    _served("v1 card", "v1"),
    _visit(
        "in English",
        Approach(),
        Touch("language"),
        Stays("home", 0.5),
        Touch(QUERY),
        Expect("identify"),
        Insert("v3"),
        Expect("pin"),
        Press(_PIN),
        Expect("overview"),
        _LEAVE,
    ),
    _visit(
        "card status",
        Approach(),
        Touch(CARD_STATUS),
        Expect("identify"),
        Insert("v3"),
        Expect("card-status"),
        _LEAVE,
    ),
    _visit(
        "card before the choice",
        Approach(),
        Insert("v3"),
        Touch(QUERY),
        Expect("pin"),
        Press(_PIN),
        Expect("overview"),
        _LEAVE,
    ),
    _visit(
        "one block unavailable",
        _fault("platform", "block:annuity=maintenance"),
        _to_overview("v3"),
        _fault("platform", "none"),
        _LEAVE,
    ),
    _visit("number revealed", _to_overview("v3"), Touch("reveal"), Stays("overview", 0.5), _LEAVE),
)

_ALONE = (
    _visit("nobody there", Approach(), Expect("idle", _LIMIT), Approach(), Expect("home")),
    _visit(
        "asks for help",
        Approach(),
        Touch("help"),
        Expect("home", overlay=True),
        Touch("extend"),
        Expect("home", overlay=False),
    ),
)

_PINS = (
    _visit(
        "wrong PIN twice",
        _to_pin("v3"),
        Press(_WRONG_PIN),
        Expect("pin.rejected"),
        Press(_WRONG_PIN),
        Expect("pin.rejected"),
        Press(_PIN),
        Expect("overview"),
        _LEAVE,
    ),
    _visit(
        "PIN locked",
        _to_pin("pin-locked"),
        Press(_PIN),
        Expect("failure.pin-blocked"),
        _LEAVE,
    ),
)

_REFUSED = (
    _refused("clone", "clone", "card-not-genuine", ExpectAlarm()),
    _refused("unknown card", "unknown", "card-unknown"),
    _refused("mute card", "mute", "card-mute"),
    _refused("silent card", "silent", "card-mute"),
    _refused("lost card", "lost", "card-lost"),
    _refused("cancelled card", "cancelled", "card-cancelled"),
)

_TORN = (
    _torn(
        "torn while read",
        _TO_SLOT,
        _fault("card", "5:delay=1500"),
        Insert("v3"),
        Expect("card.reading"),
    ),
    _torn("torn at the PIN", _to_pin("v3"), Press("12")),
    _torn(
        "torn while loading",
        _to_pin("v3"),
        _fault("platform", "overviews@1:delay=3000"),
        Press(_PIN),
        Expect("overview.loading"),
    ),
    _torn("torn at the overview", _to_overview("v3")),
)

_DEVICES = (
    _visit(
        "reader unplugged",
        _TO_SLOT,
        Sim("reader", {"state": "unplugged"}),
        Expect("failure.reader-gone"),
        Sim("reader", {"state": "plugged"}),
        Touch("leave"),
        Expect("home", _LIMIT),
        needs_pcscd=True,
    ),
    _served("served after the reader came back", "v3", needs_pcscd=True),
    _visit(
        "pcscd restarted in between",
        Approach(),
        Sim("pcscd", {"do2": "restart"}),
        Expect("out-of-service"),
        Expect("home", _LIMIT),
        needs_pcscd=True,
    ),
    _served("served after pcscd came back", "v3", needs_pcscd=True),
    _visit(
        "pcscd restarted during a visit",
        _to_pin("v3"),
        Sim("pcscd", {"do2": "restart"}),
        Expect("failure.reader-gone"),
        Remove(),
        Touch("leave"),
        Expect("home", _LIMIT),
        needs_pcscd=True,
    ),
    _visit(
        "pad unplugged",
        _to_pin("v3"),
        Sim("pad", {"state": "unplugged"}),
        Expect("failure.pad-gone"),
        Sim("pad", {"state": "plugged"}),
        _LEAVE,
    ),
    _served("served after the pad came back", "v3"),
    _visit(
        "noise on the pad's line",
        _TO_SLOT,
        _fault("pad", "2:bad-xor,4:noise-stx,6:split"),
        Insert("v3"),
        Expect("pin"),
        Press(_PIN),
        Expect("overview"),
        _LEAVE,
    ),
)

_AWAY = (
    _visit(
        "walks away, comes back",
        _to_overview("v3"),
        Expect("overview", _LIMIT, overlay=True),
        Touch("extend"),
        Expect("overview", overlay=False),
        _LEAVE,
    ),
    _visit(
        "walks away",
        _to_overview("v3"),
        Expect("overview", _LIMIT, overlay=True),
        Expect("take-card", _LIMIT),
        TouchAnywhere(),
        Stays("take-card", 1.0),
        Remove(),
        Expect("home"),
    ),
)

_PLATFORM = (
    _visit(
        "platform down",
        _to_pin("v3"),
        Sim("platform", {"state": "down"}),
        Press(_PIN),
        Expect("failure.platform-unavailable", _LIMIT),
        Touch("leave"),
        Expect("take-card"),
        Remove(),
        Sim("platform", {"state": "up"}),
        Expect("home", _LIMIT),
    ),
    _served("served after the platform came back", "v2"),
)

VISITS: tuple[Visit, ...] = (
    *_SERVED,
    *_ALONE,
    *_PINS,
    *_REFUSED,
    *_TORN,
    *_DEVICES,
    *_AWAY,
    *_PLATFORM,
)
"""In the order of the walk."""
