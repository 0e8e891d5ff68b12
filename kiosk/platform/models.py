"""What the platform tells, under readable names (docs/platform.md, Endpoints).

`repr` of anything that belongs to a person shows its class and no content; amounts are whole fen
(分, 1/100 yuan). `kiosk.platform.answers` reads them from the wire.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from enum import Enum


class CardVerdict(Enum):
    """卡状态: what the card ledger says about one card."""

    NORMAL = "normal"
    SEALED = "sealed"
    LOST = "lost"
    TEMPORARILY_LOST = "temporarily-lost"
    LOCKED = "locked"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Evidence(Enum):
    """What has been proved about the person in front of the terminal."""

    CARD_GENUINE = "card-genuine"
    PIN_VERIFIED = "pin-verified"
    ECARD_VERIFIED = "ecard-verified"
    ID_CARD = "id-card"
    """A resident ID card was read by the security module of an ID reader."""


class EcardResult(Enum):
    """What the platform found out about the code of an e-card (电子社保卡)."""

    VERIFIED = "verified"
    UNKNOWN = "unknown"
    """No e-card's code at all."""
    EXPIRED = "expired"
    USED = "used"
    WRONG_CHANNEL = "wrong-channel"
    """Made for another use, for example payment."""
    CARD_LOST = "card-lost"
    CARD_LOCKED = "card-locked"
    CARD_CANCELLED = "card-cancelled"


class Risk(Enum):
    """What the risk rules say about one person's business (风险提示, 业务阻断)."""

    ALLOW = "allow"
    WARN = "warn"
    BLOCK = "block"


class CertificateState(Enum):
    """What the platform says about a certificate that somebody shows."""

    GENUINE = "genuine"
    ALTERED = "altered"
    """The certificate with this code has another content."""
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class UnavailableReason(Enum):
    """Why one block of an overview has nothing to show."""

    MAINTENANCE = "maintenance"
    NOT_CONNECTED = "not-connected"
    NO_RECORD = "no-record"


class PaymentState(Enum):
    """缴费状态 of one insurance."""

    PAYING = "paying"
    PAUSED = "paused"
    RECEIVING = "receiving"


class AccountState(Enum):
    """Whether a personal pension account (个人养老金账户) exists."""

    OPEN = "open"
    NONE = "none"


class AlarmKind(Enum):
    """What the terminal reports by itself."""

    CARD_NOT_GENUINE = "card-not-genuine"
    DEVICE_FAULT = "device-fault"
    TAMPER = "tamper"


class AlarmSeverity(Enum):
    """How much it hurries."""

    WARN = "warn"
    FAULT = "fault"
    SECURITY = "security"


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month; ``str`` gives ``YYYY-MM``.

    Raises:
        ValueError: no such month.
    """

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.year <= 9999 and 1 <= self.month <= 12):
            raise ValueError("no such month")

    @classmethod
    def parse(cls, text: str) -> Month:
        """From ``YYYY-MM``. Raises ValueError."""
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}", text):
            raise ValueError("not YYYY-MM")
        return cls(int(text[:4]), int(text[5:]))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


class Personal:
    """Base of values that belong to a person: `repr` and `str` tell nothing but the class."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


@dataclass(frozen=True, repr=False)
class Asker(Personal):
    """Who asks the platform about himself, and what proved it.

    Attributes:
        number: 社会保障号码, 18 characters.
        card_id: 卡识别码 of a card proven here, 16 bytes; None without one.
        ticket: of an e-card verified here, 32 hex digits (`EcardHolder`); None without one.
        evidence: what was proved; at least one.

    Raises:
        ValueError: card and ticket, neither of them nor an ID card, one of another length, or no
            evidence.
    """

    number: str
    card_id: bytes | None
    ticket: str | None
    evidence: frozenset[Evidence]

    def __post_init__(self) -> None:
        if self.card_id is not None and self.ticket is not None:
            raise ValueError("a person asks with either a card or a ticket")
        if self.card_id is None and self.ticket is None and Evidence.ID_CARD not in self.evidence:
            raise ValueError("a person asks with a card, a ticket or an ID card")
        if self.card_id is not None and len(self.card_id) != 16:
            raise ValueError("a card's identifier has 16 bytes")
        if self.ticket is not None and not is_ticket(self.ticket):
            raise ValueError("a ticket has 32 hex digits")
        if not self.evidence:
            raise ValueError("nothing proves who asks")


def is_ticket(text: str) -> bool:
    """Whether this has the form of an e-card's ticket: 32 hex digits."""
    return re.fullmatch(r"[0-9A-Fa-f]{32}", text) is not None


@dataclass(frozen=True, repr=False)
class EcardHolder(Personal):
    """Whose e-card was shown.

    Attributes:
        number: 社会保障号码, 18 characters.
        name: 姓名 as the platform knows it.
        ticket: stands for the e-card in this visit's requests (`Asker`), for 900 s.
    """

    number: str
    name: str
    ticket: str


