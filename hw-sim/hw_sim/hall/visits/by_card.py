"""Visits by card, and what goes wrong with cards, reader, pad and line."""

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
    Touch,
    TouchAnywhere,
    Visit,
)
from hw_sim.hall.visits.moves import (
    BY_READER,
    CARD_STATUS,
    DISPENSER,
    HOME,
    LEAVE,
    LIMIT,
    LINE_BACK,
    PCSCD,
    PIN,
    QUERY,
    TO_SLOT,
    WITH_PLUG,
    WRONG_PIN,
    ecard,
    fault,
    refused,
    served,
    to_overview,
    to_pin,
    torn,
    visit,
)

_SERVED = (
    visit(
        "v3 card",
        to_pin("v3"),
        Press(PIN[:4]),
        Stays("pin", 0.2),
        Press(PIN[4:]),
        Expect("overview"),
        LEAVE,
    ),
    served("v2 card", "v2"),
    served("v1 card", "v1"),
    visit(
        "in English",
        Approach(),
        Touch("language"),
        Stays("home", 0.5),
        Touch(QUERY),
        Expect("identify"),
        Insert("v3"),
        Expect("pin"),
        Press(PIN),
        Expect("overview"),
        LEAVE,
    ),
    visit(
        "card status",
        Approach(),
        Touch(CARD_STATUS),
        Expect("identify"),
        Insert("v3"),
        Expect("card-status"),
        LEAVE,
    ),
    visit(
        "card before the choice",
        Approach(),
        Insert("v3"),
        Touch(QUERY),
        Expect("pin"),
        Press(PIN),
        Expect("overview"),
        LEAVE,
    ),
    visit(
        "one block unavailable",
        fault("platform", "block:annuity=maintenance"),
        to_overview("v3"),
        fault("platform", "none"),
        LEAVE,
    ),
    visit("number revealed", to_overview("v3"), Touch("reveal"), Stays("overview", 0.5), LEAVE),
)

_ALONE = (
    visit("nobody there", Approach(), Expect("idle", LIMIT), Approach(), Expect("home")),
    visit(
        "asks for help",
        Approach(),
        Touch("help"),
        Expect("home", overlay=True),
        Touch("extend"),
        Expect("home", overlay=False),
    ),
)

_PINS = (
    visit(
        "wrong PIN twice",
        to_pin("v3"),
        Press(WRONG_PIN),
        Expect("pin.rejected"),
        Press(WRONG_PIN),
        Expect("pin.rejected"),
        Press(PIN),
        Expect("overview"),
        LEAVE,
    ),
    visit(
        "PIN locked",
        to_pin("pin-locked"),
        Press(PIN),
        Expect("failure.pin-blocked"),
        LEAVE,
    ),
)

_REFUSED = (
    refused("clone", "clone", "card-not-genuine", ExpectAlarm()),
    refused("unknown card", "unknown", "card-unknown"),
    refused("mute card", "mute", "card-mute"),
    visit(
        "silent card",
        TO_SLOT,
        Insert("silent"),
        Expect("failure.card-mute", LIMIT),
        Touch("leave"),
        Expect("take-card"),
        # It holds the reader, and staff must know; taken out, the reader is well again.
        ExpectAlarm(),
        Remove(),
        Expect("home"),
        to_overview("v3"),
        LEAVE,
        ways=BY_READER,
    ),
    # A dispenser cuts the power of a card that says nothing.
    refused("silent card in the dispenser", "silent", "card-mute", ways=DISPENSER),
    refused("lost card", "lost", "card-lost"),
    refused("cancelled card", "cancelled", "card-cancelled"),
)

_TORN = (
    torn(
        "torn while read",
        TO_SLOT,
        fault("card", "5:delay=1500"),
        Insert("v3"),
        Expect("card.reading"),
    ),
    torn("torn at the PIN", to_pin("v3"), Press("12")),
    torn(
        "torn while loading",
        to_pin("v3"),
        fault("platform", "overviews@1:delay=3000"),
        Press(PIN),
        Expect("overview.loading"),
    ),
    torn("torn at the overview", to_overview("v3")),
)

_DEVICES = (
    visit(
        "reader unplugged",
        to_pin("v3"),
        Sim("reader", {"state": "unplugged"}),
        Expect("failure.reader-gone"),
        Remove(),
        Sim("reader", {"state": "plugged"}),
        Touch("leave"),
        Expect("home", LIMIT),
        ways=WITH_PLUG,
    ),
    visit(
        "e-card while the reader is unplugged",
        Approach(),
        Sim("reader", {"state": "unplugged"}),
        Touch(QUERY),
        Expect("identify"),
        ecard(),
        Expect("overview"),
        Sim("reader", {"state": "plugged"}),
        HOME,
        ways=WITH_PLUG,
    ),
    served("served after the reader came back", "v3", ways=WITH_PLUG),
    visit(
        "pcscd restarted in between",
        Approach(),
        Sim("pcscd", {"do2": "restart"}),
        Stays("home", 2.0),
        ways=PCSCD,
    ),
    served("served after pcscd came back", "v3", ways=PCSCD),
    visit(
        "pcscd restarted during a visit",
        to_pin("v3"),
        Sim("pcscd", {"do2": "restart"}),
        Expect("failure.reader-gone"),
        Remove(),
        Touch("leave"),
        Expect("home", LIMIT),
        ways=PCSCD,
    ),
    visit(
        "pad unplugged",
        to_pin("v3"),
        Sim("pad", {"state": "unplugged"}),
        Expect("failure.pad-gone"),
        Sim("pad", {"state": "plugged"}),
        LEAVE,
    ),
    served("served after the pad came back", "v3"),
    visit(
        "noise on the pad's line",
        TO_SLOT,
        fault("pad", "2:bad-xor,4:noise-stx,6:split"),
        Insert("v3"),
        Expect("pin"),
        Press(PIN),
        Expect("overview"),
        LEAVE,
    ),
)

_AWAY = (
    visit(
        "walks away, comes back",
        to_overview("v3"),
        Expect("overview", LIMIT, overlay=True),
        Touch("extend"),
        Expect("overview", overlay=False),
        LEAVE,
    ),
    visit(
        "walks away",
        to_overview("v3"),
        Expect("overview", LIMIT, overlay=True),
        Expect("take-card", LIMIT),
        TouchAnywhere(),
        Stays("take-card", 1.0),
        Remove(),
        Expect("home"),
    ),
)

_PLATFORM = (
    visit(
        "platform down",
        to_pin("v3"),
        Sim("platform", {"state": "down"}),
        Press(PIN),
        Expect("failure.platform-unavailable", LIMIT),
        Touch("leave"),
        Expect("take-card"),
        Remove(),
        Expect("home", LIMIT),
        LINE_BACK,
    ),
    served("served after the platform came back", "v2"),
)

BY_CARD: tuple[Visit, ...] = (
    *_SERVED,
    *_ALONE,
    *_PINS,
    *_REFUSED,
    *_TORN,
    *_DEVICES,
    *_AWAY,
    *_PLATFORM,
)
