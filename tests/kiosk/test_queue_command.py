"""``yikatong queue status|list|show``: all is seen, nothing is changed, no body is shown."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kiosk.cli import main
from kiosk.clock import SystemClock
from kiosk.commands import Exit
from kiosk.platform.errors import Distrust, Outage, Problem
from kiosk.queue_desk import words
from offline_queue.database import open_durable
from offline_queue.message import State
from offline_queue.queue import Queue
from offline_queue.room import Level
from offline_queue.schema import MIGRATIONS
from tests.kiosk.queue_cli import DEAD, LIMITS, NAME, NUMBER, STATES, Office, office_for
from tests.offline_queue.queue_world import behind_its_back

LOOKS = (["status"], ["list"], ["show", "5"], ["dead"], ["check"], ["salvage"])
ACTIONS = ("status", "list", "show", "dead", "replay", "export", "import", "check", "salvage")


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return office_for(capsys, tmp_path)


@pytest.fixture
def running(office: Office) -> Iterator[None]:
    """A process holds the state directory, as a terminal does."""
    descriptor = os.open(office.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
    os.close(descriptor)


def test_the_status_for_people(office: Office) -> None:
    told = office("status")
    assert told.code == Exit.FAILED
    for said in ("待发送 ready", "排队 behind", "结果未知 sent", "已确认 confirmed", "被拒收 dead"):
        assert said in told.out
    for said in ("审计日志 audit-range", "服务评价 evaluation", "3 条待处理", "平台不认识本终端"):
        assert said in told.out
    assert "yikatong queue dead" in told.out
    assert "未运行 not running" in told.out
    assert "应急预留 ballast 在 there" not in told.out


def test_the_status_for_machines(office: Office) -> None:
    told = office("status", "--json")
    assert told.code == Exit.FAILED
    seen = told.json
    assert seen["open"] == 5
    assert seen["kinds"] == {"alarm": 1, "evaluation": 2, "audit-range": 2}
    assert {state: seen["states"][state] for state in STATES} == {
        **dict.fromkeys(STATES, 1),
        "confirmed": 2,
        "dead": 3,
    }
    assert seen["undecided"] == dict.fromkeys(DEAD.values(), 1)
    assert [pause["lane"] for pause in seen["pauses"]] == ["audit"]
    assert 3500 < seen["pauses"][0]["seconds"] <= 3600
    assert seen["clock"] == "unknown"
    assert seen["room"]["used_bytes"] > 0
    assert seen["running"] is False
    assert "yikatong queue dead" in seen["next"]


def test_what_was_decided_waits_for_nobody(office: Office) -> None:
    with office.queue() as queue:
        for seq in DEAD:
            queue.desk.forget(seq)
    told = office("status", "--json")
    assert told.code == Exit.OK
    assert told.json["undecided"] == {}
    assert told.json["states"]["dead"] == 3
    assert "3 条已处理 decided" in office("status").out


def test_an_empty_queue_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    office = Office(tmp_path / "state", capsys)
    office.enrol()
    with office.queue():
        pass
    told = office("status")
    assert told.code == Exit.OK
    assert "没有待上传的消息 nothing waits" in told.out
    assert office("list").out.strip() == "没有符合条件的消息 no such message"
    assert office("dead").code == office("check").code == Exit.OK


def test_a_line_that_is_down_for_days_has_its_way_out(office: Office) -> None:
    with behind_its_back(office.folder) as file:
        file.execute("UPDATE message SET created = created - 3 * 86400000 WHERE seq = 9")
    told = office("status", "--json")
    assert "yikatong queue export FOLDER" in told.json["next"]


def test_a_clock_that_went_back_is_said(office: Office) -> None:
    with behind_its_back(office.folder) as file:
        file.execute("UPDATE clock SET seen = seen + 86400000")
    told = office("status", "--json")
    assert told.json["clock"] == "behind"
    assert "曾倒退" in office("status").out


@pytest.mark.usefixtures("running")
def test_a_terminal_that_runs_is_seen(office: Office) -> None:
    assert office("status", "--json").json["running"] is True
    assert "运行中 running" in office("status").out


@pytest.mark.parametrize("words", LOOKS, ids=lambda words: words[0])
def test_looking_changes_nothing(words: list[str], office: Office) -> None:
    with office.queue():
        before = office.content()
        office(*words)
        office(*words, "--json")
        assert office.content() == before


@pytest.mark.parametrize("words", LOOKS, ids=lambda words: words[0])
def test_looking_makes_nothing(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(tmp_path / "state", capsys)
    told = office(*words)
    if words == ["salvage"]:
        assert told.code == Exit.OK
    else:
        assert told.code == Exit.STATE
        assert "没有队列" in told.err and "there is no queue" in told.err
    assert list(tmp_path.iterdir()) == []


def test_the_list_is_filtered_and_paged(office: Office) -> None:
    def seqs(*words: object) -> list[int]:
        told = office("list", *words, "--json")
        assert told.code == Exit.OK
        return [row["seq"] for row in told.json["rows"]]

    assert seqs() == list(range(1, 11))
    assert seqs("--only", "dead") == list(DEAD)
    assert seqs("--kind", "alarm") == [3]
    assert seqs("--lane", "audit") == [9, 10]
    assert seqs("--lane", "audit", "--kind", "alarm") == []
    assert seqs("--after", 8) == [9, 10]
    first = office("list", "--limit", 4, "--json").json
    assert [row["seq"] for row in first["rows"]] == [1, 2, 3, 4]
    assert first["more"] is True and first["next_after"] == 4
    last = office("list", "--limit", 4, "--after", 6, "--json").json
    assert last["more"] is False and last["next_after"] is None


def test_the_list_for_people_fits_80_columns(office: Office) -> None:
    from rich.cells import cell_len

    told = office("list", "--limit", 9)
    assert told.code == Exit.OK
    assert max(map(cell_len, told.out.splitlines())) < 80
    assert "…03-key-0001" in told.out and "T429900-0003-key-0001" not in told.out
    assert "还有更多 there are more: --after 9" in told.out


def test_one_message_is_shown_whole_but_for_what_it_says(office: Office) -> None:
    told = office("show", 5)
    assert told.code == Exit.OK
    for said in ("被拒收 dead", "T429900-0003-key-0005", "业务 events", "forbidden", '"text"'):
        assert said in told.out
    assert "yikatong queue replay 5" in told.out
    assert '"holder": "text"' in told.out
    row = office("show", 3, "--json").json
    assert row["row"]["state"] == "sent" and row["row"]["reason"] == "timeout"
    assert row["body"]["body"] == {"holder": "text", "…": {"list of 2": "text"}, "grade": "number"}


def test_a_message_that_was_changed_is_named(office: Office) -> None:
    with behind_its_back(office.folder) as file:
        file.execute("UPDATE message SET kind = 'other' WHERE seq = 4")
    told = office("show", 4)
    assert told.code == Exit.FAILED
    assert "封签不符" in told.out
    assert office("show", 4, "--json").json["broken"] == "seal-broken"


def test_the_body_needs_a_demo_configuration_and_is_audited(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = office("show", 5, "--body")
    assert told.code == Exit.REFUSED and told.out == ""
    assert office.audited() == []
    told = office("show", 5, "--body", "--config", office.configured())
    assert told.code == Exit.OK
    assert NUMBER in told.out and NAME in told.out
    assert office.audited() == [("queue.body-shown", {"kind": "evaluation", "seq": 5})]


def test_what_cannot_be_audited_is_not_shown(office: Office) -> None:
    (office.folder / "audit").mkdir()
    (office.folder / "audit" / "commands.jsonl").mkdir()
    told = office("show", 5, "--body", "--config", office.configured())
    assert told.code == Exit.STATE and told.out == ""
    assert "无法留痕" in told.err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["list", "--only", "lost"],
        ["list", "--after", "-1"],
        ["list", "--limit", "0"],
        ["list", "--after", str(2**63)],
        ["show"],
        ["show", "0"],
        ["show", "five"],
        ["show", "99"],
        ["replay"],
        ["replay", "5", "--all"],
        ["replay", "5", "--reason", "invalid"],
        ["export"],
        ["import"],
        ["salvage", "copy.sqlite"],
        ["salvage", "--into", "new.sqlite"],
        ["salvage", "copy.sqlite", "--live"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told(words: list[str], office: Office) -> None:
    before = office.content()
    told = office(*words) if words else office("--json")
    assert told.code == Exit.USAGE
    assert told.out == "" and told.err
    assert office.content() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_the_help_reads_well(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    from rich.cells import cell_len

    assert main(["queue", action, "--help"]) == Exit.OK
    told = capsys.readouterr().out
    assert f"yikatong queue {action}" in told
    for part in ("例 examples", "退出码 exit codes", "选项 options", "--state DIR"):
        assert part in told
    assert max(map(cell_len, told.splitlines())) <= 80


def test_the_help_names_every_action(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue", "--help"]) == Exit.OK
    told = capsys.readouterr().out
    assert [action for action in ACTIONS if f"    {action} " not in told] == []


@pytest.mark.parametrize("words", [*LOOKS[:-1], ["replay", "5"]], ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("keys", "另一套设备密钥"),
        ("damage", "已损坏"),
        ("older", "启动一次终端即可升级"),
        ("newer", "程序太旧"),
        ("enrolment", "尚未登记"),
    ],
    ids=["keys", "damage", "older", "newer", "enrolment"],
)
def test_a_queue_that_cannot_be_used_says_what_to_do(
    words: list[str], harm: str, said: str, office: Office
) -> None:
    match harm:
        case "keys":
            office.file.unlink()
            with closing(Queue(office.file, bytes(16), SystemClock(), limits=LIMITS)):
                pass
        case "damage":
            office.file.write_bytes(b"no database" * 1000)
        case "older":
            office.file.unlink()
            open_durable(office.file, migrations=MIGRATIONS[:1]).close()
        case "newer":
            with behind_its_back(office.folder) as file:
                file.execute("PRAGMA user_version = 9")
        case _:
            (office.folder / "keys" / "enrolment.json").unlink()
    told = office(*words)
    if words == ["check"] and harm == "damage":
        # That is what it is asked for.
        assert told.code == Exit.FAILED
        assert "已损坏" in told.out
    elif words[0] == "replay" and harm in ("older", "damage"):
        # Opened for work it is upgraded, or salvaged; there is no such row then.
        assert told.code in (Exit.USAGE, Exit.STATE)
    else:
        assert told.code == Exit.STATE
        assert said in told.err
        assert told.out == ""


def test_a_queue_whose_wal_alone_is_left_is_named(office: Office) -> None:
    office.file.rename(office.file.with_name("queue.sqlite-wal"))
    told = office("status")
    assert told.code == Exit.STATE
    assert "它的 WAL 还在" in told.err


def test_every_word_of_the_vocabularies_has_its_meaning() -> None:
    known = words.DEAD.keys() | words.TRIES.keys()
    for vocabulary in (Problem, Outage, Distrust):
        assert [member.value for member in vocabulary if member.value not in known] == []
    assert set(words.STATES) == {state.value for state in State}
    assert set(words.LEVELS) == {level.name.lower() for level in Level}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0 s"), (59.9, "59 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min"), (93_600, "1 d 2 h")],
)
def test_lengths_of_time_are_readable(seconds: float, said: str) -> None:
    assert words.span(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (-2048, "-2.0 KiB")]
)
def test_sizes_are_readable(count: int, said: str) -> None:
    assert words.size(count) == said
    assert words.size(5 * 1024**4) == "5.0 TiB"
