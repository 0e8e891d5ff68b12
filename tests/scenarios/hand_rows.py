"""What people do to the devices, at the moments of a visit at which it hurts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.device import DeviceKind
from hw_sim.printer.facts import facts
from tests.scenarios.errands import (
    BY_CARD,
    BY_ECARD,
    BY_ID_CARD,
    CERTIFIED,
    CERTIFIED_BY_CARD,
    CERTIFIED_LONG,
    FORGOTTEN,
    WITH_SLIP,
    Errand,
)
from tests.scenarios.rows import Ask, Moment, Row, Setup


@dataclass(frozen=True)
class Mishap:
    """Something that somebody does, and how it is put right.

    Attributes:
        lasts: staff must be told where nobody puts it right.
        sampled: no other row tells as much.
        fatal: see `tests.scenarios.rows.Row`.
    """

    part: str
    kind: DeviceKind | None
    do: Ask
    mend: Ask
    moments: tuple[Moment, ...]
    lasts: bool = True
    fatal: bool = False
    setup: Setup = Setup.USUAL
    sampled: bool = True


def _switch(do: str, wrong: str, right: str, name: str = "state") -> tuple[Ask, Ask]:
    return Ask(do, {name: wrong}), Ask(do, {name: right})


def _at(errand: Errand, *screens: str) -> tuple[Moment, ...]:
    return tuple(Moment(screen, errand) for screen in screens)


_PLUG = ("unplugged", "plugged")
_PRINTS = (
    *_at(CERTIFIED_LONG, "printing"),
    *_at(CERTIFIED_LONG, "preview"),
    *_at(CERTIFIED, "home", "printing"),
    *_at(CERTIFIED_BY_CARD, "printing"),
)


def _of_printer() -> Iterator[Mishap]:
    switches = (
        _switch("paper", "out", "in"),
        _switch("jam", "on", "clear"),
        _switch("door", "open", "closed"),
        _switch("toner", "empty", "full"),
        _switch("printer", "off", "on"),
        _switch("printer", "refusing", "accepting"),
        (Ask("paper", {"state": "in", "media": _other_media()}), Ask("paper", {"state": "in"})),
        (
            Ask("supply", {"name": "waste", "level": "100"}),
            Ask("supply", {"name": "waste", "level": "0"}),
        ),
    )
    for do, mend in switches:
        # A printer that takes no more jobs, or has paper of another size, prints what it has.
        lasts = "refusing" not in str(do) and "media" not in do.arguments
        yield Mishap("printer", DeviceKind.PRINTER, do, mend, _PRINTS, lasts)
    found: list[Mishap] = []
    for word, fact in facts()["complaint"].items():
        do, mend = (Ask("complaint", {"reason": word, "state": state}) for state in ("on", "off"))
        lasts = bool(fact.get("stops", False))
        sampled = lasts and not any(each.sampled for each in found)
        found.append(
            Mishap(
                "printer",
                DeviceKind.PRINTER,
                do,
                mend,
                _PRINTS[:1],
                lasts,
                sampled=sampled,
            )
        )
    yield from found


def _other_media() -> str:
    return next(str(size) for size in facts()["media"] if "a4" not in size)


MISHAPS: tuple[Mishap, ...] = (
    *_of_printer(),
    Mishap(
        "pad",
        DeviceKind.PAD,
        *_switch("pad", *_PLUG),
        _at(BY_CARD, "pin", "home", "identify", "card.reading", "overview"),
    ),
    Mishap(
        "scanner",
        DeviceKind.SCANNER,
        *_switch("scanner", *_PLUG),
        _at(BY_ECARD, "identify", "home", "overview"),
    ),
    Mishap(
        "id_reader",
        DeviceKind.ID_READER,
        *_switch("id-reader", *_PLUG),
        _at(BY_ID_CARD, "identify", "home", "overview", "take-card"),
    ),
    Mishap(
        "hid_scanner",
        DeviceKind.SCANNER,
        *_switch("hid-scanner", *_PLUG),
        _at(BY_ECARD, "identify", "home", "overview"),
        setup=Setup.TYPED,
    ),
    Mishap("camera", DeviceKind.CAMERA, *_switch("camera", *_PLUG), _at(BY_CARD, "home")),
    Mishap(
        "camera",
        DeviceKind.SCANNER,
        *_switch("camera", *_PLUG),
        _at(BY_ECARD, "identify", "home", "overview"),
        setup=Setup.FILMED,
    ),
    Mishap(
        "receipt",
        DeviceKind.RECEIPT,
        *_switch("slip-printer", *_PLUG),
        _at(WITH_SLIP, "rating", "slip.printing", "home"),
    ),
    Mishap(
        "receipt",
        DeviceKind.RECEIPT,
        *_switch("slip-paper", "out", "in"),
        _at(WITH_SLIP, "rating", "slip.printing"),
    ),
    Mishap(
        "receipt",
        DeviceKind.RECEIPT,
        *_switch("slip-cover", "open", "closed"),
        _at(WITH_SLIP, "rating", "slip.printing"),
    ),
    Mishap(
        "receipt",
        DeviceKind.RECEIPT,
        *_switch("slip-cutter", "jam", "clear"),
        _at(WITH_SLIP, "rating", "slip.printing"),
    ),
    Mishap(
        "receipt",
        DeviceKind.RECEIPT,
        *_switch("slip-head", "broken", "well"),
        _at(WITH_SLIP, "rating", "slip.printing"),
    ),
    Mishap("sensors", DeviceKind.SENSORS, *_switch("sensors", *_PLUG), _at(BY_CARD, "pin", "home")),
    Mishap(
        "sensors",
        DeviceKind.SENSORS,
        *_switch("case-door", "open", "closed"),
        _at(BY_CARD, "pin"),
        lasts=False,
    ),
    Mishap(
        "sensors",
        DeviceKind.SENSORS,
        *_switch("presence", "on", "off"),
        _at(BY_CARD, "pin"),
        lasts=False,
    ),
    Mishap(
        "sensors",
        DeviceKind.SENSORS,
        *_switch("tamper", "on", "off"),
        (
            *_at(BY_CARD, "pin", "home", "overview"),
            *_at(CERTIFIED_BY_CARD, "printing"),
            *_at(BY_ID_CARD, "overview"),
        ),
        fatal=True,
    ),
    Mishap(
        "platform",
        None,
        *_switch("platform", "down", "up"),
        (
            *_at(BY_CARD, "pin", "home", "identify", "overview"),
            *_at(BY_ECARD, "identify"),
            *_at(CERTIFIED, "period", "preview", "printing", "take-sheet"),
        ),
        lasts=False,
    ),
    Mishap(
        "platform", None, *_switch("platform", "slow", "up"), _at(BY_ECARD, "home"), lasts=False
    ),
    Mishap(
        "reader",
        DeviceKind.READER,
        *_switch("reader", *_PLUG),
        _at(BY_CARD, "pin", "home", "identify", "card.reading", "overview", "take-card"),
        setup=Setup.PCSCD,
    ),
    Mishap(
        "reader",
        DeviceKind.READER,
        Ask("pcscd", {"do2": "restart"}),
        Ask("status"),
        _at(BY_CARD, "pin", "home", "identify", "overview", "take-card"),
        lasts=False,
        setup=Setup.PCSCD,
    ),
    Mishap(
        "dispenser",
        DeviceKind.DISPENSER,
        *_switch("dispenser", *_PLUG),
        (*_at(BY_CARD, "pin", "home", "identify", "overview", "take-card"),),
        setup=Setup.DISPENSER,
    ),
    Mishap(
        "dispenser",
        DeviceKind.DISPENSER,
        Ask("stick"),
        Ask("status"),
        (*_at(BY_CARD, "overview", "identify"), *_at(FORGOTTEN, "take-card")),
        lasts=False,
        setup=Setup.DISPENSER,
    ),
    Mishap(
        "dispenser",
        DeviceKind.DISPENSER,
        *_switch("bin", "full", "empty"),
        (*_at(BY_CARD, "home"), *_at(FORGOTTEN, "overview")),
        setup=Setup.DISPENSER,
    ),
    Mishap(
        "dispenser",
        DeviceKind.DISPENSER,
        Ask("tear"),
        Ask("status"),
        _at(BY_CARD, "pin", "overview", "card.reading"),
        lasts=False,
        setup=Setup.DISPENSER,
    ),
    Mishap(
        "dispenser",
        DeviceKind.DISPENSER,
        Ask("unstack"),
        Ask("stack", {"count": "10"}),
        _at(BY_CARD, "home"),
        lasts=False,
        setup=Setup.DISPENSER,
    ),
)

NO_MISHAPS = frozenset({
    "insert", "remove", "press", "scan", "ecard", "idcard", "idcard-off", "hid-scan", "camera-code",
    "camera-picture", "camera-sees", "put", "take", "stack", "fault", "status", "cards", "prints",
    "slips", "stop",
})  # fmt: skip
"""What else a hall is asked: residents' own doings, and questions that change nothing."""


def _rows(mishap: Mishap, moments: tuple[Moment, ...]) -> list[Row]:
    return [
        Row(
            mishap.part,
            mishap.kind,
            mishap.do,
            moment,
            mishap.lasts,
            (mishap.mend,),
            mishap.fatal,
            mishap.setup,
        )
        for moment in moments
    ]


def every_mishap() -> Iterator[Row]:
    """At each of their moments."""
    for mishap in MISHAPS:
        yield from _rows(mishap, mishap.moments)


def telling_mishaps() -> Iterator[Row]:
    """Each at its first moment; a plug that is pulled is a fault of every wire."""
    for mishap in MISHAPS:
        pulled = mishap.do.arguments == {"state": "unplugged"} and mishap.setup is Setup.USUAL
        if mishap.sampled and not pulled:
            yield from _rows(mishap, mishap.moments[:1])
