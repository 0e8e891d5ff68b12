"""``yikatong queue export|import``: out on a stick, receipts home, and a stick that fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from apdu.crypto.errors import BackendRefused
from kiosk.clock import SystemClock
from kiosk.commands import Exit
from kiosk.outbox import Outbox
from kiosk.queue_desk import transfer
from kiosk.transfer import exporting, importing
from kiosk.transfer.errors import ReceiptsFault, StickTrouble
from kiosk.transfer.importing import Outcome
from kiosk.transfer.requests import request_of
from offline_queue.message import State
from tests.kiosk.queue_cli import Office
from tests.kiosk.reference_line import enrolled
from tests.kiosk.transfer_hall import Hall, machines
from tests.offline_queue.queue_world import behind_its_back
from tests.offline_queue.tiny_disk import tiny_disk

ROWS = 12


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    made = Hall(tmp_path_factory.mktemp("platform"))
    made.server.start()
    yield made
    made.close()


@pytest.fixture
def office(hall: Hall, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    """A terminal of this platform; twelve evaluations wait."""
    made = Office(tmp_path / "state", capsys)
    made.folder.mkdir()
    keys = enrolled(hall.server, made.folder / "keys", next(machines))
    with made.queue() as queue:
        outbox = Outbox(queue, keys.terminal_id, SystemClock(), os.urandom)
        for _ in range(ROWS):
            outbox.put_evaluation("429900-CERT", 5)
    capsys.readouterr()
    return made


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def test_out_and_home(hall: Hall, office: Office, stick: Path) -> None:
    told = office("export", stick, "--json")
    assert told.code == Exit.OK
    out = told.json
    assert (out["messages"], out["first"], out["last"], out["left_out"]) == (ROWS, 1, ROWS, 0)
    bundle = Path(out["path"])
    assert list(stick.iterdir()) == [bundle]
    assert bundle.stat().st_size == out["size_bytes"]
    assert office("status", "--json").json["open"] == ROWS
    told = office("import", hall.take_in(bundle), "--json")
    assert told.code == Exit.OK
    assert told.json["confirmed"] == ROWS and told.json["bundle"] == out["digest"]
    assert office("status", "--json").json["states"]["confirmed"] == ROWS
    again = office("import", bundle.with_suffix(".receipts"))
    assert again.code == Exit.OK
    assert f"{ROWS:>8}  此前已处理 settled before" in again.out
    assert office.audited() == [
        (
            "queue.exported",
            {"bundle": out["digest"], "first": 1, "last": ROWS, "messages": ROWS},
        ),
        ("queue.imported", {"bundle": out["digest"], "confirmed": ROWS, "refused": 0}),
        ("queue.imported", {"bundle": out["digest"], "confirmed": 0, "refused": 0}),
    ]


def test_for_people(office: Office, stick: Path) -> None:
    told = office("export", stick, "--most", 5)
    assert told.code == Exit.OK
    (bundle,) = stick.iterdir()
    assert str(bundle) in told.out and "5，编号 1..5" in told.out
    assert "下一步" in told.out and told.err == ""


def test_what_the_platform_refuses_waits_for_staff(hall: Hall, office: Office, stick: Path) -> None:
    with office.queue() as queue:
        queue.enqueue("evaluation", b'{"occurred_at": 1, "body": {"item": 5}}', key="wrong-1")
    bundle = Path(office("export", stick, "--json").json["path"])
    told = office("import", hall.take_in(bundle, refused=1))
    assert told.code == Exit.FAILED
    assert f"{1:>8}  被拒收，待处理 refused: yikatong queue dead" in told.out
    dead = office("dead", "--json").json["rows"]
    assert [row["key"] for row in dead] == ["wrong-1"]
    assert ("message.refused", {"kind": "evaluation", "reason": dead[0]["reason"]}) in (
        office.audited()
    )


def test_unreadable_messages_stay_and_are_counted(office: Office, stick: Path) -> None:
    with office.queue() as queue:
        queue.enqueue("evaluation", b"no message of ours", key="strange-1")
    told = office("export", stick)
    assert told.code == Exit.FAILED
    assert "1 条不可读" in told.out
    with behind_its_back(office.folder) as file:
        file.execute("UPDATE message SET kind = 'other'")
    told = office("export", stick)
    assert told.code == Exit.FAILED
    assert f"✗ {ROWS + 1} 条都不可读" in told.out


def test_nothing_to_export_writes_no_file(office: Office, stick: Path) -> None:
    with office.queue() as queue:
        for row in queue.rows():
            queue.desk.settle(row.key, "E-1")
    told = office("export", stick)
    assert told.code == Exit.OK
    assert "没有待上传的消息" in told.out
    assert office("export", stick, "--json").json["path"] is None
    assert list(stick.iterdir()) == []


def test_ctrl_c_leaves_no_half_file(
    office: Office, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def pressed(kind: str, stored: bytes) -> object:
        seen.append(kind)
        if len(seen) == 3:
            signal.raise_signal(signal.SIGINT)
        return request_of(kind, stored)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(exporting, "request_of", pressed)
    told = office("export", stick)
    assert told.code == Exit.INTERRUPTED
    assert "没有留下半个文件" in told.err
    assert list(stick.iterdir()) == [] and len(seen) == 3
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_keeps_what_an_import_has_settled(
    hall: Hall, office: Office, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipts = hall.take_in(Path(office("export", stick, "--json").json["path"]))
    seen: list[str] = []

    def pressed(kind: str, stored: bytes) -> object:
        seen.append(kind)
        if len(seen) == 3:
            signal.raise_signal(signal.SIGINT)
        return request_of(kind, stored)

    monkeypatch.setattr(importing, "request_of", pressed)
    assert office("import", receipts).code == Exit.INTERRUPTED
    with office.queue() as queue:
        assert len(queue.rows(State.CONFIRMED)) == 3
    monkeypatch.undo()
    assert office("import", receipts, "--json").json["confirmed"] == ROWS - 3


def test_the_second_ctrl_c_ends_it_at_once(
    office: Office, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(_kind: str, _stored: bytes) -> object:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError

    monkeypatch.setattr(exporting, "request_of", pressed)
    assert office("export", stick).code == Exit.INTERRUPTED
    assert list(stick.iterdir()) == []


def test_no_stick_is_said(office: Office, tmp_path: Path) -> None:
    for words in (("export", tmp_path / "none"), ("import", tmp_path / "none")):
        told = office(*words)
        assert told.code == Exit.DEVICE
        assert "找不到，或中途被拔出" in told.err and "ENOENT" in told.err


def test_a_stick_that_is_full_is_said(office: Office, tmp_path: Path) -> None:
    with tiny_disk(tmp_path) as disk:
        disk.fill()
        before = list(disk.path.iterdir())
        told = office("export", disk.path)
        assert list(disk.path.iterdir()) == before
    assert told.code == Exit.DEVICE
    assert "U 盘已满" in told.err and "--most" in told.err


def test_a_stick_that_may_only_be_read_is_said(office: Office, tmp_path: Path) -> None:
    with tiny_disk(tmp_path, "ro") as disk:
        told = office("export", disk.path)
    assert told.code == Exit.DEVICE
    assert "写保护" in told.err


def test_what_is_no_receipt_is_refused(office: Office, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("no receipts")
    told = office("import", tmp_path / "letter")
    assert told.code == Exit.FAILED
    assert "不是回执文件" in told.err and "未采用" in told.err


def test_another_terminal_s_receipts_are_refused(
    hall: Hall, office: Office, stick: Path, tmp_path: Path
) -> None:
    receipts = hall.take_in(Path(office("export", stick, "--json").json["path"]))
    other = Office(tmp_path / "other", office._capsys)
    other.folder.mkdir()
    enrolled(hall.server, other.folder / "keys", next(machines))
    with other.queue():
        pass
    told = other("import", receipts)
    assert told.code == Exit.FAILED
    assert "别的终端" in told.err


def test_a_terminal_enrolled_before_is_sent_to_enrol(
    stick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = Office(tmp_path / "old", capsys)
    old.enrol()
    old.fill()
    told = old("export", stick)
    assert told.code == Exit.STATE
    assert "provision enrol" in told.err


def test_a_machine_that_cannot_encrypt_says_so(
    office: Office, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise BackendRefused("no SM2 here")

    monkeypatch.setattr(exporting, "BundleWriter", refuse)
    told = office("export", stick)
    assert told.code == Exit.STATE
    assert "no SM2 here" in told.err
    assert list(stick.iterdir()) == []


def test_every_trouble_and_outcome_has_its_words() -> None:
    assert set(transfer._TROUBLES) == {trouble.value for trouble in StickTrouble}
    assert set(transfer._FAULTS) == {fault.value for fault in ReceiptsFault}
    assert set(transfer._OUTCOMES) == {outcome.value for outcome in Outcome}
