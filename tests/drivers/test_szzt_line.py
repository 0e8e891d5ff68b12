"""The SZZT pad's line: damaged, late and missing answers, errors, status."""

import termios
from typing import assert_never

import pytest

from drivers.pin_pad import (
    PadFault,
    PadIdentity,
    PadNote,
    PadReason,
    PadStatus,
    PadTampered,
    PadTrouble,
)
from drivers.szzt.errors import error_of
from drivers.szzt.information import read_information
from drivers.szzt.line import szzt_facts
from drivers.szzt.pad import SzztPinPad
from tests.drivers.pad_double import INFORMATION, QUICK, PadDouble, framed


def once(double, raw):
    """Answer the first command after 5637 with these raw bytes, then as usual."""
    left = [raw]

    def answer(text):
        ready = left and double.commands[-1:] == [b"5637"]
        return left.pop() if ready else double.usual(text)

    double.answer = answer


def test_status(pad, driver):
    status = driver.status()
    assert status == PadStatus(PadReason.BUSY, identity=PadIdentity("ZT598", "1.0", "2.1", "0042"))


@pytest.mark.parametrize("answer", [b"3", b"3" + b"X" * 146, INFORMATION[:120]])
def test_a_status_of_other_form(pad, driver, answer):
    pad.answers[b"3"] = answer
    assert driver.status() == PadStatus(PadReason.GONE)


def bad_xor(frame):
    return frame[:-1] + (b"0" if frame[-1:] != b"0" else b"1")


GOOD = framed(INFORMATION)


@pytest.mark.parametrize(
    ("raw", "times"),
    [
        (bad_xor(GOOD), 2),
        (GOOD[:-2], 2),
        (GOOD[:20] + GOOD[23:], 2),
        (b"", 2),
        (b"\x00\xff\x55" + GOOD, 1),
        (b"\x02" + GOOD, 1),
        (b"\x02\x30" + GOOD, 1),
        (b"\x02" + b"009" + b"\x2a" + GOOD, 1),
        (bad_xor(framed(b"5")) + GOOD, 1),
        (b"\x02900", 2),
    ],
    ids=["xor", "end", "middle", "mute", "noise", "stx", "stx-digit", "false-head", "two", "long"],
)
def test_one_damaged_answer_is_asked_for_again(pad, driver, raw, times):
    once(pad, raw)
    assert driver.status().identity.model == "ZT598"
    assert pad.commands.count(b"3") == 1 + times


@pytest.mark.parametrize("raw", [b"", bad_xor(GOOD), GOOD[:-1]])
def test_never_a_readable_answer(pad, driver, raw):
    assert driver.status().identity.model == "ZT598"
    pad.answer = lambda text: raw if text == b"3" else pad.usual(text)
    assert driver.status() == PadStatus(PadReason.GONE)
    assert pad.commands.count(b"3") == 4


def test_a_key_pressed_in_the_middle_of_an_answer_costs_a_repeat_and_is_no_key(pad, driver):
    half = len(GOOD) // 2
    once(pad, GOOD[:half] + b"\x2a" + GOOD[half:])
    assert driver.status().identity.model == "ZT598"
    assert pad.commands.count(b"3") == 3
    # What is left over of the answer when its length was reached is a bare byte of no entry.
    assert driver.ignored_keys <= 1


class SlowPad(PadDouble):
    """Answers only at one speed."""

    def __init__(self, link, speed):
        self.speed = speed
        self.heard = []
        super().__init__(link)

    def usual(self, command):
        speed = termios.tcgetattr(self.master)[4]
        self.heard.append(speed)
        return super().usual(command) if speed == self.speed else None


@pytest.fixture
def slow(tmp_path):
    double = SlowPad(tmp_path / "pad", termios.B38400)
    yield double
    double.unplug()


def test_a_pad_at_another_speed_is_found_and_its_speed_kept(slow):
    driver = SzztPinPad(str(slow.link), times=QUICK)
    assert driver.status().identity.model == "ZT598"
    assert slow.heard == [termios.B9600, termios.B19200, *3 * [termios.B38400]]
    driver.close()
    assert driver.status().identity.model == "ZT598"
    assert slow.heard[5:] == 3 * [termios.B38400]
    driver.close()


def test_a_pad_at_no_known_speed_is_gone(slow):
    slow.speed = termios.B300
    driver = SzztPinPad(str(slow.link), times=QUICK)
    assert driver.status() == PadStatus(PadReason.GONE)
    assert len(slow.heard) == len(szzt_facts()["frame"]["bauds"]) == len(set(slow.heard))
    driver.close()


