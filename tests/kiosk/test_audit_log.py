"""The audit log: durable, chained, without content, and honest about its end."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.audit import anchor as anchors
from kiosk.audit import lines
from kiosk.audit.events import NotCatalogued
from kiosk.audit.log import AuditLog, AuditTampered, AuditUnavailable
from kiosk.audit.verify import verify

TERMINAL = "T429900-0003"
NUMBER = "429900196001010018"
TAG = "ab" * 32


class Standing:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.25

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now - 1_794_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def open_log(path: Path) -> AuditLog:
    return AuditLog(path, TERMINAL, Standing(), boot_id="boot-1")


@pytest.fixture
def log(path: Path) -> Iterator[AuditLog]:
    opened = open_log(path)
    yield opened
    opened.close()


def fill(path: Path, count: int) -> list[bytes]:
    log = open_log(path)
    for n in range(count):
        log.write("visit.begun", visit=n)
    log.close()
    return path.read_bytes().splitlines()


def test_a_line_says_all_and_is_canonical(log: AuditLog, path: Path) -> None:
    log.write("query.shown", visit=7, detail={"item": "429900-QUERY-ALL", "subject": TAG})
    raw = path.read_bytes()
    assert raw.endswith(b"\n")
    assert json.loads(raw) == {
        "actor": "resident",
        "boot": "boot-1",
        "detail": {"item": "429900-QUERY-ALL", "subject": TAG},
        "event": "query.shown",
        "mono": 1_000_000_250,
        "outcome": "ok",
        "prev": lines.genesis(TERMINAL),
        "seq": 1,
        "terminal": TERMINAL,
        "time": "2026-11-18T11:06:40.250Z",
        "visit": 7,
    }
    assert lines.encode(json.loads(raw)) + b"\n" == raw


def test_each_line_carries_the_sm3_of_the_one_before(path: Path) -> None:
    first, second = fill(path, 2)
    assert json.loads(second)["prev"] == lines.digest(first)
    assert verify(path).ok


def test_the_chain_goes_on_after_a_restart(path: Path) -> None:
    fill(path, 3)
    fill(path, 2)
    report = verify(path)
    assert report.ok
    assert report.last_seq == 5
    assert report.anchored


def test_the_file_is_closed_to_others(log: AuditLog, path: Path) -> None:
    log.write("card.inserted")
    assert path.stat().st_mode & 0o777 == 0o600
    assert anchors.beside(path).stat().st_mode & 0o777 == 0o600


def test_every_write_is_synced_before_it_returns(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bytes] = []
    real = os.fsync

    def spy(descriptor: int) -> None:
        real(descriptor)
        synced.append(path.read_bytes())

    monkeypatch.setattr(os, "fsync", spy)
    log = open_log(path)
    assert synced == [b""], "the folder is synced on creation"
    log.write("card.inserted")
    assert synced[-1] == path.read_bytes() != b""
    log.close()


@pytest.mark.parametrize(
    ("event", "kwargs"),
    [
        ("no.such-event", {}),
        ("query.shown", {"detail": {"name": "x"}}),
        ("query.shown", {"detail": {"item": NUMBER}}),
        ("query.shown", {"detail": {"item": NUMBER[:17] + "X"}}),
        ("query.shown", {"detail": {"item": "王芳"}}),
        ("query.shown", {"detail": {"item": "Wang Fang"}}),
        ("query.shown", {"detail": {"item": ""}}),
        ("query.shown", {"detail": {"item": "x" * 65}}),
        ("query.shown", {"detail": {"item": 7}}),
        ("query.shown", {"detail": {"subject": NUMBER}}),
        ("query.shown", {"detail": {"subject": TAG.upper()}}),
        ("pin.rejected", {"detail": {"tries_left": int(NUMBER)}}),
        ("pin.rejected", {"detail": {"tries_left": True}}),
        ("pin.rejected", {"detail": {"tries_left": -1}}),
        ("pin.rejected", {"detail": {"tries_left": "2"}}),
        ("query.shown", {"actor": "engineer"}),
        ("query.shown", {"actor": NUMBER}),
        ("query.shown", {"outcome": "fine"}),
    ],
)
def test_what_the_catalogue_does_not_list_is_refused(
    log: AuditLog, path: Path, event: str, kwargs: dict[str, object]
) -> None:
    with pytest.raises(NotCatalogued) as caught:
        log.write(event, **kwargs)  # type: ignore[arg-type]
    assert NUMBER not in str(caught.value)
    assert "王芳" not in str(caught.value)
    assert path.read_bytes() == b""
    log.write("card.inserted")
    assert verify(path).ok


def test_a_torn_last_line_is_moved_aside_and_recorded(path: Path) -> None:
    whole = fill(path, 3)
    torn = whole[2][:50]
    with path.open("ab") as file:
        file.write(torn)
    log = open_log(path)
    log.write("card.inserted")
    log.close()
    (aside,) = path.parent.glob("*.torn-*")
    assert aside.read_bytes() == torn
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [record["event"] for record in records[3:]] == ["audit.torn-line", "card.inserted"]
    assert records[3]["detail"] == {"bytes": 50}
    assert verify(path).ok


@pytest.mark.parametrize("tail", [b"\0" * 300, b"\0" * 40 + b'"visit":null}\n', b'{"a":1'])
def test_blocks_that_never_reached_the_disk_are_torn_too(path: Path, tail: bytes) -> None:
    fill(path, 3)
    with path.open("ab") as file:
        file.write(tail)
    open_log(path).close()
    assert verify(path).ok
    assert verify(path).last_seq == 4


def test_only_a_torn_line_is_a_beginning(path: Path) -> None:
    path.write_bytes(b'{"actor":"sys')
    open_log(path).close()
    assert [json.loads(line)["seq"] for line in path.read_bytes().splitlines()] == [1]


def test_lines_cut_off_the_end_are_noticed_at_start(path: Path) -> None:
    whole = fill(path, 4)
    path.write_bytes(b"\n".join(whole[:3]) + b"\n")
    with pytest.raises(AuditTampered, match="line 4 was written"):
        open_log(path)


def test_a_changed_last_line_is_noticed_at_start(path: Path) -> None:
    whole = fill(path, 4)
    changed = whole[3].replace(b'"visit":3', b'"visit":4')
    path.write_bytes(b"\n".join([*whole[:3], changed]) + b"\n")
    with pytest.raises(AuditTampered, match="not the one"):
        open_log(path)
    path.write_bytes(b"\n".join([*whole[:3], b"garbage"]) + b"\n")
    with pytest.raises(AuditTampered, match="no JSON"):
        open_log(path)


def test_a_long_tail_without_a_line_is_no_beginning(path: Path) -> None:
    fill(path, 1)
    with path.open("ab") as file:
        file.write(b"x" * 70_000)
    anchors.beside(path).unlink()
    with pytest.raises(AuditTampered):
        open_log(path)


def test_an_anchor_lost_or_behind_is_no_alarm(path: Path) -> None:
    fill(path, 2)
    old = anchors.read(anchors.beside(path))
    assert old is not None
    fill(path, 2)
    anchors.write(anchors.beside(path), old)
    open_log(path).close()
    anchors.beside(path).write_bytes(b"")
    open_log(path).close()
    anchors.beside(path).unlink()
    open_log(path).close()
    assert verify(path).last_seq == 4


def test_another_terminals_log_is_refused(path: Path) -> None:
    fill(path, 1)
    with pytest.raises(AuditTampered, match="belongs to"):
        AuditLog(path, "T429900-0004", Standing())


def test_one_writer_only(log: AuditLog, path: Path) -> None:
    with pytest.raises(AuditUnavailable, match="in use"):
        open_log(path)


def test_a_full_disk_refuses_and_leaves_no_half_line(
    log: AuditLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write("card.inserted")
    before = path.read_bytes()
    real = os.write
    room = iter([40])

    def full(descriptor: int, data: bytes) -> int:
        for size in room:
            return real(descriptor, data[:size])
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(AuditUnavailable, match="space"):
        log.write("card.removed")
    assert path.read_bytes() == before
    monkeypatch.undo()
    log.write("card.removed")
    assert verify(path).ok
    assert log.seq == 2


def test_after_a_failed_sync_nothing_is_written(
    log: AuditLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write("card.inserted")

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(AuditUnavailable):
        log.write("card.removed")
    monkeypatch.undo()
    with pytest.raises(AuditUnavailable, match="fsync"):
        log.write("card.removed")


def test_a_closed_log_is_unavailable(path: Path) -> None:
    log = open_log(path)
    log.close()
    log.close()
    with pytest.raises(AuditUnavailable):
        log.write("card.inserted")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AuditUnavailable):
        open_log(tmp_path / "none" / "audit.jsonl")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_really_full_disk(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this container refuses mounts")
    try:
        log = open_log(small / "audit.jsonl")
        with pytest.raises(AuditUnavailable):
            for n in range(1000):
                log.write("visit.begun", visit=n)
        written = log.seq
        log.close()
        report = verify(small / "audit.jsonl")
        assert (report.ok, report.last_seq) == (True, written)
    finally:
        subprocess.run(["umount", str(small)], check=True)


WRITER = """
import sys, time
from pathlib import Path
from kiosk.audit.log import AuditLog
log = AuditLog(Path(sys.argv[1]), "T429900-0003", time)
while True:
    log.write("visit.begun", visit=log.seq)
    sys.stdout.write(f"{log.seq}\\n")
    sys.stdout.flush()
"""


def test_acknowledged_lines_survive_kill(path: Path) -> None:
    for stop_after in (1, 5, 30):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(stop_after):
            acknowledged = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        open_log(path).close()
        report = verify(path)
        assert report.ok
        assert report.last_seq >= acknowledged
