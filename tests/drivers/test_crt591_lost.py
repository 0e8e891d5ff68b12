"""A dispenser's answer is lost: what the driver asks before it moves a card again."""

import pytest

from drivers.crt591.device import Crt591
from drivers.dispenser import (
    CardStuck,
    DispenserGone,
)
from tests.drivers.dispenser_double import (
    ACK,
    BIN,
    EJECT,
    EMPTY,
    GATE,
    HOLD,
    IC,
    INSIDE,
    NAK,
    QUICK,
    STATUS,
    DispenserDouble,
    bad,
    good,
)


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


LOST = [
    pytest.param(ACK, id="answer-lost"),
    pytest.param(None, id="command-lost"),
    pytest.param(NAK, id="not-read"),
    pytest.param(ACK + good(IC)[:4], id="answer-cut"),
]


@pytest.mark.parametrize("lost", LOST)
def test_a_card_that_came_is_not_dispensed_again(far, driver, lost):
    far.reports(EMPTY, INSIDE)
    far.script[IC] = [lost]
    driver.dispense_to_ic()
    assert far.moved == [IC]
    # The status was asked between loss and success.
    assert far.did == [STATUS, IC, STATUS]


@pytest.mark.parametrize("lost", LOST)
def test_a_card_that_did_not_come_is_dispensed_after_asking(far, driver, lost):
    far.reports(EMPTY, EMPTY)
    far.script[IC] = [lost, ACK + good(IC, INSIDE)]
    driver.dispense_to_ic()
    assert far.did == [STATUS, IC, STATUS, IC]


def test_a_card_that_was_taken_meanwhile_is_not_offered_again(far, driver):
    """`hold` without a card would dispense one."""
    far.reports(INSIDE, EMPTY)
    far.script[HOLD] = [ACK]
    driver.hold_at_gate()
    assert far.moved == [HOLD]


@pytest.mark.parametrize("operation", ["eject", "capture"])
def test_a_card_that_left_is_not_moved_again(far, driver, operation):
    far.reports(GATE, EMPTY)
    name = EJECT if operation == "eject" else BIN
    far.script[name] = [ACK]
    getattr(driver, operation)()
    assert far.moved == [name]


def test_a_movement_that_ends_elsewhere_is_a_jam(far, driver):
    far.reports(INSIDE, GATE)
    far.script[BIN] = [ACK]
    with pytest.raises(CardStuck, match="at-gate"):
        driver.capture()
    assert far.moved == [BIN]


def test_a_device_that_does_not_tell_where_the_card_is_moves_none_again(far, driver):
    far.script[IC] = [ACK]
    far.script[STATUS] = [ACK + good(STATUS, EMPTY), *([None] * 9)]
    with pytest.raises(DispenserGone):
        driver.dispense_to_ic()
    assert far.moved == [IC]


def test_a_device_that_takes_no_movement_at_all(far, driver):
    far.script[IC] = [NAK] * 9
    with pytest.raises(DispenserGone):
        driver.dispense_to_ic()
    assert far.moved == [IC] * 3
    assert far.did.count(STATUS) == 4


def test_power_fails_in_mid_move(far, driver):
    """The device is initialised, says where the card is, and only then is anything sent."""
    far.reports(EMPTY, INSIDE)
    far.script[IC] = [ACK + bad(IC, "B0")]
    driver.dispense_to_ic()
    assert far.did == [STATUS, IC, "3037", STATUS]


def test_moved_by_hand_in_mid_move(far, driver):
    far.reports(INSIDE, EMPTY)
    far.script[HOLD] = [ACK + bad(HOLD, "45")]
    driver.hold_at_gate()
    assert far.did == [STATUS, HOLD, "3037", STATUS]


def test_contacts_that_hold_the_card_let_go(far, driver):
    far.reports(INSIDE, INSIDE)
    far.script[HOLD] = [ACK + bad(HOLD, "05"), ACK + good(HOLD, GATE)]
    driver.hold_at_gate()
    assert far.did == [STATUS, HOLD, STATUS, "5131", "6031", HOLD]
