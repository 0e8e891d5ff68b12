"""Bytes of secure PIN entry, against bytes that others published.

- OpenSC 309, 1083: structures that OpenSC sent, as users' logs in those reports show them.
- CCID: the fields that the sample program of the CCID driver sets (examples/scardcontrol.c).
- parse: what a Gemalto reader answered, in the sample program of the CCID driver's author
  (parse_PCSC_Part10_features.py).
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.ccid.pin_structure import (
    Confirm,
    Feature,
    MalformedList,
    PinCoding,
    PinEnd,
    PinModification,
    PinPlace,
    PinVerification,
    Property,
    features,
    pin_properties,
    properties,
)

OPENSC_309 = PinVerification(
    PinPlace(PinCoding.ASCII, 0, in_bytes=False),
    6,
    15,
    bytes.fromhex("0020008100"),
    seconds=30,
    seconds_after_key=30,
    messages=0,
    language=0,
)
OPENSC_1083 = replace(
    OPENSC_309, shortest=4, longest=12, messages=0xFF, command=bytes.fromhex("00200001")
)
CCID_VERIFY = PinVerification(
    PinPlace(PinCoding.ASCII, 4),
    4,
    8,
    bytes.fromhex("0020000008") + b"0000" + bytes(4),
    messages=1,
    language=0x0904,
)
CCID_MODIFY = PinModification(
    PinPlace(PinCoding.ASCII, 4),
    4,
    8,
    bytes.fromhex("0024000008") + b"00000000",
    messages=3,
    language=0x0904,
    new_at=4,
    prompts=(0, 0, 0),
)
FEATURES = bytes.fromhex("060442330006 070442330007 0A044233000A 120442330012")
PROPERTIES = bytes.fromhex(
    "01021102 04021100 05020200 030100 081547656D4944427269646765204354377830413331 6A"
    "060104 070110 020102 090100 0B02E608 0C02C234 0A0400000100"
)


@pytest.mark.parametrize(
    ("entry", "octets"),
    [
        (OPENSC_309, "1E1E0200000F06020000000000000005 0000000020008100"),
        (OPENSC_1083, "1E1E0200000C0402FF00000000000004 00000000200001"),
        (
            CCID_VERIFY,
            "00 00 82 04 00 08 04 02 01 04 09 00 00 00 00 0D 00 00 00"
            "00 20 00 00 08 30 30 30 30 00 00 00 00",
        ),
        (
            CCID_MODIFY,
            "00 00 82 04 00 00 04 08 04 03 02 03 04 09 00 00 00 00 00 00 0D 00 00 00"
            "00 24 00 00 08 30 30 30 30 30 30 30 30",
        ),
    ],
    ids=["opensc-309", "opensc-1083", "ccid-verify", "ccid-modify"],
)
def test_published_structures(entry, octets):
    assert entry.encode() == bytes.fromhex(octets)


def test_published_features():
    assert features(FEATURES) == {
        Feature.VERIFY_PIN_DIRECT: 0x42330006,
        Feature.MODIFY_PIN_DIRECT: 0x42330007,
        Feature.IFD_PIN_PROPERTIES: 0x4233000A,
        Feature.GET_TLV_PROPERTIES: 0x42330012,
    }


def test_published_properties():
    assert properties(PROPERTIES) == {
        Property.LCD_LAYOUT: 0x0211,
        Property.SHORTEST_PIN: 4,
        Property.LONGEST_PIN: 16,
    }


def test_the_older_properties():
    # APG8201-B2 reference manual 1.00, 9.3.4: two lines of 16 characters.
    assert pin_properties(bytes.fromhex("10020700")) == {Property.LCD_LAYOUT: 0x0210}
    assert pin_properties(bytes.fromhex("000002")) == {Property.LCD_LAYOUT: 0}
    with pytest.raises(MalformedList):
        pin_properties(b"\x00")


@pytest.mark.parametrize("coding", PinCoding)
@pytest.mark.parametrize("position", [0, 1, 15])
@pytest.mark.parametrize("in_bytes", [False, True])
def test_every_bit_of_the_format(coding, position, in_bytes):
    string, block, length = PinPlace(coding, 7, position, in_bytes).encode()
    assert (string & 0b11, string >> 3 & 0b1111, string >> 7) == (coding.value, position, in_bytes)
    assert not string & 0b100  # left
    assert (block, length) == (7, 0)


def test_bits_of_end_and_confirmation():
    ends = PinEnd.LONGEST | PinEnd.TIME
    assert replace(OPENSC_309, end=ends).encode()[7] == 5
    assert replace(CCID_MODIFY, confirm=Confirm.OLD_FIRST).encode()[9] == 2
    assert replace(CCID_MODIFY, confirm=Confirm.NEW_TWICE).encode()[9] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"place": PinPlace(PinCoding.BCD, 16)},
        {"place": PinPlace(PinCoding.BCD, 3, 16)},
        {"seconds": 256},
        {"longest": 256},
        {"shortest": -1},
    ],
)
def test_a_field_that_does_not_take_its_value(change):
    with pytest.raises(ValueError):
        replace(OPENSC_309, **change).encode()


@pytest.mark.parametrize("field", ["end", "messages", "language", "message", "seconds", "longest"])
def test_a_number_that_its_field_does_not_take(field):
    for number in (-1, 0x10000):
        with pytest.raises(ValueError):
            replace(OPENSC_309, **{field: number}).encode()


@pytest.mark.parametrize("cut", range(1, len(FEATURES)))
def test_a_cut_list_is_seen(cut):
    whole = len(FEATURES[:cut]) % 6 == 0
    if whole:
        assert len(features(FEATURES[:cut])) == cut // 6
    else:
        with pytest.raises(MalformedList):
            features(FEATURES[:cut])


def test_a_control_code_of_another_length():
    with pytest.raises(MalformedList):
        features(bytes.fromhex("0602 4233"))


def test_unknown_tags_are_nothing():
    assert features(bytes.fromhex("130442000001")) == {}


@given(st.binary(max_size=60))
def test_garbage_is_a_list_or_malformed(octets):
    for read in (features, properties, pin_properties):
        try:
            found = read(octets)
        except MalformedList:
            continue
        assert all(value >= 0 for value in found.values())
