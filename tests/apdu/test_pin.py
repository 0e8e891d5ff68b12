"""The PIN: packed right, shown once, wiped always."""

from typing import Any

import pytest

from apdu import pin as pin_module
from apdu.channel import Channel
from apdu.errors import CardError, CardRemoved, PinBlocked, PinRejected, UnexpectedStatus
from apdu.pin import IllegalPin, change_pin, pack, pin_block, tries_left, verify_pin


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


@pytest.mark.parametrize(
    ("digits", "size", "block"),
    [
        (b"123456", 8, "0312345680000000"),
        (b"1234", 8, "0212348000000000"),
        (b"12345", 8, "0312345F80000000"),
        (b"123456789012", 8, "0612345678901280"),
        (b"123456", 16, "03123456800000000000000000000000"),
        (b"1234567", 16, "041234567F8000000000000000000000"),
        (b"1234567890123456", 16, "08123456789012345680000000000000"),
    ],
)
def test_a_reloaded_pin_is_one_block(digits: bytes, size: int, block: str) -> None:
    assert pin_block(bytearray(digits), size) == bytes.fromhex(block)


@pytest.mark.parametrize(
    ("digits", "size"), [(b"1234567890123", 8), (b"123", 8), (b"12345678901234567", 16)]
)
def test_a_pin_that_does_not_go_into_one_block(digits: bytes, size: int) -> None:
    with pytest.raises(IllegalPin):
        pin_block(bytearray(digits), size)


def test_the_profile_bounds_a_reloaded_pin_too() -> None:
    with pytest.raises(IllegalPin):
        pin_block(bytearray(b"12345"), 16, shortest=6, longest=6)


@pytest.mark.parametrize(
    ("answer", "left"),
    [("63C3", 3), ("63CF", 15), ("63C0", 0), ("6983", 0), ("9000", None), ("6300", None)],
)
def test_the_tries_left_are_asked_with_an_empty_verify(
    scripted: Any, answer: str, left: int | None
) -> None:
    assert tries_left(Channel(scripted(("00200000", answer)))) == left


@pytest.mark.parametrize("answer", ["6700", "6985", "6108", "9303"])
def test_a_card_that_does_not_know_the_question(scripted: Any, answer: str) -> None:
    with pytest.raises(CardError):
        tries_left(Channel(scripted(("00200000", answer))))


@pytest.mark.parametrize(
    ("answer", "error", "tries"),
    [
        ("9000", None, None),
        ("63C2", PinRejected, 2),
        ("63C6", PinRejected, 6),
        ("63C0", PinBlocked, None),
        ("6983", PinBlocked, None),
        ("6108", UnexpectedStatus, None),
        ("6985", UnexpectedStatus, None),
        (CardRemoved(), CardRemoved, None),
        ("", CardError, None),
    ],
)
@pytest.mark.parametrize(
    ("old", "new", "command"),
    [
        (b"975318", b"864209", "805E010007975318FF864209"),
        (b"97531", b"8642", "805E01000697531FFF8642"),
        (b"9753", b"86420", "805E0100069753FF86420F"),
    ],
)
def test_one_change_and_zeros_afterwards(
    scripted: Any,
    monkeypatch: pytest.MonkeyPatch,
    old: bytes,
    new: bytes,
    command: str,
    answer: str | CardError,
    error: type[CardError] | None,
    tries: int | None,
) -> None:
    ours: list[bytearray] = []
    for name in ("pack", "change_pin_command"):
        monkeypatch.setattr(f"apdu.pin.{name}", keeping(name, ours))
    card = scripted((command, answer))
    typed = bytearray(old), bytearray(new)
    if error is None:
        change_pin(Channel(card), *typed)
    else:
        with pytest.raises(error) as caught:
            change_pin(Channel(card), *typed)
        assert getattr(caught.value, "tries_left", None) == tries
        assert not any(pin.decode() in repr(caught.value) for pin in (old, new))
    assert len(ours) == 3
    assert not any(any(buffer) for buffer in (*typed, *ours, *card.buffers))


def keeping(name: str, kept: list[bytearray]) -> Any:
    """The function of `apdu.pin` that also keeps the buffer that it made or was given."""
    function = getattr(pin_module, name)

    def spy(buffer: bytearray, **limits: int) -> Any:
        result = function(buffer, **limits)
        kept.append(result if isinstance(result, bytearray) else buffer)
        return result

    return spy


@pytest.mark.parametrize(("old", "new"), [(b"123", b"1234"), (b"1234", b"12x4")])
def test_an_illegal_change_never_reaches_the_card(scripted: Any, old: bytes, new: bytes) -> None:
    typed = bytearray(old), bytearray(new)
    with pytest.raises(IllegalPin):
        change_pin(Channel(scripted()), *typed)
    assert not any(map(any, typed))
