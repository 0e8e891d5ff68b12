"""Events at the platform: once each, and audit ranges without a hole."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.audit.log import AuditLog
from tests.hw_sim.platform_terminal import (
    NOW,
    NewDatabase,
    Reply,
    Stage,
    Terminal,
    new_idempotency_key,
    rows,
    staged,
)

EVALUATION = {"item": "429900-QUERY-ALL", "grade": 5, "visit": "7"}
OUTCOME = {"code": "2" * 16, "serial": "P-1", "outcome": "done", "reason": ""}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Path | str:
    return new_database(tmp_path_factory.mktemp("platform"))


@pytest.fixture(scope="module")
def stage(database: Path | str) -> Iterator[Stage]:
    with staged(database) as stage:
        yield stage


@pytest.fixture
def terminal(stage: Stage) -> Terminal:
    """Of whom the platform has nothing yet."""
    return stage.another_terminal()


def report(by: Terminal, kind: str, body: object, key: str | None = None) -> Reply:
    event = {"kind": kind, "occurred_at": NOW - 60, "body": body}
    return by.call("POST", "/v1/events", event, key=key)


def sm3(text: str) -> str:
    return hashlib.new("sm3", text.encode()).hexdigest()


def chain(terminal_id: str, count: int, **last: object) -> list[str]:
    """A log's first lines; ``last`` changes fields of the last one."""
    lines: list[str] = []
    before = sm3(f"yikatong audit 1 {terminal_id}")
    for seq in range(1, count + 1):
        fields: dict[str, object] = {"event": "x", "prev": before, "seq": seq}
        fields["terminal"] = terminal_id
        if seq == count:
            fields |= last
        lines.append(json.dumps(fields, sort_keys=True, separators=(",", ":")))
        before = sm3(lines[-1])
    return lines


def ship(
    by: Terminal, lines: Sequence[str], first: int, last: int | None = None, key: str | None = None
) -> Reply:
    """Send lines as the range ``first``..``last``."""
    last = first + len(lines) - 1 if last is None else last
    body = {"first": first, "last": last, "lines": list(lines)}
    return report(by, "audit-range", body, key or f"{by.terminal_id}-audit-{first}-{last}")


def kept(database: Path | str, terminal: Terminal) -> list[str]:
    chosen = "SELECT line FROM audit_lines WHERE terminal_id = :terminal ORDER BY seq"
    return [line for (line,) in rows(database, chosen, terminal=terminal.terminal_id)]


def test_an_event_is_numbered_and_kept(stage: Stage, terminal: Terminal) -> None:
    before = len(stage.server.events())
    first = report(terminal, "evaluation", EVALUATION)
    second = report(terminal, "print-outcome", OUTCOME)
    assert (first.status, second.status) == (201, 201)
    numbers = [reply.document["event_no"] for reply in (first, second)]
    assert all(re.fullmatch("E-[1-9][0-9]*", number) for number in numbers)
    assert int(numbers[0][2:]) < int(numbers[1][2:])
    assert stage.server.events()[before:] == [
        {
            "event_no": numbers[0],
            "terminal_id": terminal.terminal_id,
            "kind": "evaluation",
            "occurred_at": NOW - 60,
            "body": EVALUATION,
        },
        {
            "event_no": numbers[1],
            "terminal_id": terminal.terminal_id,
            "kind": "print-outcome",
            "occurred_at": NOW - 60,
            "body": OUTCOME,
        },
    ]
    assert {event["kind"] for event in stage.server.events("evaluation")} == {"evaluation"}
    assert stage.server.events("evaluation")[-1]["body"] == EVALUATION


def test_the_same_event_comes_once(stage: Stage, terminal: Terminal) -> None:
    key = new_idempotency_key()
    before = len(stage.server.events())
    first = report(terminal, "print-outcome", OUTCOME, key)
    again = report(terminal, "print-outcome", OUTCOME, key)
    assert (again.status, again.body) == (first.status, first.body)
    reply = report(terminal, "print-outcome", OUTCOME | {"outcome": "failed"}, key)
    assert reply.problem == "conflicting-reuse"
    assert len(stage.server.events()) == before + 1


def test_a_visit_is_evaluated_once(stage: Stage, terminal: Terminal) -> None:
    assert report(terminal, "evaluation", EVALUATION).status == 201
    before, key = stage.server.events(), new_idempotency_key()
    reply = report(terminal, "evaluation", EVALUATION | {"grade": 1}, key)
    assert reply.problem == "forbidden"
    assert stage.server.events() == before
    asked = terminal.call("GET", f"/v1/submissions/{key}").document
    assert (asked["status"], asked["response"]) == (403, reply.document)
    assert report(terminal, "evaluation", EVALUATION | {"visit": "8"}).status == 201
    assert report(stage.another_terminal(), "evaluation", EVALUATION).status == 201