def test_a_speed_that_is_given_is_the_only_one(slow):
    driver = SzztPinPad(str(slow.link), 9600, times=QUICK)
    assert driver.status() == PadStatus(PadReason.GONE)
    assert set(slow.heard) == {termios.B9600}
    driver.close()


def test_a_late_answer_is_not_taken_for_the_next_command(pad, driver):
    driver.status()
    pad.send(framed(b"\xef"))
    assert driver.status().identity.model == "ZT598"


TROUBLES = {
    PadTrouble.BATTERY_LOW: {0xE0},
    PadTrouble.KEYS_LOST: {0xE1, 0xE2, 0xE4, 0xE5},
    PadTrouble.LOCKED: {0xEC, 0xED},
    PadTrouble.KEY_REFUSED: {0xE3, 0xE6, 0xE7},
    PadTrouble.MISUSED: {0xE8, 0xE9, 0xEB},
    PadTrouble.TIMED_OUT: {0xEE},
    PadTrouble.DEFECT: {0xEA, 0xEF},
}


def standing(trouble):
    """How a pad stands that answers command 3 so."""
    match trouble:
        case PadTrouble.BATTERY_LOW:
            return PadStatus(None, frozenset({PadNote.BATTERY_LOW}))
        case PadTrouble.KEYS_LOST | PadTrouble.LOCKED:
            return PadStatus(PadReason.TAMPERED)
        case PadTrouble.KEY_REFUSED | PadTrouble.MISUSED | PadTrouble.TIMED_OUT | PadTrouble.DEFECT:
            return PadStatus(PadReason.FAULT)
        case _:
            assert_never(trouble)


@pytest.mark.parametrize("code", range(0xE0, 0xF0))
def test_every_error_amounts_to_one_trouble(pad, driver, code):
    (expected,) = (trouble for trouble, codes in TROUBLES.items() if code in codes)
    error = error_of(code, szzt_facts())
    assert (error.code, error.trouble) == (code, expected)
    assert error.meaning
    tampered = expected in (PadTrouble.KEYS_LOST, PadTrouble.LOCKED)
    assert isinstance(error, PadTampered) is tampered
    pad.answer = lambda text: framed(bytes([code])) if text[:1] in b"23" else pad.usual(text)
    with pytest.raises(PadFault) as caught:
        driver.load_pin_key(bytes(16), bytes(8))
    assert (type(caught.value), caught.value.code) == (type(error), code)
    assert driver.status() == standing(expected)


def test_there_are_sixteen_errors():
    assert sorted(szzt_facts()["errors"]) == [f"{code:02X}" for code in range(0xE0, 0xF0)]
    assert set(TROUBLES) == set(PadTrouble)


@pytest.mark.parametrize("settings", range(256))
def test_every_settings_byte_has_one_most_urgent_obstacle(settings):
    information = read_information(INFORMATION[:99] + b"%02X" % settings + INFORMATION[101:])
    expected = {0: None, 1: PadReason.NO_KEY, 2: PadReason.BUSY, 3: PadReason.NO_KEY}
    assert information.status.reason is expected[settings & 3]
    assert information.has_master_key is not bool(settings & 1)
    assert information.takes_keys is bool(settings & 2)


def test_a_pad_that_lost_its_keys_is_not_one_that_never_had_any(pad, driver):
    blank = INFORMATION[:99] + b"01" + INFORMATION[101:]
    pad.answers[b"3"] = blank
    assert driver.status().reason is PadReason.NO_KEY
    pad.answers[b"3"] = INFORMATION
    driver.status()
    pad.answers[b"3"] = blank
    assert driver.status().reason is PadReason.TAMPERED
    driver.load_pin_key(bytes(16), bytes.fromhex("A1B2C3D4"))
    pad.answers[b"3"] = INFORMATION
    assert driver.status().reason is PadReason.BUSY


def test_a_blank_pad_that_wants_to_be_authorised_is_tampered_with(pad, driver):
    pad.answers[b"3"] = INFORMATION[:99] + b"01" + INFORMATION[101:]
    pad.answers[b"2"] = b"\xec"
    with pytest.raises(PadTampered):
        driver.load_pin_key(bytes(16), bytes(8))
    assert driver.status().reason is PadReason.TAMPERED
