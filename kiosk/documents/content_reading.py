"""Reads the content of a certificate strictly (docs/platform.md, Certificates).

`read_content` checks form and inner agreement. Whether a seal stands behind it is decided by
`kiosk.documents.certificate`, before this is called.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import datetime
from itertools import pairwise
from typing import Final

from kiosk.documents.content import (
    CertificateKind,
    Content,
    Holder,
    Insurance,
    InsuranceKind,
    PaidMonth,
    Sex,
    Unit,
)
from kiosk.platform import wire
from kiosk.platform.errors import PlatformAnswerMalformed
from kiosk.platform.models import Month, PaymentState
from kiosk.platform.wire import Fields

INSURANCE_KIND: Final = "aae140"
"""险种类型, data dictionary."""
UNIT_NUMBER: Final = "aab001"
"""单位编号."""
UNIT_NAME: Final = "aab004"
"""单位名称."""

LONGEST_CONTENT = 65_536
"""Bytes."""
LONGEST_PERIOD = 60
"""Months that one certificate can show."""
_MONTHS_LIMIT = 1200
_NUMBER_LIMIT = 40
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories that could hide or turn around what is printed."""
_MASKED = re.compile(r"[0-9]{3}\*{11}[0-9]{3}[0-9X]")
_DIVISION = re.compile(r"[0-9]{6}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+08:00")


class ContentMalformed(Exception):
    """The content is not what the contract says.

    Attributes:
        where: the field that is meant, by its path in the contract; empty for the whole.
        canonical: False when it is not even the canonical JSON text of an object.
    """

    def __init__(self, where: str, *, canonical: bool = True) -> None:
        super().__init__(f"the content is not as agreed: {where}")
        self.where = where
        self.canonical = canonical


def read_content(text: bytes) -> Content:
    """Read the sealed bytes. Raises ContentMalformed."""
    try:
        document = wire.decode(text) if len(text) <= LONGEST_CONTENT else None
    except PlatformAnswerMalformed:
        document = None
    if document is None or not _is_canonical(document, text):
        raise ContentMalformed("", canonical=False)
    if not _is_visible(document):
        raise ContentMalformed("text")
    try:
        content = _content(Fields(document, "body"))
    except PlatformAnswerMalformed as problem:
        raise ContentMalformed(problem.where) from None
    _check_agreement(content)
    return content


def _is_canonical(document: dict[str, object], text: bytes) -> bool:
    try:
        spelling = json.dumps(
            document, ensure_ascii=False, sort_keys=True, separators=(",", ":")
        ).encode("utf-8")
    except (UnicodeEncodeError, RecursionError):
        return False
    return spelling == text


def _is_visible(value: object) -> bool:
    """Whether no text inside has control, format or line-breaking characters."""
    match value:
        case str():
            return not any(unicodedata.category(character) in _INVISIBLE for character in value)
        case list():
            return all(_is_visible(entry) for entry in value)
        case dict():
            return all(_is_visible(entry) for pair in value.items() for entry in pair)
        case _:
            return True


def _content(fields: Fields) -> Content:
    period = fields.nested("period")
    content = Content(
        kind=fields.word("kind", CertificateKind),
        code=fields.text("code"),
        number=fields.text("number", limit=_NUMBER_LIMIT),
        agency=fields.text("agency"),
        division=_matching(fields, wire.DIVISION, _DIVISION, "division"),
        issued_at=fields.parsed("issued_at", _moment, "moment in China"),
        as_of=fields.day("as_of"),
        valid_until=fields.day("valid_until"),
        holder=_holder(fields.nested("holder")),
        period_first=_month(period, "from"),
        period_last=_month(period, "to"),
        insurances=tuple(
            _insurance(entry) for entry in fields.objects("insurances", most=len(InsuranceKind))
        ),
        units=tuple(_unit(entry) for entry in fields.objects("units", most=LONGEST_PERIOD)),
        rows=tuple(_paid_month(entry) for entry in fields.objects("rows", most=LONGEST_PERIOD)),
        seal_sm3=bytes.fromhex(_matching(fields, "seal_sm3", _DIGEST, "digest")),
        verify_url=fields.text("verify_url"),
    )
    period.done()
    fields.done()
    return content


def _holder(fields: Fields) -> Holder:
    holder = Holder(
        name=fields.text(wire.PERSON_NAME),
        number=_matching(fields, "number", _MASKED, "masked number"),
        sex=fields.word("sex", Sex),
    )
    fields.done()
    return holder


def _insurance(fields: Fields) -> Insurance:
    insurance = Insurance(
        kind=fields.word(INSURANCE_KIND, InsuranceKind),
        state=fields.word("state", PaymentState),
        first=_month(fields, "from"),
        last=_month(fields, "to"),
        months=None if fields.null("months") else fields.integer("months", limit=_MONTHS_LIMIT),
    )
    fields.done()
    return insurance


def _unit(fields: Fields) -> Unit:
    unit = Unit(fields.text(UNIT_NUMBER, limit=_NUMBER_LIMIT), fields.text(UNIT_NAME))
    fields.done()
    return unit


def _paid_month(fields: Fields) -> PaidMonth:
    paid = PaidMonth(
        month=_month(fields, "month"),
        unit=fields.text(UNIT_NUMBER, limit=_NUMBER_LIMIT),
        base_fen=fields.fen("base_fen"),
        pension_fen=fields.fen("pension_fen"),
        unemployment_fen=fields.fen("unemployment_fen"),
        settled=fields.flag("settled"),
    )
    fields.done()
    return paid


def _month(fields: Fields, name: str) -> Month:
    return fields.parsed(name, Month.parse, "month YYYY-MM")


def _matching(fields: Fields, name: str, pattern: re.Pattern[str], what: str) -> str:
    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError("another form")
        return text

    return fields.parsed(name, parse, what)


def _moment(text: str) -> datetime:
    if not _MOMENT.fullmatch(text):
        raise ValueError("not YYYY-MM-DDThh:mm:ss+08:00")
    return datetime.fromisoformat(text)


def _check_agreement(content: Content) -> None:
    """That the parts fit together. Raises ContentMalformed."""
    first, last = content.period_first, content.period_last
    if not first <= last or _months_between(first, last) >= LONGEST_PERIOD:
        raise ContentMalformed("period")
    if not content.as_of <= content.issued_at.date() <= content.valid_until:
        raise ContentMalformed("issued_at")
    kinds = [insurance.kind for insurance in content.insurances]
    if len(set(kinds)) != len(kinds) or any(i.first > i.last for i in content.insurances):
        raise ContentMalformed("insurances")
    if any(not first <= row.month <= last for row in content.rows) or not all(
        a.month < b.month for a, b in pairwise(content.rows)
    ):
        raise ContentMalformed("rows")
    numbers = [unit.number for unit in content.units]
    if len(set(numbers)) != len(numbers) or set(numbers) != {row.unit for row in content.rows}:
        raise ContentMalformed("units")


def _months_between(first: Month, last: Month) -> int:
    return (last.year - first.year) * 12 + last.month - first.month
