"""Item formats: strict when we write, lenient when we read."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.formats import Format, Unreadable, Value, decode, encode, text_bytes

CHINESE = st.text("王芳李娜阿依古丽·买提𠮷㐂ABc1", min_size=1, max_size=7)
DIGITS = st.text("0123456789", min_size=1, max_size=8).filter(lambda text: text.strip("0") != "")


@given(CHINESE, st.sampled_from([b"", b"\x00", b" ", b"\xff"]), st.integers(0, 9))
def test_text_comes_back_under_any_padding(text: str, pad: bytes, count: int) -> None:
    stored = text.encode("gb18030") + pad * count
    assert decode(Format.ANS, stored, 30) == text
    assert decode(Format.ANS, encode(Format.ANS, text, 40), 40) == text


@given(DIGITS)
def test_digits_come_back(digits: str) -> None:
    if digits.ljust(8, "F") in ("20202020",):
        return
    assert decode(Format.CN, encode(Format.CN, digits, 4), 4) == digits


@given(st.dates())
def test_dates_come_back(day: date) -> None:
    assert decode(Format.CN_DATE, encode(Format.CN_DATE, day, 4), 4) == day


@given(st.sampled_from(list(Format)), st.binary(max_size=40), st.integers(1, 30))
def test_reading_never_fails(form: Format, raw: bytes, length: int) -> None:
    value = decode(form, raw, length)
    assert value is None or isinstance(value, (str, bytes, date, int, Unreadable))


@pytest.mark.parametrize(
    ("form", "length", "stored", "value"),
    [
        (Format.AN, 4, "322E3000", "2.0"),
        (Format.AN, 4, "322E3020", "2.0"),
        (Format.AN, 4, "00000000", None),
        (Format.AN, 4, "20202020", None),
        (Format.ANS, 30, "", None),
        (Format.CN, 1, "20", "20"),
        (Format.CN, 1, "FF", None),
        (Format.CN, 1, "00", None),
        (Format.CN, 3, "202020", None),
        (Format.CN, 2, "123F", "123"),
        (Format.CN, 2, "12340000", "1234"),
        (Format.CN_HEX, 2, "00D5", "00D5"),
        (Format.CN_DATE, 4, "20240229", date(2024, 2, 29)),
        (Format.CN_DATE, 4, "2024022900", date(2024, 2, 29)),
        (Format.CN_DATE, 4, "20202020", None),
        (Format.CN_DATE, 4, "FFFFFFFF", None),
        (Format.B, 2, "CAFE0000", b"\xca\xfe"),
    ],
)
def test_real_cards_oddities_are_read(
    form: Format, length: int, stored: str, value: Value | None
) -> None:
    assert decode(form, bytes.fromhex(stored), length) == value


@pytest.mark.parametrize(
    ("form", "length", "stored"),
    [
        (Format.CN_DATE, 4, "32303132"),  # the ASCII year where four BCD bytes belong
        (Format.CN_DATE, 4, "3230323430323239"),  # and the ASCII date in eight
        (Format.CN_DATE, 4, "20240230"),
        (Format.CN_DATE, 4, "202402"),
        (Format.CN_DATE, 4, "20240229AA"),
        (Format.CN, 2, "1A2B"),
        (Format.CN, 1, "1234"),
        (Format.ANS, 4, "CDF5B7"),  # half a character
        (Format.B, 2, "CA"),
        (Format.B, 2, "CAFEBABE"),
    ],
)
def test_what_nobody_can_read_is_reported(form: Format, length: int, stored: str) -> None:
    raw = bytes.fromhex(stored)
    assert decode(form, raw, length) == Unreadable(raw)


@pytest.mark.parametrize(
    ("form", "value", "length"),
    [
        (Format.AN, "王", 4),
        (Format.AN, "12345", 4),
        (Format.AN, "1 ", 4),
        (Format.AN, b"1", 4),
        (Format.ANS, "王芳", 3),
        (Format.ANS, "\ud800", 9),
        (Format.CN, "12A", 4),
        (Format.CN, "123", 1),
        (Format.CN, "１", 4),
        (Format.CN_DATE, "20240229", 4),
        (Format.CN_DATE, date(2024, 2, 29), 3),
        (Format.B, b"\x01", 2),
        (Format.B, "01", 1),
    ],
)
def test_writing_is_strict(form: Format, value: Value, length: int) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        encode(form, value, length)
    assert str(value) not in str(caught.value)


def test_text_bytes_keeps_half_a_character() -> None:
    assert text_bytes(b"\xcd\xf5\xb7  \x00") == b"\xcd\xf5\xb7"
    assert repr(Unreadable(b"secret")) == "Unreadable(6 bytes)"
