"""The terminal's process with every device configured and none there: it says so while it runs."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from drivers.device import DeviceKind
from kiosk.audit.verify import verify
from kiosk.health_file import HEALTH_FILE, read_healths
from tests.kiosk.test_main_start import PATIENCE, await_screen, start, terminal

__all__ = ["terminal"]

TABLES = """
[id_reader]
port = "none/id-reader"
[scanner]
port = "none/scanner"
[camera]
source = "none/video"
[dispenser]
port = "none/dispenser"
[printer]
url = "ipp://127.0.0.1:9/ipp/print"
[receipt]
address = "none/receipt"
[sensors]
port = "none/sensors"
"""
WATCHED = set(DeviceKind) - {DeviceKind.PSAM}
"""The configuration names no reader for one."""


@pytest.mark.timeout(120)
def test_every_device_that_is_not_there_is_told_once_with_its_reason(terminal: Path) -> None:
    with (terminal / "terminal.toml").open("a", encoding="utf-8") as file:
        file.write(TABLES)
    health = terminal / "state" / HEALTH_FILE
    health.write_text(json.dumps({"printer": {"reason": None, "since": 1, "notes": []}}))
    kiosk = start(terminal, SDL_VIDEODRIVER="dummy")
    try:
        await_screen(terminal)
        end = time.monotonic() + PATIENCE
        while set(read_healths(health)) != WATCHED and time.monotonic() < end:
            time.sleep(0.05)
        assert {kind: view.reason for kind, view in read_healths(health).items()} == dict.fromkeys(
            WATCHED, "gone"
        )
    finally:
        kiosk.send_signal(signal.SIGTERM)
    assert kiosk.wait(PATIENCE) == 0
    log = terminal / "state" / "audit" / "audit.jsonl"
    assert verify(log).ok
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    lost = [line["detail"] for line in lines if line["event"] == "device.lost"]
    assert sorted(each["device"] for each in lost) == sorted(kind.value for kind in WATCHED)
    assert {each["reason"] for each in lost} == {"gone"}


def test_without_a_pad_it_says_which_key_is_missing(terminal: Path) -> None:
    file = terminal / "terminal.toml"
    text = file.read_text("utf-8")
    before, _, after = text.partition("[pad]")
    rest = after.partition("[platform]")[2]
    for pad, key in (("", ": pad:"), ('[pad]\ndriver = "ccid"\nreader = "K"\n', "pad.driver")):
        file.write_text(f"{before}{pad}[platform]{rest}", "utf-8")
        kiosk = start(terminal, SDL_VIDEODRIVER="dummy")
        _, complaint = kiosk.communicate(timeout=PATIENCE)
        assert kiosk.returncode == 3
        assert key in complaint
