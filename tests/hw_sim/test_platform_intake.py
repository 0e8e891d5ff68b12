"""How much the platform takes in: 503 for all when too much is under way, 429 for one that asks
too often, both with Retry-After."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from hw_sim.platform import operations
from hw_sim.platform.__main__ import main
from hw_sim.platform.hsm import CardKey, DemoHsm
from hw_sim.platform.intake import Intake, IntakeLimits
from hw_sim.platform.problems import Problem, ProblemKind
from tests.hw_sim.platform_terminal import Terminal, alarm, new_key, running

CRYPTOGRAM = {
    "key": "0000",
    "algorithm": "03",
    "card_factor": "00" * 8,
    "aab301": "429900",
    "challenge": "11" * 8,
    "data": "22" * 8,
}


class Clock:
    """Monotonic seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def refused(intake: Intake, terminal: str) -> Problem | None:
    try:
        intake.count(terminal)
    except Problem as problem:
        return problem
    return None


def test_without_limits_everything_is_taken_in() -> None:
    intake = Intake(IntakeLimits())
    with ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(intake.under_way())
            assert refused(intake, "T429900-0001") is None


def test_one_terminal_has_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    intake = Intake(IntakeLimits(rate=0.5, burst=3), clock)
    assert [refused(intake, "T429900-0001") for _ in range(3)] == [None] * 3
    problem = refused(intake, "T429900-0001")
    assert problem is not None
    assert (problem.kind, problem.retry_after) == (ProblemKind.TOO_MANY, 2)
    # Another one isn't held up by it.
    assert refused(intake, "T429900-0002") is None
    clock.now += 1.9
    problem = refused(intake, "T429900-0001")
    assert problem is not None
    assert problem.retry_after == 1
    clock.now += 0.1
    assert refused(intake, "T429900-0001") is None
    assert refused(intake, "T429900-0001") is not None
    clock.now += 3600
    assert [refused(intake, "T429900-0001") for _ in range(3)] == [None] * 3
    assert refused(intake, "T429900-0001") is not None


@given(st.lists(st.floats(0, 10), max_size=60), st.sampled_from([0.1, 1.0, 7.0]), st.integers(1, 5))
def test_who_comes_when_told_is_let_in(pauses: list[float], rate: float, burst: int) -> None:
    """And never are more let in than the burst and what the rate gives for the time."""
    clock = Clock()
    intake = Intake(IntakeLimits(rate=rate, burst=burst), clock)
    for admitted, pause in enumerate(pauses, 1):
        clock.now += pause
        problem = refused(intake, "T")
        if problem is not None:
            assert problem.retry_after is not None
            clock.now += problem.retry_after
            assert refused(intake, "T") is None
        assert admitted <= burst + (clock.now - 1000.0) * rate + 1e-6


def test_what_was_worked_on_makes_room_however_it_ends() -> None:
    intake = Intake(IntakeLimits(under_way=1))
    with pytest.raises(ValueError, match="broken"), intake.under_way():
        raise ValueError("broken")
    with intake.under_way():
        with pytest.raises(Problem) as full, intake.under_way():
            pass
        assert (full.value.kind, full.value.retry_after) == (ProblemKind.UNAVAILABLE, 1)
    with intake.under_way():
        pass


@pytest.mark.parametrize("limits", [{"under_way": 0}, {"burst": 0}, {"rate": 0.0}, {"rate": -1.0}])
def test_limits_that_let_nobody_in_are_none(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="lets nobody in"):
        IntakeLimits(**limits)


@pytest.mark.parametrize("limit", ["--rate=0", "--burst=0", "--under-way=0"])
def test_the_command_line_refuses_them_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: str
) -> None:
    database = tmp_path / "platform.sqlite"
    assert main(["serve", "--database", str(database), limit]) == 2
    assert "lets nobody in" in capsys.readouterr().err
    assert not database.exists()


def test_a_terminal_that_asks_too_often_is_told_when(tmp_path: Path) -> None:
    with running(tmp_path, intake=IntakeLimits(rate=0.001, burst=2)) as (server, terminal):
        for key in ("a", "b"):
            assert terminal.call("POST", "/v1/alarms", alarm(), key=key).status == 201
        reply = terminal.call("POST", "/v1/alarms", alarm(), key="c")
        assert (reply.status, reply.problem) == (429, "too-many")
        assert 1 <= int(reply.headers["retry-after"]) <= 1000
        # Nothing happened, and the key is free.
        assert len(server.alarms()) == 2
        assert [row.key for row in server.submissions()] == ["a", "b"]
        # Who only says to be that terminal takes nothing of its share, nor hears of it.
        liar = Terminal(server.url, new_key()[0], terminal.public, terminal.terminal_id)
        headers = liar.signed("GET", "/v1/status", b"", "k")
        assert liar.send("GET", "/v1/status", b"", headers).status == 401


def test_enrolments_have_one_share_together(tmp_path: Path) -> None:
    with running(tmp_path, intake=IntakeLimits(rate=0.001, burst=3)) as (server, _terminal):
        for problem in ("forbidden", "forbidden", "too-many"):
            assert Terminal(server.url, *new_key()).enrol("AAAA-AAAA").problem == problem


def test_when_too_much_is_under_way_the_next_is_turned_away(tmp_path: Path) -> None:
    entered, go = threading.Event(), threading.Event()

    class Slow(DemoHsm):
        def cryptogram(self, key: CardKey, data: bytes) -> bytes:
            entered.set()
            assert go.wait(30)
            return bytes(8)

    with running(tmp_path, hsm=Slow(), intake=IntakeLimits(under_way=1)) as (server, terminal):
        other = Terminal(
            server.url,
            terminal.private,
            terminal.public,
            terminal.terminal_id,
            terminal.platform_key,
        )
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(terminal.call, "POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k")
            assert entered.wait(30)
            reply = other.call("POST", "/v1/alarms", alarm())
            go.set()
            assert call.result(30).status == 200
        assert (reply.status, reply.problem) == (503, "unavailable")
        assert reply.headers["retry-after"] == "1"
        assert other.call("POST", "/v1/alarms", alarm()).status == 201


def test_a_database_that_does_not_answer_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def locked(*_arguments: object) -> None:
        raise OperationalError("INSERT 429900194001010017", {}, TimeoutError("locked"))

    with running(tmp_path) as (server, terminal):
        with monkeypatch.context() as patch:
            patch.setattr(operations, "alarm", locked)
            reply = terminal.call("POST", "/v1/alarms", alarm(), key="k")
        assert (reply.status, reply.problem) == (503, "unavailable")
        assert int(reply.headers["retry-after"]) > 0
        assert "TimeoutError of the database" in caplog.text
        assert "429900194001010017" not in caplog.text
        assert terminal.call("POST", "/v1/alarms", alarm(), key="k").status == 201
        assert len(server.alarms()) == 1
