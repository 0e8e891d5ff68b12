"""The bodies of the requests to the platform (docs/platform.md, Endpoints and Who asks).

Each function gives one JSON object for `wire.encode`. ValueError says that a caller gave what the
contract has no form for; its text never shows what was given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from apdu.custodian import AuthenticationRequest, ProtectionRequest
from kiosk.platform import wire
from kiosk.platform.events import Event
from kiosk.platform.limits import BATCH_EVENTS, REQUEST_BYTES
from kiosk.platform.models import AlarmKind, AlarmSeverity, Asker

Body = dict[str, object]

MONTHS_MOST = 60
"""A certificate shows no more months of contributions."""


def for_card_verdict(card_id: bytes, card_number: str) -> Body:
    """POST /v1/card-verdicts."""
    return {wire.CARD_ID: _hex(card_id, 16), wire.CARD_NUMBER: card_number}


def for_ecard(code: str, division: str) -> Body:
    """POST /v1/ecard-verifications."""
    return {"code": code, "channel": "self-service", wire.DIVISION: division}


def for_overview(asker: Asker) -> Body:
    """POST /v1/overviews."""
    return {**_who(asker), "purpose": "self-query"}


def for_risk(item: str, asker: Asker) -> Body:
    """POST /v1/risk-verdicts."""
    return {**_who(asker), "item": item}


def for_certificate(asker: Asker, kind: str, months: int) -> Body:
    """POST /v1/certificates. Raises ValueError: not 1..60 months."""
    if not 1 <= months <= MONTHS_MOST:
        raise ValueError(f"a certificate shows 1..{MONTHS_MOST} months")
    return {**_who(asker), "kind": kind, "months": months}


def for_certificate_verification(code: str, digest: str) -> Body:
    """POST /v1/certificate-verifications. Raises ValueError: code or digest of another form."""
    if not re.fullmatch(r"[2-9A-HJ-NP-Z]{16}", code):
        raise ValueError("a certificate's code has 16 characters of its alphabet")
    if not re.fullmatch(r"([0-9A-Fa-f]{64})?", digest):
        raise ValueError("a certificate's digest has 64 hex digits")
    return {"code": code, "digest": digest}


def for_cryptogram(request: AuthenticationRequest) -> Body:
    """POST /v1/hsm/cryptograms. Raises ValueError: the key has no address."""
    return {**_which_key(request), "data": _hex(request.data, 8)}


def for_protection(request: ProtectionRequest, sealed: bytes) -> Body:
    """POST /v1/hsm/protected-commands. Raises ValueError: the key has no address.

    Args:
        sealed: the request's block, encrypted to the key service; empty where it has none.
    """
    return {
        **_which_key(request),
        "command": _hex(request.header, 4),
        "block": _hex(sealed, len(sealed)),
    }


def for_alarm(
    kind: AlarmKind, severity: AlarmSeverity, event: str, subject: str, occurred_at: int
) -> Body:
    """POST /v1/alarms."""
    return {
        "kind": kind.value,
        "severity": severity.value,
        "occurred_at": occurred_at,
        "detail": event,
        "subject": subject,
    }


def for_event(kind: str, occurred_at: int, body: Mapping[str, object]) -> Body:
    """POST /v1/events."""
    return {"kind": kind, "occurred_at": occurred_at, "body": dict(body)}


def for_event_batch(events: Sequence[Event]) -> list[Body]:
    """POST /v1/event-batches: so many of the first events as one request holds.

    An event stands in it as the text that POST /v1/events would send, for the platform knows it
    again by its bytes.
    """
    batch: list[Body] = []
    size = len(wire.encode({"events": []})) - len(",")
    for event in events[:BATCH_EVENTS]:
        text = wire.encode(for_event(event.kind, event.occurred_at, event.body)).decode()
        entry: Body = {"key": event.key, "event": text}
        size += len(wire.encode(entry)) + len(",")
        if size > REQUEST_BYTES:
            break
        batch.append(entry)
    return batch


def _who(asker: Asker) -> Body:
    """Who asks: the person, the card or ticket if there is one, and what was proved."""
    who: Body = {
        wire.PERSON_NUMBER: asker.number,
        "evidence": sorted(proof.value for proof in asker.evidence),
    }
    if asker.card_id is not None:
        who[wire.CARD_ID] = _hex(asker.card_id, 16)
    if asker.ticket is not None:
        who["ticket"] = asker.ticket
    return who


def _which_key(request: AuthenticationRequest | ProtectionRequest) -> Body:
    address = request.key.hsm_address
    if address is None:
        raise ValueError(f"the key service knows no {request.key.name}")
    return {
        "key": address,
        "algorithm": request.algorithm.value,
        "card_factor": _hex(request.card_factor, 8),
        wire.DIVISION: request.region,
        "challenge": _hex(request.challenge, 8),
    }


def _hex(octets: bytes, length: int) -> str:
    if len(octets) != length:
        raise ValueError(f"expected {length} bytes")
    return octets.hex().upper()
