"""A dispenser's answer is lost: what the driver asks before it moves a card again."""

import pytest

from drivers.crt591 import Crt591
from drivers.dispenser import (
    CardStuck,
    DispenserGone,
)
from tests.drivers.dispenser_double import (
    ACK,
    EMPTY,
    GATE,
    INSIDE,
    NAK,
    QUICK,
    STATUS,
    DispenserDouble,
    bad,
    good,
)

IC, HOLD, EJECT, BIN = "3231", "3230", "3239", "3233"
MOVES = {IC, HOLD, EJECT, BIN, "3232"}


@pytest.fixture
def far(tmp_path):
    double = DispenserDouble(tmp_path / "dispenser")
    yield double
    double.unplug()


@pytest.fixture
def driver(far):
    made = Crt591(str(far.link), times=QUICK)
    yield made
    made.close()


def reports(far, *states):
    """What the device says of itself, one state a question."""
    far.script[STATUS] = [ACK + good(STATUS, state) for state in states]


def answers(far, name, *replies):
    far.script[name] = [
        ACK + good(name, reply) if isinstance(reply, bytes) else reply for reply in replies
    ]


def moved(far):
    return [name for name in far.did if name in MOVES]


LOST = [
    pytest.param(ACK, id="answer-lost"),
    pytest.param(None, id="command-lost"),
    pytest.param(NAK, id="not-read"),
    pytest.param(ACK + good(IC)[:4], id="answer-cut"),
]


@pytest.mark.parametrize("lost", LOST)
def test_a_card_that_came_is_not_dispensed_again(far, driver, lost):
    reports(far, EMPTY, INSIDE)
    far.script[IC] = [lost]
    driver.dispense_to_ic()
    assert moved(far) == [IC]
    # The status was asked between loss and success.
    assert far.did == [STATUS, IC, STATUS]


@pytest.mark.parametrize("lost", LOST)
def test_a_card_that_did_not_come_is_dispensed_after_asking(far, driver, lost):
    reports(far, EMPTY, EMPTY)
    far.script[IC] = [lost, ACK + good(IC, INSIDE)]
    driver.dispense_to_ic()
    assert far.did == [STATUS, IC, STATUS, IC]


def test_a_card_that_was_taken_meanwhile_is_not_offered_again(far, driver):
    """`hold` without a card would dispense one."""
    reports(far, INSIDE, EMPTY)
    far.script[HOLD] = [ACK]
    driver.hold_at_gate()
    assert moved(far) == [HOLD]


@pytest.mark.parametrize("operation", ["eject", "capture"])
def test_a_card_that_left_is_not_moved_again(far, driver, operation):
    reports(far, GATE, EMPTY)
    name = EJECT if operation == "eject" else BIN
    far.script[name] = [ACK]
    getattr(driver, operation)()
    assert moved(far) == [name]


def test_a_movement_that_ends_elsewhere_is_a_jam(far, driver):
    reports(far, INSIDE, GATE)
    far.script[BIN] = [ACK]
    with pytest.raises(CardStuck, match="at-gate"):
        driver.capture()
    assert moved(far) == [BIN]


def test_a_device_that_does_not_tell_where_the_card_is_moves_none_again(far, driver):
    far.script[IC] = [ACK]
    far.script[STATUS] = [ACK + good(STATUS, EMPTY), *([None] * 9)]
    with pytest.raises(DispenserGone):
        driver.dispense_to_ic()
    assert moved(far) == [IC]


def test_a_device_that_takes_no_movement_at_all(far, driver):
    far.script[IC] = [NAK] * 9
    with pytest.raises(DispenserGone):
        driver.dispense_to_ic()
    assert moved(far) == [IC] * 3
    assert far.did.count(STATUS) == 4


def test_power_fails_in_mid_move(far, driver):
    """The device is initialised, says where the card is, and only then is anything sent."""
    reports(far, EMPTY, INSIDE)
    far.script[IC] = [ACK + bad(IC, "B0")]
    driver.dispense_to_ic()
    assert far.did == [STATUS, IC, "3037", STATUS]


def test_moved_by_hand_in_mid_move(far, driver):
    reports(far, INSIDE, EMPTY)
    far.script[HOLD] = [ACK + bad(HOLD, "45")]
    driver.hold_at_gate()
    assert far.did == [STATUS, HOLD, "3037", STATUS]


def test_contacts_that_hold_the_card_let_go(far, driver):
    reports(far, INSIDE, INSIDE)
    far.script[HOLD] = [ACK + bad(HOLD, "05"), ACK + good(HOLD, GATE)]
    driver.hold_at_gate()
    assert far.did == [STATUS, HOLD, STATUS, "5131", "6031", HOLD]
