"""The enrolment (登记) of a terminal at its platform: the one request that is not signed.

Nobody can sign before the enrolment, so this answer rests on TLS alone (or on loopback).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import requests

from apdu.crypto import sm2
from apdu.crypto.errors import MalformedKey
from kiosk.platform import wire
from kiosk.platform.answers import decode_body
from kiosk.platform.errors import (
    Distrust,
    PlatformAnswerMalformed,
    PlatformRefused,
    PlatformUntrusted,
    Problem,
)
from kiosk.platform.exchange import Exchange, Outgoing
from kiosk.platform.problems import MEDIA_TYPE, decode_problem, media_type, turned_away
from kiosk.platform.signing import content_digest, quoted_key

_YEAR_9999 = 253402300799


@dataclass(frozen=True)
class EnrolmentAnswer:
    """What the platform gives a new terminal.

    Attributes:
        terminal_id: for example ``T429900-0003``.
        platform_key: verifies every later answer.
        encryption_key: what a bundle of messages is encrypted to (`kiosk.transfer`).
        server_time: the platform's clock, Unix seconds.
    """

    terminal_id: str
    platform_key: sm2.PublicKey
    encryption_key: sm2.PublicKey
    server_time: int


def request_enrolment(
    exchange: Exchange,
    *,
    code: str,
    serial: str,
    division: str,
    public_key: sm2.PublicKey,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> EnrolmentAnswer:
    """Ask the platform to enrol this terminal; the same code and key give the same answer again.

    Args:
        code: the one-time code (一次性登记码).
        serial: the machine's own serial, 1..64 visible ASCII characters.
        division: 行政区划代码, six digits.

    Raises:
        PlatformRefused: FORBIDDEN for a wrong or used code, and the other problems.
        PlatformUnavailable, PlatformUntrusted, PlatformAnswerMalformed
    """
    body = wire.encode(
        {
            "code": code,
            "terminal": serial,
            wire.DIVISION: division,
            "public_key": public_key.xy.hex().upper(),
        }
    )
    headers = {
        "Content-Type": "application/json",
        "Content-Digest": content_digest(body),
        "Idempotency-Key": quoted_key(f"enrol-{random(16).hex()}"),
    }

    def leave_unsigned(_request: requests.PreparedRequest) -> None:
        return None

    answer = exchange.send(Outgoing("POST", "/v1/enrolments", headers, body), leave_unsigned)
    if answer.status_code >= 400:
        if media_type(answer) != MEDIA_TYPE:
            if answer.status_code == 429 or answer.status_code >= 500:
                raise turned_away(answer)
            raise PlatformUntrusted(Distrust.UNSIGNED)
        refusal = decode_problem(answer)
        if refusal.problem is Problem.UNAVAILABLE:
            raise turned_away(answer)
        raise PlatformRefused(refusal.problem, refusal.retry_after)
    return _decode(decode_body(answer, 201))


def _decode(document: dict[str, object]) -> EnrolmentAnswer:
    fields = wire.Fields(document, "body")
    terminal_id = fields.text("terminal_id", limit=40)
    platform_key = _point(fields, "platform_public_key")
    encryption_key = _point(fields, "platform_encryption_key")
    server_time = fields.integer("server_time", limit=_YEAR_9999)
    fields.done()
    return EnrolmentAnswer(terminal_id, platform_key, encryption_key, server_time)


def _point(fields: wire.Fields, name: str) -> sm2.PublicKey:
    try:
        return sm2.PublicKey(fields.hexadecimal(name, 64))
    except MalformedKey:
        pass
    raise PlatformAnswerMalformed(name, "is no point of the SM2 curve")
