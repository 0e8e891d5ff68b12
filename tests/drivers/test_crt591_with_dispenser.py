"""Our dispenser driver and the simulated dispenser, each written from the protocol alone."""

import contextlib
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apdu.errors import CardError
from drivers.crt591.device import Crt591
from drivers.crt591.line import Crt591Times
from drivers.dispenser import (
    BinFull,
    CardPlace,
    CardStuck,
    DispenserError,
    DispenserReason,
    DispenserStatus,
    Inside,
)
from hw_sim.dispenser.device import DISPENSER_FAULTS, DispenserDevice
from hw_sim.dispenser.machine import LOW
from hw_sim.serial_device import WIRE_FAULTS
from tests.drivers.dispenser_cards import plugged

TIMES = Crt591Times(
    ack=0.1, query=0.3, card=0.5, move=0.5, init=0.5, damaged=0.05, quiet=0.02, resend=0.2,
    clear=0.1, write=1.0, again=0.0,
)  # fmt: skip
VALUES = {"delay": "30", "truncate": "6", "corrupt": "5", "error": "10"}
LOSES_THE_PORT = frozenset({"unplug", "stuck"})
FAULTS = [
    f"{name}={VALUES[name]}" if takes else name
    for name, takes in (WIRE_FAULTS | DISPENSER_FAULTS).items()
]
STACK = 20


@pytest.fixture
def device(tmp_path):
    with plugged(tmp_path, cards=STACK, move_seconds=0.01) as made:
        yield made


@pytest.fixture
def driver(device):
    made = Crt591(str(device.link), times=TIMES)
    yield made
    made.close()


def left_the_stacker(device):
    return STACK - len(device.machine.stacker)


def is_well_again(device, driver):
    """After staff did what they do: pulled out a card that is stuck, put the plug in again."""
    device.set_fault("none")
    device.unplug()
    device.plug()
    with device.lock:
        if device.machine.card is not None:
            device.machine.tear_out()
    driver.status()
    assert driver.status().reason is None
    driver.dispense_to_ic()
    connection = driver.connect()
    assert connection.transmit(bytes.fromhex("0084000008"))[-2:] == b"\x90\x00"
    connection.close()
    driver.capture()
    assert driver.status() == DispenserStatus(None, frozenset(), CardPlace.NONE)


# --- what a whole life looks like ----------------------------------------------------------------


def test_a_card_is_dispensed_spoken_to_offered_and_taken(device, driver):
    assert driver.init(Inside.KEEP) == "CRT-591-M001"
    driver.dispense_to_ic()
    assert driver.status().place is CardPlace.INSIDE
    connection = driver.connect()
    assert connection.atr == device.machine.made("blank:1").atr
    connection.close()
    driver.hold_at_gate()
    assert driver.status().place is CardPlace.AT_GATE
    device.machine.take()
    assert driver.status().place is CardPlace.NONE
    assert (device.machine.given, left_the_stacker(device)) == (["blank:1"], 1)


def test_stacker_bin_and_counter(device, driver):
    device.machine.stacker[LOW - 1 :] = []
    driver.dispense_to_gate()
    driver.capture()
    driver.dispense_to_gate()
    driver.capture()
    assert driver.counters().captured == 2
    assert device.machine.bin == ["blank:1", "blank:2"]
    driver.bin_was_emptied()
    assert driver.counters().captured == 0
    device.machine.fill_bin()
    device.machine.stacker.clear()
    assert driver.status().reason is DispenserReason.ERROR_BIN_FULL
    device.machine.empty_bin()
    assert driver.status().reason is DispenserReason.STACKER_EMPTY


@pytest.mark.parametrize("inside", Inside)
def test_what_an_initialisation_does_with_a_card(device, driver, inside):
    driver.dispense_to_ic()
    driver.init(inside)
    expected = {
        Inside.HOLD_AT_GATE: CardPlace.AT_GATE,
        Inside.CAPTURE: CardPlace.NONE,
        Inside.KEEP: CardPlace.INSIDE,
    }
    assert driver.status().place is expected[inside]
    assert device.machine.bin == (["blank:1"] if inside is Inside.CAPTURE else [])


def test_a_full_bin_keeps_the_card(device, driver):
    device.machine.fill_bin()
    driver.dispense_to_gate()
    with pytest.raises(BinFull):
        driver.capture()
    assert driver.status() == DispenserStatus(
        DispenserReason.ERROR_BIN_FULL, frozenset(), CardPlace.AT_GATE
    )


