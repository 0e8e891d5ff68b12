"""The residents' card slot where it is the dispenser's gate: hands at it, and cards gone wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.dispenser.chips import ChipError
from hw_sim.dispenser.device import DispenserDevice
from hw_sim.dispenser.machine import Spot
from hw_sim.hall import dispenser_slot
from hw_sim.hall.control import Refused
from hw_sim.hall.dispenser_slot import DispenserSlot
from hw_sim.hall.slot import Way

CHALLENGE = bytes.fromhex("0084000008")
SELECT_MF = bytes.fromhex("00A40000023F00")


@pytest.fixture
def device(tmp_path: Path) -> Iterator[DispenserDevice]:
    made = DispenserDevice(tmp_path / "dispenser", move_seconds=0.0)
    made.plug()
    made.machine.initialised = made.machine.entry = True
    yield made
    made.unplug()


@pytest.fixture
def slot(device: DispenserDevice, monkeypatch: pytest.MonkeyPatch) -> Iterator[DispenserSlot]:
    monkeypatch.setattr(dispenser_slot, "_GATE_SECONDS", 0.1)
    monkeypatch.setattr(dispenser_slot, "_HAND_SECONDS", 0.1)
    made = DispenserSlot(lambda: device)
    yield made
    made.close()


def say(device: DispenserDevice, command: bytes) -> bytes:
    contacts = device.machine.contacts
    if not contacts.powered:
        contacts.power()
    return contacts.exchange(command, None)


def to_gate(device: DispenserDevice) -> None:
    with device.lock:
        device.machine._arrive(device.machine.card, Spot.GATE)


def test_what_the_hall_says_of_it(slot: DispenserSlot) -> None:
    assert slot.way is Way.DISPENSER
    assert slot.announced["csock_name"] is slot.announced["direct"] is None
    with pytest.raises(Refused, match="no pcscd"):
        slot.restart_service()


def test_one_card_at_a_time(slot: DispenserSlot) -> None:
    assert slot.card is None
    slot.insert("resident:0")
    assert slot.card == "v3"
    with pytest.raises(Refused, match="already"):
        slot.insert("v2")
    slot.remove()
    assert slot.card is None
    with pytest.raises(Refused, match="no card"):
        slot.remove()


@pytest.mark.parametrize("name", ["", "v4", "psam", "resident:200"])
def test_card_that_nobody_has(slot: DispenserSlot, name: str) -> None:
    with pytest.raises(Refused, match="resident:N"):
        slot.insert(name)


def test_a_hand_pushes_until_the_gate_opens(
    slot: DispenserSlot, device: DispenserDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.machine.entry = False
    with pytest.raises(Refused, match="closed"):
        slot.insert("v3")
    monkeypatch.setattr(dispenser_slot, "_GATE_SECONDS", 30.0)
    hand = threading.Thread(target=slot.insert, args=("v3",))
    hand.start()
    device.machine.entry = True
    hand.join(20)
    assert slot.card == "v3"


def test_a_hand_waits_for_what_comes_out_and_then_pulls(
    slot: DispenserSlot, device: DispenserDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot.insert("v3")
    slot.remove()
    assert device.machine.given == [], "torn out"
    monkeypatch.setattr(dispenser_slot, "_HAND_SECONDS", 30.0)
    slot.insert("v3")
    hand = threading.Thread(target=slot.remove)
    hand.start()
    to_gate(device)
    hand.join(20)
    assert device.machine.given == ["v3"]


def test_nobody_waits_for_a_card_that_sticks(
    slot: DispenserSlot, device: DispenserDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispenser_slot, "_HAND_SECONDS", 3600.0)
    slot.insert("v3")
    device.machine.jammed = True
    slot.remove()
    assert not device.machine.jammed


def test_its_plug(slot: DispenserSlot, device: DispenserDevice) -> None:
    slot.set_reader(plugged=False)
    assert not slot.plugged
    with pytest.raises(Refused, match="unplugged"):
        slot.insert("v3")
    slot.set_reader(plugged=True)
    assert slot.plugged


def test_fault_meets_the_next_card_and_ends_with_it(
    slot: DispenserSlot, device: DispenserDevice
) -> None:
    slot.set_fault("1:6F00,2:less")
    assert slot.faults_pending == 2
    slot.insert("v3")
    assert say(device, SELECT_MF) == b"\x6f\x00"
    assert len(say(device, CHALLENGE)) == 9
    slot.remove()
    assert slot.faults_pending == 0
    slot.insert("v3")
    assert say(device, SELECT_MF) != b"\x6f\x00"


def test_a_fault_ends_with_a_card_that_was_captured(
    slot: DispenserSlot, device: DispenserDevice
) -> None:
    slot.insert("v3")
    slot.set_fault("*:6F00")
    assert say(device, SELECT_MF) == b"\x6f\x00"
    with device.lock:
        device.machine.contacts.off()
        device.machine._capture()
    slot.insert("v2")
    assert slot.faults_pending == 0
    assert say(device, SELECT_MF) != b"\x6f\x00"


def test_torn_silent_and_swapped(slot: DispenserSlot, device: DispenserDevice) -> None:
    slot.set_fault("1:tear")
    slot.insert("v3")
    with pytest.raises(ChipError) as torn:
        say(device, CHALLENGE)
    assert (torn.value.code, slot.card) == ("67", None)
    slot.insert("v3")
    slot.set_fault("1:silent")
    with pytest.raises(ChipError) as silent:
        say(device, CHALLENGE)
    assert (silent.value.code, slot.card) == ("63", "v3")
    assert not device.machine.contacts.powered
    slot.set_fault("1:swap=v2")
    mine = device.machine.contacts.card
    say(device, CHALLENGE)
    assert device.machine.contacts.card is not mine


def test_nonsense_is_refused(slot: DispenserSlot) -> None:
    slot.set_fault("*:delay=5")
    for text in ("3:fire", "3:swap=v9"):
        with pytest.raises(Refused):
            slot.set_fault(text)
    assert slot.faults_pending == 1
    slot.set_fault("none")
    assert slot.faults_pending == 0


def test_bugs_of_its_cards_are_counted(
    slot: DispenserSlot, device: DispenserDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert slot.card_bugs == 0
    slot.set_fault("1:swap=v2")
    slot.insert("v3")
    say(device, CHALLENGE)
    stranger = device.machine.contacts.card
    assert stranger is not None
    stranger.bugs.append("broken")
    assert slot.card_bugs == 1
