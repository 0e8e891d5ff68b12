"""The PIN: packed right, shown once, wiped always."""

from typing import Any

import pytest

from apdu.channel import Channel
from apdu.errors import CardError, CardRemoved, PinBlocked, PinRejected, UnexpectedStatus
from apdu.pin import IllegalPin, pack, verify_pin


@pytest.mark.parametrize(
    ("digits", "packed"),
    [
        (b"1234", "1234"),
        (b"123456", "123456"),
        (b"12345", "12345F"),
        (b"0000", "0000"),
        (b"1234567890123456", "1234567890123456"),
    ],
)
def test_two_digits_a_byte(digits: bytes, packed: str) -> None:
    assert pack(bytearray(digits)) == bytes.fromhex(packed)


@pytest.mark.parametrize("digits", [b"", b"123", b"12345678901234567", b"12a4", b"12 4", b"12:4"])
def test_an_illegal_pin_never_reaches_the_card(scripted: Any, digits: bytes) -> None:
    buffer = bytearray(digits)
    with pytest.raises(IllegalPin) as caught:
        verify_pin(Channel(scripted()), buffer)
    assert not any(buffer)
    assert len(digits) < 3 or digits.decode() not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "error", "tries"),
    [
        ("9000", None, None),
        ("63C2", PinRejected, 2),
        ("63CF", PinRejected, 15),
        ("63C0", PinBlocked, None),
        ("6983", PinBlocked, None),
        ("6108", UnexpectedStatus, None),
        ("6C08", UnexpectedStatus, None),
        ("6700", UnexpectedStatus, None),
        ("", CardError, None),
        (CardRemoved(), CardRemoved, None),
    ],
)
def test_one_verify_and_zeros_afterwards(
    scripted: Any, answer: str | CardError, error: type[CardError] | None, tries: int | None
) -> None:
    card = scripted(("0020000003123456", answer))
    digits = bytearray(b"123456")
    if error is None:
        verify_pin(Channel(card), digits)
    else:
        with pytest.raises(error) as caught:
            verify_pin(Channel(card), digits)
        assert "123456" not in repr(caught.value)
        assert getattr(caught.value, "tries_left", None) == tries
    assert digits == bytearray(6)
    assert card.buffers == [bytearray(8)]


def test_the_packed_copy_is_wiped_too(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[bytearray] = []

    def spy(digits: bytearray, **limits: int) -> bytearray:
        packed.append(pack(digits, **limits))
        return packed[0]

    monkeypatch.setattr("apdu.pin.pack", spy)
    verify_pin(Channel(scripted(("0020000003123456", "9000"))), bytearray(b"123456"))
    assert packed == [bytearray(3)]
