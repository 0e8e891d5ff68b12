"""PIN blocks, PIN keys and account digits."""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from hypothesis import given
from hypothesis import strategies as st

from drivers import pin_block
from drivers.pin_block import (
    MalformedPinBlock,
    PinFormat,
    UnusableCardNumber,
    fresh_pin_key,
    is_single_des,
    key_check_value,
    open_pin_block,
    pan_for_card_number,
    wipe,
    wrap_pin_key,
)

PAN = b"987654321098"
KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


def seal(clear: bytes, key: bytes = KEY) -> bytes:
    """3DES as the pad does it, not by the code under test."""
    context = Cipher(TripleDES((key + key[:8])[:24]), modes.ECB()).encryptor()
    return context.update(clear) + context.finalize()


def clear_block(pin: str, pan: bytes = PAN) -> bytes:
    left = bytes.fromhex(f"0{len(pin):X}{pin}".ljust(16, "F"))
    return bytes(a ^ b for a, b in zip(left, bytes.fromhex("0000" + pan.decode()), strict=True))


@pytest.mark.parametrize(
    ("pin", "pan", "clear"),
    [
        # IDTECH's and EFTlab's knowledge bases, "PIN blocks": account 43219876543210987.
        ("1234", b"987654321098", "0412AC89ABCDEF67"),
        # A payment module's manual, "Format 01": account 4000 0012 3456 2.
        ("92389", b"400000123456", "0592789FFFEDCBA9"),
    ],
)
def test_published_blocks_of_format_0(pin, pan, clear):
    assert clear_block(pin, pan).hex().upper() == clear
    assert open_pin_block(seal(bytes.fromhex(clear)), bytearray(KEY), pan) == pin.encode()


def block_of(form, pin, fill, pan=PAN):
    """Of any format, by ISO 9564-1: control, length, digits, fill; the account over it."""
    nibbles = [{"0": 0, "1": 1, "3": 3}[form.value[-1]], len(pin), *map(int, pin), *fill]
    left = bytes(a << 4 | b for a, b in zip(nibbles[::2], nibbles[1::2], strict=True))
    right = bytes(8) if form is PinFormat.ISO_1 else bytes.fromhex("0000" + pan.decode())
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


FILLS = {PinFormat.ISO_0: [15], PinFormat.ISO_1: range(16), PinFormat.ISO_3: range(10, 16)}


@given(st.sampled_from(PinFormat), st.text("0123456789", min_size=4, max_size=12), st.data())
def test_any_format_comes_back_and_no_other_opens_it(form, pin, data):
    fills = st.lists(st.sampled_from(FILLS[form]), min_size=14 - len(pin), max_size=14 - len(pin))
    block = seal(block_of(form, pin, data.draw(fills)))
    assert open_pin_block(block, bytearray(KEY), PAN, form) == pin.encode()
    for other in set(PinFormat) - {form}:
        with pytest.raises(MalformedPinBlock):
            open_pin_block(block, bytearray(KEY), PAN, other)


@pytest.mark.parametrize("form", PinFormat)
@pytest.mark.parametrize("nibble", range(16))
def test_what_may_fill_a_block(form, nibble):
    usual = FILLS[form][-1]
    block = seal(block_of(form, "975310", [usual] * 4 + [nibble] + [usual] * 3))
    if nibble in FILLS[form]:
        assert open_pin_block(block, bytearray(KEY), PAN, form) == b"975310"
    else:
        with pytest.raises(MalformedPinBlock):
            open_pin_block(block, bytearray(KEY), PAN, form)


def test_keys_that_are_single_des():
    a, b, c = KEY[:8], KEY[8:], KEY[::-1][:8]
    assert all(is_single_des(bytearray(key)) for key in (a + a, a + a + b, b + a + a))
    assert not any(is_single_des(bytearray(key)) for key in (a + b, a + b + a, a + b + c))


def test_triple_des_of_the_standard():
    # NIST SP 800-67, appendix B.1.
    key = bytearray.fromhex("0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123")
    plain = bytearray(b"The qufck brown fox jump")
    assert wrap_pin_key(plain, key).hex() == ("a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900")


@given(
    st.text("0123456789", min_size=4, max_size=12), st.text("0123456789", min_size=12, max_size=12)
)
def test_any_pin_comes_back(pin, digits):
    pan = digits.encode()
    opened = open_pin_block(seal(clear_block(pin, pan)), bytearray(KEY), pan)
    assert isinstance(opened, bytearray) and opened == pin.encode()


