"""What is written into a module, and that no more is."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gm65.scanner import gm65_facts
from drivers.gm65.settings import Setting, changes, settings_of

SETTINGS = settings_of(gm65_facts())
ADDRESSES = sorted({setting.address for setting in SETTINGS})
MASKS = {
    address: sum(setting.mask for setting in SETTINGS if setting.address == address)
    for address in ADDRESSES
}
OURS = {0x0000: 0x55, 0x0003: 0x02, 0x0006: 0x32, 0x000D: 0x00, 0x0060: 0x01}
"""Reads on command for 5 s, lamps while it reads, beep; no setting codes; serial; CR."""


def varied(**changed):
    facts = gm65_facts()
    facts["trigger"]["read_seconds"] = changed.get("read_seconds", 5.0)
    facts["frame"]["end_mark"] = changed.get("end_mark", "0D")
    for row in facts["register"]:
        if row["name"] in changed:
            row["wanted"] = changed[row["name"]]
    return facts


def test_no_bit_belongs_to_two_settings():
    for one, other in itertools.combinations(SETTINGS, 2):
        assert one.address != other.address or not one.mask & other.mask


def test_a_module_from_the_box():
    box = {0x0000: 0xD6, 0x0003: 0x00, 0x0006: 0x32, 0x000D: 0xA1, 0x0060: 0x01}
    assert changes(box, SETTINGS) == {0x0000: 0xD5, 0x0003: 0x02, 0x000D: 0xA0}


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_content_of_a_register_becomes_ours_and_keeps_its_other_bits(address):
    for content in range(256):
        new = changes({**OURS, address: content}, SETTINGS)
        assert new.keys() <= {address}
        mask = MASKS[address]
        if (address == 0x000D and content & 0x03 == 0x03) or content & mask == OURS[address] & mask:
            assert new == {}
        else:
            assert new == {address: content & ~mask | OURS[address] & mask}


@given(st.fixed_dictionaries({address: st.integers(0, 255) for address in ADDRESSES}))
def test_what_was_changed_needs_no_change(held):
    assert changes({**held, **changes(held, SETTINGS)}, SETTINGS) == {}


@pytest.mark.parametrize(
    ("changed", "register", "value"),
    [
        ({"read_seconds": 0.1}, 0x0006, 1),
        ({"read_seconds": 25.5}, 0x0006, 255),
        ({"end_mark": "0D 0A"}, 0x0060, 0x21),
        ({"end_mark": ""}, 0x0060, 0x60),
        ({"mode": "sensing"}, 0x0000, 0x57),
        ({"beep": "off"}, 0x0000, 0x15),
        ({"light": "always"}, 0x0000, 0x59),
        ({"aim": "off"}, 0x0000, 0x45),
    ],
)
def test_a_terminal_may_want_it_otherwise(changed, register, value):
    assert changes(OURS, settings_of(varied(**changed))) == {register: value}


@pytest.mark.parametrize(
    "changed",
    [{"read_seconds": 0}, {"read_seconds": 25.6}, {"end_mark": "0A"}, {"mode": "always"}],
)
def test_what_no_register_holds_is_refused(changed):
    with pytest.raises(ValueError, match="code scanner"):
        settings_of(varied(**changed))


def test_what_is_good_too_is_left_alone():
    setting = Setting("a", 1, 0x03, 0x00, frozenset({0x03}))
    assert [setting.differs(content) for content in (0xF0, 0xF1, 0xF2, 0xF3)] == [
        False, True, True, False,
    ]  # fmt: skip