def test_of_many_evaluations_at_once_one_counts(stage: Stage, terminal: Terminal) -> None:
    callers = [
        Terminal(
            terminal.url,
            terminal.private,
            terminal.public,
            terminal.terminal_id,
            terminal.platform_key,
        )
        for _ in range(6)
    ]
    with ThreadPoolExecutor(len(callers)) as pool:
        replies = list(pool.map(lambda by: report(by, "evaluation", EVALUATION), callers))
    assert sorted(reply.status for reply in replies) == [201, *[403] * 5]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("evaluation", EVALUATION | {"grade": 0}),
        ("evaluation", EVALUATION | {"grade": 6}),
        ("evaluation", EVALUATION | {"grade": True}),
        ("evaluation", EVALUATION | {"visit": ""}),
        ("evaluation", EVALUATION | {"visit": "x" * 65}),
        ("evaluation", EVALUATION | {"item": "事项"}),
        ("evaluation", EVALUATION | {"name": "x"}),
        ("evaluation", OUTCOME),
        ("evaluation", None),
        ("print-outcome", OUTCOME | {"code": "0" * 16}),
        ("print-outcome", OUTCOME | {"code": "2" * 15}),
        ("print-outcome", OUTCOME | {"serial": ""}),
        ("print-outcome", OUTCOME | {"outcome": "perhaps"}),
        ("print-outcome", OUTCOME | {"reason": "a sentence about a person"}),
        ("opinion", {}),
    ],
    ids=str,
)
def test_an_event_has_a_form(stage: Stage, kind: str, body: object) -> None:
    assert report(stage.terminal, kind, body).problem == "invalid"


@pytest.mark.parametrize(
    ("first", "last", "lines"),
    [
        (0, 0, ["x"]),
        (1, 0, []),
        (1, 201, ["x"] * 201),
        (1, 1, ["x\n"]),
        (1, 1, ["文"]),
        (1, 1, ["x" * 4097]),
        (1, 1, [1]),
    ],
    ids=str,
)
def test_a_range_has_a_form(terminal: Terminal, first: int, last: int, lines: list[Any]) -> None:
    assert ship(terminal, lines, first, last).problem == "invalid"


def test_ranges_follow_one_another(stage: Stage, terminal: Terminal, database: Path | str) -> None:
    lines = chain(terminal.terminal_id, 450)
    assert ship(terminal, lines[:200], 1).status == 201
    assert ship(terminal, lines[200:400], 201).status == 201
    assert ship(terminal, lines[400:], 401).status == 201
    assert kept(database, terminal) == lines
    last = stage.server.events("audit-range")[-1]
    assert last["body"] == {"first": 401, "last": 450, "lines": lines[400:]}


def test_a_real_log_is_accepted(terminal: Terminal, tmp_path: Path, database: Path | str) -> None:
    class Clock:
        def time(self) -> float:
            return float(NOW)

        monotonic = time

    log = AuditLog(tmp_path / "audit.jsonl", terminal.terminal_id, Clock(), boot_id="boot")
    for visit in range(5):
        log.write("visit.begun", visit=visit)
    log.close()
    lines = (tmp_path / "audit.jsonl").read_text("ascii").splitlines()
    assert ship(terminal, lines[:2], 1).status == 201
    assert ship(terminal, lines[2:], 3).status == 201
    assert kept(database, terminal) == lines


def test_a_range_again_has_no_second_effect(
    stage: Stage, terminal: Terminal, database: Path | str
) -> None:
    lines = chain(terminal.terminal_id, 3)
    first = ship(terminal, lines, 1)
    before = len(stage.server.events())
    assert ship(terminal, lines, 1).body == first.body
    assert len(stage.server.events()) == before
    assert kept(database, terminal) == lines


def test_a_range_may_overlap_with_the_same(terminal: Terminal, database: Path | str) -> None:
    lines = chain(terminal.terminal_id, 6)
    assert ship(terminal, lines[:4], 1).status == 201
    assert ship(terminal, lines[2:], 3).status == 201
    assert ship(terminal, lines[1:3], 2).status == 201
    assert kept(database, terminal) == lines


def test_a_range_of_another_content_is_refused(terminal: Terminal, database: Path | str) -> None:
    lines = chain(terminal.terminal_id, 4)
    others = chain(terminal.terminal_id, 4, event="y")
    assert lines[:3] == others[:3]
    assert ship(terminal, lines, 1).status == 201
    assert ship(terminal, others[2:], 3).problem == "forbidden"
    # Under the key of what is there already: the wire's own rule.
    assert ship(terminal, others, 1).problem == "conflicting-reuse"
    assert kept(database, terminal) == lines


