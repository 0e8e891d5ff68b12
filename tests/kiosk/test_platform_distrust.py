"""Answers that the platform client must not believe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import gmalg
import pytest

from apdu.crypto import sm2
from kiosk.platform.errors import Distrust, PlatformAnswerMalformed, PlatformUntrusted
from kiosk.platform.outcome import Missed
from tests.kiosk.platform_double import Reply, problem
from tests.kiosk.platform_line import CARD_ID, FAST, Line, resign, with_headers, without


@pytest.mark.parametrize(
    "ahead, believed", [(299, True), (-299, True), (302, False), (-302, False)]
)
def test_answers_outside_the_window_are_stale(line: Line, ahead: int, believed: bool) -> None:
    line.double.clock = lambda: 1_800_000_000 + ahead
    client = line.client(clock=lambda: 1_800_000_000.0)
    if believed:
        assert client.status().catalogue_version == "2026.11"
    else:
        with pytest.raises(PlatformUntrusted) as caught:
            client.status()
        assert caught.value.distrust is Distrust.STALE


STRANGER, _ = gmalg.SM2().generate_keypair()
ALL = ("@status", "content-digest", "idempotency-key")
FORGERIES: dict[str, tuple[Callable[[Line, Reply], Reply], Distrust]] = {
    "body changed": (
        lambda line, r: replace(r, body=r.body.replace(b"2026.11", b"2026.12")),
        Distrust.DIGEST,
    ),
    "body and digest changed": (
        lambda line, r: with_headers(r, Content_Digest="sha-256=:" + "A" * 43 + "=:"),
        Distrust.SIGNATURE,
    ),
    "status changed": (lambda line, r: replace(r, status=201), Distrust.SIGNATURE),
    "no signature": (lambda line, r: without(r, "Signature", "Signature-Input"), Distrust.UNSIGNED),
    "half a signature": (lambda line, r: without(r, "Signature-Input"), Distrust.SIGNATURE),
    "another key": (lambda line, r: resign(line, r, private=STRANGER), Distrust.SIGNATURE),
    "another key id": (lambda line, r: resign(line, r, key_id="other"), Distrust.SIGNATURE),
    "another label": (lambda line, r: resign(line, r, label="sig2"), Distrust.SIGNATURE),
    "echo of another request": (lambda line, r: resign(line, r, echo='"other"'), Distrust.ECHO),
    "echo changed": (lambda line, r: with_headers(r, Idempotency_Key='"x"'), Distrust.SIGNATURE),
    "status not covered": (
        lambda line, r: resign(line, r, components=ALL[1:]),
        Distrust.COVERAGE,
    ),
    "digest not covered": (
        lambda line, r: resign(line, r, components=("@status", "idempotency-key")),
        Distrust.COVERAGE,
    ),
    "echo not covered": (lambda line, r: resign(line, r, components=ALL[:2]), Distrust.COVERAGE),
    "more covered": (
        lambda line, r: resign(line, r, components=(*ALL, "content-type")),
        Distrust.COVERAGE,
    ),
    "two signatures": (
        lambda line, r: with_headers(
            r,
            Signature=r.headers["Signature"] + ", " + r.headers["Signature"].replace("sig1", "b"),
            Signature_Input=r.headers["Signature-Input"]
            + ", "
            + r.headers["Signature-Input"].replace("sig1", "b"),
        ),
        Distrust.SIGNATURE,
    ),
    "garbage for a signature": (
        lambda line, r: with_headers(r, Signature="sig1=:AAAA:"),
        Distrust.SIGNATURE,
    ),
    "no grammar": (lambda line, r: with_headers(r, Signature_Input="((("), Distrust.SIGNATURE),
    "redirect": (
        lambda line, r: resign(line, replace(r, status=307), created=None),
        Distrust.REDIRECT,
    ),
    "compressed": (lambda line, r: with_headers(r, Content_Encoding="gzip"), Distrust.ENCODED),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_is_not_proved_is_not_believed(line: Line, forgery: str) -> None:
    forge, distrust = FORGERIES[forgery]
    line.double.changes = [lambda reply: forge(line, reply)]
    with pytest.raises(PlatformUntrusted) as caught:
        line.client().status()
    assert caught.value.distrust is distrust
    assert len(line.double.seen) == 1, "an answer that is not believed is not asked for again"
    assert isinstance(line.outcomes[0], Missed)


def test_a_redirect_is_not_followed(line: Line) -> None:
    line.double.changes = [
        lambda r: with_headers(replace(r, status=302), Location=line.double.url + "/v1/status")
    ]
    with pytest.raises(PlatformUntrusted):
        line.client().status()
    assert len(line.double.seen) == 1


def test_another_platforms_key_fits_nothing(line: Line) -> None:
    other = sm2.generate().public_key().xy
    with pytest.raises(PlatformUntrusted):
        line.client(platform_key=other).status()


def test_a_replayed_answer_is_refused_even_for_the_same_key(line: Line) -> None:
    line.double.answers["POST /v1/card-verdicts"] = (200, {"state": "normal"})
    kept: list[Reply] = []

    def keep(reply: Reply) -> Reply:
        kept.append(reply)
        return reply

    line.double.changes = [keep, lambda reply: kept[0]]
    client = line.client()
    client.card_verdict(CARD_ID, "B00000001", key="same")
    with pytest.raises(PlatformUntrusted) as caught:
        client.card_verdict(CARD_ID, "B00000001", key="same")
    assert caught.value.distrust is Distrust.REPLAYED


def test_a_huge_answer_is_not_read_to_its_end(line: Line) -> None:
    line.double.changes = [lambda r: replace(r, body=b" " * 3_000_000)]
    with pytest.raises(PlatformUntrusted) as caught:
        line.client(replace(FAST, answer_bytes=100_000)).status()
    assert caught.value.distrust is Distrust.OVERSIZED


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_whoever_cannot_sign_cannot_refuse_either(line: Line, status: int) -> None:
    line.double.changes = [lambda r: Reply(status, b"<html>please log in", {})]
    with pytest.raises(PlatformUntrusted) as caught:
        line.client().status()
    assert caught.value.distrust is Distrust.UNSIGNED


@pytest.mark.parametrize(
    "status, body, content_type, where",
    [
        (200, b"", "application/json", "body"),
        (200, b"[]", "application/json", "body"),
        (200, b"{}", "application/json", "server_time"),
        (200, b'{"server_time":1,"server_time":1}', "application/json", "body"),
        (200, b'{"server_time":NaN}', "application/json", "body"),
        (200, b"[" * 100_000, "application/json", "body"),
        (200, b"\xff", "application/json", "body"),
        (200, b'{"server_time":1,"catalogue_version":"1"}', "text/html", "Content-Type"),
        (201, b'{"server_time":1,"catalogue_version":"1"}', "application/json", "status"),
        (404, b'{"type":"about:blank"}', "application/problem+json", "type"),
        (404, b"{}", "application/json", "Content-Type"),
    ],
)
def test_a_signed_answer_against_the_contract_is_malformed(
    line: Line, status: int, body: bytes, content_type: str, where: str
) -> None:
    line.double.changes = [
        lambda r: resign(line, Reply(status, body, {**r.headers, "Content-Type": content_type}))
    ]
    with pytest.raises(PlatformAnswerMalformed) as caught:
        line.client().status()
    assert caught.value.where == where


def test_a_problem_with_another_status_is_malformed(line: Line) -> None:
    _, document = problem("forbidden", 403)
    line.double.answers["GET /v1/status"] = (404, document)
    with pytest.raises(PlatformAnswerMalformed):
        line.client().status()
