"""One effect an idempotency key, whatever the line does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hw_sim.platform.hsm import CardKey, DemoHsm
from hw_sim.platform.server import PlatformServer
from tests.hw_sim.platform_terminal import (
    AS_OF,
    NOW,
    NewDatabase,
    Terminal,
    alarm,
    new_idempotency_key,
    new_key,
    running,
)

CRYPTOGRAM = {
    "key": "0000",
    "algorithm": "03",
    "card_factor": "00" * 8,
    "aab301": "429900",
    "challenge": "11" * 8,
    "data": "22" * 8,
}


class SlowHsm(DemoHsm):
    """An HSM that is at work until it is let go; it counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go = threading.Event()
        self.calls = 0

    def cryptogram(self, key: CardKey, data: bytes) -> bytes:
        self.calls += 1
        self.entered.set()
        assert self.go.wait(30)
        return bytes(8)


@pytest.fixture
def hsm() -> SlowHsm:
    return SlowHsm()


@pytest.fixture
def database(tmp_path: Path, new_database: NewDatabase) -> Path | str:
    return new_database(tmp_path)


@pytest.fixture
def platform(database: Path | str, hsm: SlowHsm) -> Iterator[tuple[PlatformServer, Terminal]]:
    with running(database, hsm=hsm) as pair:
        yield pair
        hsm.go.set()


def test_a_repetition_gets_the_first_answer(platform: tuple[PlatformServer, Terminal]) -> None:
    server, terminal = platform
    key = new_idempotency_key()
    first = terminal.call("POST", "/v1/alarms", alarm(), key=key)
    second = terminal.call("POST", "/v1/alarms", alarm(), key=key)
    assert (first.status, first.body) == (second.status, second.body)
    assert len(server.alarms()) == 1


