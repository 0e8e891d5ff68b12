"""Sealed certificates: issued, and what identifies them on paper."""

from __future__ import annotations

import base64
import hashlib
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy.orm import Session

from hw_sim.platform.asking import person_asking
from hw_sim.platform.certificate_codes import new_code
from hw_sim.platform.certificate_content import canonical, holder, participation
from hw_sim.platform.idempotency import Exchange
from hw_sim.platform.model import Certificate
from hw_sim.platform.operations import answer
from hw_sim.platform.problems import Answer, Problem, ProblemKind
from hw_sim.platform.risk import risk_of
from hw_sim.platform.seal import Seal
from hw_sim.platform.wire_certificates import CertificateAnswer, CertificateRequest
from hw_sim.population import DIVISION

KIND_NAMES: Mapping[str, str] = {"participation": "社会保险参保证明"}
CHINA = timezone(timedelta(hours=8))


@cache
def _rules() -> Mapping[str, Any]:
    return tomllib.loads(files("hw_sim.platform").joinpath("certificates.toml").read_text("utf-8"))


def base64url(data: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def content_sm3(content: str) -> bytes:
    """What a certificate's QR and a verification compare, 32 bytes."""
    return hashlib.new("sm3", content.encode()).digest()


def certificate(
    request: CertificateRequest, exchange: Exchange, as_of: date, seal: Seal
) -> Callable[[Session], Answer]:
    """Issue a certificate; every request that isn't a repetition gets one of its own.

    Args:
        as_of: the day that the residents' records show.

    Raises of the effect:
        Problem: as ``person_asking``; ``forbidden`` when the risk rules block.
    """

    def effect(session: Session) -> Answer:
        person = person_asking(session, request, exchange)
        rules = _rules()[request.kind]
        risk = risk_of(rules["item"], person)
        if risk.verdict == "block":
            raise Problem(ProblemKind.FORBIDDEN, f"blocked by the risk rules: {risk.code}")
        issued = datetime.fromtimestamp(exchange.now, CHINA)
        row = Certificate(
            code=new_code(),
            terminal_id=exchange.terminal_id,
            person_id=person.id,
            valid_until=issued.date() + timedelta(days=rules["validity_days"]),
        )
        session.add(row)
        # Numbers it.
        session.flush()
        row.content = canonical(
            {
                "kind": request.kind,
                "code": row.code,
                "number": f"{DIVISION}-{issued.year}-{row.id:06d}",
                "agency": seal.agency,
                "aab301": DIVISION,
                "issued_at": issued.isoformat(),
                "as_of": as_of.isoformat(),
                "valid_until": row.valid_until.isoformat(),
                "holder": holder(person),
                **participation(session, person, as_of, request.months),
                "seal_sm3": seal.picture_sm3,
                "verify_url": _rules()["verify_url"],
            }
        )
        row.digest = content_sm3(row.content).hex()
        return answer(
            CertificateAnswer(
                content=row.content,
                signature=seal.sign(row.content.encode()).hex(),
                key_id=seal.key_id,
                seal=base64.b64encode(seal.picture).decode("ascii"),
                qr=_qr(request.kind, row, issued.date(), seal),
            ),
            201,
        )

    return effect


def _qr(kind: str, row: Certificate, issued: date, seal: Seal) -> str:
    text = (
        f"{_rules()['verify_url']}?c={row.code}&k={seal.key_id}&t={kind}"
        f"&i={issued:%Y%m%d}&e={row.valid_until:%Y%m%d}&d={base64url(bytes.fromhex(row.digest))}"
    )
    return f"{text}&s={base64url(seal.sign(text.encode('ascii')))}"
