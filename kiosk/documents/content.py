"""The content of a certificate, as typed values (docs/platform.md, Certificates).

`repr` of what belongs to a person shows its class and no content; amounts are whole fen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from kiosk.platform.models import Month, PaymentState, Personal


class CertificateKind(Enum):
    """What a certificate is about."""

    PARTICIPATION = "participation"
    """参保证明."""


class InsuranceKind(Enum):
    """险种, codes of the national data dictionary (aae140)."""

    PENSION = "110"
    """企业职工基本养老保险."""
    UNEMPLOYMENT = "210"
    WORK_INJURY = "410"


class Sex(Enum):
    """性别 as printed."""

    MALE = "男"
    FEMALE = "女"


@dataclass(frozen=True, repr=False)
class Holder(Personal):
    """Whom it is about.

    Attributes:
        number: 社会保障号码, first 3 and last 4 of its 18 characters, stars between.
    """

    name: str
    number: str
    sex: Sex


@dataclass(frozen=True, repr=False)
class Insurance(Personal):
    """One insurance: state, first and last month.

    Attributes:
        months: 累计缴费月数, None where none are counted.
    """

    kind: InsuranceKind
    state: PaymentState
    first: Month
    last: Month
    months: int | None


@dataclass(frozen=True, repr=False)
class Unit(Personal):
    """参保单位."""

    number: str
    name: str


@dataclass(frozen=True, repr=False)
class PaidMonth(Personal):
    """One month of contributions, amounts in fen.

    Attributes:
        unit: number of one of the certificate's units.
        pension_fen, unemployment_fen: what the person paid.
        settled: whether the payment arrived (到账).
    """

    month: Month
    unit: str
    base_fen: int
    pension_fen: int
    unemployment_fen: int
    settled: bool


@dataclass(frozen=True, repr=False)
class Content(Personal):
    """What is sealed.

    Attributes:
        code: 16 characters (验真码); its check character is not looked at here.
        number: 证明编号.
        division: 6 digits.
        issued_at: with China's offset of 8 hours.
        as_of, valid_until: day that the figures describe; last day of validity.
        period_first, period_last: the months that `rows` may show.
        units: those of `rows`, no others.
        rows: oldest first, at most one a month.
        seal_sm3: digest of the seal's picture, 32 bytes.
    """

    kind: CertificateKind
    code: str
    number: str
    agency: str
    division: str
    issued_at: datetime
    as_of: date
    valid_until: date
    holder: Holder
    period_first: Month
    period_last: Month
    insurances: tuple[Insurance, ...]
    units: tuple[Unit, ...]
    rows: tuple[PaidMonth, ...]
    seal_sm3: bytes
    verify_url: str
