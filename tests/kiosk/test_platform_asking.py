"""Who asks, and what is asked for him: e-card, overview, risk, certificates, events on the wire."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest

from kiosk.platform import questions, wire
from kiosk.platform.client import PlatformClient
from kiosk.platform.errors import PlatformRefused, PlatformUnavailable, Problem
from kiosk.platform.limits import REQUEST_BYTES
from kiosk.platform.models import (
    Asker,
    CertificateState,
    EcardHolder,
    EcardResult,
    EcardVerdict,
    Evidence,
    Risk,
    RiskVerdict,
)
from tests.kiosk.platform_double import problem
from tests.kiosk.platform_line import (
    BY_CARD,
    BY_ID_CARD,
    BY_TICKET,
    CARD_ID,
    NAME,
    NUMBER,
    TICKET,
    Line,
    dropped,
    half,
)
from tests.kiosk.platform_samples import CERTIFICATE, ECARD, OVERVIEW, SEAL, VERIFICATION

CODE = "YKT1.4299-demo/code+of=an.e-card"
ECARDS = "POST /v1/ecard-verifications"
USED = {"result": "used", "holder": None}
GENUINE = frozenset({Evidence.CARD_GENUINE})
BY_CARD_WIRE = {
    "aac002": NUMBER,
    "aaz501": CARD_ID.hex().upper(),
    "evidence": ["card-genuine", "pin-verified"],
}
BY_TICKET_WIRE = {"aac002": NUMBER, "ticket": TICKET, "evidence": ["ecard-verified"]}
BY_ID_CARD_WIRE = {"aac002": NUMBER, "evidence": ["id-card"]}


def test_an_ecards_code_is_asked_about_as_the_contract_says(line: Line) -> None:
    line.double.answers[ECARDS] = (200, ECARD)
    verdict = line.client().verify_ecard(CODE, "429900", key="e-1")
    assert verdict == EcardVerdict(EcardResult.VERIFIED, EcardHolder(NUMBER, NAME, TICKET))
    (seen,) = line.double.seen
    assert (seen.key, seen.problem) == ("e-1", "")
    assert seen.document == {"code": CODE, "channel": "self-service", "aab301": "429900"}


@pytest.mark.parametrize("result", [r for r in EcardResult if r is not EcardResult.VERIFIED])
def test_every_other_result_has_nobody(line: Line, result: EcardResult) -> None:
    line.double.answers[ECARDS] = (200, {"result": result.value, "holder": None})
    assert line.client().verify_ecard(CODE, "429900") == EcardVerdict(result, None)


@pytest.mark.parametrize("code", ["", "two words", "wifi:江城", "line\n", "\x7f", "x" * 513])
def test_a_text_that_no_code_can_have_is_unknown_unasked(line: Line, code: str) -> None:
    assert line.client().verify_ecard(code, "429900").result is EcardResult.UNKNOWN
    assert line.double.seen == []


def test_the_longest_code_is_asked(line: Line) -> None:
    line.double.answers[ECARDS] = (200, USED)
    assert line.client().verify_ecard("~" * 512, "429900").result is EcardResult.USED


@pytest.mark.parametrize("broken", [dropped, half])
def test_a_code_is_used_up_once_though_the_reply_was_lost(line: Line, broken: Any) -> None:
    line.double.answers[ECARDS] = [(200, ECARD), (200, USED)]
    line.double.changes = [broken]
    client = line.client()
    first = client.verify_ecard(CODE, "429900", key="e-1")
    assert first.result is EcardResult.VERIFIED
    assert client.verify_ecard(CODE, "429900", key="e-1") == first
    assert client.verify_ecard(CODE, "429900").result is EcardResult.USED
    lost, retried, again, another = line.double.seen
    assert lost.key == retried.key == again.key != another.key
    assert lost.body == retried.body == again.body


def test_an_ecard_verified_while_the_line_broke_is_found_again_by_its_key(line: Line) -> None:
    line.double.answers[ECARDS] = [(200, ECARD), (200, USED)]
    line.double.changes = [dropped] * 3
    client = line.client()
    with pytest.raises(PlatformUnavailable):
        client.verify_ecard(CODE, "429900", key="e-1")
    assert client.verify_ecard(CODE, "429900", key="e-1").result is EcardResult.VERIFIED


Ask = Callable[[PlatformClient, Asker], object]
ASKING: dict[str, tuple[str, Any, Ask, dict[str, object]]] = {
    "overview": (
        "POST /v1/overviews",
        (200, OVERVIEW),
        lambda client, asker: client.overview(asker),
        {"purpose": "self-query"},
    ),
    "risk": (
        "POST /v1/risk-verdicts",
        (200, {"verdict": "warn", "code": "R-07"}),
        lambda client, asker: client.risk("429900-PRINT-CERTIFICATE", asker),
        {"item": "429900-PRINT-CERTIFICATE"},
    ),
    "certificate": (
        "POST /v1/certificates",
        (201, CERTIFICATE),
        lambda client, asker: client.certificate(asker, "participation", 24),
        {"kind": "participation", "months": 24},
    ),
}


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize(
    "asker, who",
    [(BY_CARD, BY_CARD_WIRE), (BY_TICKET, BY_TICKET_WIRE), (BY_ID_CARD, BY_ID_CARD_WIRE)],
    ids=["card", "ticket", "id card"],
)
def test_who_asks_is_told_by_card_or_ticket(
    line: Line, name: str, asker: Asker, who: dict[str, object]
) -> None:
    question, answer, ask, more = ASKING[name]
    line.double.answers[question] = answer
    ask(line.client(), asker)
    assert line.double.seen[0].document == {**who, **more}


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("reason", [Problem.FORBIDDEN, Problem.NOT_FOUND])
def test_refusals_are_told_by_their_name(line: Line, name: str, reason: Problem) -> None:
    question, _, ask, _ = ASKING[name]
    status = 403 if reason is Problem.FORBIDDEN else 404
    line.double.answers[question] = problem(reason.value, status)
    with pytest.raises(PlatformRefused) as caught:
        ask(line.client(), BY_CARD)
    assert caught.value.problem is reason


@pytest.mark.parametrize("risk", list(Risk))
def test_risk_verdicts(line: Line, risk: Risk) -> None:
    code = "" if risk is Risk.ALLOW else "R-07"
    line.double.answers["POST /v1/risk-verdicts"] = (200, {"verdict": risk.value, "code": code})
    assert line.client().risk("429900-QUERY-ALL", BY_CARD) == RiskVerdict(risk, code)


def test_a_certificate_arrives_byte_for_byte(line: Line) -> None:
    line.double.answers["POST /v1/certificates"] = (201, CERTIFICATE)
    sealed = line.client().certificate(BY_CARD, "participation", 60, key="c-1")
    assert sealed.content == CERTIFICATE["content"].encode()
    assert (sealed.signature, sealed.key_id) == (bytes(range(64)), "seal-1")
    assert (sealed.seal_png, sealed.qr) == (SEAL, CERTIFICATE["qr"])
    assert line.double.seen[0].key == "c-1"


def test_the_largest_certificate_fits_the_line(line: Line) -> None:
    content, seal = '"' * 256 * 1024, SEAL.ljust(512 * 1024, b"x")
    largest = {**CERTIFICATE, "content": content, "seal": base64.b64encode(seal).decode()}
    line.double.answers["POST /v1/certificates"] = (201, largest)
    sealed = line.client().certificate(BY_CARD, "participation", 60)
    assert (sealed.content.decode(), sealed.seal_png) == (content, seal)


@pytest.mark.parametrize("months", [0, 61, -1])
def test_a_certificate_shows_one_to_sixty_months(line: Line, months: int) -> None:
    with pytest.raises(ValueError, match=r"1\.\.60"):
        line.client().certificate(BY_CARD, "participation", months)
    assert line.double.seen == []


def test_a_shown_certificate_is_asked_about(line: Line) -> None:
    line.double.answers["POST /v1/certificate-verifications"] = (200, VERIFICATION)
    client = line.client()
    assert client.verify_certificate("23456789ABCDEFGH").state is CertificateState.GENUINE
    client.verify_certificate("JKLMNPQRSTUVWXYZ", "ab" * 32)
    assert [seen.document for seen in line.double.seen] == [
        {"code": "23456789ABCDEFGH", "digest": ""},
        {"code": "JKLMNPQRSTUVWXYZ", "digest": "ab" * 32},
    ]


@pytest.mark.parametrize(
    "code, digest",
    [
        ("23456789ABCDEFG", ""),
        ("23456789ABCDEFGHJ", ""),
        ("2345678OABCDEFGH", ""),
        ("2345678IABCDEFGH", ""),
        ("2345678aABCDEFGH", ""),
        ("1345678AABCDEFGH", ""),
        ("0345678AABCDEFGH", ""),
        ("23456789ABCDEFGH\n", ""),
        ("23456789ABCDEFGH", "ab" * 31),
        ("23456789ABCDEFGH", "xy" * 32),
    ],
)
def test_a_code_or_digest_of_another_form_is_not_asked(line: Line, code: str, digest: str) -> None:
    with pytest.raises(ValueError, match="a certificate's") as caught:
        line.client().verify_certificate(code, digest)
    assert code not in str(caught.value)
    assert line.double.seen == []


def test_an_event_is_sent_under_the_key_of_its_happening(line: Line) -> None:
    line.double.answers["POST /v1/events"] = (201, {"event_no": "E-17"})
    body = {"item": "429900-QUERY-ALL", "grade": 5, "visit": "v-1"}
    client = line.client()
    assert client.send_event("evaluation", 1_800_000_000, body, key="ev-1") == "E-17"
    reordered = dict(reversed(body.items()))
    assert client.send_event("evaluation", 1_800_000_000, reordered, key="ev-1") == "E-17"
    first, second = line.double.seen
    assert first.key == second.key == "ev-1"
    assert first.body == second.body
    assert first.document == {"kind": "evaluation", "occurred_at": 1_800_000_000, "body": body}


def test_a_request_is_no_longer_than_the_contract_allows(line: Line) -> None:
    line.double.answers["POST /v1/events"] = (201, {"event_no": "E-1"})
    bare = len(wire.encode(questions.for_event("audit-range", 1, {"lines": [""]})))
    client = line.client()
    fits = "x" * (REQUEST_BYTES - bare)
    client.send_event("audit-range", 1, {"lines": [fits]}, key="k-1")
    assert len(line.double.seen[0].body) == 131_072
    with pytest.raises(ValueError, match="131072 bytes"):
        client.send_event("audit-range", 1, {"lines": [fits + "x"]}, key="k-2")
    assert len(line.double.seen) == 1


@pytest.mark.parametrize(
    "card_id, ticket, evidence",
    [
        (None, None, GENUINE),
        (CARD_ID, TICKET, GENUINE),
        (CARD_ID, TICKET, frozenset({Evidence.ID_CARD})),
        (CARD_ID[:15], None, GENUINE),
        (None, TICKET[:31], GENUINE),
        (None, TICKET[:31] + "g", GENUINE),
        (None, TICKET + "\n", GENUINE),
        (CARD_ID, None, frozenset()),
    ],
)
def test_a_person_asks_with_one_proof(
    card_id: bytes | None, ticket: str | None, evidence: frozenset[Evidence]
) -> None:
    with pytest.raises(ValueError) as caught:
        Asker(NUMBER, card_id, ticket, evidence)
    assert not re.search(rf"{NUMBER}|{TICKET[:31]}|{CARD_ID[:15].hex()}", repr(caught.value))
