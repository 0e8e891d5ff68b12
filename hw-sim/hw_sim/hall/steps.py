"""What a visitor of the hall can do and see, as values: a visit (一次办理) is a list of these.

Screens and ids are the kiosk's own names of places; `SCREENS` is the closed set of the former.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hw_sim.hall.slot import Way

FAILURES = frozenset({
    "card-removed", "card-mute", "card-unknown", "card-damaged", "card-not-genuine",
    "card-unproven", "card-lost", "card-cancelled", "card-locked", "card-sealed",
    "card-unregistered", "pin-blocked", "pin-cancelled", "pad-gone", "pad-tampered", "reader-gone",
    "reader-busy", "no-answer", "platform-unavailable", "platform-refused", "platform-untrusted",
    "unexpected", "card-captured", "card-not-returned", "terminal-tampered",
    "ecard-refused", "risk-blocked", "certificate-offline", "certificate-untrusted",
    "certificate-characters", "verification-offline", "document-failed", "printer-busy",
    "print-failed", "print-unknown",
})  # fmt: skip
"""Names of the kiosk's failures that a visitor can be told."""

SCREENS = frozenset({
    "idle", "home", "identify", "card.reading", "pin", "pin.rejected", "pin.checking",
    "overview.loading",
    "overview", "take-card", "card-status", "out-of-service",
    "identify.not-ours", "identify.expired", "identify.used", "identify.wrong-channel",
    "identify.offline", "identify.card-platform", "identify.certificate",
    "identify.government-service", "identify.id-moved", "identify.id-unreadable",
    "identify.id-out-of-date", "identify.id-no-number", "certificate-shown", "no-proof",
    "ecard.checking", "slip.printing",
    "period", "certificate.preparing", "risk", "preview", "printing", "printing.waiting",
    "take-sheet", "rating", "verify", "verify.other", "verify.checking", "code-entry",
    "verified.genuine", "verified.altered", "verified.expired", "verified.revoked",
    "verified.unknown", "verified.offline.genuine-seal", "verified.offline.expired",
    "verified.offline.forged", "verified.offline.not-ours", "verified.offline.unknown-key",
}) | {f"failure.{name}" for name in FAILURES}  # fmt: skip
"""Every screen name that a visit may wait for."""


@dataclass(frozen=True)
class Approach:
    """Walk up to a machine that serves: wake it when it idles, until it shows ``home``."""

    within: float = 20.0


@dataclass(frozen=True)
class Touch:
    """Touch the thing with this id, as soon as the screen has it."""

    id: str
    within: float = 10.0


@dataclass(frozen=True)
class TouchAnywhere:
    """Touch the middle of the screen, whatever is there."""


@dataclass(frozen=True)
class Insert:
    """Put a card into the slot."""

    card: str


@dataclass(frozen=True)
class Remove:
    """Take the card out of the slot, or tear it out."""


@dataclass(frozen=True)
class Press:
    """Press keys of the PIN pad, once it takes them."""

    keys: str = field(repr=False)
    within: float = 10.0


@dataclass(frozen=True)
class Expect:
    """A screen must come.

    Attributes:
        screen: one of `SCREENS`.
        within: seconds.
        overlay: whether the time-out warning must, or must not, lie over it; None: either.
    """

    screen: str
    within: float = 15.0
    overlay: bool | None = None

    def __post_init__(self) -> None:
        if self.screen not in SCREENS:
            raise ValueError(f"no screen of the kiosk is named {self.screen!r}")


@dataclass(frozen=True)
class Stays:
    """A screen that is there must not go away for so many seconds."""

    screen: str
    seconds: float

    def __post_init__(self) -> None:
        if self.screen not in SCREENS:
            raise ValueError(f"no screen of the kiosk is named {self.screen!r}")


@dataclass(frozen=True)
class Sim:
    """Ask something of the hall that no visitor does, for example to cut the platform's line."""

    do: str
    arguments: Mapping[str, str]


@dataclass(frozen=True)
class ScanSheet:
    """Hold the newest printed sheet to the scanner.

    Attributes:
        forged: with a code in which one character was changed.
    """

    forged: bool = False


@dataclass(frozen=True)
class TypeSheetCode:
    """Type the code of the newest printed sheet on the screen."""


@dataclass(frozen=True)
class ExpectSheets:
    """So many sheets must have come out of the printer since the visit began, and no more."""

    sheets: int


@dataclass(frozen=True)
class ExpectDrawn:
    """The printer must have drawn a sheet since the visit began: the print is under way."""

    within: float = 10.0


@dataclass(frozen=True)
class ExpectSlips:
    """So many slips must have come out of the receipt printer since the visit began."""

    slips: int


@dataclass(frozen=True)
class ExpectLight:
    """The light at a slot must show this: ``off``, ``on`` or ``blink``."""

    slot: str
    light: str
    within: float = 5.0


@dataclass(frozen=True)
class ExpectEvents:
    """So many events of a kind must have reached the platform since the visit began, no more."""

    kind: str
    count: int = 1
    within: float = 20.0


@dataclass(frozen=True)
class ExpectAlarm:
    """The platform must have received so many new alarms since the visit began, or more."""

    within: float = 15.0
    count: int = 1


Step = (
    Approach
    | Touch
    | TouchAnywhere
    | Insert
    | Remove
    | Press
    | ScanSheet
    | TypeSheetCode
    | Expect
    | Stays
    | Sim
    | ExpectSheets
    | ExpectDrawn
    | ExpectSlips
    | ExpectLight
    | ExpectEvents
    | ExpectAlarm
)


@dataclass(frozen=True)
class Visit:
    """One visitor from coming to going.

    Attributes:
        name: short, unique; names it in progress lines and the report.
        steps: the last one is where it must end.
        ways: how the terminal must reach cards for it.
    """

    name: str
    steps: tuple[Step, ...]
    ways: frozenset[Way] = frozenset(Way)


def described(step: Step) -> str:
    """A few words for progress and report; keys of the pad are only counted."""
    match step:
        case Approach():
            return "approach"
        case Touch(id=wanted):
            return f"touch {wanted}"
        case TouchAnywhere():
            return "touch anywhere"
        case Insert(card=card):
            return f"insert {card}"
        case Remove():
            return "remove card"
        case Press(keys=keys):
            return f"press {len(keys)} keys"
        case Expect(screen=screen, overlay=overlay):
            return f"expect {screen}" + (" with warning" if overlay else "")
        case Stays(screen=screen, seconds=seconds):
            return f"stays {screen} {seconds:g} s"
        case Sim(do=do, arguments=arguments):
            return " ".join(["hall:", do, *arguments.values()])
        case ScanSheet(forged=forged):
            return "scan a forged sheet" if forged else "scan the sheet"
        case TypeSheetCode():
            return "type the sheet's code"
        case ExpectSheets(sheets=sheets):
            return f"expect {sheets} sheets"
        case ExpectDrawn():
            return "expect a sheet under way"
        case ExpectSlips(slips=slips):
            return f"expect {slips} slips"
        case ExpectLight(slot=slot, light=light):
            return f"expect light {slot} {light}"
        case ExpectEvents(kind=kind, count=count):
            return f"expect {count} {kind}"
        case ExpectAlarm(count=count):
            return "expect alarm" if count == 1 else f"expect {count} alarms"
