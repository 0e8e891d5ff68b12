"""The answer to reset and the card identification code."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.errors import MalformedAnswer
from apdu.identity import Atr, CardId, consistent

CONTACT = bytes.fromhex("3B6D00000081540A0B8638429900000A17")
CARD_ID = bytes.fromhex("429900D15600000500000A17FFFFFFFF")


def test_a_contact_card() -> None:
    atr = Atr.parse(CONTACT)
    assert len(atr.historical) == 13
    assert atr.card_factor == CONTACT[-8:] == bytes.fromhex("8638429900000A17")


@pytest.mark.parametrize(
    ("raw", "historical"),
    [
        ("3B00", ""),
        ("3B02AABB", "AABB"),
        ("3B828001010203", "0102"),  # TD1 80, TD2 01: T=1, check byte
        ("3BF21100FF8131FE45010299", "0102"),  # TA1..TD1, TD2 31, TA3, TB3
        ("3B921100000102", None),
        ("3B9211000102", "0102"),  # TD1 offers T=0 only: no check byte
    ],
)
def test_historical_bytes_are_found_behind_any_interface_bytes(
    raw: str, historical: str | None
) -> None:
    if historical is None:
        assert Atr.parse(bytes.fromhex(raw)).historical == bytes.fromhex("0001")
    else:
        assert Atr.parse(bytes.fromhex(raw)).historical == bytes.fromhex(historical)


@pytest.mark.parametrize("raw", ["", "3B", "3C00", "3B05AA", "3BF0", "3B80", "3B8280010102"])
def test_broken_answers_to_reset_are_malformed(raw: str) -> None:
    with pytest.raises(MalformedAnswer):
        Atr.parse(bytes.fromhex(raw))


@given(st.binary(max_size=40))
def test_foreign_bytes_parse_or_are_malformed(raw: bytes) -> None:
    for candidate in (raw, b"\x3b" + raw):
        with contextlib.suppress(MalformedAnswer):
            assert len(Atr.parse(candidate).historical) <= 15


def test_too_few_historical_bytes_give_no_factor() -> None:
    with pytest.raises(MalformedAnswer):
        _ = Atr.parse(bytes.fromhex("3B0701020304050607")).card_factor
    assert Atr.parse(bytes.fromhex("3B080102030405060708")).card_factor == bytes(range(1, 9))


def test_the_card_id_tells_region_and_serial() -> None:
    card_id = CardId.parse(CARD_ID)
    assert card_id.region == "429900"
    assert card_id.serial == bytes.fromhex("00000A17")


@pytest.mark.parametrize("raw", [CARD_ID[:15], CARD_ID + b"\0", b"\xaa" + CARD_ID[1:]])
def test_what_is_no_card_id_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        CardId.parse(raw)


@pytest.mark.parametrize("at", [0, 1, 8, 9, 10, 11])
def test_one_foreign_byte_makes_them_inconsistent(at: int) -> None:
    atr = Atr.parse(CONTACT)
    assert consistent(atr, CardId(CARD_ID))
    foreign = bytearray(CARD_ID)
    foreign[at] ^= 1
    assert not consistent(atr, CardId(bytes(foreign)))


def test_bytes_that_the_atr_does_not_repeat_do_not_count() -> None:
    atr = Atr.parse(CONTACT)
    for at in (2, 3, 7, 12, 15):
        other = bytearray(CARD_ID)
        other[at] ^= 1
        assert consistent(atr, CardId(bytes(other)))
    assert not consistent(Atr.parse(b"\x3b\x00"), CardId(CARD_ID))


def test_reprs_name_no_card() -> None:
    assert CONTACT.hex()[-8:] not in (repr(Atr.parse(CONTACT)) + repr(CardId(CARD_ID))).lower()
