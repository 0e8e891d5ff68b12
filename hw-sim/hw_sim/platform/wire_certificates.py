"""Bodies of the certificates' endpoints (*Certificates* of docs/platform.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hw_sim.platform.wire import Date, PersonRequest, Wire

CertificateKind = Literal["participation"]


class CertificateRequest(PersonRequest):
    kind: CertificateKind
    months: Annotated[int, Field(ge=1, le=60)]


class CertificateAnswer(Wire):
    content: str
    signature: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{128}$", description="SM2, raw r‖s")]
    key_id: str
    seal: Annotated[str, Field(description="PNG, base64")]
    qr: Annotated[str, Field(pattern=r"^[\x21-\x7e]+$")]


class VerificationRequest(Wire):
    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{16}$")]
    digest: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{64})?$", description="SM3 of the content")]


class Shown(Wire):
    """What whoever checks a certificate may see of it."""

    kind: CertificateKind
    number: str
    agency: str
    issued_at: str
    valid_until: Date
    name: Annotated[str, Field(description="masked")]
    holder_number: Annotated[str, Field(description="masked")]


VerificationResult = Literal["genuine", "altered", "expired", "revoked", "unknown"]


class VerificationAnswer(Wire):
    result: VerificationResult
    shown: Shown | None
