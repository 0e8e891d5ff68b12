"""What only a dispenser as the reader can do: keep a card, hold it back, go away with it."""

from __future__ import annotations

from hw_sim.hall.steps import (
    Approach,
    Expect,
    ExpectAlarm,
    Insert,
    Remove,
    Sim,
    Stays,
    Step,
    Touch,
    Visit,
)
from hw_sim.hall.visits.moves import (
    DISPENSER,
    HOME,
    LEAVE,
    LIMIT,
    TAKE_CARD,
    fault,
    served,
    to_overview,
    to_pin,
    visit,
)

_OFFER_SECONDS = 8.0
"""How long the terminal of a walk offers a card (`hw_sim.hall.terminal`)."""
_STUCK: tuple[Step, ...] = (
    Expect("failure.card-not-returned", LIMIT),
    ExpectAlarm(),
    Touch("leave"),
    Expect("out-of-service"),
    # Staff open it and pull the card out.
    Remove(),
    Expect("home", LIMIT),
)

DISPENSER_VISITS: tuple[Visit, ...] = (
    visit(
        "card given back before anything is chosen",
        Approach(),
        Insert("v3"),
        Touch("leave"),
        TAKE_CARD,
        ways=DISPENSER,
    ),
    visit(
        "card forgotten in the dispenser",
        to_overview("v3"),
        Touch("leave"),
        Expect("take-card"),
        Expect("failure.card-captured", LIMIT),
        ExpectAlarm(),
        HOME,
        ways=DISPENSER,
    ),
    served("served after a card was kept", "v2", ways=DISPENSER),
    visit(
        "walks away, and the card is kept",
        to_overview("v1"),
        Expect("overview", LIMIT, overlay=True),
        Expect("take-card", LIMIT),
        Expect("failure.card-captured", LIMIT),
        ExpectAlarm(),
        Expect("home", LIMIT),
        ways=DISPENSER,
    ),
    visit(
        "card forgotten while the bin is full",
        Approach(),
        Sim("bin", {"state": "full"}),
        # Seen while nobody is served.
        ExpectAlarm(),
        to_overview("v3"),
        Touch("leave"),
        Expect("take-card"),
        Stays("take-card", _OFFER_SECONDS),
        ExpectAlarm(count=2),
        Remove(),
        Expect("home"),
        Sim("bin", {"state": "empty"}),
        ways=DISPENSER,
    ),
    visit(
        "card stuck on its way out",
        to_overview("v3"),
        Sim("stick", {}),
        Touch("leave"),
        _STUCK,
        ways=DISPENSER,
    ),
    visit(
        "card stuck on its way into the bin",
        to_overview("v3"),
        Touch("leave"),
        Expect("take-card"),
        Stays("take-card", 3.0),
        Sim("stick", {}),
        _STUCK,
        ways=DISPENSER,
    ),
    served("served after the card was pulled out", "v3", ways=DISPENSER),
    visit(
        "dispenser unplugged with the card inside",
        to_pin("v3"),
        Sim("dispenser", {"state": "unplugged"}),
        Expect("failure.reader-gone"),
        Expect("failure.card-not-returned"),
        ExpectAlarm(),
        Sim("dispenser", {"state": "plugged"}),
        Touch("leave"),
        # It is the first thing that the dispenser is asked for.
        TAKE_CARD,
        ways=DISPENSER,
    ),
    served("served after the dispenser came back", "v3", ways=DISPENSER),
    visit(
        "noise on the dispenser's line",
        Approach(),
        fault("dispenser", "2:bad-check,5:noise,8:nak,11:split,14:no-ack"),
        to_overview("v3"),
        fault("dispenser", "none"),
        LEAVE,
        ways=DISPENSER,
    ),
)
