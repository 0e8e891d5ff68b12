"""The SZZT PIN pad driver against a scripted pad on a pseudo-terminal."""

import logging
import threading

import pytest

from drivers.pin_pad import (
    KeyMismatch,
    PadFault,
    PadGone,
    PadReason,
    PadReset,
    PadStatus,
    PadTampered,
    PadTrouble,
    PinCancelled,
    PinTimeout,
)
from drivers.szzt.line import szzt_facts
from drivers.szzt.pad import SzztPinPad
from tests.drivers.pad_double import INFORMATION, QUICK, framed, soon

PAN = b"030303030313"
BLOCK = bytes.fromhex("0123456789ABCDEF")
# 8 zero bytes under it begin with 08D7B4FB, which the double answers to command 1.
MASTER = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


def read(driver, counts=None, timeout=10, cancelled=None):
    counts = [] if counts is None else counts
    cancelled = cancelled or threading.Event()
    return driver.read_pin(PAN, 4, 6, timeout, counts.append, cancelled)


def test_the_bytes_of_one_entry(pad, driver):
    counts = []

    def typing():
        pad.wait_for(b"6")
        pad.send(b"\x2a\x2a\x08\x2a\x7f\x7f" + 4 * b"\x2a" + b"\x0d")

    soon(typing, 0)
    assert read(driver, counts) == BLOCK
    assert counts == [1, 2, 1, 2, 0, 1, 2, 3, 4]
    assert pad.commands == [
        b"3", b"5637", b"532A", b"5404", b"5506", b"520A", b"630 006" + PAN, b"3", b"7", b"5032",
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
    cancelled = threading.Event()

    def end():
        pad.wait_for(b"6")
        cancelled.set()

    soon(end, 0)
    with pytest.raises(PinCancelled) as caught:
        read(driver, cancelled=cancelled)
    assert not caught.value.by_resident
    assert pad.commands[-1] == b"5032"

    def typing():
        pad.wait_for(b"6", 2)
        pad.send(4 * b"\x2a" + b"\x0d")

    soon(typing, 0)
    assert read(driver) == BLOCK


def test_a_cancel_before_the_entry_ends_it_at_once(pad, driver):
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(PinCancelled):
        read(driver, cancelled=cancelled)
    assert pad.commands[-1] == b"5032"


def test_a_cancel_while_the_pad_answers_wins_over_its_block(pad, driver):
    cancelled = threading.Event()

    def answer(text):
        if text == b"7":
            cancelled.set()
        return pad.usual(text)

    pad.answer = answer

    def typing():
        pad.wait_for(b"6")
        pad.send(4 * b"\x2a" + b"\x0d")

    soon(typing, 0)
    with pytest.raises(PinCancelled) as caught:
        read(driver, cancelled=cancelled)
    assert not caught.value.by_resident
    assert pad.commands[-2:] == [b"7", b"5032"]


@pytest.mark.parametrize("where", [b"532A", b"6", b"3", b"7"])
def test_two_enters_are_one(pad, driver, where):
    """The second one while the pad starts, answers, or after its block: never the next entry's."""

    def answer(text):
        return pad.usual(text) + (b"\x0d" if text.startswith(where) else b"")

    pad.answer = answer
    for turn in (1, 2):

        def typing(turn=turn):
            pad.wait_for(b"6", turn)
            pad.send(4 * b"\x2a" + b"\x0d\x0d")

        soon(typing, 0)
        assert read(driver) == BLOCK
    assert pad.commands.count(b"5032") == 2


def test_keys_outside_of_an_entry_are_counted_and_told_to_nobody(pad, driver, caplog):
    caplog.set_level(logging.DEBUG)
    driver.status()
    pad.send(b"975310\x0d")
    driver.status()
    driver.status()
    assert driver.ignored_keys == 7
    assert "975310" not in caplog.text and "0d" not in caplog.text

    def typing():
        pad.wait_for(b"6")
        pad.send(4 * b"\x2a" + b"\x0d")

    soon(typing, 0)
    assert read(driver) == BLOCK
    assert driver.ignored_keys == 7
    pad.send(b"9")
    driver.status()
    driver.status()
    assert driver.ignored_keys == 8


def quiet(pad, change):
    """The pad answers as `change` of its usual information says, once an entry is open."""
    pad.answer = lambda text: (
        framed(change(INFORMATION))
        if text == b"3" and pad.commands and pad.commands[-1] == b"3"
        else pad.usual(text)
    )


def settings(value):
    return lambda information: information[:99] + b"%02X" % value + information[101:]


def test_a_pad_that_was_reset_while_somebody_types(pad, driver):
    pad.answers[b"7"] = b"\xe9"
    quiet(pad, settings(0))
    with pytest.raises(PadReset):
        read(driver)
    assert pad.commands[-4:] == [b"3", b"3", b"7", b"5032"]


@pytest.mark.parametrize("key", [b"\x1b", b"\x80"])
def test_a_key_that_comes_while_the_pad_is_looked_at_says_more(pad, driver, key):
    """The pad has no entry any more, but it was not reset."""
    pad.answers[b"7"] = b"\xe9"
    closed = framed(settings(0)(INFORMATION))

    def answer(text):
        looked = text == b"3" and pad.commands[-1:] == [b"3"]
        return key + closed if looked else pad.usual(text)

    pad.answer = answer
    with pytest.raises(PinCancelled if key == b"\x1b" else PinTimeout):
        read(driver)


def test_keys_that_come_before_the_pad_said_how_it_stands_are_counted(pad, driver):
    closed = framed(settings(0)(INFORMATION))
    typed = 4 * b"\x2a" + b"\x0d"

    def answer(text):
        started = text == b"3" and len(pad.commands) > 1
        return typed + closed if started else pad.usual(text)

    pad.answer = answer
    counts = []
    assert read(driver, counts) == BLOCK
    assert counts == [1, 2, 3, 4]


def test_an_enter_that_the_line_lost(pad, driver):
    quiet(pad, settings(0))
    assert read(driver) == BLOCK


def test_a_time_limit_that_the_line_lost(pad, driver):
    pad.answers[b"7"] = b"\xee"
    quiet(pad, settings(0))
    with pytest.raises(PinTimeout):
        read(driver)


def test_a_pad_that_is_opened_while_somebody_types(pad, driver):
    driver.load_pin_key(bytes(16), bytes.fromhex("A1B2C3D4"))
    quiet(pad, settings(1))
    with pytest.raises(PadTampered):
        read(driver)
    pad.answer = lambda text: framed(settings(1)(INFORMATION)) if text == b"3" else pad.usual(text)
    assert driver.status().reason is PadReason.TAMPERED
    pad.answer = lambda text: framed(settings(0)(INFORMATION)) if text == b"3" else pad.usual(text)
    assert driver.status().reason is None


def test_a_pad_that_does_not_say_whether_an_entry_is_open_is_not_asked(pad, driver):
    pad.answers[b"3"] = settings(0)(INFORMATION)
    pad.answers[b"7"] = b"\xe9"
    with pytest.raises(PinTimeout):
        read(driver, timeout=0.3)
    assert pad.commands.count(b"3") == 2  # for its speed, and as the entry began
    assert pad.commands.count(b"7") == 1


def test_a_pad_that_must_not_be_asked_while_somebody_types(pad):
    facts = szzt_facts()
    facts["pin"]["watched"] = False
    driver = SzztPinPad(str(pad.link), times=QUICK, facts=facts)
    with pytest.raises(PinTimeout):
        read(driver, timeout=0.3)
    assert pad.commands.count(b"3") == 1  # for its speed
    assert b"7" not in pad.commands
    driver.close()


def test_somebody_who_is_ready_before_the_pad_said_how_it_stands(pad, driver):
    pad.answers[b"3"] = settings(0)(INFORMATION)
    assert read(driver) == BLOCK


def test_a_pad_that_falls_silent_while_somebody_types(pad, driver):
    def answer(text):
        return None if [text] == pad.commands[-1:] == [b"3"] else pad.usual(text)

    pad.answer = answer
    with pytest.raises(PadGone):
        read(driver)
    assert pad.commands.count(b"3") == 4  # for its speed, as the entry began, and twice in vain


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
    assert pad.commands[-3:] == [b"3", b"5637", b"3"]


def test_loading_the_master_key(pad, driver):
    driver.load_master_key(bytearray(MASTER))
    assert pad.commands[-1] == b"12021" + MASTER.hex().upper().encode()
    pad.answers[b"1"] = b"1000000"
    with pytest.raises(KeyMismatch):
        driver.load_master_key(bytearray(MASTER))
    for short in (b"1", b"1ABCD", b"1XYZXYZ"):
        pad.answers[b"1"] = short
        with pytest.raises(PadGone):
            driver.load_master_key(bytearray(MASTER))


def test_loading_the_pin_key(pad, driver):
    check = bytes.fromhex("A1B2C3D455667788")
    driver.load_pin_key(bytes(range(16)), check)
    assert pad.commands[-1] == b"2203032" + bytes(range(16)).hex().upper().encode()
    driver.load_pin_key(bytes(24), check)
    assert pad.commands[-1] == b"2203033" + b"0" * 48


def test_a_pin_key_with_another_check_value_is_refused_and_the_old_one_reported_lost(pad, driver):
    driver.load_pin_key(bytes(16), bytes.fromhex("A1B2C3D4"))
    with pytest.raises(KeyMismatch):
        driver.load_pin_key(bytes(16), bytes.fromhex("A1B2C3D5"))
    before = len(pad.commands)
    with pytest.raises(KeyMismatch):
        read(driver)
    assert len(pad.commands) == before
    driver.load_pin_key(bytes(16), bytes.fromhex("A1B2C3D4"))
    soon(lambda: (pad.wait_for(b"6"), pad.send(b"\x0d")), 0)
    assert read(driver) == BLOCK


@pytest.mark.parametrize("code", [0xE3, 0xE6, 0xE7])
def test_a_pin_key_that_the_pad_refuses_leaves_the_old_one(pad, driver, code):
    driver.load_pin_key(bytes(16), bytes.fromhex("A1B2C3D4"))
    pad.answers[b"2"] = bytes([code])
    with pytest.raises(PadFault) as caught:
        driver.load_pin_key(bytes(16), bytes.fromhex("A1B2C3D4"))
    assert caught.value.trouble is PadTrouble.KEY_REFUSED
    soon(lambda: (pad.wait_for(b"6"), pad.send(b"\x0d")), 0)
    assert read(driver) == BLOCK


def test_a_pin_key_whose_answer_is_lost_is_lost(pad, driver):
    driver.load_pin_key(bytes(16), bytes.fromhex("A1B2C3D4"))
    pad.answer = lambda text: None if text[:1] == b"2" else pad.usual(text)
    with pytest.raises(PadGone):
        driver.load_pin_key(bytes(16), bytes.fromhex("A1B2C3D4"))
    with pytest.raises(KeyMismatch):
        read(driver)


def test_a_master_key_of_equal_halves_is_single_des(driver):
    half, other = MASTER[:8], MASTER[8:]
    for key in (half + half, half + half + other, other + half + half):
        with pytest.raises(ValueError, match="single DES"):
            driver.load_master_key(bytearray(key))


@pytest.mark.parametrize("length", [0, 7, 8, 15, 17, 25])
def test_keys_of_other_length_are_our_mistake(driver, length):
    with pytest.raises(ValueError):
        driver.load_master_key(bytearray(length))
    with pytest.raises(ValueError):
        driver.load_pin_key(bytes(length), bytes(8))


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
        driver.read_pin(pan, minimum, maximum, timeout, lambda count: None, threading.Event())


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
        driver.read_pin(PAN, 4, 6, 10, lambda count: count // 0, threading.Event())
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
        lambda: driver.load_pin_key(MASTER, MASTER[:8]),
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
