"""Checking a certificate by its code: for terminals and, as a page, for everybody."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hw_sim.platform.certificate_codes import is_code
from hw_sim.platform.certificates import CHINA
from hw_sim.platform.masking import masked_name
from hw_sim.platform.model import Certificate
from hw_sim.platform.operations import answer
from hw_sim.platform.problems import Answer
from hw_sim.platform.wire_certificates import (
    Shown,
    VerificationAnswer,
    VerificationRequest,
    VerificationResult,
)


def check(session: Session, code: str, digest: str, now: int) -> VerificationAnswer:
    """What is known of a certificate.

    Args:
        code: in capitals; of any form.
        digest: SM3 of the content in small hex, or "" to ask by the code alone.
        now: Unix seconds.
    """
    row = None
    if is_code(code):
        row = session.scalar(select(Certificate).where(Certificate.code == code))
    if row is None:
        return VerificationAnswer(result="unknown", shown=None)
    return VerificationAnswer(result=_result(row, digest, now), shown=_shown(row))


def _result(row: Certificate, digest: str, now: int) -> VerificationResult:
    # A sheet that says something else is not this certificate, whatever became of this one.
    if digest not in ("", row.digest):
        return "altered"
    if row.revoked_at is not None:
        return "revoked"
    if datetime.fromtimestamp(now, CHINA).date() > row.valid_until:
        return "expired"
    return "genuine"


def _shown(row: Certificate) -> Shown:
    content = json.loads(row.content)
    held = content["holder"]
    return Shown(
        kind=content["kind"],
        number=content["number"],
        agency=content["agency"],
        issued_at=content["issued_at"],
        valid_until=content["valid_until"],
        name=masked_name(held["aac003"]),
        holder_number=held["number"],
    )


def certificate_verification(request: VerificationRequest, now: int) -> Callable[[Session], Answer]:
    def effect(session: Session) -> Answer:
        return answer(check(session, request.code.upper(), request.digest.lower(), now))

    return effect


def revoke(session: Session, code: str, now: int) -> None:
    """Raises LookupError: no certificate has this code."""
    row = session.scalar(select(Certificate).where(Certificate.code == code))
    if row is None:
        raise LookupError("no such certificate")
    row.revoked_at = now
