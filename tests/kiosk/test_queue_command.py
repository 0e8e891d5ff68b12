"""``yikatong queue status`` for people and machines; it makes nothing and shows no body."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosk.cli import main
from kiosk.clock import SystemClock
from kiosk.commands import Exit
from kiosk.keys import Enrolment, KeyStore
from offline_queue.queue import Queue

BODY = b'{"secret": "content"}'


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with keys and a queue: one waits, one was refused, one is confirmed."""
    folder = tmp_path / "state"
    (folder / "keys").mkdir(parents=True)
    store = KeyStore(folder / "keys")
    public = store.prepare()
    store.enrol(Enrolment("T429900-0003", "429900", "http://127.0.0.1", public, 1))
    queue = queue_of(folder)
    for key, end in (("K-1", "confirm"), ("K-2", "bury"), ("K-3", "")):
        queue.enqueue("evaluation", BODY, key=key)
        if not end:
            continue
        claim = queue.claim("test")
        assert claim is not None
        getattr(queue, end)(claim, "forbidden")
    queue.close()
    return folder


def queue_of(folder: Path) -> Queue:
    keys = KeyStore(folder / "keys").load()
    return Queue(folder / "queue.sqlite", keys.queue_key, SystemClock())


def test_for_people(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue", "status", "--state", str(state)]) == Exit.FAILED
    told = capsys.readouterr().out
    for words in ("待发送 ready", "已确认 confirmed", "被拒收 dead", "服务评价 evaluation"):
        assert words in told
    assert "K-2" in told
    assert "forbidden" in told
    assert "secret" not in told


def test_for_machines(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue", "status", "--state", str(state), "--json"]) == Exit.FAILED
    told = json.loads(capsys.readouterr().out)
    assert told["open"] == 1
    assert told["kinds"] == {"evaluation": 1}
    assert told["states"]["dead"] == told["states"]["confirmed"] == told["states"]["ready"] == 1
    assert told["dead"] == [{"seq": 2, "kind": "evaluation", "key": "K-2"}]


def test_an_empty_queue_is_fine(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in state.glob("queue.sqlite*"):
        file.unlink()
    queue_of(state).close()
    assert main(["queue", "status", "--state", str(state)]) == Exit.OK
    assert "没有待上传的消息" in capsys.readouterr().out


def test_looking_makes_no_queue(tmp_path: Path) -> None:
    assert main(["queue", "status", "--state", str(tmp_path)]) == Exit.STATE
    assert list(tmp_path.iterdir()) == []


def test_a_queue_that_other_keys_sealed_is_named(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in state.glob("queue.sqlite*"):
        file.unlink()
    Queue(state / "queue.sqlite", bytes(16), SystemClock()).close()
    assert main(["queue", "status", "--state", str(state)]) == Exit.STATE
    assert "unusable" in capsys.readouterr().err


def test_a_damaged_queue_is_named_and_copied_aside(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "queue.sqlite").write_bytes(b"no database")
    assert main(["queue", "status", "--state", str(state)]) == Exit.STATE
    assert "damaged" in capsys.readouterr().err
    assert list(state.glob("queue.sqlite.damaged-*"))
