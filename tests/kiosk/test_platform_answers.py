"""Answers about e-cards, risks, certificates and events: to the letter, or refused unshown."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.documents.certificate import SealedCertificate
from kiosk.platform import answers, wire
from kiosk.platform.certificate_answers import decode_certificate, decode_certificate_verdict
from kiosk.platform.errors import PlatformAnswerMalformed
from kiosk.platform.models import (
    CertificateState,
    CertificateVerdict,
    EcardResult,
    EcardVerdict,
    RiskVerdict,
    ShownCertificate,
)
from tests.kiosk.platform_line import NAME, NUMBER, TICKET
from tests.kiosk.platform_samples import (
    CERTIFICATE,
    ECARD,
    EVENT,
    JSON,
    MASKED,
    RISK,
    SEAL,
    VERIFICATION,
)

Decode = Callable[[dict[str, object]], object]
ANSWERS: dict[str, tuple[dict[str, Any], Decode, type]] = {
    "ecard": (ECARD, answers.decode_ecard_verdict, EcardVerdict),
    "risk": (RISK, answers.decode_risk_verdict, RiskVerdict),
    "event": (EVENT, answers.decode_event_number, str),
    "certificate": (CERTIFICATE, decode_certificate, SealedCertificate),
    "verification": (VERIFICATION, decode_certificate_verdict, CertificateVerdict),
}


def fields() -> list[tuple[str, ...]]:
    """(answer, …path) of every field."""
    found: list[tuple[str, ...]] = []
    for name, (document, _, _) in ANSWERS.items():
        for field, value in document.items():
            found.append((name, field))
            if isinstance(value, dict):
                found += [(name, field, inner) for inner in value]
    return found


def refused(name: str, document: dict[str, Any]) -> None:
    with pytest.raises(PlatformAnswerMalformed) as caught:
        ANSWERS[name][1](document)
    told = f"{caught.value!r} {vars(caught.value)}"
    assert caught.value.__context__ is caught.value.__cause__ is None
    for secret in (NUMBER, NAME, TICKET, MASKED, "王*芳", CERTIFICATE["content"], "R-07"):
        assert secret not in told


def changed(name: str, path: tuple[str, ...], value: object) -> dict[str, Any]:
    document = copy.deepcopy(ANSWERS[name][0])
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return document


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answers_of_the_contract_are_read(name: str) -> None:
    document, decode, model = ANSWERS[name]
    assert isinstance(decode(copy.deepcopy(document)), model)


@pytest.mark.parametrize("field", fields(), ids=".".join)
def test_every_field_is_needed_and_typed(field: tuple[str, ...]) -> None:
    name, *path = field
    document = copy.deepcopy(ANSWERS[name][0])
    parent: Any = document
    for step in path[:-1]:
        parent = parent[step]
    value = parent.pop(path[-1])
    refused(name, document)
    for wrong in (1, 1.5, True, None, [value], {"x": value}, [], {}):
        parent[path[-1]] = wrong
        refused(name, document)


@pytest.mark.parametrize(
    "field", [(name,) for name in ANSWERS] + [("ecard", "holder"), ("verification", "shown")]
)
def test_fields_that_the_contract_lacks_are_refused_unnamed(field: tuple[str, ...]) -> None:
    name, *path = field
    refused(name, changed(name, (*path, NAME), NAME))


WORDS = [
    ("ecard", "result", "VERIFIED"),
    ("ecard", "result", "verified "),
    ("ecard", "result", "normal"),
    ("risk", "verdict", "Allow"),
    ("risk", "verdict", ""),
    ("verification", "result", "Genuine"),
    ("verification", "result", "valid"),
]


@pytest.mark.parametrize("name, field, word", WORDS)
def test_only_the_words_of_the_contract_count(name: str, field: str, word: str) -> None:
    refused(name, changed(name, (field,), word))


FORMS: list[tuple[str, tuple[str, ...], object]] = [
    ("ecard", ("holder", "aac002"), NUMBER[:17]),
    ("ecard", ("holder", "aac002"), NUMBER + "0"),
    ("ecard", ("holder", "aac002"), NUMBER[:17] + "x"),
    ("ecard", ("holder", "aac003"), ""),
    ("ecard", ("holder", "aac003"), "王\x00芳"),
    ("ecard", ("holder", "aac003"), "王\ud800"),
    ("ecard", ("holder", "aac003"), "王" * 201),
    ("ecard", ("holder", "ticket"), TICKET[:-1]),
    ("ecard", ("holder", "ticket"), TICKET[:-1] + "G"),
    ("risk", ("code",), "R" * 41),
    ("event", ("event_no",), ""),
    ("event", ("event_no",), "E" * 41),
    ("event", ("event_no",), "E 1"),
    ("certificate", ("content",), ""),
    ("certificate", ("content",), "{\n}"),
    ("certificate", ("content",), '"\udc80"'),
    ("certificate", ("content",), "x" * (256 * 1024 + 1)),
    ("certificate", ("content",), "王" * (256 * 1024 // 3 + 1)),
    ("certificate", ("signature",), bytes(63).hex()),
    ("certificate", ("signature",), bytes(65).hex()),
    ("certificate", ("signature",), "0x" + bytes(63).hex()),
    ("certificate", ("signature",), " " * 2 + bytes(63).hex()),
    ("certificate", ("key_id",), "seal 1"),
    ("certificate", ("key_id",), "印章"),
    ("certificate", ("key_id",), "k" * 65),
    ("certificate", ("qr",), "https://x.example/王"),
    ("certificate", ("qr",), "https://x.example/ v"),
    ("certificate", ("qr",), "q" * 513),
    ("verification", ("shown", "kind"), "k" * 41),
    ("verification", ("shown", "number"), "n" * 65),
    ("verification", ("shown", "agency"), "江" * 201),
    ("verification", ("shown", "issued_at"), "2026-11-20T09:30:00"),
    ("verification", ("shown", "issued_at"), "2026-11-20T09:30:00Z"),
    ("verification", ("shown", "issued_at"), "2026-11-20 09:30:00+08:00"),
    ("verification", ("shown", "issued_at"), "2026-11-31T09:30:00+08:00"),
    ("verification", ("shown", "issued_at"), "2026-11-20T24:30:00+08:00"),
    ("verification", ("shown", "valid_until"), "2026-02-29"),
    ("verification", ("shown", "valid_until"), "20270218"),
    ("verification", ("shown", "name"), NAME),
    ("verification", ("shown", "holder_number"), NUMBER),
    ("verification", ("shown", "holder_number"), NUMBER[:10] + "*" * 8),
    ("verification", ("shown", "holder_number"), NUMBER[:6] + "*" * 8 + NUMBER[-4:]),
    ("verification", ("shown", "holder_number"), "*" * 18),
]  # fmt: skip


@pytest.mark.parametrize("name, path, value", FORMS, ids=[str(i) for i in range(len(FORMS))])
def test_texts_of_another_form_are_refused(name: str, path: tuple[str, ...], value: object) -> None:
    refused(name, changed(name, path, value))


def spelled(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


@pytest.mark.parametrize(
    "seal",
    [
        "",
        spelled(SEAL)[:-1],
        spelled(SEAL) + "\n",
        spelled(SEAL)[:8] + "\n" + spelled(SEAL)[8:],
        spelled(SEAL).replace("/", "_").replace("+", "-") + "!",
        spelled(SEAL).replace("Ww==", "Wx=="),
        spelled(b"GIF89a" + SEAL),
        spelled(SEAL + bytes(512 * 1024 + 1 - len(SEAL))),
        spelled(SEAL + bytes(2 * 512 * 1024)),
        "王" * 100,
    ],
    ids=["empty", "short", "newline", "folded", "url", "bits", "gif", "over", "long", "letters"],
)
def test_a_seal_is_canonical_base64_of_a_png(seal: str) -> None:
    assert seal != spelled(SEAL)
    refused("certificate", changed("certificate", ("seal",), seal))


@pytest.mark.parametrize("result", list(EcardResult))
def test_exactly_a_verified_code_has_a_holder(result: EcardResult) -> None:
    holder = None if result is EcardResult.VERIFIED else ECARD["holder"]
    refused("ecard", {"result": result.value, "holder": holder})
    with pytest.raises(ValueError, match="exactly a verified code"):
        read = answers.decode_ecard_verdict(copy.deepcopy(ECARD))
        EcardVerdict(result, None if result is EcardResult.VERIFIED else read.holder)


@pytest.mark.parametrize("state", list(CertificateState))
def test_exactly_an_unknown_certificate_shows_nothing(state: CertificateState) -> None:
    unknown = state is CertificateState.UNKNOWN
    shown = VERIFICATION["shown"]
    refused("verification", {"result": state.value, "shown": shown if unknown else None})
    verdict = decode_certificate_verdict(
        {"result": state.value, "shown": None if unknown else shown}
    )
    assert verdict.state is state
    with pytest.raises(ValueError, match="exactly an unknown"):
        read = decode_certificate_verdict(copy.deepcopy(VERIFICATION))
        CertificateVerdict(state, read.shown if unknown else None)


def test_what_a_sheets_holder_may_see() -> None:
    verdict = decode_certificate_verdict(copy.deepcopy(VERIFICATION))
    assert verdict.shown == ShownCertificate(
        kind="participation",
        number="429900-2026-000001",
        agency="江城市社会保险中心",
        issued_at="2026-11-20T09:30:00+08:00",
        valid_until=date(2027, 2, 18),
        name="王*芳",
        holder_number=MASKED,
    )


def test_repr_tells_nothing_about_a_person() -> None:
    ecard = answers.decode_ecard_verdict(copy.deepcopy(ECARD))
    verdict = decode_certificate_verdict(copy.deepcopy(VERIFICATION))
    sealed = decode_certificate(copy.deepcopy(CERTIFICATE))
    shown = [f"{sealed!r} {sealed}"]
    for value in (ecard, ecard.holder, verdict, verdict.shown):
        shown.append(f"{value!r} {value}")
        assert shown[-1] == "<{0}> <{0}>".format(type(value).__name__)
    for secret in (NAME, NUMBER, TICKET, "王*芳", MASKED, "429900-2026", "participation"):
        assert not [text for text in shown if secret in text]


@given(st.sampled_from(list(ANSWERS)), st.data())
def test_whatever_comes_is_read_or_malformed(name: str, data: st.DataObject) -> None:
    good, decode, model = ANSWERS[name]
    inner = [value for value in good.values() if isinstance(value, dict)]
    values = JSON | st.sampled_from([*(v for part in [good, *inner] for v in part.values())])
    document = {**good, **data.draw(st.dictionaries(st.sampled_from(list(good)), values))}
    try:
        decoded = decode(copy.deepcopy(document))
    except PlatformAnswerMalformed:
        return
    assert isinstance(decoded, model)


@given(st.binary(min_size=1, max_size=40))
def test_bytes_come_back_from_base64(octets: bytes) -> None:
    read = wire.Fields({"seal": spelled(octets)}, "body").base64("seal", limit=40)
    assert read == octets


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 7])
def test_the_limit_of_base64_counts_bytes(limit: int) -> None:
    def read(length: int) -> bytes:
        return wire.Fields({"seal": spelled(bytes(length))}, "body").base64("seal", limit=limit)

    assert read(limit) == bytes(limit)
    for length in (0, limit + 1):
        with pytest.raises(PlatformAnswerMalformed):
            read(length)


def test_half_a_character_is_refused_before_it_is_shown() -> None:
    with pytest.raises(ValueError, match="half a character") as caught:
        wire.encode({"aac002": NUMBER, "aac003": "\ud800"})
    assert NUMBER not in repr(caught.value)
    assert caught.value.__context__ is None