def test_the_key_with_another_body_or_place_is_a_conflict(
    platform: tuple[PlatformServer, Terminal],
) -> None:
    server, terminal = platform
    key = new_idempotency_key()
    terminal.call("POST", "/v1/alarms", alarm(), key=key)
    reply = terminal.call("POST", "/v1/alarms", alarm("other.event"), key=key)
    assert (reply.status, reply.problem) == (422, "conflicting-reuse")
    reply = terminal.call("POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key=key)
    assert reply.problem == "conflicting-reuse"
    assert len(server.alarms()) == 1


def test_two_terminals_may_take_the_same_key(platform: tuple[PlatformServer, Terminal]) -> None:
    server, terminal = platform
    other = Terminal(server.url, *new_key())
    other.enrol(server.new_enrolment_code(), "SN-0002")
    terminal.call("POST", "/v1/alarms", alarm(), key="same")
    assert other.call("GET", "/v1/submissions/same").problem == "not-found"
    assert other.call("POST", "/v1/alarms", alarm("other.event"), key="same").status == 201
    assert len(server.alarms()) == 2


def test_a_submission_can_be_asked_for(platform: tuple[PlatformServer, Terminal]) -> None:
    _server, terminal = platform
    key = "/odd?key=%/1"
    first = terminal.call("POST", "/v1/alarms", alarm(), key=key)
    path = "/v1/submissions/%2Fodd%3Fkey=%25%2F1"
    assert terminal.call("GET", path).document == {
        "state": "done",
        "status": 201,
        "response": first.document,
    }
    assert terminal.call("GET", "/v1/submissions/never").problem == "not-found"


def test_a_refusal_by_the_operation_is_its_outcome(
    platform: tuple[PlatformServer, Terminal],
) -> None:
    _server, terminal = platform
    request = {
        "aac002": "42990019000101999X",
        "aaz501": "00" * 16,
        "purpose": "self-query",
        "evidence": ["card-genuine"],
    }
    first = terminal.call("POST", "/v1/overviews", request, key="k")
    second = terminal.call("POST", "/v1/overviews", request, key="k")
    assert first.problem == "not-found"
    assert (first.body, first.headers["content-type"]) == (
        second.body,
        second.headers["content-type"],
    )
    asked = terminal.call("GET", "/v1/submissions/k").document
    assert (asked["status"], asked["response"]) == (404, first.document)


def test_what_was_not_understood_leaves_the_key_free(
    platform: tuple[PlatformServer, Terminal],
) -> None:
    _server, terminal = platform
    assert terminal.call("POST", "/v1/alarms", {"kind": 1}, key="k").problem == "invalid"
    assert terminal.call("GET", "/v1/submissions/k").problem == "not-found"
    assert terminal.call("POST", "/v1/alarms", alarm(), key="k").status == 201


def test_while_the_first_is_running_the_second_must_wait(
    platform: tuple[PlatformServer, Terminal], hsm: SlowHsm
) -> None:
    server, terminal = platform
    second = Terminal(
        server.url, terminal.private, terminal.public, terminal.terminal_id, terminal.platform_key
    )
    with ThreadPoolExecutor(1) as pool:
        running_call = pool.submit(
            terminal.call, "POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k"
        )
        assert hsm.entered.wait(30)
        reply = second.call("POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k")
        assert (reply.status, reply.problem) == (409, "in-progress")
        # Others are served meanwhile: the work holds no lock of the database.
        assert second.call("POST", "/v1/alarms", alarm()).status == 201
        hsm.go.set()
        assert running_call.result().status == 200
    assert second.call("POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k").status == 200
    assert hsm.calls == 1


def test_of_many_at_once_one_has_an_effect(platform: tuple[PlatformServer, Terminal]) -> None:
    server, terminal = platform
    callers = [
        Terminal(
            server.url,
            terminal.private,
            terminal.public,
            terminal.terminal_id,
            terminal.platform_key,
        )
        for _ in range(6)
    ]
    with ThreadPoolExecutor(len(callers)) as pool:
        replies = list(
            pool.map(lambda one: one.call("POST", "/v1/alarms", alarm(), key="k"), callers)
        )
    assert {reply.status for reply in replies} <= {201, 409}
    assert len({reply.body for reply in replies if reply.status == 201}) == 1
    assert len(server.alarms()) == 1
    assert len(server.submissions()) == 1


def test_a_failing_effect_commits_nothing(database: Path | str) -> None:
    broken = [True]

    class Breaking(DemoHsm):
        def cryptogram(self, key: CardKey, data: bytes) -> bytes:
            if broken[0]:
                raise ValueError("429900194001010017")
            return bytes(8)

    with running(database, hsm=Breaking()) as (server, terminal):
        reply = terminal.call("POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k")
        assert (reply.status, reply.problem) == (500, "internal")
        assert server.submissions() == []
        broken[0] = False
        reply = terminal.call("POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k")
        assert reply.status == 200


def test_what_runs_while_the_line_is_cut_is_still_committed(
    platform: tuple[PlatformServer, Terminal], hsm: SlowHsm
) -> None:
    server, terminal = platform
    with ThreadPoolExecutor(2) as pool:
        call = pool.submit(terminal.call, "POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k")
        assert hsm.entered.wait(30)
        cut = pool.submit(server.set_down, True)
        # The line is dead at once, not when the work is done.
        assert isinstance(call.exception(30), ConnectionError)
        hsm.go.set()
        cut.result(30)
    server.set_down(False)
    assert terminal.call("GET", "/v1/submissions/k").document["status"] == 200
    assert terminal.call("POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k").status == 200
    assert hsm.calls == 1


def test_answers_outlive_the_process(database: Path | str) -> None:
    with running(database) as (_server, terminal):
        first = terminal.call("POST", "/v1/alarms", alarm(), key="k")
    with PlatformServer(database, as_of=AS_OF, clock=lambda: float(NOW)) as again:
        terminal.url, terminal.connection = again.url, None
        assert terminal.call("POST", "/v1/alarms", alarm(), key="k").body == first.body
        assert len(again.alarms()) == 1
