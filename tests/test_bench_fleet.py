"""The fleet's bench in small: it counts what went wrong, and nothing does."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.bench import fleet
from tests.bench.fleet_terminals import Ask, Outcome

LOAD = fleet.Load(terminals=20, interval=0, seconds=3, warm_up=1, at_once=10, repeated=0.3)


@pytest.mark.parametrize("ask", [Ask.EVENT, Ask.BATCH])
def test_answers_that_were_dropped_and_events_sent_twice_have_one_effect(ask: Ask) -> None:
    with fleet.on_sqlite() as place:
        outcome = fleet.run(place, LOAD._replace(ask=ask))
    assert outcome.failed == Counter()
    assert outcome.cut > 0
    assert outcome.repeated > 0
    assert outcome.answered > 0


@pytest.mark.peer
def test_on_postgresql_too() -> None:
    with fleet.on_postgresql() as place:
        outcome = fleet.run(place, LOAD)
    assert outcome.failed == Counter()
    assert outcome.cut > 0


def test_a_status_has_no_effect() -> None:
    with fleet.on_sqlite() as place:
        outcome = fleet.run(place, LOAD._replace(ask=Ask.STATUS, seconds=1))
    assert (outcome.failed, outcome.cut, outcome.numbers) == (Counter(), 0, {})


def answered(**changes: object) -> Outcome:
    outcome = Outcome(
        seconds=1, answered=1, latencies=[0.01], sent=1, begun=1, numbers={"k": "E-1"}
    )
    for name, value in changes.items():
        setattr(outcome, name, value)
    return outcome


@pytest.mark.parametrize(
    ("outcome", "there", "wrong"),
    [
        (answered(), {"k": ["E-1", "E-2"]}, "double"),
        (answered(), {}, "lost"),
        (answered(), {"k": ["E-2"]}, "lost"),
        (answered(begun=2), {"k": ["E-1"]}, "unanswered"),
        (answered(cut=1), {"k": ["E-1"]}, "connections broken"),
        (answered(sent=50), {"k": ["E-1"]}, "connections broken"),
        (answered(failed=Counter({"503": 2})), {"k": ["E-1"]}, "'503': 2"),
        (answered(latencies=[]), {"k": ["E-1"]}, "requests"),
    ],
    ids=[
        "double",
        "lost",
        "another number",
        "unanswered",
        "cut",
        "not cut",
        "refused",
        "nothing measured",
    ],
)
def test_the_bench_fails(outcome: Outcome, there: dict[str, list[str]], wrong: str) -> None:
    with pytest.raises(AssertionError, match=wrong):
        fleet.check(outcome, there, Ask.EVENT)


def test_the_bench_passes() -> None:
    fleet.check(answered(), {"k": ["E-1"]}, Ask.EVENT)
