"""Bodies of the certificates' endpoints (*Certificates* of docs/platform.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hw_sim.platform.wire import WHOLE, Date, PersonRequest, Text, Wire

CertificateKind = Literal["participation"]
_SEAL_CHARACTERS = 4 * (524_288 // 3 + 1)
"""Of the picture's most bytes in base64."""
_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+08:00$"


class CertificateRequest(PersonRequest):
    kind: CertificateKind
    months: Annotated[int, Field(ge=1, le=60), WHOLE]


class CertificateAnswer(Wire):
    content: Annotated[str, Field(max_length=262_144, description="JSON; signed as its UTF-8")]
    signature: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{128}$", description="SM2, raw r‖s")]
    key_id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")]
    seal: Annotated[str, Field(max_length=_SEAL_CHARACTERS, description="PNG, base64")]
    qr: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,512}$")]


class VerificationRequest(Wire):
    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{16}$")]
    digest: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{64})?$", description="SM3 of the content")]


class Shown(Wire):
    """What whoever checks a certificate may see of it."""

    kind: CertificateKind
    number: Annotated[str, Field(max_length=64)]
    agency: Text
    issued_at: Annotated[str, Field(pattern=_INSTANT)]
    valid_until: Date
    name: Annotated[str, Field(max_length=200, description="masked")]
    holder_number: Annotated[str, Field(max_length=18, description="masked")]


VerificationResult = Literal["genuine", "altered", "expired", "revoked", "unknown"]


class VerificationAnswer(Wire):
    result: VerificationResult
    shown: Shown | None
