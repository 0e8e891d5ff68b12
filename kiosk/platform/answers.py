"""Reads the platform's answers (docs/platform.md, Endpoints) into `kiosk.platform.models`.

Each function takes the body's JSON object and is strict: a missing, extra or ill-typed field
raises `PlatformAnswerMalformed`. Overviews and certificates have modules of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from apdu.crypto import sm2
from apdu.crypto.errors import MalformedKey
from kiosk.platform import wire
from kiosk.platform.errors import PlatformAnswerMalformed, PlatformRefused
from kiosk.platform.models import (
    AlarmReceipt,
    CardVerdict,
    Catalogue,
    CatalogueItem,
    EcardHolder,
    EcardResult,
    EcardVerdict,
    Risk,
    RiskVerdict,
    Status,
    Submission,
    is_ticket,
)
from kiosk.platform.problems import media_type, read_problem
from kiosk.platform.signing import ReceivedAnswer
from kiosk.platform.wire import Fields

_FAR_FUTURE = 253402300799
"""The last second of the year 9999."""
_ITEMS_LIMIT = 500


def decode_body(answer: ReceivedAnswer, expected: int) -> dict[str, object]:
    """The JSON object of a signed answer that is no problem.

    Args:
        expected: the only HTTP status that the contract gives to this success.
    """
    if answer.status_code != expected:
        raise PlatformAnswerMalformed("status", f"is not {expected}")
    if media_type(answer) != "application/json":
        raise PlatformAnswerMalformed("Content-Type", "is not application/json")
    return wire.decode(answer.body)


def decode_status(document: dict[str, object]) -> Status:
    """GET /v1/status."""
    fields = Fields(document, "body")
    status = Status(
        server_time=fields.integer("server_time", limit=_FAR_FUTURE),
        catalogue_version=fields.text("catalogue_version"),
    )
    fields.done()
    return status


def decode_catalogue(document: dict[str, object]) -> Catalogue:
    """GET /v1/catalogue."""
    fields = Fields(document, "body")
    version = fields.text("version")
    items = []
    for item in fields.objects("items", most=_ITEMS_LIMIT):
        items.append(
            CatalogueItem(
                code=item.text("code", limit=40),
                available=item.flag("available"),
                reason=item.text("reason", empty=True),
            )
        )
        item.done()
    fields.done()
    if len({item.code for item in items}) != len(items):
        raise PlatformAnswerMalformed("items", "name a code twice")
    return Catalogue(version, tuple(items))


def decode_card_verdict(document: dict[str, object]) -> CardVerdict:
    """POST /v1/card-verdicts."""
    fields = Fields(document, "body")
    verdict = fields.word("state", CardVerdict)
    fields.done()
    return verdict


def decode_ecard_verdict(document: dict[str, object]) -> EcardVerdict:
    """POST /v1/ecard-verifications."""
    fields = Fields(document, "body")
    result = fields.word("result", EcardResult)
    holder = None if fields.null("holder") else _holder(fields.nested("holder"))
    fields.done()
    if (result is EcardResult.VERIFIED) != (holder is not None):
        raise PlatformAnswerMalformed("holder", "does not belong to the result")
    return EcardVerdict(result, holder)


def _holder(fields: Fields) -> EcardHolder:
    holder = EcardHolder(
        number=fields.parsed(wire.PERSON_NUMBER, _person_number, "number of 18 characters"),
        name=fields.text(wire.PERSON_NAME),
        ticket=fields.parsed("ticket", _ticket, "ticket of 32 hex digits"),
    )
    fields.done()
    return holder


def decode_risk_verdict(document: dict[str, object]) -> RiskVerdict:
    """POST /v1/risk-verdicts."""
    fields = Fields(document, "body")
    verdict = RiskVerdict(
        risk=fields.word("verdict", Risk), code=fields.text("code", limit=40, empty=True)
    )
    fields.done()
    return verdict


def decode_cryptogram(document: dict[str, object]) -> bytes:
    """POST /v1/hsm/cryptograms: 8 bytes."""
    fields = Fields(document, "body")
    cryptogram = fields.hexadecimal("cryptogram", 8)
    fields.done()
    return cryptogram


def decode_encryption_key(document: dict[str, object]) -> sm2.PublicKey:
    """GET /v1/hsm/encryption-key."""
    fields = Fields(document, "body")
    xy = fields.hexadecimal("public_key", 64)
    fields.done()
    try:
        return sm2.PublicKey(xy)
    except MalformedKey:
        raise PlatformAnswerMalformed("public_key", "is no point of the SM2 curve") from None


def decode_protection(document: dict[str, object], size: int) -> bytes:
    """POST /v1/hsm/protected-commands: `size` bytes, encrypted block and MAC."""
    fields = Fields(document, "body")
    data = fields.hexadecimal("data", size)
    fields.done()
    return data


def decode_alarm_receipt(document: dict[str, object]) -> AlarmReceipt:
    """POST /v1/alarms."""
    fields = Fields(document, "body")
    receipt = AlarmReceipt(fields.text("alarm_no", limit=40))
    fields.done()
    return receipt


def decode_event_number(document: dict[str, object]) -> str:
    """POST /v1/events."""
    fields = Fields(document, "body")
    number = fields.visible("event_no", limit=40)
    fields.done()
    return number


def decode_event_batch(
    document: dict[str, object], keys: Sequence[str]
) -> tuple[str | PlatformRefused, ...]:
    """POST /v1/event-batches: of each event its number or why it was refused, in the order asked.

    Args:
        keys: those of the events that were sent.
    """
    fields = Fields(document, "body")
    results = []
    told = []
    for result in fields.objects("results", most=len(keys)):
        told.append(result.visible("key", limit=64))
        results.append(_event_result(result.integer("status", limit=599), result))
        result.done()
    fields.done()
    if told != list(keys):
        raise PlatformAnswerMalformed("results", "are not those of the events that were sent")
    return tuple(results)


def _event_result(status: int, result: Fields) -> str | PlatformRefused:
    response = result.nested("response")
    if status >= 400:
        return PlatformRefused(read_problem(response, status)[0])
    if status != 201:
        raise PlatformAnswerMalformed("results.status", "is none of an event")
    number = response.visible("event_no", limit=40)
    response.done()
    return number


def decode_submission(document: dict[str, object]) -> Submission:
    """GET /v1/submissions/{idempotency_key}."""
    fields = Fields(document, "body")
    if fields.text("state") != "done":
        raise PlatformAnswerMalformed("state", "is not done")
    submission = Submission(
        status=fields.integer("status", limit=599), response=fields.foreign("response")
    )
    fields.done()
    return submission


def _person_number(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Z]{18}", text):
        raise ValueError("no 社会保障号码")
    return text


def _ticket(text: str) -> str:
    if not is_ticket(text):
        raise ValueError("no ticket")
    return text
