"""What the QR of a printed sheet proves without a line to the platform (离线验真).

A seal of our list signed the code, the dates and the digest of the content; the sheet's own words
are proved only as far as they agree with what an online check shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from kiosk.documents import codes
from kiosk.documents.seals import Seals
from kiosk.documents.sheet_code import SheetCode, parse_sheet_code


class QrState(Enum):
    """What came out of the check."""

    GENUINE_SEAL = "genuine-seal"
    """A seal of ours signed it, and it is still valid."""
    EXPIRED = "expired"
    """A seal of ours signed it, but its validity is over."""
    FORGED = "forged"
    """It names a seal of ours, but that seal did not sign it."""
    NOT_OURS = "not-ours"
    """No code of a certificate of this province."""
    UNKNOWN_KEY = "unknown-key"
    """It names a seal that this terminal doesn't know, or that wasn't valid on the day of issue."""


@dataclass(frozen=True)
class QrCheck:
    """What a QR says, and what of it is proved.

    Attributes:
        code: 16 characters; empty with NOT_OURS, as are all others then.
        kind, issued, valid_until, digest: proved with GENUINE_SEAL and EXPIRED, else merely
            claimed; the digest is SM3 of the content in 64 hex digits.
        agency: whose seal it is; empty unless proved.
    """

    state: QrState
    code: str = ""
    kind: str = ""
    issued: date | None = None
    valid_until: date | None = None
    digest: str = ""
    agency: str = ""


def check_qr(text: str, seals: Seals, *, today: date) -> QrCheck:
    """Check the text of a sheet's QR. Any text is answered; nothing is raised.

    Args:
        today: the day in China, up to which the sheet must be valid.
    """
    sheet = parse_sheet_code(text)
    if sheet is None or sheet.address != seals.verify_url:
        return QrCheck(QrState.NOT_OURS)
    key = seals.keys.get(sheet.key_id)
    if key is None or not key.valid_on(sheet.issued):
        return _told(QrState.UNKNOWN_KEY, sheet)
    if not codes.is_code(sheet.code) or not sheet.is_signed_by(key.public_key):
        return _told(QrState.FORGED, sheet)
    if today > sheet.valid_until:
        return _told(QrState.EXPIRED, sheet, key.agency)
    return _told(QrState.GENUINE_SEAL, sheet, key.agency)


def _told(state: QrState, sheet: SheetCode, agency: str = "") -> QrCheck:
    return QrCheck(
        state=state,
        code=sheet.code,
        kind=sheet.kind,
        issued=sheet.issued,
        valid_until=sheet.valid_until,
        digest=sheet.digest.hex(),
        agency=agency,
    )
