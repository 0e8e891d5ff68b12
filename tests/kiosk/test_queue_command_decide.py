"""``yikatong queue dead|replay``: what was refused is decided once, audited; no body is shown."""

from __future__ import annotations

import fcntl
import io
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from kiosk.commands import Exit
from offline_queue.message import Row, State
from offline_queue.queue import Queue
from tests.kiosk.queue_cli import BODY, DEAD, LIMITS, NAME, NUMBER, Office, office_for
from tests.offline_queue.queue_world import behind_its_back


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return office_for(capsys, tmp_path)


class Person(io.StringIO):
    """Somebody at a terminal, who answers."""

    def isatty(self) -> bool:
        return True


def answered(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", Person(answer + "\n"))


def test_the_dead_are_told_with_their_reasons_in_words(office: Office) -> None:
    told = office("dead")
    assert told.code == Exit.FAILED
    for said in (*DEAD.values(), "平台不准许", "内容不合平台要求", "过了有效期"):
        assert said in told.out
    assert "yikatong queue replay 5" in told.out
    assert "yikatong queue dead --forget 5" in told.out
    plain = office("dead", "--json")
    assert plain.code == Exit.FAILED
    assert {row["seq"]: row["reason"] for row in plain.json["rows"]} == DEAD
    assert plain.json["reasons"] == dict.fromkeys(DEAD.values(), 1)


def test_more_of_the_dead_than_are_shown_are_told(office: Office) -> None:
    told = office("dead", "--limit", 2)
    assert "另有 1 条 more: --limit 3" in told.out
    assert len(office("dead", "--limit", 2, "--json").json["rows"]) == 2


def test_a_replay_goes_under_a_new_key_and_both_name_each_other(office: Office) -> None:
    told = office("replay", 5)
    assert told.code == Exit.OK
    assert "5 → 11" in told.out
    old, new = (office("show", seq, "--json").json["row"] for seq in (5, 11))
    assert old["replaced"] == 11 and new["replaces"] == 5
    assert new["state"] == "ready" and new["kind"] == "evaluation"
    assert new["key"].startswith("T429900-0003-") and new["key"] != old["key"]
    with office.queue() as queue:
        assert queue.desk.body(11) == BODY
    assert office.audited() == [
        (
            "queue.replayed",
            {"seq": 5, "successor": 11, "kind": "evaluation", "reason": "forbidden"},
        )
    ]
    assert "已重发为 11" in office("show", 5).out
    assert 5 not in [row["seq"] for row in office("dead", "--json").json["rows"]]


def test_all_or_those_of_one_reason_are_replayed(office: Office) -> None:
    told = office("replay", "--all", "--reason", "invalid", "--json")
    assert told.json == {"replayed": [{"seq": 6, "successor": 11}], "unreadable": []}
    told = office("replay", "--all", "--json")
    assert told.json["replayed"] == [{"seq": 5, "successor": 12}, {"seq": 7, "successor": 13}]
    told = office("replay", "--all")
    assert told.code == Exit.OK
    assert told.out.strip() == "没有可重发的消息 nothing to replay"
    assert [event for event, _ in office.audited()] == ["queue.replayed"] * 3


def test_what_nobody_can_read_is_not_replayed_and_can_be_forgotten(office: Office) -> None:
    with behind_its_back(office.folder) as file:
        file.execute("UPDATE message SET kind = 'other' WHERE seq = 6")
        file.execute("UPDATE message SET reason = 'seal-broken' WHERE seq = 7")
    told = office("replay", "--all")
    assert told.code == Exit.FAILED
    assert "✓ 5 → 11" in told.out
    assert "✗ 6 " in told.out and "✗ 7 " in told.out
    told = office("dead")
    assert "yikatong queue dead --forget 6" in told.out
    assert office("dead", "--forget", 6).code == office("dead", "--forget", 7).code == Exit.OK
    assert office("dead").code == Exit.OK


def test_only_unreadable_ones_are_not_proposed_for_a_replay(office: Office) -> None:
    with behind_its_back(office.folder) as file:
        file.execute("UPDATE message SET reason = 'key-unknown' WHERE state = 'dead'")
    told = office("dead")
    assert "yikatong queue replay" not in told.out
    assert "密钥已不存在" in told.out


def test_forgetting_is_for_good(office: Office) -> None:
    told = office("dead", "--forget", 6, "--json")
    assert told.code == Exit.OK and told.json == {"forgotten": 6}
    assert office.audited() == [
        ("queue.forgotten", {"seq": 6, "kind": "evaluation", "reason": "invalid"})
    ]
    for words in (("replay", 6), ("dead", "--forget", 6)):
        told = office(*words)
        assert told.code == Exit.USAGE
        assert "已了结" in told.err
    assert "不再重发 forgotten" in office("show", 6).out


@pytest.mark.parametrize("words", [("replay",), ("dead", "--forget")], ids=" ".join)
@pytest.mark.parametrize(
    ("seq", "said"),
    [(9, "未被拒收（待发送 ready）"), (99, "没有编号为 99"), (5, "已重发为 11")],
    ids=["waits", "none", "decided"],
)
def test_what_is_not_dead_is_left(
    words: tuple[str, ...], seq: int, said: str, office: Office
) -> None:
    office("replay", 5)
    told = office(*words, seq)
    assert told.code == Exit.USAGE
    assert said in told.err


def test_who_was_slower_is_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Queue.rows

    def meanwhile(
        queue: Queue, state: State | None = None, limit: int = 100, *, after: int = 0
    ) -> tuple[Row, ...]:
        found = real(queue, state, limit, after=after)
        if not after:
            queue.desk.forget(5)
        return found

    monkeypatch.setattr(Queue, "rows", meanwhile)
    told = office("replay", "--all")
    assert told.code == Exit.USAGE
    assert "5 已了结" in told.err


@pytest.mark.parametrize("words", [("replay", "5"), ("dead", "--forget", "5")], ids=" ".join)
def test_somebody_at_the_terminal_is_asked(
    words: tuple[str, ...], office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch, "n")
    told = office(*words)
    assert told.code == Exit.REFUSED
    assert "[y/N]" in told.err and "没有改动" in told.err
    assert office.audited() == []
    answered(monkeypatch, "y")
    assert office(*words).code == Exit.OK
    answered(monkeypatch, "n")
    assert office("replay", "6", "--yes").code == Exit.OK


def test_a_terminal_that_runs_goes_on_and_is_mentioned(office: Office) -> None:
    with (office.folder / "lock").open("w") as lock, office.queue() as terminal:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = office("replay", 5)
        assert told.code == Exit.OK
        assert "终端正在运行" in told.err
        claim = terminal.claim("courier-1")
        assert claim is not None and claim.seq == 11


def test_what_cannot_be_audited_is_not_done(office: Office) -> None:
    (office.folder / "audit" / "commands.jsonl").mkdir(parents=True)
    for words in (("replay", 5), ("dead", "--forget", 5)):
        told = office(*words)
        assert told.code == Exit.STATE
        assert "无法留痕" in told.err
    assert len(office("dead", "--json").json["rows"]) == 3


def test_a_queue_that_another_holds_is_said(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = replace(LIMITS, busy_timeout_ms=1)
    monkeypatch.setattr("offline_queue.queue.Queue", partial(Queue, limits=hasty))
    with behind_its_back(office.folder) as other:
        other.execute("BEGIN IMMEDIATE")
        told = office("replay", 5)
        other.execute("ROLLBACK")
    assert told.code == Exit.STATE
    assert "被其他进程占用" in told.err and "SQLITE_BUSY" in told.err


def test_nothing_personal_is_ever_shown(office: Office, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    told = []
    for words in (
        ("status",),
        ("list",),
        ("list", "--only", "dead"),
        ("show", 5),
        ("show", 9),
        ("dead",),
        ("replay", 5),
        ("dead", "--forget", 6),
        ("export", tmp_path / "stick"),
        ("import", office.file),
        ("check",),
        ("salvage",),
    ):
        told += [office(*words), office(*words, "--json")]
    said = "".join(answer.out + answer.err for answer in told)
    assert len(said) > 5_000
    for secret in (NUMBER, NAME, NUMBER[6:14], NAME[:2]):
        assert secret not in said
    left = "".join(str(line) for line in office.audited())
    assert NUMBER not in left and NAME not in left
