"""``yikatong queue check|salvage``: losses are told by number, nothing is changed unasked."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

import pytest

from kiosk.commands import Exit
from offline_queue.message import State
from tests.kiosk.queue_cli import Answer, Office, office_for
from tests.offline_queue.queue_world import behind_its_back

PAGE = 4096


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return office_for(capsys, tmp_path)


def damage(file: Path) -> None:
    """Destroy one page of bodies, which is there once the WAL was written back."""
    with behind_its_back(file.parent) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'body'"
        ).fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with file.open("r+b") as content:
        content.seek((page - 1) * PAGE)
        content.write(b"\xa5" * PAGE)


def test_a_sound_queue_is_whole(office: Office) -> None:
    told = office("check")
    assert told.code == Exit.OK
    assert "✓ 完整，未被改动" in told.out
    plain = office("check", "--json")
    assert plain.code == Exit.OK
    assert plain.json == {
        "whole": True,
        "faults": 0,
        "chain": {
            "rows": 10, "purged": 0, "told": 0,
            "lost": [], "lost_rows": 0, "broken": [], "last": 10,
        },
    }  # fmt: skip


def test_losses_and_changes_are_told_by_number(office: Office) -> None:
    with behind_its_back(office.folder) as file:
        for seq in (2, 3, 7):
            file.execute("DELETE FROM body WHERE seq = ?", (seq,))
            file.execute("DELETE FROM message WHERE seq = ?", (seq,))
        file.execute("UPDATE message SET kind = 'other' WHERE seq IN (5, 9, 10)")
    told = office("check")
    assert told.code == Exit.FAILED
    assert "✗ 丢失 lost" in told.out and "3，编号 2..3，7" in told.out
    assert "3，编号 5，9..10" in told.out
    plain = office("check", "--json")
    assert plain.code == Exit.FAILED
    assert plain.json["whole"] is False
    assert plain.json["chain"]["lost"] == [[2, 3], [7, 7]]
    assert plain.json["chain"]["lost_rows"] == 3
    assert plain.json["chain"]["broken"] == [5, 9, 10]


def test_a_damaged_file_is_found_and_left(office: Office) -> None:
    damage(office.file)
    before = office.content()
    told = office("check")
    assert told.code == Exit.FAILED
    assert "yikatong queue salvage --live" in told.out
    plain = office("check", "--json")
    assert plain.json["whole"] is False and plain.json["faults"] > 0
    assert plain.json["chain"] is None
    assert office.content() == before


def test_no_salvage_is_no_finding(office: Office) -> None:
    told = office("salvage")
    assert told.code == Exit.OK and "没有抢救记录" in told.out
    assert office("salvage", "--json").json == {"report": None}


def report_of(told: Answer) -> dict[str, object]:
    report: dict[str, object] = told.json["report"]
    return report


def test_the_terminal_s_own_queue_is_salvaged_and_the_report_stays(office: Office) -> None:
    damage(office.file)
    told = office("salvage", "--live", "--json")
    assert told.code == Exit.FAILED
    report = report_of(told)
    assert report["unprovable"] == [[1, 10]] and report["rows"] == 0
    assert Path(str(report["kept"])).is_dir()
    assert office.audited() == [("queue.salvaged", {"recovered": 0, "lost": 10})]
    shown = office("salvage")
    assert shown.code == Exit.FAILED
    assert "✗ 封签不符" in shown.out and "编号 1..10" in shown.out
    assert report_of(office("salvage", "--json")) == report
    assert office("status", "--json").code == Exit.OK
    assert office("check", "--json").json["chain"]["told"] == 10
    assert "10，已记录 on record" in office("check").out


def test_a_sound_queue_is_left_as_it_is(office: Office) -> None:
    told = office("salvage", "--live")
    assert told.code == Exit.OK
    assert "文件完好，无需抢救" in told.out
    assert office.audited() == []
    assert not list(office.folder.glob("*.damaged-*"))


def test_a_terminal_that_runs_keeps_its_queue(office: Office) -> None:
    damage(office.file)
    before = office.content()
    with (office.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = office("salvage", "--live")
    assert told.code == Exit.STATE
    assert "终端正在运行，请先停止" in told.err
    after = office.content()
    assert {name: after[name] for name in before} == before


def test_a_copy_is_salvaged_into_a_new_file_and_nothing_else_is_touched(
    office: Office, tmp_path: Path
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    shutil.copyfile(office.file, copies / "queue.sqlite")
    damage(copies / "queue.sqlite")
    destroyed = (copies / "queue.sqlite").read_bytes()
    live = office.content()
    told = office("salvage", copies, "--into", tmp_path / "new.sqlite")
    assert told.code == Exit.FAILED
    assert f"{copies}" in told.out and "编号 1..10" in told.out
    assert (copies / "queue.sqlite").read_bytes() == destroyed
    assert office.content() == live
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copies", "new.sqlite", "state"]
    office.file.unlink()
    shutil.copyfile(tmp_path / "new.sqlite", office.file)
    with office.queue() as queue:
        assert sum(queue.metrics().states[state] for state in State) == 0


def test_a_copy_that_is_sound_comes_over_whole(office: Office, tmp_path: Path) -> None:
    shutil.copyfile(office.file, tmp_path / "copy.sqlite")
    told = office("salvage", tmp_path / "copy.sqlite", "--into", tmp_path / "new.sqlite")
    assert told.code == Exit.OK
    assert "完好" in told.out
    assert not list(tmp_path.glob("new.sqlite?*"))
    rows = office("list", "--json").json["rows"]
    shutil.copyfile(tmp_path / "new.sqlite", office.file)
    same = office("list", "--json").json["rows"]
    times = {"age_seconds": 0, "due_seconds": 0}
    assert [{**row, **times} for row in same] == [{**row, **times} for row in rows]


def test_no_file_is_written_over_and_the_live_one_is_refused(
    office: Office, tmp_path: Path
) -> None:
    (tmp_path / "there").write_text("precious")
    before = office.content()
    for source, target, said in (
        (tmp_path / "none", tmp_path / "new", "没有文件"),
        (office.file, tmp_path / "new", "请用 --live"),
        (office.folder, tmp_path / "new", "请用 --live"),
        (tmp_path / "there", tmp_path / "there", "已存在"),
    ):
        told = office("salvage", source, "--into", target)
        assert told.code == Exit.USAGE
        assert said in told.err
    assert (tmp_path / "there").read_text() == "precious"
    assert not (tmp_path / "new").exists()
    assert office.content() == before


def test_other_keys_prove_nothing_and_leave_no_new_file(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copyfile(office.file, tmp_path / "queue.sqlite")
    damage(tmp_path / "queue.sqlite")
    other = Office(tmp_path / "other", capsys)
    other.enrol()
    told = other("salvage", tmp_path / "queue.sqlite", "--into", tmp_path / "new.sqlite")
    assert told.code == Exit.STATE
    assert "另一套设备密钥" in told.err
    assert not list(tmp_path.glob("new*"))


def test_a_report_that_cannot_be_read_is_said(office: Office) -> None:
    folder = office.folder / "queue.sqlite.damaged-1"
    folder.mkdir()
    (folder / "report.json").write_text("{}")
    told = office("salvage")
    assert told.code == Exit.STATE
    assert "无法解读" in told.err
