"""``yikatong devices unlock``: only a case that is closed again, and never without a trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.sensors import Inputs, SensorDevice
from kiosk.clock import SystemClock
from kiosk.commands import Exit
from kiosk.config import load
from kiosk.keys import Enrolment, KeyStore
from kiosk.state import StateDirectory
from kiosk.tamper_lock import TamperLock
from tests.provisioning.test_devices_command import CONFIG, yikatong


@pytest.fixture
def board(tmp_path: Path) -> Iterator[SensorDevice]:
    made = SensorDevice(tmp_path / "sensors")
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()


@pytest.fixture
def config(tmp_path: Path, board: SensorDevice) -> Path:
    file = tmp_path / "terminal.toml"
    file.write_text(
        f"""{CONFIG}
state = "{tmp_path / "state"}"
card = {{ driver = "direct", contact_address = "127.0.0.1:9" }}
sensors = {{ driver = "board", port = "{board.link}" }}
""",
        "utf-8",
    )
    return file


@pytest.fixture
def lock(config: Path) -> TamperLock:
    """An enrolled terminal's, whose case was opened."""
    state = StateDirectory(load(config).state)
    store = KeyStore(state.keys)
    store.enrol(Enrolment("T429900-0003", "429900", "http://127.0.0.1", store.prepare(), 1))
    made = TamperLock(state.path, SystemClock())
    made.lock()
    return made


def trail(config: Path) -> list[str]:
    log = StateDirectory(load(config).state).audit / "commands.jsonl"
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    return [f"{line['event']} {line['actor']}" for line in map(json.loads, lines)]


def test_a_closed_case_is_unlocked_with_a_trace(
    config: Path, lock: TamperLock, capsys: pytest.CaptureFixture[str]
) -> None:
    since = lock.since
    assert yikatong("unlock", "--json", "--config", str(config)) == Exit.OK
    assert json.loads(capsys.readouterr().out) == {"was_locked": True, "since": since}
    assert not lock.locked
    assert trail(config) == ["terminal.unlocked engineer"]
    assert yikatong("unlock", "--config", str(config)) == Exit.OK
    assert "was not locked" in capsys.readouterr().out
    assert trail(config) == ["terminal.unlocked engineer"]


def test_an_open_case_stays_locked_until_it_is_closed(
    config: Path, lock: TamperLock, board: SensorDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    board.set_input(Inputs.TAMPER_OPEN, on=True)
    assert yikatong("unlock", "--config", str(config)) == Exit.DEVICE
    assert "still locked" in capsys.readouterr().err
    assert lock.locked
    assert trail(config) == []
    board.set_input(Inputs.TAMPER_OPEN, on=False)
    assert yikatong("unlock", "--config", str(config)) == Exit.OK
    assert not lock.locked


def test_a_case_that_nobody_can_tell_of_stays_locked(
    config: Path, lock: TamperLock, board: SensorDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    board.unplug()
    assert yikatong("unlock", "--config", str(config)) == Exit.DEVICE
    assert "nobody knows what happens to the case" in capsys.readouterr().err
    assert lock.locked


def test_a_terminal_without_sensors_any_more_is_unlocked(config: Path, lock: TamperLock) -> None:
    text = config.read_text("utf-8")
    config.write_text("\n".join(s for s in text.splitlines() if "sensors =" not in s), "utf-8")
    assert yikatong("unlock", "--config", str(config)) == Exit.OK
    assert not lock.locked


def test_not_while_the_kiosk_runs(
    config: Path, lock: TamperLock, capsys: pytest.CaptureFixture[str]
) -> None:
    with StateDirectory(load(config).state).lock():
        assert yikatong("unlock", "--config", str(config)) == Exit.STATE
    assert "stop the kiosk first" in capsys.readouterr().err
    assert lock.locked


def test_not_where_it_leaves_no_trace(config: Path, lock: TamperLock) -> None:
    (StateDirectory(load(config).state).audit / "commands.jsonl").write_text("{}\n", "utf-8")
    assert yikatong("unlock", "--config", str(config)) == Exit.STATE
    assert lock.locked
