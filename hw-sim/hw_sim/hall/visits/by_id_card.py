"""Visits by ID card (居民身份证 and permits): well read, of no use, torn away, left behind."""

from __future__ import annotations

from hw_sim.hall.steps import (
    Approach,
    Expect,
    ExpectAlarm,
    Insert,
    Press,
    Sim,
    Stays,
    Step,
    Touch,
    Visit,
)
from hw_sim.hall.visits.moves import (
    CERTIFICATE,
    HOME,
    LEAVE,
    LIMIT,
    PIN,
    QUERY,
    TO_SLOT,
    ecard,
    fault,
    visit,
)

OFF = Sim("idcard-off", {})
_SEEN_TO_BE_GONE = 1.5
"""Seconds that a person needs at least to lift a card and lay it down again."""


def laid(card: str = "citizen") -> Sim:
    return Sim("idcard", {"card": card})


def _refused(name: str, card: str, screen: str) -> Visit:
    """A card that does not help; the social security card does."""
    return visit(
        name,
        TO_SLOT,
        laid(card),
        Expect(screen),
        OFF,
        Insert("v3"),
        Expect("pin"),
        Press(PIN),
        Expect("overview"),
        LEAVE,
    )


def _second_try(name: str, what: str, screen: str, *between: Step) -> Visit:
    return visit(
        name,
        TO_SLOT,
        fault("id_reader", what),
        laid(),
        Expect(screen),
        between,
        laid(),
        Expect("overview"),
        OFF,
        HOME,
    )


def _stranger(name: str, card: str) -> Visit:
    """Well read; the province has no records of a specimen."""
    return visit(name, TO_SLOT, laid(card), Expect("failure.platform-refused"), OFF, HOME)


BY_ID_CARD: tuple[Visit, ...] = (
    visit("ID card", TO_SLOT, laid(), Expect("overview"), OFF, HOME),
    visit(
        "ID card that lies there already",
        Approach(),
        laid("resident:5"),
        Touch(QUERY),
        Expect("overview"),
        OFF,
        HOME,
    ),
    visit(
        "ID card left behind",
        TO_SLOT,
        laid(),
        Expect("overview"),
        Touch("leave"),
        Expect("take-card"),
        Stays("take-card", 3.0),
        OFF,
        Expect("home"),
    ),
    visit(
        "walks away from an ID card",
        TO_SLOT,
        laid(),
        Expect("overview"),
        Expect("take-card", LIMIT),
        OFF,
        Expect("home"),
    ),
    _second_try("ID card taken away too soon", "1:read-taken", "identify.id-moved"),
    _second_try(
        "ID card that is read at the second try",
        "1:read-failed,2:read-failed",
        "identify.id-unreadable",
        OFF,
        Stays("identify.id-unreadable", _SEEN_TO_BE_GONE),
    ),
    visit(
        "ID card over a bad line",
        TO_SLOT,
        fault("id_reader", "1:read-damaged,1:drop,2:split,3:noise"),
        laid(),
        Expect("overview"),
        OFF,
        HOME,
    ),
    _refused("another card on the ID reader", "other", "identify.id-unreadable"),
    _refused("ID card out of date", "expired", "identify.id-out-of-date"),
    _refused("old foreigner's card", "foreigner-old", "identify.id-no-number"),
    _stranger("Hong Kong resident's permit", "permit-hongkong"),
    _stranger("Taiwan resident's permit", "permit-taiwan"),
    _stranger("foreigner's card", "foreigner"),
    visit(
        "ID card where the social security card is needed",
        Approach(),
        Touch(CERTIFICATE),
        Expect("identify"),
        laid(),
        Stays("identify", 2.0),
        OFF,
        ecard(),
        Expect("period"),
        Touch("back"),
        Expect("home"),
    ),
    visit(
        "ID reader unplugged",
        Approach(),
        Sim("id-reader", {"state": "unplugged"}),
        # Nobody looks at it while somebody is served.
        ExpectAlarm(),
        Approach(),
        Touch(QUERY),
        Expect("identify"),
        ecard(),
        Expect("overview"),
        Sim("id-reader", {"state": "plugged"}),
        HOME,
    ),
    visit(
        "ID reader without a licence",
        Approach(),
        fault("id_reader", ",".join(f"{answer}:unlicensed" for answer in range(1, 40))),
        Touch(QUERY),
        Expect("identify"),
        ecard(),
        Expect("overview"),
        fault("id_reader", "none"),
        HOME,
    ),
)