@pytest.mark.parametrize(
    "left",
    [
        "141234FFFFFFFFFF",  # another format
        "03123FFFFFFFFFFF",  # too short
        "0D1234567890123F",  # too long
        "04123AFFFFFFFFFF",  # no digit
        "041234FFFFFFFFF0",  # no fill
        "0612345FFFFFFFFF",  # shorter than it says
    ],
)
def test_what_format_0_does_not_allow(left):
    pan = bytes.fromhex("0000" + PAN.decode())
    block = bytes(a ^ b for a, b in zip(bytes.fromhex(left), pan, strict=True))
    with pytest.raises(MalformedPinBlock) as caught:
        open_pin_block(seal(block), bytearray(KEY), PAN)
    assert "1234" not in str(caught.value)


@given(st.binary(max_size=20).filter(lambda block: len(block) != 8))
def test_other_lengths_are_malformed(block):
    with pytest.raises(MalformedPinBlock):
        open_pin_block(block, bytearray(KEY), PAN)


def test_wrong_key_and_wrong_account_are_malformed():
    block = seal(clear_block("975310"))
    with pytest.raises(MalformedPinBlock):
        open_pin_block(block, bytearray(KEY[::-1]), PAN)
    with pytest.raises(MalformedPinBlock):
        open_pin_block(block, bytearray(KEY), b"000000000000")


@pytest.mark.parametrize("pan", [b"", b"12345678901", b"12345678901g", b"abcdefabcdef"])
def test_an_account_part_of_other_form_is_our_mistake(pan):
    with pytest.raises(ValueError):
        open_pin_block(bytes(8), bytearray(KEY), pan)


@pytest.mark.parametrize("length", [0, 8, 15, 17, 23, 25])
def test_a_key_of_other_length_is_our_mistake(length):
    with pytest.raises(ValueError):
        open_pin_block(bytes(8), bytearray(length), PAN)


def test_buffers_in_between_are_zeroed(monkeypatch):
    wiped = []

    def spy(buffer):
        wiped.append((bytes(buffer), buffer))
        wipe(buffer)

    monkeypatch.setattr(pin_block, "wipe", spy)
    key = bytearray(KEY)
    open_pin_block(seal(clear_block("975310")), key, PAN)
    contents = [before for before, _ in wiped]
    assert KEY + KEY[:8] in contents
    assert clear_block("975310") in contents
    assert clear_block("975310") + bytes(7) in contents
    assert bytes([0, 6, 9, 7, 5, 3, 1, 0, *[0x0F] * 8]) in contents
    assert all(not any(buffer) for _, buffer in wiped)
    assert key == KEY


@pytest.mark.parametrize(
    ("number", "pan"),
    [
        ("A00000012", b"030303030313"),  # 41 30 30 30 30 30 30 31 32
        ("42990012X", b"939303031325"),  # 34 32 39 39 30 30 31 32 58
        ("J00000J12", b"03030304A313"),  # 4A 30 30 30 30 30 4A 31 32
        ("1234567", b"132333435363"),
        ("4299001990012", b"429900199001"),
        ("429900199001011234", b"019900101123"),
        ("6200000000000000017", b"000000000001"),
    ],
)
def test_account_digits_of_a_card_number(number, pan):
    assert pan_for_card_number(number) == pan


@pytest.mark.parametrize("number", ["", "123456", "社保卡号一二三四五六七八九", "ABCDEFGHIJKLMNO"])
def test_card_numbers_without_account_digits(number):
    with pytest.raises(UnusableCardNumber) as caught:
        pan_for_card_number(number)
    assert not number or number not in str(caught.value)


def test_fresh_keys_are_odd_and_different():
    first, second = fresh_pin_key(), fresh_pin_key()
    assert first != second and first[:8] != first[8:]
    assert len(first) == 16
    assert all(octet.bit_count() % 2 == 1 for octet in first)


def test_wrapping_and_check_value():
    master, key = fresh_pin_key(), fresh_pin_key()
    assert wrap_pin_key(key, master) == seal(bytes(key[:8]), bytes(master)) + seal(
        bytes(key[8:]), bytes(master)
    )
    assert key_check_value(key) == seal(bytes(8), bytes(key))


def test_wipe():
    buffer = bytearray(b"975310")
    wipe(buffer)
    assert buffer == bytes(6)
