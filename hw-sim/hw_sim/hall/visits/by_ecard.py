"""Visits by e-card (电子社保卡), with codes of every kind, and by nothing at all."""

from __future__ import annotations

from hw_sim.hall.steps import (
    Approach,
    Expect,
    ExpectAlarm,
    Insert,
    Press,
    Sim,
    Touch,
    Visit,
)
from hw_sim.hall.visits.moves import (
    HOME,
    LEAVE,
    LIMIT,
    PIN,
    QUERY,
    TO_SLOT,
    ecard,
    fault,
    refused_code,
    visit,
)

BY_ECARD: tuple[Visit, ...] = (
    visit("e-card", TO_SLOT, ecard(), Expect("overview"), HOME),
    refused_code("expired e-card", "identify.expired", ecard(state="expired")),
    refused_code("replayed e-card", "identify.used", ecard(state="used")),
    refused_code(
        "payment code of an e-card", "identify.wrong-channel", ecard(state="wrong-channel")
    ),
    refused_code(
        "another code", "identify.not-ours", Sim("scan", {"text": "https://pay.example/q?id=1"})
    ),
    refused_code(
        "hostile code",
        "identify.not-ours",
        Sim("scan", {"text": "SSC1'; DROP TABLE\u0000\u202e<script>" + 1200 * "%s"}),
    ),
    refused_code(
        "code of the card platform",
        "identify.card-platform",
        Sim("scan", {"text": "CKP1429900a1B2c3D4e5F6g7H8i9J0a1B2c3"}),
    ),
    refused_code(
        "government-service code",
        "identify.government-service",
        Sim("scan", {"text": "ZWFW429900a1B2c3D4e5F6g7H8i9J0a1"}),
    ),
    refused_code(
        "certificate in place of an e-card",
        "identify.certificate",
        Sim("scan", {"text": "https://zm.jiangcheng.example/v?c=CDEFGHJKLMNPQRS2&k=seal-1"}),
        Expect("certificate-shown"),
        Touch("verify"),
        Expect("verified.offline.not-ours"),
        Touch("again"),
    ),
    visit(
        "noise on the scanner's line",
        Approach(),
        fault("scanner", "1:garble,2:code-split"),
        Touch(QUERY),
        Expect("identify"),
        ecard(),
        Expect("identify.not-ours"),
        ecard(),
        Expect("overview"),
        HOME,
    ),
    visit(
        "lost e-card",
        TO_SLOT,
        ecard("lost"),
        Expect("failure.card-lost"),
        HOME,
    ),
    visit(
        "cancelled e-card",
        TO_SLOT,
        ecard("cancelled"),
        Expect("failure.card-cancelled"),
        HOME,
    ),
    visit(
        "e-card while the platform is down",
        TO_SLOT,
        Sim("platform", {"state": "down"}),
        ecard(),
        Expect("identify.offline", LIMIT),
        Sim("platform", {"state": "up"}),
        Insert("v3"),
        Expect("pin", LIMIT),
        Press(PIN),
        Expect("overview"),
        LEAVE,
    ),
    visit(
        "neither card nor e-card",
        TO_SLOT,
        Touch("neither"),
        Expect("no-proof"),
        Touch("again"),
        Expect("identify"),
        Touch("neither"),
        Expect("no-proof"),
        HOME,
    ),
    visit(
        "scanner unplugged",
        Approach(),
        Sim("scanner", {"state": "unplugged"}),
        # Nobody looks at it while somebody is served.
        ExpectAlarm(),
        Approach(),
        Touch(QUERY),
        Expect("identify"),
        Insert("v3"),
        Expect("pin"),
        Press(PIN),
        Expect("overview"),
        Sim("scanner", {"state": "plugged"}),
        LEAVE,
    ),
)
