"""Our PIN pad driver and the simulated pad, each written from the wire's description alone."""

import threading
import time

import pytest

from drivers.pin_block import (
    MalformedPinBlock,
    PinFormat,
    fresh_pin_key,
    key_check_value,
    open_pin_block,
    pan_for_card_number,
    wrap_pin_key,
)
from drivers.pin_pad import (
    KeyMismatch,
    PadGone,
    PadReason,
    PadReset,
    PadTampered,
    PinCancelled,
    PinTimeout,
)
from drivers.szzt.line import SzztTimes, szzt_facts
from drivers.szzt.pad import SzztPinPad
from hw_sim.pad.device import PadDevice
from tests.drivers.pad_double import soon

PAN = pan_for_card_number("A00000012")
PIN = "975310"
TIMES = SzztTimes(answer=0.25, probe=0.25, damaged=0.05, look=0.01, watch=0.15)


@pytest.fixture
def pad(tmp_path):
    device = PadDevice(tmp_path / "pad")
    device.plug()
    yield device
    device.unplug()


@pytest.fixture
def driver(pad):
    made = SzztPinPad(str(pad.link), times=TIMES)
    yield made
    made.close()
    assert pad.illegal == ()


@pytest.fixture
def pin_key(driver):
    master, key = fresh_pin_key(), fresh_pin_key()
    driver.load_master_key(master)
    driver.load_pin_key(wrap_pin_key(key, master), key_check_value(key))
    return key


def read(driver, count=lambda count: None, timeout=10, cancelled=None):
    return driver.read_pin(PAN, 4, 6, timeout, count, cancelled or threading.Event())


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
    block = read(driver, told.append)
    assert open_pin_block(block, pin_key, PAN) == pin.encode()
    assert told == counts
    assert pad.count == 0


def test_cancelled_at_the_pad_and_here(pad, driver, pin_key):
    type_when_open(pad, "12X")
    with pytest.raises(PinCancelled) as caught:
        read(driver)
    assert caught.value.by_resident
    type_when_open(pad, "12")
    cancelled = threading.Event()

    def cancel(count):
        if count == 2:
            cancelled.set()

    with pytest.raises(PinCancelled) as caught:
        read(driver, cancel, cancelled=cancelled)
    assert not caught.value.by_resident
    assert pad.count == 0 and driver.status().reason is None


@pytest.mark.parametrize("tries", range(5))
def test_cancelled_while_the_last_key_is_on_its_way(pad, driver, pin_key, tries):
    """Whichever comes first: a block or the cancellation, and the pad holds nothing after."""
    cancelled = threading.Event()

    def cancel(count):
        if count == 6:
            threading.Timer(0.005 * tries, cancelled.set).start()

    type_when_open(pad, PIN + "#")
    try:
        assert open_pin_block(read(driver, cancel, cancelled=cancelled), pin_key, PAN)
    except PinCancelled as error:
        assert not error.by_resident
    assert (pad.count, pad.entry.name) == (0, "NONE")


def test_nobody_types(pad, driver, pin_key):
    with pytest.raises(PinTimeout):
        read(driver, timeout=0.1)
    assert driver.status().reason is None


def test_the_pads_own_time_runs_out_first(pad, driver, pin_key):
    """It is whole seconds, so that ours must be longer than what the pad was told."""
    type_when_open(pad, "12")

    def shorter(count):
        # What a pad does whose clock is fast.
        with pad.lock:
            pad.far_end.pad._settings.seconds = 0

    with pytest.raises(PinTimeout):
        read(driver, shorter)
    assert pad.count == 0


def test_a_pad_without_keys(pad, driver):
    assert driver.status().reason is PadReason.NO_KEY
    with pytest.raises(PadTampered):
        driver.load_pin_key(bytes(fresh_pin_key()), bytes(8))
    with pytest.raises(PadTampered):
        read(driver)


def test_a_new_pin_key_takes_the_place_of_the_old_one(pad, driver):
    master, old, new = fresh_pin_key(), fresh_pin_key(), fresh_pin_key()
    driver.load_master_key(master)
    for key in (old, new):
        driver.load_pin_key(wrap_pin_key(key, master), key_check_value(key))
    type_when_open(pad, PIN + "#")
    block = read(driver)
    assert open_pin_block(block, new, PAN) == PIN.encode()
    with pytest.raises(MalformedPinBlock):
        open_pin_block(block, old, PAN)


def test_a_pin_key_under_another_master_key_is_refused_and_nobody_types_under_it(pad, driver):
    master, other, key = fresh_pin_key(), fresh_pin_key(), fresh_pin_key()
    driver.load_master_key(master)
    driver.load_pin_key(wrap_pin_key(key, master), key_check_value(key))
    with pytest.raises(KeyMismatch):
        driver.load_pin_key(wrap_pin_key(key, other), key_check_value(key))
    with pytest.raises(KeyMismatch):
        read(driver)
    assert pad.entry.name == "NONE"
    driver.load_pin_key(wrap_pin_key(key, master), key_check_value(key))
    type_when_open(pad, PIN + "#")
    assert open_pin_block(read(driver), key, PAN) == PIN.encode()


