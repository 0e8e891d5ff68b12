"""What the platform tells, under readable names (docs/platform-api.md, Endpoints).

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
