"""Scripted faults: the schedule's grammar, and what each does on the wire."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from hw_sim.platform.faults import FaultPlan, Faults, FaultScriptError
from hw_sim.platform.server import PlatformServer
from tests.hw_sim.platform_terminal import (
    NOW,
    Terminal,
    alarm,
    new_idempotency_key,
    new_key,
    running,
)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("2:503", [None, 503, None]),
        ("1-2:500", [500, 500, None]),
        ("*:429", [429, 429, 429]),
        ("1:503; 3:500", [503, None, 500]),
        ("overviews@1:503", [503, None, None]),
        ("status@1:503", [None, None, None]),
        ("", [None, None, None]),
    ],
)
def test_a_rule_counts_requests(script: str, expected: list[int | None]) -> None:
    plan = FaultPlan(script)
    assert [plan.next("/v1/overviews").status for _ in expected] == expected


def test_a_rule_of_a_path_counts_that_path_only() -> None:
    plan = FaultPlan("submissions@2:drop")
    paths = ["/v1/status", "/v1/submissions/a", "/v1/alarms", "/v1/submissions/b/c"]
    assert [plan.next(path).drop for path in paths] == [False, False, False, True]


def test_rules_add_up() -> None:
    plan = FaultPlan("*:delay=300, 1:half,1:wrong-clock=-900,1:bad-signature")
    assert plan.next("/v1/status") == Faults(
        delay_ms=300, half=True, clock_shift_s=-900, bad_signature=True
    )
    assert plan.next("/v1/status") == Faults(delay_ms=300)


def test_a_new_schedule_counts_from_one() -> None:
    plan = FaultPlan("*:503")
    plan.next("/v1/status")
    plan.set("1-9:half")
    assert plan.next("/v1/status") == Faults(half=True)
    plan.clear()
    assert plan.next("/v1/status") == Faults()


@pytest.mark.parametrize(
    "script",
    [
        "503",
        "0:503",
        "3-2:503",
        "1:299",
        "1:999",
        "1:delay",
        "1:delay=-1",
        "1:drop=1",
        "1:explode",
        "x:503",
        "block:annuity=soon",
        "block:dental=maintenance",
    ],
)
def test_a_schedule_that_is_none_is_refused_whole(script: str) -> None:
    plan = FaultPlan("*:500")
    with pytest.raises(FaultScriptError):
        plan.set(f"1:drop,{script}")
    assert plan.next("/v1/status") == Faults(status=500)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PlatformServer, Terminal]]:
    with running(tmp_path_factory.mktemp("platform")) as pair:
        yield pair


@pytest.fixture
def server(platform: tuple[PlatformServer, Terminal]) -> Iterator[PlatformServer]:
    yield platform[0]
    platform[0].faults.clear()


@pytest.fixture
def terminal(platform: tuple[PlatformServer, Terminal]) -> Terminal:
    return platform[1]


def test_unavailable_says_when_to_come_again(server: PlatformServer, terminal: Terminal) -> None:
    server.faults.add("1:503,2:429")
    for problem in ("unavailable", "too-many"):
        reply = terminal.call("POST", "/v1/alarms", alarm(), key="later")
        assert reply.problem == problem
        assert int(reply.headers["retry-after"]) > 0
    assert terminal.call("POST", "/v1/alarms", alarm(), key="later").status == 201


def test_after_a_lost_reply_the_same_key_gets_the_stored_answer(
    server: PlatformServer, terminal: Terminal
) -> None:
    server.faults.add("alarms@1:drop-after-commit")
    before = len(server.alarms())
    key = new_idempotency_key()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        terminal.call("POST", "/v1/alarms", alarm(), key=key)
    assert len(server.alarms()) == before + 1
    asked = terminal.call("GET", f"/v1/submissions/{key}").document
    assert (asked["state"], asked["status"]) == ("done", 201)
    reply = terminal.call("POST", "/v1/alarms", alarm(), key=key)
    assert reply.document == asked["response"]
    assert len(server.alarms()) == before + 1


def test_a_lost_enrolment_can_be_repeated(server: PlatformServer) -> None:
    server.faults.add("1:drop-after-commit")
    new = Terminal(server.url, *new_key())
    code = server.new_enrolment_code()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        new.enrol(code, "SN-0100")
    assert new.enrol(code, "SN-0100").status == 201
    assert new.call("GET", "/v1/status").status == 200


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/ecard-verifications", "ecard-verifications"),
        ("/v1/risk-verdicts", "risk-verdicts"),
        ("/v1/certificates", "certificates"),
        ("/v1/certificate-verifications", "certificate-verifications"),
        ("/v1/events", "events"),
    ],
)
def test_rules_reach_every_endpoint(
    server: PlatformServer, terminal: Terminal, path: str, name: str
) -> None:
    server.faults.add(f"{name}@1:503")
    assert terminal.call("GET", "/v1/status").status == 200
    assert terminal.call("POST", path, {}).problem == "unavailable"
    assert terminal.call("POST", path, {}).problem == "invalid"


def test_a_code_whose_answer_was_lost_is_not_lost(
    server: PlatformServer, terminal: Terminal
) -> None:
    server.faults.add("ecard-verifications@1:drop-after-commit")
    code, key = server.issue_ecard("v3"), new_idempotency_key()
    request = {"code": code, "channel": "self-service", "aab301": "429900"}
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        terminal.call("POST", "/v1/ecard-verifications", request, key=key)
    reply = terminal.call("POST", "/v1/ecard-verifications", request, key=key)
    assert reply.document["result"] == "verified"
    asked = terminal.call("GET", f"/v1/submissions/{key}").document
    assert asked["response"] == reply.document
    assert terminal.call("POST", "/v1/ecard-verifications", request).document["result"] == "used"


def test_an_event_whose_answer_was_lost_counts_once(
    server: PlatformServer, terminal: Terminal
) -> None:
    server.faults.add("events@1:drop-after-commit")
    body = {"item": "429900-QUERY-ALL", "grade": 5, "visit": "lost"}
    event, key = {"kind": "evaluation", "occurred_at": NOW, "body": body}, new_idempotency_key()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        terminal.call("POST", "/v1/events", event, key=key)
    assert terminal.call("POST", "/v1/events", event, key=key).status == 201
    assert len(server.events("evaluation")) == 1


def test_a_dropped_request_has_no_effect(server: PlatformServer, terminal: Terminal) -> None:
    server.faults.add("1:drop")
    before = len(server.alarms())
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        terminal.call("POST", "/v1/alarms", alarm())
    assert len(server.alarms()) == before


def test_half_a_reply_is_no_reply(server: PlatformServer, terminal: Terminal) -> None:
    server.faults.add("1:half")
    with pytest.raises(http.client.IncompleteRead) as caught:
        terminal.call("GET", "/v1/catalogue")
    assert len(caught.value.partial) > 0
    assert caught.value.expected
    assert terminal.call("GET", "/v1/catalogue").status == 200


def test_a_spoilt_signature_does_not_verify(server: PlatformServer, terminal: Terminal) -> None:
    server.faults.add("1:bad-signature")
    headers = terminal.signed("GET", "/v1/status", b"", "k")
    reply = terminal.send("GET", "/v1/status", b"", headers)
    assert reply.status == 200
    assert not reply.is_signed_by(terminal.platform_key, "k")


@pytest.mark.parametrize(("shift", "problem"), [("+900", "clock"), ("-900", "clock"), ("+200", "")])
def test_a_platform_with_a_wrong_clock(
    server: PlatformServer, terminal: Terminal, shift: str, problem: str
) -> None:
    server.faults.add(f"1:wrong-clock={shift}")
    headers = terminal.signed("GET", "/v1/status", b"", "k")
    reply = terminal.send("GET", "/v1/status", b"", headers)
    assert reply.problem == problem
    assert reply.document["server_time"] == NOW + int(shift)
    assert reply.is_signed_by(terminal.platform_key, "k", NOW + int(shift))
    assert terminal.call("GET", "/v1/status").status == 200


def test_a_delayed_reply_comes(server: PlatformServer, terminal: Terminal) -> None:
    server.faults.add("1:delay=20")
    assert terminal.call("GET", "/v1/status").status == 200
