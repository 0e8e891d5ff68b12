"""The doctor and the devices whose whole check is how they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.card_service import ReaderState
from drivers.device import DeviceKind
from kiosk.config import load
from kiosk.health_file import HEALTH_FILE, write_healths
from kiosk.state import StateDirectory
from provisioning.checks import boxes, devices, printing
from provisioning.findings import Finding, Severity
from provisioning.machine import Machine
from tests.provisioning.machines import ATR, FakeCardService, write_config

BOXES = """pack = { name = "demo" }
id_reader = { port = "/dev/none/id-reader" }
camera = { source = "/dev/none/video" }
dispenser = { port = "/dev/none/dispenser" }
receipt = { address = "/dev/none/receipt" }
sensors = { port = "/dev/none/sensors" }
"""
KINDS = [
    DeviceKind.ID_READER,
    DeviceKind.CAMERA,
    DeviceKind.DISPENSER,
    DeviceKind.RECEIPT,
    DeviceKind.SENSORS,
]


def machine(folder: Path, extra: str = BOXES) -> Machine:
    config = load(write_config(folder, "http://127.0.0.1:9", extra=extra))
    return Machine(config=config, state=config.state)


def one(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_that_is_not_there(tmp_path: Path, kind: DeviceKind) -> None:
    finding = one(boxes.visit(kind)(machine(tmp_path)))
    assert (finding.name, finding.severity) == (kind.value, Severity.FAIL)
    assert finding.facts["reason"] == "gone"
    assert finding.advice is not None


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_nobody_configured_is_skipped(tmp_path: Path, kind: DeviceKind) -> None:
    assert one(boxes.visit(kind)(machine(tmp_path, ""))).severity is Severity.SKIPPED
    assert one(boxes.visit(kind)(Machine())).severity is Severity.SKIPPED


def test_what_a_running_kiosk_has_is_a_warning_until_it_says_that_it_is_well(
    tmp_path: Path,
) -> None:
    from drivers.watch import Health, Instant

    examined = machine(tmp_path)
    assert examined.state is not None
    state = StateDirectory(examined.state)
    check = boxes.visit(DeviceKind.RECEIPT)
    with state.lock():
        assert one(check(examined)).severity is Severity.WARN
        write_healths(state.path / HEALTH_FILE, {DeviceKind.RECEIPT: Health(None, Instant(1, 2))})
        assert one(check(examined)).severity is Severity.OK


def test_a_camera_that_reads_codes_is_the_scanner(tmp_path: Path) -> None:
    examined = machine(tmp_path)
    text = (tmp_path / "terminal.toml").read_text("utf-8")
    text = text.replace('scanner = { port = "/dev/yikatong-scanner" }', 'scanner.driver = "camera"')
    (tmp_path / "terminal.toml").write_text(text, "utf-8")
    config = load(tmp_path / "terminal.toml")
    finding = one(printing.visit_scanner(Machine(config=config, state=examined.state)))
    assert (finding.severity, finding.facts["reason"]) == (Severity.FAIL, "gone")


def test_a_readers_own_keys_are_known_with_a_card_alone(tmp_path: Path) -> None:
    machine(tmp_path)
    file = tmp_path / "terminal.toml"
    text = file.read_text("utf-8").replace(
        'pad = { port = "/dev/yikatong-pad" }', 'pad = { driver = "ccid", reader = "Keys" }'
    )
    file.write_text(text, "utf-8")
    assert one(devices.visit_pad(Machine(config=load(file)))).severity is Severity.SKIPPED


@pytest.mark.parametrize("psam", ["", 'psam_reader = "PSAM Slot"'])
def test_cards_that_a_dispenser_reads_are_the_dispensers_check(tmp_path: Path, psam: str) -> None:
    file = write_config(tmp_path, "http://127.0.0.1:9", extra=BOXES)
    slot = 'card = { driver = "dispenser"' + (f", {psam}" if psam else "") + " }"
    lines = file.read_text("utf-8").splitlines()
    lines = [slot if line.startswith("card = ") else line for line in lines]
    file.write_text("\n".join(lines), "utf-8")
    there = (ReaderState("PSAM Slot", True, False, ATR),)
    found = Machine(config=load(file), card_service=lambda: FakeCardService(*there))
    told = {each.name: each for each in devices.visit_readers(found)}
    assert told["contact-reader"].severity is Severity.SKIPPED
    assert "dispenser" in told["contact-reader"].told.en
    # Where the PSAM is in a reader of its own, that reader is looked at.
    expected = Severity.OK if psam else Severity.SKIPPED
    assert (told["psam"].severity, told["pcsc"].severity) == (expected, expected)
