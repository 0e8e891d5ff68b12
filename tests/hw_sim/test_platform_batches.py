"""Events in batches: each has its effect once, whichever way it comes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from hw_sim.platform import app_services
from hw_sim.platform.events import event as event_effect
from hw_sim.platform.idempotency import Exchange
from hw_sim.platform.problems import Answer
from hw_sim.platform.wire_events import EventRequest
from tests.hw_sim.platform_terminal import (
    NOW,
    Reply,
    Stage,
    Terminal,
    new_idempotency_key,
    staged,
)

Item = tuple[str, bytes]
"""A key and the body that ``POST /v1/events`` would have."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("platform")) as stage:
        yield stage


@pytest.fixture
def terminal(stage: Stage) -> Terminal:
    """Of whom the platform has nothing yet."""
    return stage.another_terminal()


def event(kind: str, body: object) -> bytes:
    return json.dumps({"kind": kind, "occurred_at": NOW - 60, "body": body}).encode()


def evaluation(visit: str) -> bytes:
    return event("evaluation", {"item": "429900-QUERY-ALL", "grade": 5, "visit": visit})


def outcome(serial: str) -> bytes:
    body = {"code": "2" * 16, "serial": serial, "outcome": "done", "reason": ""}
    return event("print-outcome", body)


def audit_range(terminal: Terminal, seq: int, before: str | None = None) -> Item:
    """One line of an audit log as a range; ``before`` is the line in front of it."""
    previous = before or f"yikatong audit 1 {terminal.terminal_id}"
    fields = {
        "event": "x",
        "prev": hashlib.new("sm3", previous.encode()).hexdigest(),
        "seq": seq,
        "terminal": terminal.terminal_id,
    }
    line = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    body = event("audit-range", {"first": seq, "last": seq, "lines": [line]})
    return f"{terminal.terminal_id}-audit-{seq}-{seq}", body


def line_of(item: Item) -> str:
    return str(json.loads(item[1])["body"]["lines"][0])


def send(by: Terminal, *items: Item, key: str | None = None) -> Reply:
    listed = [{"key": name, "event": body.decode()} for name, body in items]
    return by.call("POST", "/v1/event-batches", {"events": listed}, key=key)


def results(reply: Reply) -> list[tuple[str, int, Any]]:
    assert reply.status == 200
    return [
        (result["key"], result["status"], result["response"])
        for result in reply.document["results"]
    ]


def problem(result: tuple[str, int, Any]) -> str:
    return str(result[2]["type"]).removeprefix("urn:yikatong:problem:")


def test_each_event_gets_its_receipt_in_order(stage: Stage, terminal: Terminal) -> None:
    before = len(stage.server.events())
    items = [(new_idempotency_key(), outcome(f"P-{number}")) for number in range(100)]
    answered = results(send(terminal, *items))
    assert answered == [
        (key, 201, {"event_no": f"E-{before + number}"})
        for number, (key, _body) in enumerate(items, 1)
    ]
    kept = [recorded["body"]["serial"] for recorded in stage.server.events()[before:]]
    assert kept == [f"P-{number}" for number in range(100)]


def test_a_batch_sent_again_gets_the_same_results(stage: Stage, terminal: Terminal) -> None:
    items = [(new_idempotency_key(), evaluation("1")), (new_idempotency_key(), evaluation("1"))]
    first = results(send(terminal, *items))
    assert [status for _key, status, _response in first] == [201, 403]
    count = len(stage.server.events())
    assert results(send(terminal, *items, key="batch")) == first
    assert results(send(terminal, *items, key="batch")) == first
    assert len(stage.server.events()) == count


def test_singly_and_in_a_batch_it_is_one_event(stage: Stage, terminal: Terminal) -> None:
    (one, other), body = (new_idempotency_key(), new_idempotency_key()), outcome("P-1")
    before = len(stage.server.events())
    singly = terminal.call("POST", "/v1/events", raw=body, key=one)
    (_, both) = results(send(terminal, (one, body), (other, body)))
    assert results(send(terminal, (one, body))) == [(one, 201, singly.document)]
    again = terminal.call("POST", "/v1/events", raw=body, key=other)
    assert (again.status, again.document) == (201, both[2])
    assert len(stage.server.events()) == before + 2


def test_what_came_in_a_batch_can_be_asked_for(terminal: Terminal) -> None:
    key, forbidden = new_idempotency_key(), new_idempotency_key()
    answered = results(send(terminal, (key, evaluation("7")), (forbidden, evaluation("7"))))
    for name, status, response in answered:
        asked = terminal.call("GET", f"/v1/submissions/{name}").document
        assert asked == {"state": "done", "status": status, "response": response}
    assert [problem(result) for result in answered[1:]] == ["forbidden"]


