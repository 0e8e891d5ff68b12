"""The doctor tells a reader that is stuck from one that is absent, and holds nobody up itself."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import pytest

from apdu.errors import CardRemoved
from drivers.card_service import ReaderState
from drivers.pcsc.service import PcscService
from hw_sim.cards.slots import CONTACT as CONTACT_SLOT
from hw_sim.pcscd import CONTACT_READER, PcscdWorld
from kiosk.config import load
from provisioning.checks import devices
from provisioning.findings import Finding, Severity
from provisioning.machine import Machine
from tests.provisioning.machines import ATR, CONTACT, PSAM, FakeCardService, write_config

COMMAND = bytes.fromhex("0084000008")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(config=load(write_config(tmp_path, "http://127.0.0.1:9")))


def look(machine: Machine, service: FakeCardService | PcscService) -> dict[str, Finding]:
    asked = Machine(config=machine.config, card_service=lambda: service)
    return {finding.name: finding for finding in devices.visit_readers(asked)}


@pytest.mark.parametrize(
    ("stuck", "name", "first"),
    [(CONTACT, "contact-reader", "取出卡片"), (PSAM, "psam", "停止自助程序")],
)
def test_a_stuck_slot_says_what_to_do(machine: Machine, stuck: str, name: str, first: str) -> None:
    there = (ReaderState(CONTACT, True, False, ATR), ReaderState(PSAM, True, False, ATR))
    found = look(machine, FakeCardService(*there, stuck=stuck))
    failed = [finding for finding in found.values() if finding.severity is Severity.FAIL]
    assert failed == [found[name]]
    assert failed[0].facts == {"reader": stuck, "stuck": True}
    assert stuck in failed[0].told.en
    assert failed[0].advice is not None
    assert failed[0].advice.zh.startswith(first)
    assert "systemctl restart pcscd" in failed[0].advice.en


def test_a_service_that_hangs_is_not_a_terminal_without_readers(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_FIRST_LOOK", 0.05)
    assert look(machine, FakeCardService())["pcsc"].severity is Severity.OK
    found = look(machine, FakeCardService(stuck="no reader"))
    assert found["pcsc"].told.en == "pcscd does not answer"
    assert found["pcsc"].advice is not None
    assert found.keys() == {"vpcd", "pcsc"}


@pytest.mark.pcscd
def test_a_card_that_holds_another_programs_call(machine: Machine, pcscd_world: PcscdWorld) -> None:
    slots, service = pcscd_world.slots, PcscService()
    slots.insert("v3")
    while not slots.status()["slots"][CONTACT_SLOT]["noticed"]:
        time.sleep(0.005)
    slots.fault("1:silent")
    other = PcscService()

    def hang() -> None:
        connection = other.connect(CONTACT_READER)
        with contextlib.suppress(CardRemoved):
            connection.transmit(COMMAND)
        connection.close()

    stuck = threading.Thread(target=hang)
    stuck.start()
    while slots.status()["slots"][CONTACT_SLOT]["apdus"] < 1:
        time.sleep(0.005)
    found = look(machine, service)
    assert found["contact-reader"].facts == {"reader": CONTACT_READER, "stuck": True}
    assert found["psam"].severity is Severity.OK
    slots.remove()
    stuck.join(10)
    assert look(machine, service)["contact-reader"].severity is Severity.OK
