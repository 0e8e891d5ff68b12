"""Opening a queue whatever became of its file: who is told, what stays refused, and that no kill
in between costs anything."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from offline_queue.damage.proof import Proof
from offline_queue.damage.recovery import open_recovered, told
from offline_queue.database import DatabaseDamaged, SchemaTooNew, open_durable
from offline_queue.errors import KeysWrong
from offline_queue.schema import MIGRATIONS
from tests.offline_queue.damaged_files import (
    NAME,
    Stocked,
    destroy,
    keyring,
    reopened,
    roots,
    salvaged,
    stocked,
)
from tests.offline_queue.queue_world import behind_its_back


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """All in the file."""
    return stocked(tmp_path_factory.mktemp("made"), 160, wal=False)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """The newer half in the WAL."""
    return stocked(tmp_path_factory.mktemp("running"), 160, wal=True)


def test_without_one_readable_page_the_report_says_so(tmp_path: Path, made: Stocked) -> None:
    path = made.copy(tmp_path / "damaged")
    data = bytes(path.stat().st_size)
    path.write_bytes(data)
    connection, report = open_recovered(path, migrations=MIGRATIONS, keyring=keyring)
    connection.close()
    assert report is not None
    assert (report.rows, report.last_seen, report.tail_unknown) == (0, 0, True)
    assert (Path(report.kept) / NAME).read_bytes() == data
    assert report.kept_bytes == len(data)
    assert json.loads((Path(report.kept) / "report.json").read_text()) == report.as_json()


def test_the_report_comes_again_until_somebody_was_told(tmp_path: Path, made: Stocked) -> None:
    path = made.copy(tmp_path / "damaged")
    destroy(path, 1)
    reports = []
    for _ in range(3):
        connection, report = open_recovered(path, migrations=MIGRATIONS, keyring=keyring)
        connection.close()
        reports.append(report)
    assert reports[0] is not None
    assert reports == [reports[0]] * 3
    told(path)
    connection, report = open_recovered(path, migrations=MIGRATIONS, keyring=keyring)
    connection.close()
    assert report is None
    assert (Path(reports[0].kept) / "report.json").exists()


def test_a_report_that_cannot_be_read_is_still_one(tmp_path: Path, made: Stocked) -> None:
    path = made.copy(tmp_path / "damaged")
    path.with_name(f"{NAME}.report.json").write_bytes(b"\xff{")
    connection, report = open_recovered(path, migrations=MIGRATIONS, keyring=keyring)
    connection.close()
    assert report is not None
    assert report.tail_unknown


def wrong_key(connection: sqlite3.Connection) -> Proof:
    return Proof(connection, bytes(16))


@pytest.mark.parametrize("cause", ["keys destroyed", "another device key"])
def test_what_cannot_be_proven_stays_refused(tmp_path: Path, made: Stocked, cause: str) -> None:
    path = made.copy(tmp_path / "damaged")
    tables = roots(path)
    destroyed = cause == "keys destroyed"
    data = destroy(path, tables["key_ring"] if destroyed else tables["message_open"])
    for _ in range(2):
        with pytest.raises(KeysWrong):
            open_recovered(path, migrations=MIGRATIONS, keyring=keyring if destroyed else wrong_key)
        assert path.read_bytes() == data
        (copy,) = path.parent.glob(f"{NAME}.damaged-*")
        assert (copy / NAME).read_bytes() == data
        assert {file.name for file in path.parent.iterdir()} - {f"{NAME}-wal", f"{NAME}-shm"} == {
            NAME,
            copy.name,
        }


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT max(seq) FROM message").fetchone()
print("open", flush=True)
sys.stdin.read()
"""


def test_a_file_that_another_has_open_is_left(tmp_path: Path, made: Stocked) -> None:
    path = made.copy(tmp_path / "damaged")
    data = destroy(path, roots(path)["message_open"])
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(DatabaseDamaged):
            open_recovered(path, migrations=MIGRATIONS, keyring=keyring)
        assert path.read_bytes() == data
        other.communicate()
    assert salvaged(path, made.keys).rows == len(made.keys)


def test_an_older_programs_damaged_file_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with contextlib.closing(open_durable(path, migrations=MIGRATIONS[:1])) as file:
        file.execute(
            "INSERT INTO message (seq, kind, key, ordering, priority, created, key_version, state)"
            " VALUES (1, 'rating', 'k-1', '', 20, 1, 1, 'ready')"
        )
    data = destroy(path, 1)
    with pytest.raises(DatabaseDamaged):
        open_recovered(path, migrations=MIGRATIONS, keyring=keyring)
    assert path.read_bytes() == data


def test_a_newer_programs_damaged_file_is_refused(tmp_path: Path, made: Stocked) -> None:
    path = made.copy(tmp_path / "damaged")
    page = roots(path)["message_open"]
    with behind_its_back(path.parent) as file:
        file.execute("PRAGMA user_version = 99")
    data = destroy(path, page)
    with pytest.raises(SchemaTooNew):
        open_recovered(path, migrations=MIGRATIONS, keyring=keyring)
    assert path.read_bytes() == data


STEPS = {
    "fcntl.flock",
    "os.chmod",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "shutil.copyfile",
    "sqlite3.connect",
}


def killed_before(step: int, path: Path) -> bool:
    """Open in a process that is killed before its step of this number; False when it had fewer."""
    child = os.fork()
    if child == 0:
        count = 0

        def kill(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            if event in STEPS:
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(kill)
        with contextlib.suppress(BaseException):
            open_recovered(path, migrations=MIGRATIONS, keyring=keyring)[0].close()
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("damage", ["file", "wal"])
def test_killed_at_any_step_nothing_is_lost_and_the_report_comes(
    tmp_path: Path, running: Stocked, damage: str
) -> None:
    """Where the WAL alone is damaged, the old file without it looks sound."""
    settled = roots(running.copy(tmp_path / "whole"))["message_settled"]
    step = 0
    killed = True
    while killed:
        step += 1
        path = running.copy(tmp_path / str(step))
        side = path.with_name(f"{NAME}-wal")
        if damage == "file":
            destroy(path, settled)
        else:
            side.write_bytes(b"\0" + side.read_bytes()[1:])
        data, wal = path.read_bytes(), side.read_bytes()
        killed = killed_before(step, path)
        outcome = reopened(path, running.keys)
        assert outcome.rows == set(running.keys)
        assert outcome.report is not None
        kept = Path(outcome.report.kept)
        assert (kept / NAME).read_bytes() == data
        assert (kept / f"{NAME}-wal").read_bytes() == wal
        left = {file.name for file in path.parent.iterdir() if "new-" not in file.name}
        assert {NAME, kept.name, f"{NAME}.report.json"} <= left
        assert not [name for name in left if "salvag" in name or "copying" in name]
    assert step > 20
