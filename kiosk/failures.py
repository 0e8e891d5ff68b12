"""The domain outcomes that end a visit early, and how device errors become one of them.

Card, pad and platform each speak their own vocabulary of exceptions; `failure_of` is the one
function between those and what a resident is told (DESIGN §8).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from apdu import errors as card
from drivers import pin_pad
from kiosk.documents.certificate import CertificateRefused
from kiosk.documents.composer import CannotShow, ComposeFailed
from kiosk.platform import errors as platform
from kiosk.platform.models import CardVerdict


class Failure(Exception):
    """The visit can't reach its purpose.

    Attributes:
        name: an entry of failures.toml.
        reference: shown beside the code for the staff, for example a print's serial; nothing
            personal.
    """

    def __init__(self, name: str, reference: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.reference = reference


class NoAnswer(Exception):
    """A device or the platform did not answer within the step's deadline.

    Attributes:
        lane: the worker that is still busy with it.
    """

    def __init__(self, lane: str) -> None:
        super().__init__(f"{lane} did not answer in time")
        self.lane = lane


class LaneBusy(Exception):
    """The device is still busy with a call that an earlier visit gave up.

    Attributes:
        lane: the device's worker.
    """

    def __init__(self, lane: str) -> None:
        super().__init__(f"{lane} is still busy")
        self.lane = lane


@dataclass(frozen=True)
class FailureKind:
    """One entry of failures.toml."""

    name: str
    code: str
    tone: str
    picture: str
    alarm: str | None = None
    audit: str | None = None


@cache
def kinds() -> dict[str, FailureKind]:
    """All failures by name."""
    text = resources.files("kiosk").joinpath("failures.toml").read_text(encoding="utf-8")
    return {name: FailureKind(name=name, **entry) for name, entry in tomllib.loads(text).items()}


_BY_TYPE: tuple[tuple[type[Exception], str], ...] = (
    (card.CardRemoved, "card-removed"),
    (card.CardAbsent, "card-removed"),
    (card.CardMute, "card-mute"),
    (card.CardReset, "card-damaged"),
    (card.ReaderGone, "reader-gone"),
    (card.ReaderBusy, "reader-busy"),
    (card.UnknownCard, "card-unknown"),
    (card.PsamUnavailable, "card-unproven"),
    (card.AuthenticationFailed, "card-not-genuine"),
    (card.PinBlocked, "pin-blocked"),
    (card.CardError, "card-damaged"),
    (pin_pad.PinCancelled, "pin-cancelled"),
    (pin_pad.PinTimeout, "pin-cancelled"),
    (pin_pad.PadTampered, "pad-tampered"),
    (pin_pad.PadError, "pad-gone"),
    (CertificateRefused, "certificate-untrusted"),
    (CannotShow, "certificate-characters"),
    (ComposeFailed, "document-failed"),
    (platform.PlatformUnavailable, "platform-unavailable"),
    (platform.PlatformUntrusted, "platform-untrusted"),
    (platform.PlatformError, "platform-refused"),
)

_SILENT = {
    "card": "card-mute",
    "pad": "pad-gone",
    "platform": "platform-unavailable",
    "composer": "document-failed",
    "printer": "print-unknown",
}
_BUSY = {"card": "reader-busy", "pad": "pad-gone", "printer": "printer-busy"}


def failure_of(error: Exception) -> Failure | None:
    """The failure that an expected exception stands for; None for a bug."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, NoAnswer):
        return Failure(_SILENT.get(error.lane, "no-answer"))
    if isinstance(error, LaneBusy):
        return Failure(_BUSY.get(error.lane, "no-answer"))
    for kind, name in _BY_TYPE:
        if isinstance(error, kind):
            return Failure(name)
    return None


_BY_VERDICT = {
    CardVerdict.SEALED: "card-sealed",
    CardVerdict.LOST: "card-lost",
    CardVerdict.TEMPORARILY_LOST: "card-lost",
    CardVerdict.LOCKED: "card-locked",
    CardVerdict.CANCELLED: "card-cancelled",
    CardVerdict.UNKNOWN: "card-unregistered",
}


def refuse_unless_normal(verdict: CardVerdict) -> None:
    """Raise the failure for every verdict of the platform but ``normal``."""
    if verdict is not CardVerdict.NORMAL:
        raise Failure(_BY_VERDICT[verdict])
