"""The SZZT PIN pad driver against a scripted pad on a pseudo-terminal."""

import logging

import pytest

from drivers.pin_pad import PadFault, PadGone, PadReason, PadStatus, PinCancelled, PinTimeout
from drivers.szzt import SzztPinPad
from drivers.szzt_line import szzt_facts
from tests.drivers.pad_double import QUICK, framed, soon

PAN = b"030303030313"
BLOCK = bytes.fromhex("0123456789ABCDEF")
# 8 zero bytes under it begin with 08D7B4FB, which the double answers to command 1.
MASTER = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


def read(driver, counts=None, timeout=10):
    return driver.read_pin(PAN, 4, 6, timeout, [].append if counts is None else counts.append)


def test_the_bytes_of_one_entry(pad, driver):
    counts = []

    def typing():
        pad.wait_for(b"6")
        pad.send(b"\x2a\x2a\x08\x2a\x7f\x7f" + 4 * b"\x2a" + b"\x0d")

    soon(typing, 0)
    assert read(driver, counts) == BLOCK
    assert counts == [1, 2, 1, 2, 0, 1, 2, 3, 4]
    assert pad.commands == [
        b"5637", b"532A", b"5404", b"5506", b"520A", b"630 006" + PAN, b"7", b"5032",
    ]  # fmt: skip


def test_keys_in_the_same_piece_as_the_answer_count(pad, driver):
    pad.answer = lambda text: pad.usual(text) + (b"\x2a\x2a" if text[:1] == b"6" else b"")
    counts = []

    def typing():
        pad.wait_for(b"6")
        pad.send(b"\x2a\x2a\x0d")

    soon(typing, 0.05)
    read(driver, counts)
    assert counts == [1, 2, 3, 4]


def test_the_count_stays_between_none_and_all(pad, driver):
    counts = []

    def typing():
        pad.wait_for(b"6")
        pad.send(b"\x08\x7f" + 9 * b"\x2a" + b"5\x99\x0d")

    soon(typing, 0)
    read(driver, counts)
    assert counts == [1, 2, 3, 4, 5, 6]


def test_enter_before_the_pad_has_enough_goes_on(pad, driver):
    seen = []

    def answer(text):
        if text == b"7":
            seen.append(text)
            return framed(b"\xe9") if len(seen) == 1 else pad.usual(text)
        return pad.usual(text)

    pad.answer = answer

    def typing():
        pad.wait_for(b"6")
        pad.send(b"\x2a\x0d")
        pad.wait_for(b"7")
        pad.send(b"\x0d")

    soon(typing, 0)
    assert read(driver) == BLOCK
    assert len(seen) == 2


def test_a_pad_that_ends_by_itself(pad):
    facts = szzt_facts()
    facts["pin"]["ends_at_maximum"] = True
    driver = SzztPinPad(str(pad.link), times=QUICK, facts=facts)

    def typing():
        pad.wait_for(b"6")
        pad.send(6 * b"\x2a")

    soon(typing, 0)
    assert read(driver) == BLOCK
    driver.close()


def test_the_resident_cancels(pad, driver):
    def typing():
        pad.wait_for(b"6")
        pad.send(b"\x2a\x1b")

    soon(typing, 0)
    with pytest.raises(PinCancelled) as caught:
        read(driver)
    assert caught.value.by_resident
    assert pad.commands[-1] == b"5032"


def test_the_terminal_cancels_from_another_thread(pad, driver):
    def end():
        pad.wait_for(b"6")
        driver.cancel()

    soon(end, 0)
    with pytest.raises(PinCancelled) as caught:
        read(driver)
    assert not caught.value.by_resident
    assert pad.commands[-1] == b"5032"

    def typing():
        pad.wait_for(b"6", 2)
        pad.send(4 * b"\x2a" + b"\x0d")

    soon(typing, 0)
    assert read(driver) == BLOCK


def test_a_cancel_without_an_entry_is_forgotten(pad, driver):
    driver.cancel()

    def typing():
        pad.wait_for(b"6")
        pad.send(4 * b"\x2a" + b"\x0d")

    soon(typing, 0)
    assert read(driver) == BLOCK


def test_time_runs_out_here(pad, driver):
    with pytest.raises(PinTimeout):
        read(driver, timeout=0.1)
    assert b"5201" in pad.commands and pad.commands[-1] == b"5032"


@pytest.mark.parametrize("key", [b"\x80", b"\x0d"])
def test_time_runs_out_in_the_pad(pad, driver, key):
    pad.answer = lambda text: framed(b"\xee") if text == b"7" else pad.usual(text)

    def typing():
        pad.wait_for(b"6")
        pad.send(key)

    soon(typing, 0)
    with pytest.raises(PinTimeout):
        read(driver)