@dataclass(frozen=True, repr=False)
class EcardVerdict(Personal):
    """What came of one code of an e-card.

    Attributes:
        holder: given exactly with VERIFIED.

    Raises:
        ValueError: a holder without VERIFIED, or VERIFIED without one.
    """

    result: EcardResult
    holder: EcardHolder | None

    def __post_init__(self) -> None:
        if (self.result is EcardResult.VERIFIED) != (self.holder is not None):
            raise ValueError("exactly a verified code has a holder")


@dataclass(frozen=True)
class RiskVerdict:
    """What the risk rules say, with the code (业务代码) for the counter, which may be empty."""

    risk: Risk
    code: str


@dataclass(frozen=True, repr=False)
class ShownCertificate(Personal):
    """What the platform tells about one of its certificates to whoever holds the sheet.

    Attributes:
        kind: for example ``participation``.
        number: certificate number.
        agency: who issued it, as printed.
        issued_at: ``YYYY-MM-DDThh:mm:ss+08:00``.
        valid_until: its last day.
        name: 姓名, masked.
        holder_number: 社会保障号码, masked: first 3, stars, last 4.
    """

    kind: str
    number: str
    agency: str
    issued_at: str
    valid_until: date
    name: str
    holder_number: str


@dataclass(frozen=True, repr=False)
class CertificateVerdict(Personal):
    """What came of checking one certificate.

    Attributes:
        shown: to compare with the sheet; None exactly with UNKNOWN.

    Raises:
        ValueError: something to show with UNKNOWN, or nothing without it.
    """

    state: CertificateState
    shown: ShownCertificate | None

    def __post_init__(self) -> None:
        if (self.state is CertificateState.UNKNOWN) != (self.shown is None):
            raise ValueError("exactly an unknown certificate shows nothing")


@dataclass(frozen=True)
class Status:
    """The platform is up.

    Attributes:
        server_time: its clock, Unix seconds.
        catalogue_version: version of the item catalogue that it serves.
    """

    server_time: int
    catalogue_version: str


@dataclass(frozen=True)
class CatalogueItem:
    """Whether one service item can be had now.

    Attributes:
        reason: why not, for people; empty when available.
    """

    code: str
    available: bool
    reason: str


@dataclass(frozen=True)
class Catalogue:
    """服务事项清单: what the platform offers at the moment."""

    version: str
    items: tuple[CatalogueItem, ...]


@dataclass(frozen=True)
class Unavailable:
    """A block without data."""

    reason: UnavailableReason


@dataclass(frozen=True, repr=False)
class Contribution(Personal):
    """One month of contributions.

    Attributes:
        base_fen: 缴费基数 in fen.
        settled: whether the month's payment arrived.
    """

    month: Month
    base_fen: int
    settled: bool


@dataclass(frozen=True, repr=False)
class Pension(Personal):
    """养老保险.

    Attributes:
        months: 累计缴费月数.
        account_fen: 个人账户储存额 in fen.
        retirement: month of retirement, None where it is not known.
        recent: the last twelve months, oldest first.
    """

    months: int
    account_fen: int
    retirement: Month | None
    state: PaymentState
    recent: tuple[Contribution, ...]


@dataclass(frozen=True, repr=False)
class Unemployment(Personal):
    """失业保险."""

    months: int
    state: PaymentState


@dataclass(frozen=True, repr=False)
class WorkInjury(Personal):
    """工伤保险."""

    state: PaymentState
    employer: str


@dataclass(frozen=True, repr=False)
class Annuity(Personal):
    """年金 (occupational pension): balance in fen at the end of `as_of`."""

    balance_fen: int
    as_of: Month


@dataclass(frozen=True)
class NoAnnuity:
    """The person has no annuity."""


@dataclass(frozen=True, repr=False)
class PersonalPension(Personal):
    """个人养老金: what was paid in this year, and how much may be, in fen."""

    state: AccountState
    year_paid_fen: int
    year_limit_fen: int


@dataclass(frozen=True, repr=False)
class Overview(Personal):
    """社保一件事: the five blocks of one person.

    Attributes:
        name: 姓名 as the platform knows it.
        as_of: the day that the figures describe.
    """

    name: str
    as_of: date
    pension: Pension | Unavailable
    unemployment: Unemployment | Unavailable
    work_injury: WorkInjury | Unavailable
    annuity: Annuity | NoAnnuity | Unavailable
    personal_pension: PersonalPension | Unavailable


@dataclass(frozen=True)
class AlarmReceipt:
    """The platform's number of an alarm, for example ``A-2031``."""

    alarm_no: str


@dataclass(frozen=True)
class Submission:
    """What became of an earlier request.

    Attributes:
        status: the HTTP status of its first answer.
        response: that answer's body; may be a person's, so it is not shown.
    """

    status: int
    response: dict[str, object] = field(repr=False)
