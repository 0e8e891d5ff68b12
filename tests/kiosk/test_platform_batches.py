"""Several events in one request: each has its own result, and its effect once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hw_sim.platform.server import PlatformServer
from kiosk.platform.client import PlatformClient
from kiosk.platform.errors import PlatformAnswerMalformed, PlatformRefused, Problem
from kiosk.platform.events import Event
from kiosk.platform.limits import BATCH_EVENTS, REQUEST_BYTES
from tests.kiosk.platform_double import problem
from tests.kiosk.platform_line import NAME, Line, dropped
from tests.kiosk.reference_line import client_of, enrolled

BATCHES = "POST /v1/event-batches"
_, FORBIDDEN = problem("forbidden", 403)


def event(key: str, **more: Any) -> Event:
    body = {"item": "429900-QUERY-ALL", "grade": 5, "visit": key, **more}
    return Event(key, "evaluation", 1_800_000_000, body)


def taken(key: str, number: str = "E-1") -> dict[str, object]:
    return {"key": key, "status": 201, "response": {"event_no": number}}


def refused(key: str, status: int = 403, response: Any = FORBIDDEN) -> dict[str, object]:
    return {"key": key, "status": status, "response": response}


def test_each_event_has_its_own_result(line: Line) -> None:
    results = [taken("a", "E-7"), refused("b"), taken("c", "E-8")]
    line.double.answers[BATCHES] = (200, {"results": results})
    first, second, third = line.client().send_events([event("a"), event("b"), event("c")])
    assert (first, third) == ("E-7", "E-8")
    assert isinstance(second, PlatformRefused)
    assert (second.problem, second.final) == (Problem.FORBIDDEN, True)


def test_an_event_is_the_same_text_in_a_batch_as_alone(line: Line) -> None:
    line.double.answers["POST /v1/events"] = (201, {"event_no": "E-1"})
    line.double.answers[BATCHES] = (200, {"results": [taken("a")]})
    client, one = line.client(), event("a", item=NAME)
    client.send_event(one.kind, one.occurred_at, one.body, key=one.key)
    client.send_events([one])
    alone, batch = line.double.seen
    assert batch.document == {"events": [{"key": "a", "event": alone.body.decode()}]}
    assert batch.key != alone.key == "a"


def test_a_batch_whose_connection_broke_goes_again_under_its_key(line: Line) -> None:
    line.double.answers[BATCHES] = (200, {"results": [taken("a")]})
    line.double.changes = [dropped]
    assert line.client().send_events([event("a")]) == ("E-1",)
    first, second = line.double.seen
    assert (first.key, first.body) == (second.key, second.body)


def test_a_batch_is_no_longer_than_the_contract_allows(line: Line) -> None:
    most = [event(f"k-{n}") for n in range(BATCH_EVENTS + 1)]
    line.double.answers[BATCHES] = (200, {"results": [taken(e.key) for e in most[:-1]]})
    assert len(line.client().send_events(most)) == BATCH_EVENTS == 100


@pytest.mark.parametrize("over", [0, 1])
def test_what_does_not_fit_is_left_for_the_next_batch(line: Line, over: int) -> None:
    bare = [event("a", text=""), event("b", text="")]
    line.double.answers[BATCHES] = (200, {"results": [taken("a"), taken("b")]})
    client = line.client()
    client.send_events(bare)
    room = REQUEST_BYTES - len(line.double.seen[0].body)
    long = [bare[0], event("b", text="x" * (room + over))]
    line.double.answers[BATCHES] = (200, {"results": [taken(e.key) for e in long[: 2 - over]]})
    assert len(client.send_events(long)) == 2 - over
    assert (len(line.double.seen[1].body) == REQUEST_BYTES) == (not over)


@pytest.mark.parametrize("events", [[], [event("a", text="x" * REQUEST_BYTES)]])
def test_a_batch_holds_an_event(line: Line, events: list[Event]) -> None:
    with pytest.raises(ValueError, match="no event"):
        line.client().send_events(events)
    assert line.double.seen == []


@pytest.mark.parametrize(
    "results, where",
    [
        ([], "results"),
        ([taken("b"), taken("a")], "results"),
        ([taken("a"), taken("b"), taken("c")], "results"),
        ([taken("a"), taken("b\n")], "results[1].key"),
        ([taken("a"), {**taken("b"), "more": NAME}], "results[1]"),
        ([taken("a"), {**taken("b"), "status": 200}], "results.status"),
        ([taken("a"), {**taken("b"), "status": 403}], "results[1].response.type"),
        ([taken("a"), refused("b", 404)], "status"),
        ([taken("a"), refused("b", 201)], "results[1].response.event_no"),
        ([taken("a"), refused("b", response={**FORBIDDEN, "more": NAME})], "results[1].response"),
        ([taken("a"), refused("b", response=None)], "results[1].response"),
    ],
)
def test_results_against_the_contract_are_malformed(
    line: Line, results: list[dict[str, object]], where: str
) -> None:
    line.double.answers[BATCHES] = (200, {"results": results})
    with pytest.raises(PlatformAnswerMalformed) as caught:
        line.client().send_events([event("a"), event("b")])
    assert caught.value.where == where
    assert NAME not in str(caught.value)


@pytest.fixture
def reference(tmp_path: Path) -> Iterator[PlatformClient]:
    with (
        PlatformServer(tmp_path / "platform.sqlite") as server,
        client_of(server, enrolled(server, tmp_path / "keys")) as client,
    ):
        yield client


def test_at_the_reference_platform_each_event_has_one_effect(reference: PlatformClient) -> None:
    first, second = event("v-1"), event("v-2")
    alone = reference.send_event(first.kind, first.occurred_at, first.body, key=first.key)
    again = Event("v-3", "evaluation", 1_800_000_000, {**first.body})
    bad = event("v-4", grade=9)
    results = reference.send_events([first, second, again, bad])
    assert results[0] == alone != results[1]
    assert [r.problem for r in results[2:] if isinstance(r, PlatformRefused)] == [
        Problem.FORBIDDEN,
        Problem.INVALID,
    ]
    assert reference.send_events([second]) == results[1:2]
    assert reference.submission("v-2") is not None