def test_nothing_is_kept_under_the_batch_s_own_key(terminal: Terminal) -> None:
    send(terminal, (new_idempotency_key(), outcome("P-1")), key="batch")
    assert terminal.call("GET", "/v1/submissions/batch").problem == "not-found"
    key = new_idempotency_key()
    assert results(send(terminal, (key, outcome("P-2")), key="batch"))[0][1] == 201


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"{}", "invalid"),
        (b"[]", "invalid"),
        (evaluation("")[:-1], "malformed"),
        (b"[" * 60_000, "malformed"),
        (event("evaluation", {"item": "x", "grade": 6, "visit": "1"}), "invalid"),
        (event("alarm", {}), "invalid"),
    ],
    ids=lambda value: str(value[:20]),
)
def test_one_bad_event_holds_up_nobody(terminal: Terminal, body: bytes, name: str) -> None:
    """It gets exactly what it would get by itself, and its key stays free."""
    before, bad, after = (new_idempotency_key() for _ in range(3))
    answered = results(
        send(terminal, (before, outcome("P-1")), (bad, body), (after, outcome("P-2")))
    )
    assert [status for _key, status, _response in answered] == [201, answered[1][1], 201]
    alone = terminal.call("POST", "/v1/events", raw=body, key=bad)
    assert alone.problem == problem(answered[1]) == name
    assert (alone.status, alone.document) == answered[1][1:]
    assert terminal.call("GET", f"/v1/submissions/{bad}").problem == "not-found"


def test_a_key_with_another_body_is_a_conflict(terminal: Terminal) -> None:
    key = new_idempotency_key()
    answered = results(send(terminal, (key, outcome("P-1")), (key, outcome("P-2"))))
    assert answered[0][1] == 201
    assert (answered[1][1], problem(answered[1])) == (422, "conflicting-reuse")


def test_ranges_of_the_audit_log_follow_each_other(stage: Stage, terminal: Terminal) -> None:
    first = audit_range(terminal, 1)
    second = audit_range(terminal, 2, line_of(first))
    third = audit_range(terminal, 3, line_of(second))
    answered = results(send(terminal, first, second, third))
    assert [status for _key, status, _response in answered] == [201, 201, 201]
    kept = [
        line
        for recorded in stage.server.events("audit-range")
        if recorded["terminal_id"] == terminal.terminal_id
        for line in recorded["body"]["lines"]
    ]
    assert kept == [line_of(item) for item in (first, second, third)]


def test_nothing_overtakes_an_event_that_is_being_worked_on(
    stage: Stage, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a range would be refused for good, for a gap that is about to be filled."""
    entered, go = threading.Event(), threading.Event()

    def slow(request: EventRequest, exchange: Exchange) -> Callable[[Session], Answer]:
        def effect(session: Session) -> Answer:
            # Before it writes: others go on writing meanwhile.
            entered.set()
            assert go.wait(30)
            return event_effect(request, exchange)(session)

        return effect

    monkeypatch.setattr(app_services, "event", slow)
    first = audit_range(terminal, 1)
    second = audit_range(terminal, 2, line_of(first))
    other = Terminal(
        stage.server.url,
        terminal.private,
        terminal.public,
        terminal.terminal_id,
        terminal.platform_key,
    )
    with ThreadPoolExecutor(1) as pool:
        alone = pool.submit(terminal.call, "POST", "/v1/events", raw=first[1], key=first[0])
        assert entered.wait(30)
        answered = results(send(other, first, second))
        go.set()
        assert alone.result(30).status == 201
    assert [(result[1], problem(result)) for result in answered] == [(409, "in-progress")] * 2
    answered = results(send(other, first, second))
    assert [status for _key, status, _response in answered] == [201, 201]


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_has_1_to_100_events(terminal: Terminal, count: int) -> None:
    items = [(new_idempotency_key(), b"{}")] * count
    assert send(terminal, *items).problem == "invalid"


@pytest.mark.parametrize(
    "changes", [{"key": ""}, {"key": "k" * 65}, {"key": "a b"}, {"event": {}}, {"x": 1}], ids=str
)
def test_an_item_has_a_form(terminal: Terminal, changes: dict[str, object]) -> None:
    item = {"key": "k", "event": outcome("P-1").decode()} | changes
    assert terminal.call("POST", "/v1/event-batches", {"events": [item]}).problem == "invalid"


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=8), min_size=1, max_size=5))
def test_however_events_are_grouped_each_has_one_effect(
    stage: Stage, batches: list[list[int]]
) -> None:
    terminal = stage.another_terminal()
    receipts: dict[int, set[str]] = {}
    for numbers in batches:
        items = [(f"e-{number}", outcome(f"P-{number}")) for number in numbers]
        if len(items) == 1:
            replies = [
                terminal.call("POST", "/v1/events", raw=items[0][1], key=items[0][0]).document
            ]
        else:
            replies = [response for _key, _status, response in results(send(terminal, *items))]
        for number, reply in zip(numbers, replies, strict=True):
            receipts.setdefault(number, set()).add(reply["event_no"])
    assert {len(numbers) for numbers in receipts.values()} == {1}
    kept = [
        recorded["event_no"]
        for recorded in stage.server.events()
        if recorded["terminal_id"] == terminal.terminal_id
    ]
    assert sorted(kept) == sorted(no for numbers in receipts.values() for no in numbers)
