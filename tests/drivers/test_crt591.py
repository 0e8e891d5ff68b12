"""The CRT-591 driver against a scripted device: above all, what it does when an answer is lost."""

import threading
from dataclasses import replace

import pytest

from drivers.crt591.device import Crt591, crt591_facts
from drivers.dispenser import (
    BinFull,
    CardInTheWay,
    CardPlace,
    CardStuck,
    Counters,
    DispenserGone,
    DispenserNote,
    DispenserReason,
    DispenserStatus,
    Inside,
    NoCard,
    Refused,
    StackerEmpty,
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


# --- how it stands -------------------------------------------------------------------------------


def test_status(far, driver):
    far.state = b"211"
    assert driver.status() == DispenserStatus(
        DispenserReason.ERROR_BIN_FULL, frozenset({DispenserNote.STACKER_LOW}), CardPlace.INSIDE
    )
    far.state = EMPTY
    assert driver.status() == DispenserStatus(None, frozenset(), CardPlace.NONE)


def test_of_several_obstacles_the_most_urgent(far, driver):
    far.state = b"901"
    assert driver.status().reason is DispenserReason.BROKEN
    far.state = b"001"
    assert driver.status().reason is DispenserReason.ERROR_BIN_FULL
    far.state = b"000"
    assert driver.status().reason is DispenserReason.STACKER_EMPTY


def test_nothing_at_the_port(tmp_path):
    nobody = Crt591(str(tmp_path / "nothing"), times=QUICK)
    assert nobody.status() == DispenserStatus(DispenserReason.GONE, place=CardPlace.NONE)
    with pytest.raises(DispenserGone):
        nobody.dispense_to_ic()
    nobody.close()
    nobody.close()


def test_opened_initialised_and_lost_and_back(far, driver):
    assert driver.status().reason is None
    assert far.names[:4] == ["04", "3037", "06", STATUS]
    far.unplug()
    assert driver.status().reason is DispenserReason.GONE
    far.plug()
    assert driver.status().reason is None
    assert far.names.count("3037") == 2


def test_insertion_stays_allowed_after_a_loss_of_power(far, driver):
    driver.status()
    driver.allow_insertion(True)
    far.script[STATUS] = [ACK + bad(STATUS, "B0")]
    assert driver.status().reason is None
    assert far.did == [STATUS, "3330", STATUS, "3037", "3330", STATUS]
    driver.allow_insertion(False)
    assert far.did[-1] == "3331"


def test_a_device_that_never_gets_ready_ends(far, driver):
    far.script["3330"] = [ACK + bad("3330", "B0")] * 9
    with pytest.raises(Refused):
        driver.allow_insertion(True)


def test_a_device_that_does_not_count_is_initialised_all_the_same(far, driver):
    for name in ("3034", "3037"):
        far.script[name] = [ACK + bad(name, "01")]
    assert driver.init(Inside.HOLD_AT_GATE) == ""
    inits = [name for name in far.names if name.startswith("30")]
    assert inits == ["3037", "3033", "3034", "3030"]


@pytest.mark.parametrize(
    ("inside", "name"),
    [(Inside.HOLD_AT_GATE, "3034"), (Inside.CAPTURE, "3035"), (Inside.KEEP, "3037")],
)
def test_init(far, driver, inside, name):
    far.script[name] = [ACK + good(name, EMPTY, b"CRT-591-M001")]
    if inside is Inside.KEEP:
        far.script[name] *= 2
    assert driver.init(inside) == "CRT-591-M001"
    assert name in far.names


@pytest.mark.parametrize("inside", [Inside.HOLD_AT_GATE, Inside.CAPTURE])
def test_an_init_that_leaves_the_card_inside(far, driver, inside):
    far.state = INSIDE
    with pytest.raises(CardStuck):
        driver.init(inside)
    assert driver.status().reason is DispenserReason.JAM


# --- movements -----------------------------------------------------------------------------------


def test_a_card_to_the_contacts_and_to_the_gate(far, driver):
    far.reports(EMPTY, INSIDE)
    far.answers(IC, INSIDE)
    far.answers(HOLD, GATE)
    driver.dispense_to_gate()
    assert far.did == [STATUS, IC, STATUS, HOLD]


@pytest.mark.parametrize("state", [GATE, INSIDE, b"920"])
def test_nothing_is_dispensed_onto_a_card(far, driver, state):
    far.state = state
    with pytest.raises(CardInTheWay):
        driver.dispense_to_gate()
    assert far.moved == []


def test_nothing_is_dispensed_from_an_empty_stacker(far, driver):
    far.state = b"000"
    with pytest.raises(StackerEmpty):
        driver.dispense_to_ic()
    assert far.moved == []


@pytest.mark.parametrize("operation", ["take_in", "hold_at_gate", "eject", "capture"])
def test_without_a_card_nothing_is_moved(far, driver, operation):
    """The device would dispense one."""
    with pytest.raises(NoCard):
        getattr(driver, operation)()
    assert far.moved == []


def test_a_card_at_the_gate_is_held_already(far, driver):
    """It may be taken at any moment, and then the device would dispense another."""
    far.state = GATE
    driver.hold_at_gate()
    assert far.moved == []


@pytest.mark.parametrize(
    ("code", "error", "reason"),
    [
        ("10", CardStuck, DispenserReason.JAM),
        ("51", Refused, DispenserReason.BROKEN),
        ("A0", StackerEmpty, None),
        ("02", Refused, None),
    ],
)
def test_what_a_refused_movement_leaves(far, driver, code, error, reason):
    far.script[IC] = [ACK + bad(IC, code)]
    with pytest.raises(error):
        driver.dispense_to_ic()
    assert far.moved == [IC]
    assert driver.status().reason is reason


def test_a_full_bin(far, driver):
    far.state = GATE
    far.script[BIN] = [ACK + bad(BIN, "A1")]
    with pytest.raises(BinFull):
        driver.capture()
    assert driver.status().reason is DispenserReason.ERROR_BIN_FULL


def test_a_card_that_does_not_arrive(far, driver):
    far.reports(EMPTY)
    far.answers(IC, GATE)
    with pytest.raises(CardStuck, match="at-gate"):
        driver.dispense_to_ic()


def test_a_jam_is_asked_about_now_and_then_until_it_is_put_right(far):
    driver = Crt591(str(far.link), times=replace(QUICK, again=0.0))
    far.script[IC] = [ACK + bad(IC, "10")]
    with pytest.raises(CardStuck):
        driver.dispense_to_ic()
    far.script["3037"] = [ACK + bad("3037", "10")] * 2
    assert driver.status().reason is DispenserReason.JAM
    assert driver.status().reason is DispenserReason.JAM
    assert driver.status().reason is None
    assert far.moved == [IC]
    driver.close()


def test_a_jam_does_not_keep_a_lost_port_closed(far):
    driver = Crt591(str(far.link), times=replace(QUICK, again=0.0))
    far.script[IC] = [ACK + bad(IC, "10")]
    with pytest.raises(CardStuck):
        driver.dispense_to_ic()
    far.unplug()
    assert driver.status().reason is DispenserReason.GONE
    far.plug()
    assert driver.status().reason is None
    driver.close()


def test_between_two_such_questions_nothing_moves(far, driver):
    far.script[IC] = [ACK + bad(IC, "10")]
    with pytest.raises(CardStuck):
        driver.dispense_to_ic()
    before = far.names.count("3037")
    assert driver.status().reason is DispenserReason.JAM
    assert far.names.count("3037") == before


# --- the rest ------------------------------------------------------------------------------------


def test_counters(far, driver):
    far.script["A530"] = [ACK + good("A530", data=b"042")]
    assert driver.counters() == Counters(captured=42)
    driver.bin_was_emptied()
    assert any(command[4:10] == b"\x43\xa5\x31000" for command in far.commands)


@pytest.mark.parametrize("data", [b"", b"12", b"1x3", b"0001"])
def test_a_counter_that_is_no_number(far, driver, data):
    far.script["A530"] = [ACK + good("A530", data=data)]
    with pytest.raises(DispenserGone):
        driver.counters()


def test_where_the_sources_disagree_the_configuration_decides(far):
    facts = crt591_facts()
    facts["move"] |= {"hold": 0x39, "eject": 0x30}
    facts["status"]["bin_full"] = "0"
    driver = Crt591(str(far.link), times=QUICK, facts=facts)
    far.reports(INSIDE, b"021")
    far.answers(EJECT, GATE)
    driver.hold_at_gate()
    assert far.moved == [EJECT]
    assert driver.status().reason is None
    assert driver.status().reason is DispenserReason.ERROR_BIN_FULL
    driver.close()


def test_a_call_holds_the_others_up(far, driver):
    assert driver.free_within(0.01)
    with driver.held():
        assert driver.free_within(0.01)
    far.reports(EMPTY, INSIDE)
    far.script[IC] = [ACK]
    thread = threading.Thread(target=driver.dispense_to_ic)
    thread.start()
    far.wait_for(bytes.fromhex("F2000003433231"))
    assert not driver.free_within(0.01)
    thread.join(10)
    assert driver.free_within(5)


def test_a_device_that_falls_silent_ends_every_operation(far, driver):
    driver.status()
    far.answer = lambda command: None
    for operation in ("dispense_to_gate", "counters"):
        with pytest.raises(DispenserGone):
            getattr(driver, operation)()
    assert driver.status().reason is DispenserReason.GONE
    far.answer = far.usual
    assert driver.status().reason is None