@pytest.mark.parametrize("first", [2, 5])
def test_a_gap_is_refused(terminal: Terminal, database: Path | str, first: int) -> None:
    lines = chain(terminal.terminal_id, 6)
    assert ship(terminal, lines[first - 1 :], first).problem == "forbidden"
    assert ship(terminal, lines[:3], 1).status == 201
    assert ship(terminal, lines[4:], 5).problem == "forbidden"
    assert kept(database, terminal) == lines[:3]


@pytest.mark.parametrize(
    "last",
    [
        {"prev": "00" * 32},
        {"prev": None},
        {"seq": 4},
        {"seq": 3.0},
        {"seq": True},
        {"seq": "3"},
        {"terminal": "T429900-9999"},
        {"terminal": None},
    ],
    ids=str,
)
def test_a_broken_chain_is_refused_whole(
    terminal: Terminal, database: Path | str, last: dict[str, object]
) -> None:
    lines = chain(terminal.terminal_id, 3, **last)
    assert ship(terminal, lines, 1).problem == "forbidden"
    assert kept(database, terminal) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda line: line + " ",
        lambda line: line.replace(",", ", "),
        lambda line: line[:-1],
        lambda line: "[" * 3000,
        lambda line: "9" * 4096,
        lambda line: "[1]",
        lambda line: line.replace('"event":"x"', '"event":"x","event":"x"'),
    ],
)
def test_a_line_that_is_none_is_refused(
    terminal: Terminal, database: Path | str, spoil: Any
) -> None:
    lines = chain(terminal.terminal_id, 3)
    assert ship(terminal, [*lines[:2], spoil(lines[2])], 1).problem == "forbidden"
    assert kept(database, terminal) == []


def test_a_line_that_was_changed_is_noticed_by_the_next(terminal: Terminal) -> None:
    lines = chain(terminal.terminal_id, 3)
    lines[1] = lines[1].replace('"x"', '"y"')
    assert ship(terminal, lines, 1).problem == "forbidden"


def test_another_genesis_is_another_log(stage: Stage, terminal: Terminal) -> None:
    lines = chain(stage.terminal.terminal_id, 2)
    mine = [line.replace(stage.terminal.terminal_id, terminal.terminal_id) for line in lines]
    assert ship(terminal, mine, 1).problem == "forbidden"


def test_a_range_comes_under_its_own_key(terminal: Terminal) -> None:
    lines = chain(terminal.terminal_id, 3)
    for key in ("k", f"{terminal.terminal_id}-audit-1-2", "T429900-9999-audit-1-3"):
        assert ship(terminal, lines, 1, key=key).problem == "invalid"
    assert ship(terminal, lines, 1).status == 201


@pytest.mark.parametrize("last", [2, 4])
def test_lines_and_numbers_must_agree(terminal: Terminal, last: int) -> None:
    lines = chain(terminal.terminal_id, 3)
    assert ship(terminal, lines, 1, last).problem == "forbidden"


def test_every_terminal_has_a_log_of_its_own(
    stage: Stage, terminal: Terminal, database: Path | str
) -> None:
    other = stage.another_terminal()
    for each in (terminal, other):
        assert ship(each, chain(each.terminal_id, 2), 1).status == 201
    assert kept(database, terminal) == chain(terminal.terminal_id, 2)


def test_two_ranges_at_once_leave_no_hole(terminal: Terminal, database: Path | str) -> None:
    lines = chain(terminal.terminal_id, 40)
    callers = [
        Terminal(
            terminal.url,
            terminal.private,
            terminal.public,
            terminal.terminal_id,
            terminal.platform_key,
        )
        for _ in range(4)
    ]
    spans = [(0, 20), (0, 30), (0, 25), (0, 40)]
    with ThreadPoolExecutor(len(callers)) as pool:
        replies = list(
            pool.map(
                lambda pair: ship(pair[0], lines[pair[1][0] : pair[1][1]], 1),
                zip(callers, spans, strict=True),
            )
        )
    assert {reply.status for reply in replies} == {201}
    assert kept(database, terminal) == lines


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["kind", "body", "occurred_at", "lines", "first", "code"]), inner
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(["events", "certificates", "ecard-verifications", "risk-verdicts"]),
)
def test_whatever_comes_is_refused_in_order(stage: Stage, document: Any, path: str) -> None:
    reply = stage.terminal.call("POST", f"/v1/{path}", raw=json.dumps(document).encode())
    assert reply.problem in ("invalid", "malformed")
