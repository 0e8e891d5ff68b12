"""The terminal's process over a dispenser: one port for reader, watch and giving back."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.dispenser.device import DispenserDevice
from hw_sim.dispenser.machine import Spot
from kiosk.capture import CaptureRecord
from kiosk.clock import SystemClock
from tests.drivers.dispenser_cards import eventually
from tests.kiosk.test_main_start import PATIENCE, await_screen, start, terminal

__all__ = ["terminal"]


@pytest.fixture
def device(terminal: Path) -> Iterator[DispenserDevice]:
    made = DispenserDevice(terminal / "dispenser", move_seconds=0.0)
    made.plug()
    file = terminal / "terminal.toml"
    before, _, after = file.read_text("utf-8").partition("[card]")
    pad = after[after.index("[pad]") :]
    tables = f'[card]\ndriver = "dispenser"\n[dispenser]\nport = "{made.link}"\n'
    limits = "[limits]\ncard_offer_seconds = 0.3\n"
    file.write_text(f"{before}{tables}{pad}{limits}", "utf-8")
    yield made
    made.unplug()
    assert made.illegal == ()


def events(folder: Path) -> list[str]:
    log = folder / "state" / "audit" / "audit.jsonl"
    return [json.loads(line)["event"] for line in log.read_text("utf-8").splitlines()]


@pytest.mark.timeout(90)
def test_a_card_left_inside_is_offered_kept_and_counted(
    terminal: Path, device: DispenserDevice
) -> None:
    device.machine._place("v3", Spot.INSIDE)
    kiosk = start(terminal, SDL_VIDEODRIVER="dummy")
    try:
        await_screen(terminal)
        eventually(lambda: device.machine.bin == ["v3"])
        record = terminal / "state"
        eventually(lambda: CaptureRecord(record, SystemClock()).captured.count == 1)
        eventually(lambda: "alarm.raised" in events(terminal))
        found = events(terminal)
        assert "card.found" in found and "card.removed" not in found
        assert "card.captured" in found
        # The next resident may come.
        eventually(lambda: device.machine.entry)
    finally:
        kiosk.send_signal(signal.SIGTERM)
        assert kiosk.wait(PATIENCE) == 0
    assert not device.machine.entry


@pytest.mark.timeout(90)
def test_the_end_of_the_process_leaves_nobodys_card_inside(
    terminal: Path, device: DispenserDevice
) -> None:
    kiosk = start(terminal, SDL_VIDEODRIVER="dummy")
    try:
        await_screen(terminal)
        eventually(lambda: device.machine.entry)
        with device.lock:
            device.machine.put("v3")
        eventually(lambda: "card.inserted" in events(terminal))
    finally:
        kiosk.send_signal(signal.SIGTERM)
        assert kiosk.wait(PATIENCE) == 0
    assert (device.machine.spot, device.machine.bin) == (Spot.GATE, [])
    assert "card.captured" not in events(terminal)
