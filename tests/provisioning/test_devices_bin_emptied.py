"""``yikatong devices bin-emptied``: what should be in the bin, counted anew here and there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from drivers.crt591.device import Crt591
from hw_sim.dispenser.device import DispenserDevice
from kiosk.capture import Captured, CaptureRecord
from kiosk.clock import SystemClock
from kiosk.commands import Exit
from kiosk.config import load
from kiosk.keys import Enrolment, KeyStore
from kiosk.state import StateDirectory
from tests.drivers.test_crt591_with_dispenser import TIMES
from tests.provisioning.test_devices_command import CONFIG, yikatong


@pytest.fixture
def device(tmp_path: Path) -> Iterator[DispenserDevice]:
    made = DispenserDevice(tmp_path / "dispenser", move_seconds=0.0)
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()


@pytest.fixture
def config(tmp_path: Path, device: DispenserDevice) -> Path:
    file = tmp_path / "terminal.toml"
    file.write_text(
        f"""{CONFIG}
state = "{tmp_path / "state"}"
card = {{ driver = "dispenser" }}
dispenser = {{ port = "{device.link}" }}
""",
        "utf-8",
    )
    return file


@pytest.fixture
def state(config: Path) -> StateDirectory:
    """An enrolled terminal's, which has kept three cards."""
    made = StateDirectory(load(config).state)
    store = KeyStore(made.keys)
    public = store.prepare()
    store.enrol(Enrolment("T429900-0003", "429900", "http://127.0.0.1", public, 1))
    for moment in (1_000_000.0, 2_000_000.0, 3_000_000.0):
        CaptureRecord(made.path, SimpleNamespace(time=lambda now=moment: now)).note()  # type: ignore[arg-type]
    return made


def kept(state: StateDirectory) -> Captured:
    return CaptureRecord(state.path, SystemClock()).captured


def lines(state: StateDirectory) -> list[tuple[str, str, object]]:
    log = state.audit / "commands.jsonl"
    told = (
        [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []
    )
    return [(line["event"], line["outcome"], line["detail"]) for line in told]


def in_device(device: DispenserDevice) -> int:
    other = Crt591(str(device.link), times=TIMES)
    try:
        return other.counters().captured
    finally:
        other.close()


def test_told_counted_anew_and_audited(
    config: Path,
    state: StateDirectory,
    device: DispenserDevice,
    capsys: pytest.CaptureFixture[str],
) -> None:
    device.machine._counter = 3
    assert yikatong("bin-emptied", "--json", "--config", str(config)) == Exit.OK
    assert json.loads(capsys.readouterr().out) == {
        "captured": 3,
        "times": [1_000_000, 2_000_000, 3_000_000],
        "emptied_before": None,
        "device": 3,
    }
    assert (kept(state).count, kept(state).times) == (0, ())
    assert kept(state).emptied is not None
    assert in_device(device) == 0
    assert lines(state) == [("card.bin-emptied", "ok", {"count": 3})]
    assert "3230" not in device.commands and "3233" not in device.commands


def test_for_people_with_what_the_device_counts_differently(
    config: Path,
    state: StateDirectory,
    device: DispenserDevice,
    capsys: pytest.CaptureFixture[str],
) -> None:
    device.machine._counter = 5
    assert yikatong("bin-emptied", "--config", str(config)) == Exit.OK
    told = capsys.readouterr().out
    assert "3 cards should have been in the bin" in told
    assert told.count("1970-") == 3
    assert "the device's own count: 5" in told


def test_a_device_that_does_not_answer_keeps_nobody_from_accounting(
    config: Path,
    state: StateDirectory,
    device: DispenserDevice,
    capsys: pytest.CaptureFixture[str],
) -> None:
    device.unplug()
    assert yikatong("bin-emptied", "--config", str(config)) == Exit.DEVICE
    assert "did not answer" in capsys.readouterr().err
    assert kept(state).count == 0
    assert lines(state) == [("card.bin-emptied", "fault", {"count": 3})]


def test_nothing_is_done_while_the_kiosk_counts(
    config: Path, state: StateDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    with state.lock():
        assert yikatong("bin-emptied", "--config", str(config)) == Exit.STATE
    assert "stop the kiosk first" in capsys.readouterr().err
    assert kept(state).count == 3
    assert lines(state) == []


def test_a_terminal_that_is_not_enrolled_can_not_audit(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert yikatong("bin-emptied", "--config", str(config)) == Exit.STATE
    assert capsys.readouterr().err


def test_a_terminal_without_a_dispenser(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "terminal.toml"
    card = 'card = { driver = "pcsc", contact_reader = "Contact" }'
    file.write_text(f"{CONFIG}\n{card}\n", "utf-8")
    assert yikatong("bin-emptied", "--config", str(file)) == Exit.USAGE
    assert "no dispenser" in capsys.readouterr().err
