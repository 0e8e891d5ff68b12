"""The platform client against a second implementation of the contract."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from kiosk.platform.errors import (
    PROBLEM_STATUS,
    ClockWrong,
    PlatformRefused,
    PlatformUnavailable,
    Problem,
)
from kiosk.platform.models import (
    AlarmKind,
    AlarmReceipt,
    AlarmSeverity,
    CardVerdict,
    Catalogue,
    CatalogueItem,
    Submission,
)
from kiosk.platform.outcome import Reached
from tests.kiosk.platform_double import TERMINAL, problem
from tests.kiosk.platform_line import CARD_ID, Line

OTHERWISE = {Problem.CLOCK, Problem.UNAVAILABLE}
"""Problems that become exceptions of their own."""


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


def test_the_client_remembers_how_far_apart_the_clocks_are(line: Line) -> None:
    now = time.time()
    client = line.client(clock=lambda: now)
    assert client.clock_offset is None
    line.double.clock = lambda: int(now) + 40
    line.double.answers["GET /v1/status"] = (
        200, {"server_time": int(now) + 40, "catalogue_version": "1"},
    )  # fmt: skip
    client.status()
    assert client.clock_offset == pytest.approx(40, abs=1)
    line.double.clock = lambda: 1_700_000_000
    line.double.answers["GET /v1/status"] = problem("clock", 401, server_time=1_700_000_000)
    with pytest.raises(ClockWrong):
        client.status()
    assert client.clock_offset == pytest.approx(1_700_000_000 - now, abs=1)


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
    assert line.client().status().catalogue_version == "2026.11"
