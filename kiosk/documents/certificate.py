"""A certificate as the platform delivers it, and its verification before anything is rendered.

Nothing unsealed leaves the printer (DESIGN §4.4): `verify` proves that an agency of the data pack
sealed the content, that seal picture and QR belong to it, and that it is valid today.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from apdu.crypto import sm2, sm3
from apdu.crypto.sm2 import SignatureEncoding
from kiosk.documents import codes
from kiosk.documents.content import Content
from kiosk.documents.content_reading import ContentMalformed, read_content
from kiosk.documents.seal_picture import is_seal_picture
from kiosk.documents.seals import SealKey, Seals
from kiosk.documents.sheet_code import parse_sheet_code
from kiosk.platform.models import Personal

_CLOCKS_DIFFER = timedelta(days=1)
"""Around midnight platform and terminal may stand on different days."""


class Refusal(Enum):
    """Why a certificate is not believed; in the order in which it is looked at."""

    KEY_UNKNOWN = "key-unknown"
    """Sealed by a key that the pack doesn't list."""
    KEY_EXPIRED = "key-expired"
    """The pack lists the key, but not for today or not for the day of issue."""
    SIGNATURE = "signature"
    NOT_CANONICAL = "not-canonical"
    """The content is not one JSON object in its canonical spelling."""
    CONTENT = "content"
    """A field is missing, extra, ill-typed, or contradicts another."""
    CODE = "code"
    """The check character of the certificate's code is wrong."""
    AGENCY = "agency"
    """It names another issuing agency or division than its seal's owner."""
    NOT_VALID = "not-valid"
    """Its validity is over, or it was issued in the future."""
    VERIFY_URL = "verify-url"
    """It sends people to another place for verification than the pack's."""
    SEAL = "seal"
    """The picture is not the one that was sealed, or can't be laid over a sheet."""
    QR = "qr"
    """The QR says something else than the content, or its own signature is wrong."""


class CertificateRefused(Exception):
    """The certificate is not believed; the text names no person and no content.

    Attributes:
        where: the field of the contract that is meant, for engineers; often empty.
    """

    def __init__(self, reason: Refusal, where: str = "") -> None:
        place = f" ({where})" if where else ""
        super().__init__(f"the certificate is refused: {reason.value}{place}")
        self.reason = reason
        self.where = where


@dataclass(frozen=True, repr=False)
class SealedCertificate(Personal):
    """A certificate as it came over the wire; nothing of it is checked.

    Attributes:
        content: UTF-8 JSON, the very bytes that were signed.
        signature: r ‖ s, 64 bytes.
        seal_png: picture of the seal.
        qr: the text to print as a QR.
    """

    content: bytes
    signature: bytes
    key_id: str
    seal_png: bytes
    qr: str


@dataclass(frozen=True, repr=False)
class Certificate(Content):
    """A verified certificate: the content's fields and what belongs to them.

    Attributes:
        seal_png: a PNG with transparency, 64..2048 pixels a side.
        qr: text of the sheet's QR.
        digest: SM3 of the content, 32 bytes.
    """

    seal_png: bytes
    qr: str
    digest: bytes


def verify(sealed: SealedCertificate, seals: Seals, *, today: date) -> Certificate:
    """Check everything about a certificate.

    Args:
        today: the day in China.

    Raises:
        CertificateRefused: with the first reason that was found.
    """
    key = seals.keys.get(sealed.key_id)
    if key is None:
        raise CertificateRefused(Refusal.KEY_UNKNOWN)
    if not key.valid_on(today):
        raise CertificateRefused(Refusal.KEY_EXPIRED)
    if not sm2.verify(
        key.public_key, sealed.content, sealed.signature, encoding=SignatureEncoding.RAW
    ):
        raise CertificateRefused(Refusal.SIGNATURE)
    try:
        content = read_content(sealed.content)
    except ContentMalformed as problem:
        reason = Refusal.CONTENT if problem.canonical else Refusal.NOT_CANONICAL
        raise CertificateRefused(reason, problem.where) from None
    _check_content(content, key, seals, today)
    if sm3.digest(sealed.seal_png) != content.seal_sm3 or not is_seal_picture(sealed.seal_png):
        raise CertificateRefused(Refusal.SEAL)
    digest = sm3.digest(sealed.content)
    if not _qr_agrees(sealed.qr, content, digest, key):
        raise CertificateRefused(Refusal.QR)
    return Certificate(**vars(content), seal_png=sealed.seal_png, qr=sealed.qr, digest=digest)


def _check_content(content: Content, key: SealKey, seals: Seals, today: date) -> None:
    issued = content.issued_at.date()
    if not key.valid_on(issued):
        raise CertificateRefused(Refusal.KEY_EXPIRED)
    if not codes.is_code(content.code):
        raise CertificateRefused(Refusal.CODE)
    if (content.agency, content.division) != (key.agency, key.division):
        raise CertificateRefused(Refusal.AGENCY)
    if issued > today + _CLOCKS_DIFFER or today > content.valid_until:
        raise CertificateRefused(Refusal.NOT_VALID)
    if content.verify_url != seals.verify_url:
        raise CertificateRefused(Refusal.VERIFY_URL)


def _qr_agrees(qr: str, content: Content, digest: bytes, key: SealKey) -> bool:
    sheet = parse_sheet_code(qr)
    return (
        sheet is not None
        and sheet.address == content.verify_url
        and sheet.code == content.code
        and sheet.key_id == key.key_id
        and sheet.kind == content.kind.value
        and sheet.issued == content.issued_at.date()
        and sheet.valid_until == content.valid_until
        and sheet.digest == digest
        and sheet.is_signed_by(key.public_key)
    )
