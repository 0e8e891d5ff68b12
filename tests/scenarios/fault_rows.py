"""Every fault that a simulator knows, at every moment of a visit at which it can strike.

The faults come from the simulators' own tables, so that a new one is a row by itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from drivers.device import DeviceKind
from hw_sim.camera import device as camera
from hw_sim.cards import faults as card_faults
from hw_sim.dispenser.device import DISPENSER_FAULTS
from hw_sim.hid_scanner.device import HID_FAULTS
from hw_sim.id_reader import device as id_reader
from hw_sim.line import faults as line_faults
from hw_sim.pad import frames as pad_frames
from hw_sim.platform.faults import BLOCKS, REASONS
from hw_sim.platform.faults import Faults as PlatformFaults
from hw_sim.platform.problems import BY_STATUS
from hw_sim.printer.device import FAULTS as PRINTER_FAULTS
from hw_sim.receipt import device as receipt
from hw_sim.scanner import frames as scanner_frames
from hw_sim.serial_device import WIRE_FAULTS
from tests.scenarios.errands import (
    BY_CARD,
    BY_ECARD,
    BY_ID_CARD,
    CERTIFIED,
    CERTIFIED_LONG,
    FORGOTTEN,
    WITH_SLIP,
    Errand,
)
from tests.scenarios.rows import Ask, Moment, Row, Setup


@dataclass(frozen=True)
class Part:
    """A device, the line, or the platform: what can fail.

    Attributes:
        name, kind, setup: see `tests.scenarios.rows.Row`.
        faults: the names of all that its simulator knows.
        written: how those are written that take a value, or stand for others; the first way tells
            most.
        moments: every one; the first tells most.
        telling: the moment that tells most of some faults, where it is another one.
        lasting: those that stay until somebody mends the part.
        rare: those that do not count exchanges, and when they strike then.
        sampled: no other part has the same faults.
    """

    name: str
    kind: DeviceKind | None
    faults: Collection[str]
    written: Mapping[str, tuple[str, ...]]
    moments: tuple[Moment, ...]
    telling: Mapping[str, Moment] = field(default_factory=dict)
    lasting: frozenset[str] = frozenset()
    rare: Mapping[str, str] = field(default_factory=dict)
    setup: Setup = Setup.USUAL
    sampled: bool = True


def _valued(**values: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """``delay=("900",)`` is written ``delay=900``."""
    names = {name: name.replace("_", "-") for name in values}
    return {names[n]: tuple(f"{names[n]}={value}" for value in values[n]) for n in values}


def _exchanges(
    count: int, errand: Errand, at: str, *, first: int, detour: bool = False
) -> tuple[Moment, ...]:
    """The exchanges of a visit from a screen on, the one that tells most at the beginning."""
    moments = [Moment(at, errand, f"{number}:", detour) for number in range(1, count + 1)]
    return (moments.pop(first - 1), *moments)


_WIRE = _valued(delay=("900", "100"), truncate=("3",), corrupt=("4",))
_DEAD = frozenset({"stuck", "unplug"})
_AT_HOME = (Moment("home", BY_CARD, "1:"),)
"""Of what no visit uses: it is looked at between visits."""

PAD = Part(
    "pad",
    DeviceKind.PAD,
    (*WIRE_FAULTS, *pad_frames.FAULTS),
    _WIRE | _valued(short=("2",), error=("E0", "EF")),
    (*_exchanges(9, BY_CARD, "identify", first=4), *_exchanges(2, BY_CARD, "pin", first=1)),
    lasting=_DEAD | {"opened"},
)
_CODE = Moment("no-proof", BY_ECARD, "1:", detour=True)
SCANNER = Part(
    "scanner",
    DeviceKind.SCANNER,
    (*WIRE_FAULTS, *scanner_frames.CODE_FAULTS),
    _WIRE | _valued(code_delay=("400",)),
    (_CODE, Moment("home", BY_ECARD, "1:")),
    lasting=_DEAD,
)
_CARD_LAID = Moment("no-proof", BY_ID_CARD, "1:", detour=True)
ID_READER = Part(
    "id_reader",
    DeviceKind.ID_READER,
    (*WIRE_FAULTS, *id_reader.FAULTS, *id_reader.READ_FAULTS),
    _WIRE | _valued(word=("21", "80")),
    (
        *_exchanges(6, BY_ID_CARD, "no-proof", first=3, detour=True),
        Moment("home", BY_ID_CARD, "1:"),
    ),
    telling=dict.fromkeys(id_reader.READ_FAULTS, _CARD_LAID),
    lasting=_DEAD,
    # One card is read in a visit.
    rare=dict.fromkeys(id_reader.READ_FAULTS, "1:"),
)
_HTTP = {
    "delay": ("800", "200"),
    "truncate": ("8",),
    "corrupt": ("3", "20"),
    "status": ("0x0506", "0x0400"),
}
PRINTER = Part(
    "printer",
    DeviceKind.PRINTER,
    tuple(PRINTER_FAULTS),
    _valued(**_HTTP),
    (
        # The exchange that brings the document.
        Moment("preview", CERTIFIED, "1:job-"),
        *_exchanges(8, CERTIFIED_LONG, "preview", first=4),
    ),
    lasting=frozenset({"stuck"}),
)
SENSORS = Part(
    "sensors",
    DeviceKind.SENSORS,
    tuple(WIRE_FAULTS),
    _WIRE,
    (Moment("identify", BY_CARD, "1:"), *_AT_HOME),
    lasting=_DEAD,
)
RECEIPT = Part(
    "receipt",
    DeviceKind.RECEIPT,
    (*WIRE_FAULTS, *receipt.OWN_FAULTS),
    _WIRE,
    (*_exchanges(6, WITH_SLIP, "rating", first=2), *_AT_HOME),
    lasting=_DEAD | set(receipt.OWN_FAULTS),
)
CAMERA = Part(
    "camera",
    DeviceKind.CAMERA,
    tuple(camera.FAULTS),
    _valued(delay=("500",), slow=("300",)),
    _AT_HOME,
    lasting=frozenset({"stall", "unplug"}),
)
TYPED = Part(
    "hid_scanner",
    DeviceKind.SCANNER,
    tuple(HID_FAULTS),
    _valued(drop=("5",), corrupt=("5",), stall=("700", "60")),
    (Moment("no-proof", BY_ECARD, "1:", detour=True), Moment("home", BY_ECARD, "1:")),
    lasting=frozenset({"unplug"}),
    setup=Setup.TYPED,
)
FILMED = dataclasses.replace(
    CAMERA,
    kind=DeviceKind.SCANNER,
    moments=_exchanges(4, BY_ECARD, "no-proof", first=2, detour=True),
    setup=Setup.FILMED,
)
_CARD_FAULTS = tuple(kind.value for kind in card_faults.Kind)
_CARD_WRITTEN = {
    **_valued(delay=("2000", "300"), swap=("resident:5", "clone")),
    "tear": ("tear", "tear=1"),
    "status": ("6A82", "6985", "6F00", "6400", "63C2"),
}
CARD = Part(
    "card",
    None,
    _CARD_FAULTS,
    _CARD_WRITTEN,
    _exchanges(8, BY_CARD, "identify", first=4),
)
PSAM = Part(
    "psam",
    DeviceKind.PSAM,
    _CARD_FAULTS,
    _CARD_WRITTEN | _valued(swap=("v3",)),
    _exchanges(6, BY_CARD, "identify", first=2),
    lasting=frozenset({"tear", "tear-after", "silent"}),
)
_ALWAYS = Moment("pin", BY_CARD, "*:")
LINE = Part(
    "line",
    None,
    tuple(kind.value for kind in line_faults.Kind),
    _valued(
        latency=("300",),
        drip=("400",),
        cut_request=("10",),
        cut_answer=("10",),
        fin_request=("10",),
        fin_answer=("10",),
    ),
    (
        Moment("pin", BY_CARD, "1:"),
        *_exchanges(3, BY_CARD, "identify", first=1),
        *_exchanges(3, CERTIFIED, "period", first=1),
        _ALWAYS,
        Moment("period", CERTIFIED, "*:"),
        Moment("printing", CERTIFIED, "*:"),
    ),
    telling={"refuse": _ALWAYS, "black-hole": _ALWAYS},
    # Nobody listens any more, until somebody does.
    rare={"refuse": "*:"},
)
PLATFORM = Part(
    "platform",
    None,
    (*(each.name for each in dataclasses.fields(PlatformFaults)), "block"),
    {
        "status": tuple(map(str, BY_STATUS)),
        "delay_ms": ("delay=3000", "delay=300"),
        "drop": ("drop",),
        "drop_after_commit": ("drop-after-commit",),
        "half": ("half",),
        "bad_signature": ("bad-signature",),
        "clock_shift_s": ("wrong-clock=+900", "wrong-clock=-900"),
        "block": tuple(f"block:{block}={reason}" for block in BLOCKS for reason in REASONS),
    },
    (
        Moment("period", CERTIFIED, "certificates@1:"),
        Moment("identify", BY_CARD, "card-verdicts@1:"),
        Moment("pin", BY_CARD, "overviews@1:"),
        Moment("identify", BY_ECARD, "ecard-verifications@1:"),
        Moment("period", CERTIFIED, "risk-verdicts@1:"),
        Moment("preview", CERTIFIED, "events@1:"),
        _ALWAYS,
        Moment("period", CERTIFIED, "*:"),
    ),
    telling={"block": _ALWAYS},
)
_OF_MOVEMENTS = ("jam", "power-moving", "no-contact")


def _some_of(name: str) -> tuple[str, ...]:
    """Questions come between movements, by chance: whichever of six commands is one."""
    return (",".join([name, *(f"{turn}:{name}" for turn in range(2, 7))]),)


DISPENSER = Part(
    "dispenser",
    DeviceKind.DISPENSER,
    (*WIRE_FAULTS, *DISPENSER_FAULTS),
    _WIRE | _valued(error=("10",)) | {name: _some_of(name) for name in _OF_MOVEMENTS},
    (
        *_exchanges(12, BY_CARD, "identify", first=2),
        *_exchanges(6, BY_CARD, "overview", first=3),
        *_exchanges(6, FORGOTTEN, "take-card", first=1),
    ),
    telling=dict.fromkeys(_OF_MOVEMENTS, Moment("overview", BY_CARD, "1:")),
    lasting=_DEAD,
    setup=Setup.DISPENSER,
)
CARD_IN_DISPENSER = dataclasses.replace(CARD, setup=Setup.DISPENSER, sampled=False)

PARTS = (
    CARD,
    PSAM,
    PAD,
    SCANNER,
    ID_READER,
    PRINTER,
    SENSORS,
    RECEIPT,
    CAMERA,
    TYPED,
    FILMED,
    LINE,
    PLATFORM,
    DISPENSER,
    CARD_IN_DISPENSER,
)


def _rows(part: Part, fault: str, moment: Moment) -> list[Row]:
    texts = part.written.get(fault, (fault,))
    # A block that can't be had is so in every overview.
    whats = [text if text.startswith("block:") else moment.when + text for text in texts]
    return [
        Row(
            part.name,
            part.kind,
            Ask("fault", {"where": part.name, "what": what}),
            moment,
            fault in part.lasting,
            setup=part.setup,
        )
        for what in whats
    ]


def every_row(part: Part) -> Iterator[Row]:
    """The whole product."""
    for fault in part.faults:
        rows = [
            row
            for moment in (part.telling.get(fault, part.moments[0]), *part.moments)
            if moment.when == part.rare.get(fault, moment.when)
            for row in _rows(part, fault, moment)
        ]
        # What has no number is the same at each moment.
        yield from {str(row.strike) + row.moment.at: row for row in reversed(rows)}.values()


def telling_rows(part: Part) -> Iterator[Row]:
    """Every fault once, at the moment that tells most."""
    for fault in part.faults:
        yield _rows(part, fault, part.telling.get(fault, part.moments[0]))[0]
