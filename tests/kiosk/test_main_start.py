"""The terminal's process: starts without any device, says why when it can't, stops cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apdu.crypto import sm2
from kiosk.audit.verify import verify
from kiosk.keys import Enrolment, KeyStore
from kiosk.state import StateDirectory

YIKATONG = Path(sys.executable).with_name("yikatong")
PATIENCE = 30.0

CONFIG = """
kind = "demo"
machine = 3
division = "429900"
state = "state"

[hall]
zh = "江城市人社服务大厅"
en = "Jiangcheng Hall"

[place]
zh = "一楼"
en = "Ground floor"

[pack]
name = "demo"

[screen]
width = 540
height = 960
density_ppi = 51.25

[card]
driver = "pcsc"
contact_reader = "Contact"
pcsc_socket = "{folder}/nobody.comm"

[pad]
port = "{folder}/no-pad"
master_key_file = "pad.hex"

[platform]
url = "http://127.0.0.1:9"
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Path:
    """A configured and enrolled terminal without a single device; its folder."""
    (tmp_path / "pad.hex").write_text("0123456789ABCDEFFEDCBA9876543210")
    (tmp_path / "terminal.toml").write_text(CONFIG.format(folder=tmp_path), "utf-8")
    store = KeyStore(StateDirectory(tmp_path / "state").keys)
    store.prepare()
    platform = sm2.generate().public_key()
    store.enrol(Enrolment("T429900-0003", "429900", "http://127.0.0.1:9", platform, 1_800_000_000))
    return tmp_path


def start(folder: Path, **surroundings: str) -> subprocess.Popen[str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "SDL_VIDEODRIVER")}
    return subprocess.Popen(
        [str(YIKATONG), "kiosk", "--config", "terminal.toml", "--observe", "observe.jsonl"],
        cwd=folder,
        env={**kept, **surroundings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def await_screen(folder: Path) -> str:
    observe = folder / "observe.jsonl"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if observe.exists() and (lines := observe.read_text("utf-8").splitlines()):
            return str(json.loads(lines[-1])["name"])
        time.sleep(0.02)
    raise AssertionError("the terminal showed nothing")


def test_without_a_display_it_says_so(terminal: Path) -> None:
    kiosk = start(terminal)
    _, complaint = kiosk.communicate(timeout=PATIENCE)
    assert kiosk.returncode == 5
    # Libraries of the desktop may have said something before.
    assert "DISPLAY" in complaint.strip().splitlines()[-1]
    assert "Traceback" not in complaint


def test_without_devices_it_is_out_of_service_and_stops_when_asked(terminal: Path) -> None:
    kiosk = start(terminal, SDL_VIDEODRIVER="dummy")
    try:
        assert await_screen(terminal) == "out-of-service"
    finally:
        kiosk.send_signal(signal.SIGTERM)
    assert kiosk.wait(PATIENCE) == 0
    log = terminal / "state" / "audit" / "audit.jsonl"
    assert verify(log).ok
    events = [json.loads(line)["event"] for line in log.read_text("utf-8").splitlines()]
    assert events[:3] == ["terminal.started", "config.loaded", "pack.loaded"]
    assert "self-check.failed" in events
    assert events[-1] == "terminal.stopped"


def test_a_state_directory_serves_one_terminal(terminal: Path) -> None:
    first = start(terminal, SDL_VIDEODRIVER="dummy")
    try:
        await_screen(terminal)
        second = start(terminal, SDL_VIDEODRIVER="dummy")
        _, complaint = second.communicate(timeout=PATIENCE)
        assert second.returncode == 4
        assert str(first.pid) in complaint
    finally:
        first.terminate()
        first.wait(PATIENCE)


def test_a_terminal_that_is_not_enrolled_says_what_to_do(terminal: Path) -> None:
    (terminal / "state" / "keys" / "enrolment.json").unlink()
    kiosk = start(terminal, SDL_VIDEODRIVER="dummy")
    _, complaint = kiosk.communicate(timeout=PATIENCE)
    assert kiosk.returncode == 4
    assert "provision" in complaint


def test_a_tampered_audit_log_refuses_service(terminal: Path) -> None:
    kiosk = start(terminal, SDL_VIDEODRIVER="dummy")
    await_screen(terminal)
    kiosk.terminate()
    kiosk.wait(PATIENCE)
    log = terminal / "state" / "audit" / "audit.jsonl"
    lines = log.read_text("utf-8").splitlines(keepends=True)
    log.write_text("".join(lines[:-1]), "utf-8")
    again = start(terminal, SDL_VIDEODRIVER="dummy")
    _, complaint = again.communicate(timeout=PATIENCE)
    assert again.returncode == 4
    assert "audit.jsonl" in complaint
