"""Our PIN pad driver and the simulated pad, each written from the wire's description alone."""

import time

import pytest

from drivers.pin_block import (
    fresh_pin_key,
    key_check_value,
    open_pin_block,
    pan_for_card_number,
    wrap_pin_key,
)
from drivers.pin_pad import PadFault, PadGone, PadReason, PinCancelled, PinTimeout
from drivers.szzt import SzztPinPad
from drivers.szzt_line import SzztTimes
from hw_sim.pad import PadDevice
from tests.drivers.pad_double import soon

PAN = pan_for_card_number("A00000012")
PIN = "975310"


@pytest.fixture
def pad(tmp_path):
    device = PadDevice(tmp_path / "pad")
    device.plug()
    yield device
    device.unplug()


@pytest.fixture
def driver(pad):
    # 0.4 s: the simulated pad forgets an unfinished frame after 0.3 s.
    made = SzztPinPad(str(pad.link), times=SzztTimes(answer=0.4, damaged=0.1, look=0.01))
    yield made
    made.close()


@pytest.fixture
def pin_key(driver):
    master, key = fresh_pin_key(), fresh_pin_key()
    driver.load_master_key(master)
    check = driver.load_pin_key(wrap_pin_key(key, master))
    assert check == key_check_value(key)[: len(check)]
    return key


def type_when_open(pad, keys):
    def press():
        while pad.entry.name != "RUNNING":
            time.sleep(0.002)
        pad.press(keys)

    soon(press, 0)


@pytest.mark.parametrize(
    ("keys", "pin", "counts"),
    [
        (PIN + "#", PIN, [1, 2, 3, 4, 5, 6]),
        ("12C" + PIN + "#", PIN, [1, 2, 0, 1, 2, 3, 4, 5, 6]),
        ("9754<310#", PIN, [1, 2, 3, 4, 3, 4, 5, 6]),
        ("12#34#", "1234", [1, 2, 3, 4]),
        ("1234567#", "123456", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_typed_pin_arrives_encrypted(pad, driver, pin_key, keys, pin, counts):
    told = []
    type_when_open(pad, keys)
    block = driver.read_pin(PAN, 4, 6, 10, told.append)
    assert open_pin_block(block, pin_key, PAN) == pin.encode()
    assert told == counts
    assert pad.count == 0


def test_cancelled_at_the_pad_and_here(pad, driver, pin_key):
    type_when_open(pad, "12X")
    with pytest.raises(PinCancelled):
        driver.read_pin(PAN, 4, 6, 10, lambda count: None)
    type_when_open(pad, "12")

    def cancel(count):
        if count == 2:
            driver.cancel()

    with pytest.raises(PinCancelled):
        driver.read_pin(PAN, 4, 6, 10, cancel)
    assert pad.count == 0 and driver.status().reason is None


def test_nobody_types(pad, driver, pin_key):
    with pytest.raises(PinTimeout):
        driver.read_pin(PAN, 4, 6, 0.1, lambda count: None)
    assert driver.status().reason is None


def test_a_pad_without_keys(pad, driver):
    assert driver.status().reason is PadReason.NO_KEY
    with pytest.raises(PadFault):
        driver.load_pin_key(bytes(fresh_pin_key()))
    with pytest.raises(PadFault):
        driver.read_pin(PAN, 4, 6, 5, lambda count: None)


@pytest.mark.parametrize(
    "fault", ["bad-xor", "drop", "short=2", "half", "split", "noise", "noise-stx", "delay=50"]
)
def test_one_fault_on_the_line_is_survived(pad, driver, fault):
    driver.status()
    pad.set_fault(f"1:{fault}")
    assert driver.status().identity.model
    assert pad.faults_pending == 0


def test_unplugged_while_typing_and_back(pad, driver, pin_key):
    type_when_open(pad, "12")

    def pull(count):
        if count == 2:
            soon(pad.unplug, 0)

    with pytest.raises(PadGone):
        driver.read_pin(PAN, 4, 6, 10, pull)
    pad.plug()
    type_when_open(pad, PIN + "#")
    block = driver.read_pin(PAN, 4, 6, 10, lambda count: None)
    assert open_pin_block(block, pin_key, PAN) == PIN.encode()