def test_no_key_is_carried_into_the_next_entry(pad, driver):
    pad.answer = lambda text: (b"\x1b" if text == b"5032" else b"") + pad.usual(text)
    for _ in range(2):
        before = len(pad.commands)

        def typing(before=before):
            pad.wait_for(b"6", 1 + before // 6)
            pad.send(4 * b"\x2a" + b"\x0d")

        soon(typing, 0)
        assert read(driver) == BLOCK


def test_a_key_pressed_before_the_entry_does_not_count(pad, driver):
    driver.status()
    pad.send(b"\x1b\x2a")

    def typing():
        pad.wait_for(b"6")
        pad.send(4 * b"\x2a" + b"\x0d")

    counts = []
    soon(typing, 0)
    assert read(driver, counts) == BLOCK
    assert counts == [1, 2, 3, 4]


def test_unplugged_within_an_entry_then_plugged_again(pad, driver):
    def pull():
        pad.wait_for(b"6")
        pad.unplug()

    soon(pull, 0)
    with pytest.raises(PadGone):
        read(driver)
    assert driver.status() == PadStatus(PadReason.GONE)
    pad.plug()
    assert driver.status().identity.model == "ZT598"
    # A pad that was without power has forgotten its settings.
    assert pad.commands[-2:] == [b"5637", b"3"]


def test_loading_the_master_key(pad, driver):
    driver.load_master_key(bytearray(MASTER))
    assert pad.commands[-1] == b"12021" + MASTER.hex().upper().encode()
    pad.answers[b"1"] = b"1000000"
    with pytest.raises(PadFault):
        driver.load_master_key(bytearray(MASTER))
    for short in (b"1", b"1ABCD", b"1XYZXYZ"):
        pad.answers[b"1"] = short
        with pytest.raises(PadGone):
            driver.load_master_key(bytearray(MASTER))


def test_loading_the_pin_key(pad, driver):
    assert driver.load_pin_key(bytes(range(16))) == bytes.fromhex("A1B2C3D4")
    assert pad.commands[-1] == b"2203032" + bytes(range(16)).hex().upper().encode()
    driver.load_pin_key(bytes(24))
    assert pad.commands[-1] == b"2203033" + b"0" * 48


@pytest.mark.parametrize("length", [0, 7, 8, 15, 17, 25])
def test_keys_of_other_length_are_our_mistake(driver, length):
    with pytest.raises(ValueError):
        driver.load_master_key(bytearray(length))
    with pytest.raises(ValueError):
        driver.load_pin_key(bytes(length))


@pytest.mark.parametrize(
    ("pan", "minimum", "maximum", "timeout"),
    [
        (b"1", 4, 6, 5),
        (b"abcdefabcdef", 4, 6, 5),
        (PAN, 3, 6, 5),
        (PAN, 6, 4, 5),
        (PAN, 4, 13, 5),
        (PAN, 4, 6, 0),
    ],
)
def test_an_entry_out_of_range_is_our_mistake(driver, pan, minimum, maximum, timeout):
    with pytest.raises(ValueError):
        driver.read_pin(pan, minimum, maximum, timeout, lambda count: None)


def test_an_answer_without_block(pad, driver):
    pad.answers[b"7"] = b"70006" + b"0123"

    def typing():
        pad.wait_for(b"6")
        pad.send(b"\x0d")

    soon(typing, 0)
    with pytest.raises(PadGone):
        read(driver)


def test_no_port(tmp_path):
    driver = SzztPinPad(str(tmp_path / "none"), times=QUICK)
    assert driver.status() == PadStatus(PadReason.GONE)
    driver.close()


def test_a_failing_receiver_of_counts_is_seen_and_the_entry_closed(pad, driver):
    def typing():
        pad.wait_for(b"6")
        pad.send(b"\x2a")

    soon(typing, 0)
    with pytest.raises(ZeroDivisionError):
        driver.read_pin(PAN, 4, 6, 10, lambda count: count // 0)
    assert pad.commands[-1] == b"5032"


def test_keys_and_blocks_are_in_no_log_or_error(pad, driver, caplog):
    caplog.set_level(logging.DEBUG)
    told = []
    pad.answer = lambda text: framed(b"\xe7") if text[:1] in b"127" else pad.usual(text)

    def typing():
        pad.wait_for(b"6")
        pad.send(4 * b"\x2a" + b"\x0d")

    soon(typing, 0)
    for call in (
        lambda: driver.load_master_key(bytearray(MASTER)),
        lambda: driver.load_pin_key(MASTER),
        lambda: read(driver),
    ):
        with pytest.raises(PadFault) as caught:
            call()
        told.append(repr(caught.value) + str(caught.value) + repr(driver))
    pad.unplug()
    with pytest.raises(PadGone) as caught_gone:
        driver.load_master_key(bytearray(MASTER))
    told.append(repr(caught_gone.value) + repr(caught_gone.value.__cause__))
    everything = (caplog.text + "".join(told)).upper()
    for secret in (MASTER.hex().upper(), "0123456789ABCDEF", PAN.decode()):
        assert secret not in everything
