"""``yikatong devices`` as it is typed: list, test, watch; a simulated scanner at the far end."""

from __future__ import annotations

import io
import json
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hw_sim.scanner.device import ScannerDevice
from kiosk.cli import main
from kiosk.commands import Exit
from kiosk.config import load
from kiosk.state import StateDirectory
from provisioning.devices.command import COMMAND

CONFIG = """
kind = "demo"
machine = 3
division = "429900"
hall = { zh = "江城市人社服务大厅", en = "Jiangcheng service hall" }
place = { zh = "一楼", en = "Ground floor" }
pack = { name = "demo" }
screen = { width = 640, height = 480, density_ppi = 102.5 }
platform = { url = "http://127.0.0.1:9" }
"""


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[ScannerDevice]:
    device = ScannerDevice(tmp_path / "scanner")
    device.plug()
    yield device
    device.unplug()
    assert device.illegal == ()


@pytest.fixture
def config(tmp_path: Path, scanner: ScannerDevice) -> Path:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "terminal.toml"
    file.write_text(
        f"""{CONFIG}
state = "{tmp_path / "state"}"
card = {{ driver = "direct", contact_address = "127.0.0.1:{port}" }}
scanner = {{ port = "{scanner.link}" }}
""",
        "utf-8",
    )
    return file


def yikatong(*words: str) -> int:
    return main(["devices", *words], {"devices": lambda: COMMAND})


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    return {each["device"]: each for each in json.loads(capsys.readouterr().out)}


def test_list_for_people(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert yikatong("list", "--config", str(config)) == Exit.OK
    table = capsys.readouterr().out
    for text in ("扫码器", "code scanner", "gm65", "读卡器", "direct", "正常", "serves"):
        assert text in table


def test_list_for_machines(
    config: Path, scanner: ScannerDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    scanner.unplug()
    assert yikatong("list", "--json", "--config", str(config)) == Exit.OK
    found = shown(capsys)
    assert list(found) == ["reader", "scanner"]
    assert found["scanner"] == {
        "device": "scanner",
        "driver": "gm65",
        "address": str(scanner.link),
        "verdict": "obstacle",
        "serves": False,
        "reason": "gone",
        "notes": [],
        "held_by": None,
        "name_zh": "扫码器",
        "name_en": "code scanner",
        "zh": "没有应答",
        "en": "does not answer",
        "advice_zh": "检查电源和连线，核对配置中的端口和波特率",
        "advice_en": "check its power and cable, and port and baud in the configuration",
    }
    assert (found["reader"]["verdict"], found["reader"]["serves"]) == ("serves", True)


def test_test_says_what_was_asked_and_found_and_what_to_do(
    config: Path, scanner: ScannerDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    assert yikatong("test", "scanner", "--config", str(config)) == Exit.OK
    assert "✓ 扫码器 code scanner  gm65" in capsys.readouterr().out
    scanner.unplug()
    assert yikatong("test", "--config", str(config)) == Exit.FAILED
    told = capsys.readouterr().out
    assert "✗ 扫码器 code scanner" in told and "✓ 社保卡读卡器 card reader" in told
    for text in ("问 asked", "does it answer a command", "请 next", "check its power and cable"):
        assert text in told
    assert "2 台设备，1 台可用  1 of 2 devices serve" in told
    assert yikatong("test", "--json", "--config", str(config)) == Exit.FAILED
    assert [each["serves"] for each in shown(capsys).values()] == [True, False]


@pytest.mark.parametrize("words", [(), ("test", "toaster"), ("list", "--no"), ("test", "pad")])
def test_wrong_usage(
    config: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    named = ("--config", str(config)) if words else ()
    assert yikatong(*words, *named) == Exit.USAGE
    assert capsys.readouterr().err


def test_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert yikatong("list", "--config", str(tmp_path / "none.toml")) == Exit.CONFIG
    monkeypatch.setattr("provisioning.devices.options.usual_config", lambda: None)
    assert yikatong("list") == Exit.USAGE
    assert "--config" in capsys.readouterr().err


def test_while_the_kiosk_runs_nothing_is_disturbed(
    config: Path, scanner: ScannerDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    with StateDirectory(load(config).state).lock():
        assert yikatong("test", "scanner", "--json", "--config", str(config)) == Exit.FAILED
    found = shown(capsys)["scanner"]
    assert found["verdict"] == "in-use"
    assert "in use by the kiosk" in found["en"]
    assert "stop the kiosk first" in found["advice_en"]


class Watcher:
    """The command as a process of its own, its lines as they come."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("yikatong"), "devices", "watch", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._held = b""

    def line(self) -> bytes:
        assert self.process.stdout is not None
        end = time.monotonic() + 30
        while b"\n" not in self._held:
            ready, _, _ = select.select([self.process.stdout], [], [], end - time.monotonic())
            assert ready, "nothing was told"
            piece = self.process.stdout.read1(4096)  # type: ignore[attr-defined]
            assert piece, self.process.stderr.read() if self.process.stderr else ""
            self._held += piece
        line, self._held = self._held.split(b"\n", 1)
        return line

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        _, complaints = self.process.communicate(timeout=20)
        assert complaints == b""
        return self.process.returncode


@pytest.mark.timeout(90)
def test_watch_tells_changes_one_object_a_line(config: Path, scanner: ScannerDevice) -> None:
    watcher = Watcher("scanner", "--json", "--config", str(config))
    try:
        first = json.loads(watcher.line())
        assert (first["device"], first["event"]) == ("scanner", "serves")
        scanner.unplug()
        lost = json.loads(watcher.line())
        assert (lost["event"], lost["reason"]) == ("lost", "gone")
        assert lost["zh"] == "没有应答"
        scanner.plug()
        back = json.loads(watcher.line())
        assert back["event"] == "back" and back["after_seconds"] > 0
        assert watcher.stop() == Exit.OK
    finally:
        watcher.process.kill()


@pytest.mark.timeout(60)
def test_watch_for_people_without_a_terminal_is_one_line_a_change(
    config: Path, scanner: ScannerDevice
) -> None:
    watcher = Watcher("scanner", "--config", str(config))
    try:
        assert "扫码器 code scanner: 正常  serves" in watcher.line().decode()
        assert watcher.stop() == Exit.OK
    finally:
        watcher.process.kill()


def test_the_live_table(config: Path, scanner: ScannerDevice) -> None:
    from rich.console import Console

    from kiosk.configured_devices import ConfiguredDevices
    from provisioning.devices.live import Picture
    from provisioning.devices.rounds import Rounds

    devices = ConfiguredDevices(load(config))
    rounds = Rounds(list(devices.values()), load(config).state)
    try:
        console = Console(width=120, record=True, file=io.StringIO())
        picture = Picture(rounds)
        console.print(picture.table())
        assert "asking…" in console.export_text()
        told = 0
        while told < 2:
            events = rounds.next()
            picture.add(events)
            told += len(events)
        console.print(picture.table())
        text = console.export_text()
        assert text.count("正常") == 4, "each in the table and among the changes"
    finally:
        rounds.close()
        devices.close()