@pytest.mark.parametrize("form", PinFormat)
def test_every_format_that_the_data_lists(pad, pin_key, driver, form):
    driver.close()
    facts = szzt_facts()
    assert set(facts["formats"]) == {each.value for each in PinFormat}
    facts["pin"]["format"] = form.value
    other = SzztPinPad(str(pad.link), times=TIMES, facts=facts)
    assert other.block_format is form
    type_when_open(pad, PIN + "#")
    assert open_pin_block(read(other), pin_key, PAN, form) == PIN.encode()
    other.close()


LINE_FAULTS = [
    "bad-xor", "bad-check", "drop", "short=2", "truncate=9", "half", "corrupt=0", "corrupt=2",
    "corrupt=60", "split", "noise", "noise-stx", "key-inside", "delay=50", "nak", "busy",
    "power-cycle",
]  # fmt: skip


@pytest.mark.parametrize("fault", LINE_FAULTS)
def test_one_fault_on_the_line_is_survived(pad, driver, fault):
    driver.status()
    pad.set_fault(f"1:{fault}")
    assert driver.status().identity.model
    assert pad.faults_pending == 0


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("fault", ["drop", "half", "noise-stx", "key-inside"])
def test_one_fault_anywhere_in_an_entry(pad, driver, pin_key, fault, turn):
    """An entry asks eight times: four settings, start, how it stands, block, end."""
    heard = []
    obey = pad.far_end.obey

    def listen(command):
        heard.append(command[:1])
        return obey(command)

    pad.far_end.obey = listen
    pad.set_fault(f"{turn}:{fault}")

    def press():
        # A start that is repeated wipes what was typed before.
        while heard[-1:] != [b"3"] or (turn <= 6 and pad.faults_pending):
            time.sleep(0.002)
        pad.press(PIN + "#")

    soon(press, 0)
    assert open_pin_block(read(driver), pin_key, PAN) == PIN.encode()
    assert pad.faults_pending == 0
    assert (pad.count, pad.entry.name) == (0, "NONE")


@pytest.mark.parametrize("turn", range(1, 8))
@pytest.mark.parametrize("fault", ["stuck", "unplug"])
def test_a_pad_that_dies_in_an_entry(pad, driver, pin_key, fault, turn):
    pad.set_fault(f"{turn}:{fault}")
    type_when_open(pad, PIN + "#")
    with pytest.raises(PadGone):
        read(driver)
    pad.unplug()
    pad.plug()
    type_when_open(pad, PIN + "#")
    assert open_pin_block(read(driver), pin_key, PAN) == PIN.encode()


def test_a_pad_that_falls_silent_while_somebody_types(pad, driver, pin_key):
    type_when_open(pad, "12")
    with pytest.raises(PadGone):
        read(driver, lambda count: pad.set_fault("1:stuck"))


def test_a_pad_that_is_reset_while_somebody_types(pad, driver, pin_key):
    type_when_open(pad, "12")
    with pytest.raises(PadReset):
        read(driver, lambda count: pad.set_fault("1:power-cycle"))
    type_when_open(pad, PIN + "#")
    assert open_pin_block(read(driver), pin_key, PAN) == PIN.encode()


def test_a_pad_that_is_opened_and_mended(pad, driver):
    master, key = fresh_pin_key(), fresh_pin_key()
    pad.preload(20, bytes(master))
    driver.load_pin_key(wrap_pin_key(key, master), key_check_value(key))
    type_when_open(pad, "12")
    with pytest.raises(PadTampered):
        read(driver, lambda count: pad.open_housing())
    assert driver.status().reason is PadReason.TAMPERED
    with pytest.raises(PadTampered):
        driver.load_pin_key(wrap_pin_key(key, master), key_check_value(key))
    with pytest.raises(PadTampered):
        driver.load_master_key(master)
    pad.mend()
    driver.load_pin_key(wrap_pin_key(key, master), key_check_value(key))
    assert driver.status().reason is None
    type_when_open(pad, PIN + "#")
    assert open_pin_block(read(driver), key, PAN) == PIN.encode()


def test_keys_that_nobody_asked_for(pad, driver, pin_key):
    pad.sends_idle_keys = True
    pad.press("123#X")
    told = []
    type_when_open(pad, PIN + "#")
    assert open_pin_block(read(driver, told.append), pin_key, PAN) == PIN.encode()
    assert told[-1] == 6
    pad.press("4")
    while driver.ignored_keys < 6:
        driver.status()
    assert driver.ignored_keys == 6


def test_unplugged_while_typing_and_back(pad, driver, pin_key):
    type_when_open(pad, "12")

    def pull(count):
        if count == 2:
            soon(pad.unplug, 0)

    with pytest.raises(PadGone):
        read(driver, pull)
    pad.plug()
    type_when_open(pad, PIN + "#")
    assert open_pin_block(read(driver), pin_key, PAN) == PIN.encode()
