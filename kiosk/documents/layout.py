"""From a verified certificate to the finished texts that a template places.

The template decides where things stand and how large; every number, date and word is finished
here. Texts travel as data: typst inserts them as they are, never as markup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from kiosk.documents import codes
from kiosk.documents.certificate import Certificate
from kiosk.documents.content import Insurance, PaidMonth
from kiosk.documents.templates import CertificateTemplate
from kiosk.platform.models import Month

_SERIAL = re.compile(r"[!-~]{1,64}")
_SHORT_DIGEST = 16
"""Hex digits of the digest that are printed."""


@dataclass(frozen=True)
class PrintStamp:
    """Where and when a sheet is made.

    Attributes:
        terminal_id: for example ``T429900-0003``.
        printed_at: with its offset from UTC; printed as it is.
        serial: the print job's own name, 1..64 visible ASCII characters.

    Raises:
        ValueError: `printed_at` has no offset, or another form of `serial`.
    """

    terminal_id: str
    printed_at: datetime
    serial: str

    def __post_init__(self) -> None:
        if self.printed_at.utcoffset() is None:
            raise ValueError("printed_at needs an offset from UTC")
        if not _SERIAL.fullmatch(self.serial):
            raise ValueError("a serial has 1..64 visible ASCII characters")


def lay_out(
    certificate: Certificate, stamp: PrintStamp, template: CertificateTemplate
) -> dict[str, object]:
    """What the template gets as ``sys.inputs.certificate``, JSON; seal and QR travel apart."""
    holder = certificate.holder
    first, last = certificate.period_first, certificate.period_last
    return {
        "words": dict(template.words),
        "seal_mm": template.seal_mm,
        "qr_mm": template.qr_mm,
        "code": codes.group4(certificate.code),
        "number": certificate.number,
        "holder": {"name": holder.name, "number": holder.number, "sex": holder.sex.value},
        "insurances": [_insurance(entry, template) for entry in certificate.insurances],
        "units": [[unit.number, unit.name] for unit in certificate.units],
        "period": _span(first, last),
        "rows": [_row(row, template) for row in certificate.rows],
        "notes": [_filled(note.text, certificate) for note in template.notes],
        "agency": certificate.agency,
        "issued": _date(certificate.issued_at.date()),
        "verify_url": certificate.verify_url,
        "digest": _short(certificate.digest),
        "terminal": stamp.terminal_id,
        "printed": stamp.printed_at.strftime("%Y-%m-%d %H:%M:%S"),
        "serial": stamp.serial,
    }


def money(fen: int) -> str:
    """Yuan with two decimals and thousands apart: 8,406.00."""
    return f"{fen // 100:,}.{fen % 100:02d}"


def _insurance(insurance: Insurance, template: CertificateTemplate) -> list[str]:
    months = template.words["none"] if insurance.months is None else str(insurance.months)
    return [
        template.insurances[insurance.kind],
        template.states[insurance.state],
        _span(insurance.first, insurance.last),
        months,
    ]


def _row(row: PaidMonth, template: CertificateTemplate) -> list[str]:
    return [
        _month(row.month),
        row.unit,
        money(row.base_fen),
        money(row.pension_fen),
        money(row.unemployment_fen),
        template.words["settled_yes" if row.settled else "settled_no"],
    ]


def _filled(note: str, certificate: Certificate) -> str:
    values = {
        "as_of": _date(certificate.as_of),
        "valid_until": _date(certificate.valid_until),
        "verify_url": certificate.verify_url,
    }
    return re.sub(r"\{([a-z_]+)\}", lambda match: values[match[1]], note)


def _span(first: Month, last: Month) -> str:
    return f"{_month(first)}–{_month(last)}"


def _month(month: Month) -> str:
    return f"{month.year:04d}.{month.month:02d}"


def _date(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _short(digest: bytes) -> str:
    digits = digest.hex().upper()[:_SHORT_DIGEST]
    return " ".join(digits[start : start + 4] for start in range(0, _SHORT_DIGEST, 4))