def test_a_jam_until_somebody_clears_it(device, driver):
    driver.status()
    # The status is asked, then the card is sent.
    device.set_fault("2:jam")
    with pytest.raises(CardStuck):
        driver.dispense_to_ic()
    assert driver.status().reason is DispenserReason.JAM
    assert driver.status().reason is DispenserReason.JAM
    device.machine.tear_out()
    assert driver.status().reason is None
    driver.dispense_to_ic()
    assert left_the_stacker(device) == 2


# --- every fault at every command ----------------------------------------------------------------


def _dispense(driver):
    driver.dispense_to_gate()


def _speak(driver):
    driver.dispense_to_ic()
    connection = driver.connect()
    try:
        connection.transmit(bytes.fromhex("0084000008"))
        connection.reset()
        connection.transmit(bytes.fromhex("0084000008"))
    finally:
        connection.close()


def _capture(driver):
    driver.dispense_to_ic()
    driver.capture()


def _housekeeping(driver):
    driver.init(Inside.HOLD_AT_GATE)
    driver.allow_insertion(True)
    driver.counters()
    driver.bin_was_emptied()


WORK = [_dispense, _speak, _capture, _housekeeping]


@cache
def _turns(work, folder):
    """How many things the device may answer wrongly."""
    device = DispenserDevice(folder / "clean", move_seconds=0.0, seed=7)
    device.machine.stack(STACK)
    device.plug()
    driver = Crt591(str(device.link), times=TIMES)
    work(driver)
    driver.close()
    turns = device.turns
    device.unplug()
    return turns


@pytest.mark.slow
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__[1:])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_at_every_command(device, driver, tmp_path_factory, work, fault):
    """It ends with its typed result, no second card left the stacker, and it is well again."""
    turns = _turns(work, tmp_path_factory.getbasetemp())
    for turn in range(1, turns + 1):
        driver.close()
        with device.lock:
            device.machine.stacker.clear()
            device.machine.stack(STACK)
        device.unplug()
        device.plug()
        device.set_fault(f"{turn}:{fault}")
        with contextlib.suppress(DispenserError, CardError):
            work(driver)
        assert left_the_stacker(device) <= 1
        device.set_fault("none")
        with device.lock:
            if device.machine.card is not None:
                device.machine.tear_out()
    is_well_again(device, driver)


@pytest.mark.parametrize(
    "fault",
    [
        each
        for each in FAULTS
        if each.split("=")[0] not in {*LOSES_THE_PORT, "jam", "error", "torn", "no-contact"}
    ],
)
def test_one_fault_of_the_wire_costs_nobody_a_card(device, driver, fault):
    """What is no trouble of the machine itself, the driver gets over by itself."""
    driver.status()
    # The movement; before it the status is asked.
    device.set_fault(f"2:{fault}")
    driver.dispense_to_ic()
    assert left_the_stacker(device) == 1
    assert driver.status().place is CardPlace.INSIDE
    assert device.faults_pending == 0
    driver.hold_at_gate()
    device.machine.take()
    assert device.machine.given == ["blank:1"]


@pytest.mark.parametrize("fault", ["drop", "no-ack", "bad-check", "truncate=3", "corrupt=9"])
def test_a_card_taken_while_the_answer_was_lost_is_the_only_one(device, driver, fault):
    """The gate is empty again, as if nothing had been dispensed."""
    driver.dispense_to_ic()
    moving = device.machine.moving

    def snatched():
        moving()
        device.machine.moving = moving

    device.machine.moving = snatched
    device.set_fault(f"2:{fault}")
    original = device.machine.obey

    def taken_at_once(command):
        told = original(command)
        if command.name == "3230" and device.machine.spot.name == "GATE":
            device.machine.take()
        return told

    device.machine.obey = taken_at_once
    driver.hold_at_gate()
    assert device.machine.given == ["blank:1"]
    assert left_the_stacker(device) == 1


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(1, 12), st.sampled_from(FAULTS)), max_size=3))
def test_never_two_cards_whatever_goes_wrong(device, driver, faults):
    device.set_fault("none")
    device.unplug()
    with device.lock:
        if device.machine.card is not None:
            device.machine.tear_out()
        device.machine.stacker.clear()
        device.machine.stack(STACK)
    device.plug()
    driver.status()
    device.set_fault(",".join(f"{turn}:{fault}" for turn, fault in faults) or "none")
    with contextlib.suppress(DispenserError):
        driver.dispense_to_gate()
    assert left_the_stacker(device) <= 1


def test_unplugged_at_any_time_and_back(device, driver):
    driver.dispense_to_ic()
    device.unplug()
    # It is still in there.
    assert driver.status() == DispenserStatus(DispenserReason.GONE, place=CardPlace.INSIDE)
    device.plug()
    assert driver.status().place is CardPlace.INSIDE
    is_well_again(device, driver)
