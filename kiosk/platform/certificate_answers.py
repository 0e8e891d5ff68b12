"""Reads what the platform tells of certificates (docs/platform.md, Certificates).

Only the wire is judged here; whether a seal holds is `kiosk.documents`' business.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from kiosk.documents.certificate import SealedCertificate
from kiosk.platform.errors import PlatformAnswerMalformed
from kiosk.platform.models import CertificateState, CertificateVerdict, ShownCertificate
from kiosk.platform.wire import Fields

CONTENT_BYTES: Final = 256 * 1024
"""A certificate's content is not longer (`LineLimits.answer_bytes` has room for both)."""
SEAL_BYTES: Final = 512 * 1024
"""A seal's picture is not longer."""

_QR_LIMIT = 512
_PNG = b"\x89PNG\r\n\x1a\n"
_MASKED_NUMBER = re.compile(r"[0-9A-Z]{3}\*{11}[0-9A-Z]{4}")


def decode_certificate(document: dict[str, object]) -> SealedCertificate:
    """POST /v1/certificates."""
    fields = Fields(document, "body")
    certificate = SealedCertificate(
        content=fields.utf8("content", limit=CONTENT_BYTES),
        signature=fields.hexadecimal("signature", 64),
        key_id=fields.visible("key_id", limit=64),
        seal_png=fields.base64("seal", limit=SEAL_BYTES),
        qr=fields.visible("qr", limit=_QR_LIMIT),
    )
    fields.done()
    if not certificate.seal_png.startswith(_PNG):
        raise PlatformAnswerMalformed("seal", "is no PNG")
    return certificate


def decode_certificate_verdict(document: dict[str, object]) -> CertificateVerdict:
    """POST /v1/certificate-verifications."""
    fields = Fields(document, "body")
    state = fields.word("result", CertificateState)
    shown = None if fields.null("shown") else _shown(fields.nested("shown"))
    fields.done()
    if (state is CertificateState.UNKNOWN) != (shown is None):
        raise PlatformAnswerMalformed("shown", "does not belong to the result")
    return CertificateVerdict(state, shown)


def _shown(fields: Fields) -> ShownCertificate:
    shown = ShownCertificate(
        kind=fields.text("kind", limit=40),
        number=fields.text("number", limit=64),
        agency=fields.text("agency"),
        issued_at=fields.parsed("issued_at", _issued_at, "time YYYY-MM-DDThh:mm:ss+08:00"),
        valid_until=fields.day("valid_until"),
        name=fields.parsed("name", _masked_name, "masked name"),
        holder_number=fields.parsed("holder_number", _masked_number, "masked number"),
    )
    fields.done()
    return shown


def _issued_at(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+08:00", text):
        raise ValueError("another form")
    datetime.fromisoformat(text)
    return text


def _masked_name(text: str) -> str:
    if "*" not in text:
        raise ValueError("a whole name")
    return text


def _masked_number(text: str) -> str:
    if not _MASKED_NUMBER.fullmatch(text):
        raise ValueError("not masked")
    return text
