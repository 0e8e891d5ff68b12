"""What a step wants said, before language and layout: ids and values, no texts.

The presenter (`kiosk.screens.presenter`) turns a page into a `ui.views.Screen` in the language of
the moment, so that a resident may change the language at any page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from drivers.document_printer import PrinterReason
from kiosk.documents.qr_check import QrCheck
from kiosk.pack import Group, Item
from kiosk.platform.models import CardVerdict, CertificateVerdict, Overview


@dataclass(frozen=True)
class HomePage:
    """The menu.

    Attributes:
        first: the large choice.
        card_seen: a card is already in the slot.
        card_inside: it is where no hand can take it back.
        unavailable: (id on the screen, reason) of what can't be served now.
    """

    first: Item | None
    entries: tuple[Item | Group, ...]
    card_seen: bool = False
    card_inside: bool = False
    unavailable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class GroupPage:
    """A further level of the menu."""

    group: Group


class CodeProblem(Enum):
    """Why a code that was shown does not help; the next one may."""

    NOT_OURS = "not-ours"
    """A code of no family, or an e-card's that the platform does not know."""
    CARD_PLATFORM = "card-platform"
    """A code of the card platform: about a card, not about who holds it."""
    CERTIFICATE = "certificate"
    """The code of a printed certificate."""
    GOVERNMENT_SERVICE = "government-service"
    """政务服务码: it names a person, but to another platform."""
    EXPIRED = "expired"
    USED = "used"
    WRONG_CHANNEL = "wrong-channel"
    OFFLINE = "offline"
    """Nobody can tell while the line is down."""


class IdCardProblem(Enum):
    """Why an ID card that was laid on the reader does not help."""

    MOVED = "id-moved"
    """Taken away before it was read."""
    UNREADABLE = "id-unreadable"
    """Another kind of card, or a broken one."""
    OUT_OF_DATE = "id-out-of-date"
    NO_NUMBER = "id-no-number"
    """A document whose number is no social security number."""


class IdCardWay(Enum):
    """How far an ID card helps here."""

    NONE = "none"
    """The machine has no reader, or no ID card is of use."""
    READY = "ready"
    FAILED = "failed"
    """The reader can't be used now."""
    NOT_ENOUGH = "not-enough"
    """The item needs the social security card."""


@dataclass(frozen=True)
class IdentifyPage:
    """Which proofs of identity can be shown now.

    Attributes:
        ecard: an e-card may be shown, beside the card.
        codes: the scanner can read it.
        problem: what was wrong with what was shown before.
        id_card: whether an ID card may be laid on its reader.
    """

    ecard: bool = False
    codes: bool = False
    problem: CodeProblem | IdCardProblem | None = None
    id_card: IdCardWay = IdCardWay.NONE


@dataclass(frozen=True)
class CertificateShownPage:
    """A certificate's code was shown where an e-card was asked for: shall it be verified?"""


@dataclass(frozen=True)
class NoProofPage:
    """What to do without card and e-card."""


@dataclass(frozen=True)
class WorkingPage:
    """Something is being done; ``name`` is the message id and the screen's name."""

    name: str


@dataclass(frozen=True)
class PinPage:
    """Keys are being typed on the pad.

    Attributes:
        count: keys so far.
        tries_left: after a wrong PIN, how many tries the card still grants.
    """

    count: int = 0
    tries_left: int | None = None


@dataclass(frozen=True)
class OverviewPage:
    """社保查询一件事: five blocks about one person."""

    name: str = field(repr=False)
    number: str = field(repr=False)
    verdict: CardVerdict
    overview: Overview = field(repr=False)
    revealed: bool = False


@dataclass(frozen=True)
class CardStatusPage:
    """What the card says of itself and the platform says of the card; no person on it."""

    card_number_tail: str
    version: str
    issued: str
    expires: str
    verdict: CardVerdict


@dataclass(frozen=True)
class PeriodPage:
    """How many months a certificate shows; the first choice is the usual one."""

    months: tuple[int, ...]


@dataclass(frozen=True)
class RiskPage:
    """风险提示: a warning that must be confirmed; ``code`` is the platform's."""

    code: str


@dataclass(frozen=True, repr=False)
class PreviewPage:
    """A document before it is printed.

    Attributes:
        serial: tells documents apart.
        pages: pictures in PNG.
        current: index of the page that is shown.
    """

    serial: str
    pages: tuple[bytes, ...]
    current: int = 0


@dataclass(frozen=True, repr=False)
class PrintingPage:
    """A document comes out of the printer.

    Attributes:
        page: picture of its first page in PNG.
        sheets: how many must come out.
        out: how many are out, None where nobody counts.
        waiting: what the printer waits for.
    """

    serial: str
    page: bytes
    sheets: int
    out: int | None = None
    waiting: PrinterReason | None = None


@dataclass(frozen=True)
class TakeSheetPage:
    """The sheets are out."""

    sheets: int


class SlipState(Enum):
    """How it stands with a slip about what was done."""

    NONE = "none"
    """There is none to be had."""
    OFFERED = "offered"
    OUT = "out"
    """It lies there whole."""
    MISSED = "missed"
    """Nobody knows whether it came out, or all of it."""


@dataclass(frozen=True)
class RatingPage:
    """好差评: voluntary, once a handling (GB/T 39734).

    Attributes:
        slip: offered here, as nothing else comes after the handling.
    """

    slip: SlipState = SlipState.NONE


@dataclass(frozen=True)
class VerifyPage:
    """证明验真: show a sheet's code, or type it.

    Attributes:
        codes: the scanner can read it.
        other: what was shown before is no certificate's code.
    """

    codes: bool
    other: bool = False


@dataclass(frozen=True)
class CodeEntryPage:
    """A certificate's code is typed.

    Attributes:
        wrong: the whole code was typed and its check character does not fit.
    """

    typed: str = ""
    wrong: bool = False


@dataclass(frozen=True, repr=False)
class VerifiedPage:
    """What became of a verification: by the platform, or by the signature alone."""

    result: CertificateVerdict | QrCheck


@dataclass(frozen=True)
class NoticePage:
    """A failure in words.

    Attributes:
        failure: its name in failures.toml.
        reference: for the staff, beside the code.
    """

    failure: str
    reference: str = ""


@dataclass(frozen=True)
class TakeCardPage:
    """The visit is over, the slot is not empty yet, or an ID card lies on its reader."""

    done: bool
    card: bool = True
    id_card: bool = False


@dataclass(frozen=True)
class IdlePage:
    """Nobody is there."""


@dataclass(frozen=True)
class OutOfServicePage:
    """Nothing can be served.

    Attributes:
        reason: a message id.
        reader: the slot that is stuck, for the staff; empty when none is.
    """

    reason: str
    reader: str = ""


Page = (
    HomePage
    | GroupPage
    | IdentifyPage
    | CertificateShownPage
    | NoProofPage
    | PeriodPage
    | RiskPage
    | PreviewPage
    | PrintingPage
    | TakeSheetPage
    | RatingPage
    | VerifyPage
    | CodeEntryPage
    | VerifiedPage
    | WorkingPage
    | PinPage
    | OverviewPage
    | CardStatusPage
    | NoticePage
    | TakeCardPage
    | IdlePage
    | OutOfServicePage
)
