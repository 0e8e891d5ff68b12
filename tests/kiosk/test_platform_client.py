"""The platform client against a second implementation of the contract."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gmalg
import pytest
import requests

from apdu.crypto import sm2
from apdu.custodian import Algorithm, AuthenticationRequest, KeyReference
from apdu.errors import PsamUnavailable
from kiosk.platform.client import PlatformClient, TerminalIdentity
from kiosk.platform.custodian import PlatformCustodian
from kiosk.platform.errors import (
    PROBLEM_STATUS,
    ClockWrong,
    Distrust,
    Outage,
    PlatformAnswerMalformed,
    PlatformError,
    PlatformRefused,
    PlatformUnavailable,
    PlatformUntrusted,
    Problem,
)
from kiosk.platform.limits import LineLimits
from kiosk.platform.models import (
    AlarmKind,
    AlarmReceipt,
    AlarmSeverity,
    CardVerdict,
    Catalogue,
    CatalogueItem,
    Evidence,
    Submission,
)
from kiosk.platform.outcome import Missed, Outcome, Reached
from tests.kiosk.platform_double import TERMINAL, Change, PlatformDouble, Reply, problem

CARD_ID = bytes.fromhex("429900D15600000501A2B3C4FFFFFFFF")
NUMBER = "429900197801160029"
NAME = "王秀芳"
STATUS = {"server_time": 1_800_000_000, "catalogue_version": "2026.11"}
OTHERWISE = {Problem.CLOCK, Problem.UNAVAILABLE}
"""Problems that become exceptions of their own."""
FAST = LineLimits(deadline=20, connect=5, retry_pause=0)


@dataclass
class Line:
    """A terminal and its platform."""

    double: PlatformDouble
    identity: TerminalIdentity
    outcomes: list[Outcome]

    def client(self, limits: LineLimits = FAST, **more: Any) -> PlatformClient:
        key = sm2.PublicKey(more.pop("platform_key", self.double.public_xy))
        url = more.pop("url", self.double.url)
        return PlatformClient(url, self.identity, key, limits, observe=self.outcomes.append, **more)


@pytest.fixture
def line() -> Iterator[Line]:
    double = PlatformDouble()
    key = sm2.generate()
    double.terminal_public = key.public_key().xy
    double.answers["GET /v1/status"] = (200, STATUS)
    try:
        yield Line(double, TerminalIdentity(TERMINAL, key), [])
    finally:
        double.close()


def test_a_request_is_signed_as_the_contract_says(line: Line) -> None:
    status = line.client(clock=lambda: 1_800_000_123.9, random=bytes).status
    line.double.clock = lambda: 1_800_000_100
    assert status().catalogue_version == "2026.11"
    (seen,) = line.double.seen
    assert seen.problem == ""
    assert seen.parameters["keyid"] == TERMINAL
    assert seen.parameters["created"] == "1800000123"
    assert seen.parameters["alg"] == "sm2-sm3"
    assert seen.parameters["nonce"]
    assert line.outcomes == [Reached(1_800_000_100)]


def test_status_and_catalogue(line: Line) -> None:
    items = [
        {"code": "overview", "available": True, "reason": ""},
        {"code": "certificate", "available": False, "reason": "维护中"},
    ]
    line.double.answers["GET /v1/catalogue"] = (200, {"version": "7", "items": items})
    assert line.client().catalogue() == Catalogue(
        "7",
        (CatalogueItem("overview", True, ""), CatalogueItem("certificate", False, "维护中")),
    )


def test_card_verdict_sends_the_dictionary_names(line: Line) -> None:
    line.double.answers["POST /v1/card-verdicts"] = (200, {"state": "temporarily-lost"})
    verdict = line.client().card_verdict(CARD_ID, "B00000001", key="mine-1")
    assert verdict is CardVerdict.TEMPORARILY_LOST
    (seen,) = line.double.seen
    assert seen.document == {"aaz501": CARD_ID.hex().upper(), "aaz500": "B00000001"}
    assert (seen.key, seen.problem) == ("mine-1", "")


def test_alarm_and_submission(line: Line) -> None:
    line.double.answers["POST /v1/alarms"] = (201, {"alarm_no": "A-2031"})
    client = line.client()
    receipt = client.raise_alarm(
        AlarmKind.TAMPER, AlarmSeverity.SECURITY, "device.tamper", "", 1_800_000_000, key="a/1"
    )
    assert receipt == AlarmReceipt("A-2031")
    assert line.double.seen[0].document == {
        "kind": "tamper",
        "severity": "security",
        "occurred_at": 1_800_000_000,
        "detail": "device.tamper",
        "subject": "",
    }
    stored = {"state": "done", "status": 201, "response": {"alarm_no": "A-2031"}}
    line.double.answers["GET /v1/submissions/a%2F1"] = (200, stored)
    assert client.submission("a/1") == Submission(201, {"alarm_no": "A-2031"})
    assert client.submission("never-sent") is None


def asked(name: str = "IRK_SSSE", algorithm: Algorithm = Algorithm.SM4) -> AuthenticationRequest:
    key = KeyReference(name, None, 0x60, 1, "0000")
    return AuthenticationRequest(algorithm, key, bytes(range(8)), "429900", bytes(8), b"\xff" * 8)


def test_the_custodian_asks_the_key_service(line: Line) -> None:
    custodian = PlatformCustodian(line.client())
    line.double.answers["POST /v1/hsm/cryptograms"] = (200, {"cryptogram": "0011223344556677"})
    assert custodian.cryptogram(asked()) == bytes.fromhex("0011223344556677")
    assert line.double.seen[0].document == {
        "key": "IRK_SSSE",
        "algorithm": "03",
        "card_factor": "0001020304050607",
        "aab301": "429900",
        "challenge": "0000000000000000",
        "data": "FFFFFFFFFFFFFFFF",
    }


def test_the_custodian_without_key_or_line_cannot_tell(line: Line) -> None:
    custodian = PlatformCustodian(line.client())
    assert custodian.cryptogram(asked()) is None
    assert len(line.double.seen) == 1
    assert custodian.cryptogram(asked("LK_SSSE")) is None
    assert custodian.cryptogram(asked(algorithm=Algorithm.SSF33)) is None
    assert len(line.double.seen) == 1, "what the contract does not know is not asked"
    line.double.changes = [lambda reply: replace(reply, status=503)]
    with pytest.raises(PsamUnavailable):
        custodian.cryptogram(asked())
    line.double.answers["POST /v1/hsm/cryptograms"] = problem("forbidden", 403)
    with pytest.raises(PlatformRefused):
        custodian.cryptogram(asked())


@pytest.mark.parametrize(
    "name", [p for p in Problem if p not in (Problem.CLOCK, Problem.UNAVAILABLE)]
)
def test_each_problem_is_told_by_its_name(line: Line, name: Problem) -> None:
    line.double.answers["GET /v1/status"] = problem(name.value, PROBLEM_STATUS[name])
    with pytest.raises(PlatformRefused) as caught:
        line.client().status()
    assert (caught.value.problem, caught.value.status) == (name, PROBLEM_STATUS[name])
    assert isinstance(line.outcomes[0], Reached)


def test_retry_after_is_handed_on(line: Line) -> None:
    line.double.answers["GET /v1/status"] = problem("too-many", 429)
    line.double.changes = [lambda r: replace(r, headers={**r.headers, "Retry-After": "7"})]
    with pytest.raises(PlatformRefused) as refused:
        line.client().status()
    assert refused.value.retry_after == 7
    line.double.answers["GET /v1/status"] = problem("unavailable", 503)
    line.double.changes = [lambda r: replace(r, headers={**r.headers, "Retry-After": "999999"})]
    with pytest.raises(PlatformUnavailable) as caught:
        line.client().status()
    assert caught.value.retry_after == 3600


def test_a_wrong_clock_is_told_with_the_right_time(line: Line) -> None:
    line.double.clock = lambda: 1_700_000_000
    line.double.answers["GET /v1/status"] = problem("clock", 401, server_time=1_700_000_000)
    with pytest.raises(ClockWrong) as caught:
        line.client().status()
    assert caught.value.server_time == 1_700_000_000


@pytest.mark.parametrize(
    "ahead, believed", [(299, True), (-299, True), (302, False), (-302, False)]
)
def test_answers_outside_the_window_are_stale(line: Line, ahead: int, believed: bool) -> None:
    line.double.clock = lambda: 1_800_000_000 + ahead
    client = line.client(clock=lambda: 1_800_000_000.0)
    if believed:
        client.status()
    else:
        with pytest.raises(PlatformUntrusted) as caught:
            client.status()
        assert caught.value.distrust is Distrust.STALE


def resign(line: Line, reply: Reply, **changes: Any) -> Reply:
    headers = {name: value for name, value in reply.headers.items() if name == "Content-Type"}
    echo = changes.pop("echo", reply.headers["Idempotency-Key"])
    return line.double.signed(replace(reply, headers=headers), echo, **changes)


def without(reply: Reply, *names: str) -> Reply:
    return replace(reply, headers={n: v for n, v in reply.headers.items() if n not in names})


def with_headers(reply: Reply, **headers: str) -> Reply:
    renamed = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(reply, headers={**reply.headers, **renamed})


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


def dropped(reply: Reply) -> Reply:
    return replace(reply, drop=True)


def half(reply: Reply) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) // 2], announced=len(reply.body))


@pytest.mark.parametrize("broken", [dropped, half])
def test_a_broken_connection_is_tried_once_more_with_the_same_key(
    line: Line, broken: Change
) -> None:
    line.double.changes = [broken]
    assert line.client().status().catalogue_version == "2026.11"
    first, second = line.double.seen
    assert first.key == second.key
    assert first.parameters["nonce"] != second.parameters["nonce"]
    assert second.problem == ""
    assert len(line.outcomes) == 1


@pytest.mark.parametrize(
    "broken, outage", [(dropped, Outage.NO_CONNECTION), (half, Outage.CUT_SHORT)]
)
def test_broken_twice_is_unavailable(line: Line, broken: Change, outage: Outage) -> None:
    line.double.changes = [broken, broken]
    with pytest.raises(PlatformUnavailable) as caught:
        line.client().status()
    assert caught.value.outage is outage
    assert len(line.double.seen) == 2


def test_nobody_there_is_unavailable(line: Line) -> None:
    with pytest.raises(PlatformUnavailable) as caught:
        line.client(url="http://127.0.0.1:9").status()
    assert caught.value.outage is Outage.NO_CONNECTION


def test_a_slow_platform_is_unavailable_and_not_asked_twice(line: Line) -> None:
    hold = threading.Event()
    line.double.changes = [lambda r: replace(r, before=hold.wait)]
    try:
        with pytest.raises(PlatformUnavailable) as caught:
            line.client(replace(FAST, deadline=0.3)).status()
    finally:
        hold.set()
    assert caught.value.outage is Outage.TIMEOUT
    assert len(line.double.seen) == 1


class NeverConnecting(requests.Session):
    """Every connection takes longer than it may."""

    sent = 0

    def send(self, *_args: Any, **_kwargs: Any) -> requests.Response:
        NeverConnecting.sent += 1
        raise requests.ConnectTimeout


def test_a_connection_that_does_not_come_is_not_tried_again(line: Line) -> None:
    NeverConnecting.sent = 0
    with pytest.raises(PlatformUnavailable) as caught:
        line.client(session_factory=NeverConnecting).status()
    assert (caught.value.outage, NeverConnecting.sent) == (Outage.TIMEOUT, 1)


def test_the_deadline_holds_for_the_body_too(line: Line) -> None:
    ticks = iter(range(0, 1000, 15))
    with pytest.raises(PlatformUnavailable) as caught:
        line.client(monotonic=lambda: float(next(ticks))).status()
    assert caught.value.outage is Outage.TIMEOUT


def test_a_huge_answer_is_not_read_to_its_end(line: Line) -> None:
    line.double.changes = [lambda r: replace(r, body=b" " * 3_000_000)]
    with pytest.raises(PlatformUntrusted) as caught:
        line.client(replace(FAST, answer_bytes=100_000)).status()
    assert caught.value.distrust is Distrust.OVERSIZED


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_gateway_that_cannot_sign_only_says_not_now(line: Line, status: int) -> None:
    line.double.changes = [lambda r: Reply(status, b"<html>", {"Retry-After": "3"})]
    with pytest.raises(PlatformUnavailable) as caught:
        line.client().status()
    assert (caught.value.outage, caught.value.retry_after) == (Outage.TURNED_AWAY, 3)


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


@pytest.mark.parametrize("key", ["", "x" * 65, "with space", "ü", "line\n"])
def test_an_idempotency_key_is_visible_ascii(line: Line, key: str) -> None:
    with pytest.raises(ValueError, match="idempotency key"):
        line.client().card_verdict(CARD_ID, "B00000001", key=key)
    assert line.double.seen == []


def test_a_quoted_key_comes_back_as_it_went(line: Line) -> None:
    line.double.answers["POST /v1/card-verdicts"] = (200, {"state": "normal"})
    line.client().card_verdict(CARD_ID, "B00000001", key='a"b\\c')
    assert line.double.seen[0].headers["idempotency-key"] == '"a\\"b\\\\c"'


def test_the_environment_changes_nothing(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    line.client().status()


def test_nothing_personal_in_urls_logs_and_exceptions(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    line.double.answers["POST /v1/overviews"] = (200, {"aac003": NAME, NUMBER: NAME})
    breaks: list[Change] = [
        dropped,
        dropped,
        half,
        half,
        lambda r: without(r, "Signature"),
        lambda r: r,
        lambda r: replace(r, status=503),
    ]
    client = line.client()
    texts: list[str] = []
    line.double.changes = breaks
    while line.double.changes:
        with pytest.raises(PlatformError) as caught:
            client.overview(NUMBER, CARD_ID, [Evidence.CARD_GENUINE])
        error: BaseException | None = caught.value
        while error is not None:
            texts += [repr(error), str(error), repr(vars(error))]
            error = error.__cause__ or error.__context__
        texts.append("".join(traceback.format_exception(caught.value)))
    texts += [record.getMessage() + repr(vars(record)) for record in caplog.records]
    texts += [seen.path for seen in line.double.seen]
    joined = "\n".join(texts)
    for secret in (NUMBER, NAME, CARD_ID.hex(), CARD_ID.hex().upper()):
        assert secret not in joined
    assert NUMBER in line.double.seen[0].body.decode()
