"""The SZZT pad's line: damaged, late and missing answers, errors, status."""

import pytest

from drivers.pin_pad import PadFault, PadIdentity, PadNote, PadReason, PadStatus
from drivers.szzt import _status_of
from tests.drivers.pad_double import INFORMATION, framed


def once(double, raw):
    """Answer the next command but the first (5637) with these raw bytes, then as usual."""
    left = [raw]

    def answer(text):
        return left.pop() if left and text != b"5637" else double.usual(text)

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
    assert pad.commands.count(b"3") == times


@pytest.mark.parametrize("raw", [b"", bad_xor(GOOD), GOOD[:-1]])
def test_never_a_readable_answer(pad, driver, raw):
    pad.answer = lambda text: raw if text == b"3" else pad.usual(text)
    assert driver.status() == PadStatus(PadReason.GONE)
    assert pad.commands.count(b"3") == 2


def test_a_late_answer_is_not_taken_for_the_next_command(pad, driver):
    driver.status()
    pad.send(framed(b"\xef"))
    assert driver.status().identity.model == "ZT598"


@pytest.mark.parametrize("code", range(0xE0, 0xF0))
def test_error_answers_have_a_meaning(pad, driver, code):
    pad.answer = lambda text: framed(bytes([code])) if text[:1] in b"23" else pad.usual(text)
    with pytest.raises(PadFault) as caught:
        driver.load_pin_key(bytes(16))
    assert caught.value.code == code and caught.value.meaning
    low = code == 0xE0
    status = driver.status()
    assert status.reason is (None if low else PadReason.FAULT)
    assert status.notes == ({PadNote.BATTERY_LOW} if low else set())


@pytest.mark.parametrize("settings", range(256))
def test_every_settings_byte_has_one_most_urgent_obstacle(settings):
    information = INFORMATION[:99] + b"%02X" % settings + INFORMATION[101:]
    expected = {0: None, 1: PadReason.NO_KEY, 2: PadReason.BUSY, 3: PadReason.NO_KEY}
    assert _status_of(information).reason is expected[settings & 3]
