"""What the terminal tells a bank application, as declared."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.bank.profile import BankProfile, Moment, shipped_bank_profile

PROFILE = shipped_bank_profile()
MOMENT = Moment(datetime(2026, 3, 4, 15, 6, 7), lambda size: b"\xab" * size)


@pytest.mark.parametrize(
    ("tag", "size", "expected"),
    [
        (0x9F02, 6, "000000000000"),
        (0x9F1A, 2, "0156"),
        (0x9F1A, 3, "000156"),
        (0x9F1A, 1, "56"),
        (0x9A, 3, "260304"),
        (0x9A, 4, "00260304"),
        (0x9F21, 3, "150607"),
        (0x9F37, 4, "ABABABAB"),
        (0x9F66, 4, "30000000"),
        (0x9F66, 2, "3000"),
        (0x9F66, 6, "300000000000"),
        (0x9F33, 0, ""),
        (0x9F1A, 0, ""),
        (0xDF5A, 5, "0000000000"),
    ],
)
def test_what_is_told(tag: int, size: int, expected: str) -> None:
    assert PROFILE.tell(tag, size, MOMENT).hex().upper() == expected


@given(st.sampled_from([*PROFILE.terminal, 0xDF01]), st.integers(0, 255))
def test_exactly_what_the_card_wants_is_told(tag: int, size: int) -> None:
    assert len(PROFILE.tell(tag, size, MOMENT)) == size


def test_every_declared_value_has_name_and_mark() -> None:
    for value in PROFILE.terminal.values():
        assert value.name
        assert value.mark in set("ABCIM")


def test_the_names_are_those_of_the_facts() -> None:
    assert PROFILE.directories == (b"1PAY.SYS.DDF01", b"2PAY.SYS.DDF01")
    assert [name.hex()[-4:] for name in PROFILE.applications] == ["0101", "0102", "0103", "0106"]
    assert all(name.startswith(PROFILE.providers) for name in PROFILE.applications)


@pytest.mark.parametrize("text", ["", "directories = 3", "applications = []\ndirectories = []"])
def test_what_is_no_profile_is_refused(text: str) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        BankProfile.from_toml(text)
