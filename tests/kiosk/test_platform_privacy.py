"""Nothing personal in URLs, logs, exceptions or reprs, whatever goes wrong on the line."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace

import pytest

from kiosk.platform.client import PlatformClient
from kiosk.platform.errors import PlatformError
from kiosk.platform.signing import ReceivedAnswer
from tests.kiosk.platform_double import Answer, Change, problem
from tests.kiosk.platform_line import (
    BY_CARD,
    BY_TICKET,
    CARD_ID,
    NAME,
    NUMBER,
    TICKET,
    Line,
    dropped,
    half,
    without,
)
from tests.kiosk.platform_samples import CERTIFICATE, ECARD, MASKED, VERIFICATION

ECARD_CODE = "YKT1.planted-e-card-code"
CERTIFICATE_CODE = "PLANTEDCDE234567"
DIGEST = "5d" * 32
CONTENT = '{"holder":{"aac003":"' + NAME + '"},"units":["江城市第一纺织厂"]}'
SECRETS = (
    NUMBER,
    NAME,
    TICKET,
    CARD_ID.hex(),
    CARD_ID.hex().upper(),
    ECARD_CODE,
    CERTIFICATE_CODE,
    DIGEST,
    MASKED,
    "第一纺织厂",
    CERTIFICATE["seal"],
)

Ask = Callable[[PlatformClient], object]
MALFORMED: dict[str, tuple[str, Answer, Ask]] = {
    "overview": (
        "POST /v1/overviews",
        (200, {"aac003": NAME, NUMBER: NAME}),
        lambda client: client.overview(BY_CARD),
    ),
    "overview by ticket": (
        "POST /v1/overviews",
        (200, {"aac003": NAME, NUMBER: NAME}),
        lambda client: client.overview(BY_TICKET),
    ),
    "e-card": (
        "POST /v1/ecard-verifications",
        (200, {**ECARD, "result": NAME}),
        lambda client: client.verify_ecard(ECARD_CODE, "429900"),
    ),
    "e-card's holder": (
        "POST /v1/ecard-verifications",
        (200, {"result": "used", "holder": {**ECARD["holder"], NUMBER: NAME}}),
        lambda client: client.verify_ecard(ECARD_CODE, "429900"),
    ),
    "risk": (
        "POST /v1/risk-verdicts",
        (200, {"verdict": NUMBER, "code": NAME}),
        lambda client: client.risk("429900-QUERY-ALL", BY_TICKET),
    ),
    "certificate": (
        "POST /v1/certificates",
        (201, {**CERTIFICATE, "content": CONTENT, "qr": NAME}),
        lambda client: client.certificate(BY_TICKET, "participation", 12),
    ),
    "certificate's seal": (
        "POST /v1/certificates",
        (201, {**CERTIFICATE, "content": CONTENT, "seal": CERTIFICATE["seal"] + "!"}),
        lambda client: client.certificate(BY_CARD, "participation", 12),
    ),
    "verification": (
        "POST /v1/certificate-verifications",
        (200, {"result": "genuine", "shown": {**VERIFICATION["shown"], "name": NAME}}),
        lambda client: client.verify_certificate(CERTIFICATE_CODE, DIGEST),
    ),
    "verification's number": (
        "POST /v1/certificate-verifications",
        (200, {"result": "unknown", "shown": {**VERIFICATION["shown"], NUMBER: NAME}}),
        lambda client: client.verify_certificate(CERTIFICATE_CODE, DIGEST),
    ),
    "event": (
        "POST /v1/events",
        (201, {"event_no": NAME + "\n"}),
        lambda client: client.send_event(
            "print-outcome", 1_800_000_000, {"code": CERTIFICATE_CODE}, key="ev-1"
        ),
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_nothing_personal_in_urls_logs_and_exceptions(
    name: str, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    question, answer, ask = MALFORMED[name]
    line.double.answers[question] = answer
    breaks: list[Change] = [
        *[dropped] * 3,
        *[half] * 3,
        lambda r: without(r, "Signature"),
        lambda r: r,
        *[lambda r: replace(r, status=503)] * 3,
    ]
    client = line.client()
    texts: list[str] = []
    line.double.changes = breaks
    while line.double.changes:
        texts += failed(client, ask)
    line.double.stored.clear()
    for refusal in (problem("forbidden", 403), problem("invalid", 422)):
        line.double.answers[question] = refusal
        line.double.stored.clear()
        texts += failed(client, ask)
    texts += [record.getMessage() + repr(vars(record)) for record in caplog.records]
    texts += [seen.path for seen in line.double.seen]
    texts += [repr(client), repr(vars(client))]
    texts += [repr(outcome) for outcome in line.outcomes]
    joined = "\n".join(texts)
    assert "malformed" in joined
    assert "forbidden" in joined
    for secret in SECRETS:
        assert secret not in joined
    planted = line.double.seen[0].body.decode()
    assert [secret for secret in SECRETS if secret in planted]


def failed(client: PlatformClient, ask: Ask) -> list[str]:
    """Every text that the failure of one call shows."""
    with pytest.raises(PlatformError) as caught:
        ask(client)
    texts = ["".join(traceback.format_exception(caught.value))]
    error: BaseException | None = caught.value
    while error is not None:
        texts += [repr(error), str(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return texts


def test_what_came_from_the_wire_is_not_shown() -> None:
    assert NAME not in repr(ReceivedAnswer(200, {}, NAME.encode()))
    assert repr(NAME.encode()) not in repr(ReceivedAnswer(200, {}, NAME.encode()))


def test_who_asks_is_not_shown() -> None:
    for asker in (BY_CARD, BY_TICKET):
        assert f"{asker!r} {asker}" == "<Asker> <Asker>"
