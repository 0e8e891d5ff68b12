"""Persons' and employers' numbers: published ones, and what is wrong with others."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.population import population
from kiosk.person_numbers import (
    NumberKind,
    NumberSlip,
    WrongNumber,
    check_character,
    is_credit_code,
    is_social_security_number,
    read_number,
    upgraded,
)

TODAY = date(2026, 11, 22)
RESIDENT = "440308199901101512"


def slip(text: str) -> NumberSlip:
    with pytest.raises(WrongNumber) as caught:
        read_number(text, TODAY)
    assert str(caught.value) == f"no person's number: {caught.value.slip.value}"
    return caught.value.slip


@pytest.mark.parametrize(
    ("text", "kind", "born", "male"),
    [
        # Specimens of public documents (services.md §7).
        (RESIDENT, NumberKind.RESIDENT, date(1999, 1, 10), True),
        ("810000199408230021", NumberKind.PERMIT, date(1994, 8, 23), False),
        ("830000199201300022", NumberKind.PERMIT, date(1992, 1, 30), False),
        ("911124198108030024", NumberKind.FOREIGNER, date(1981, 8, 3), None),
        ("XXX110090010101", NumberKind.FOREIGNER_OLD, None, None),
        ("429900780116002", NumberKind.OLD_RESIDENT, date(1978, 1, 16), False),
    ],
)
def test_published_numbers(text: str, kind: NumberKind, born: date | None, male: bool) -> None:
    found = read_number(text, TODAY)
    assert (found.kind, found.born, found.male) == (kind, born, male)


def test_macau_s_permit() -> None:
    first = "82000019900101001"
    assert read_number(first + check_character(first), TODAY).kind is NumberKind.PERMIT


def test_every_demo_resident() -> None:
    for resident in population():
        found = read_number(resident.number, TODAY)
        assert (found.kind, found.born) == (NumberKind.RESIDENT, resident.born)
        assert found.male is (resident.sex.value == "1")


@pytest.mark.parametrize(
    "text",
    [
        *("", "44030819990110151", "4403081999011015122", "44030819990110151x", RESIDENT + "\n"),
        *("４40308199901101512", "XX1100900101010", "xxx110090010101", "4403081999O1101512"),
    ],
)
def test_another_form(text: str) -> None:
    assert slip(text) is NumberSlip.FORM


@pytest.mark.parametrize("begin", ["00", "10", "16", "24", "38", "47", "55", "66", "72", "83"])
def test_no_such_province(begin: str) -> None:
    first = begin + RESIDENT[2:17]
    assert slip(first + check_character(first)) is NumberSlip.PLACE
    assert slip(begin + "0308990110151") is NumberSlip.PLACE


@pytest.mark.parametrize("born", ["19990230", "19991301", "00000101", "20261123", "19000229"])
def test_no_such_birthday_or_one_to_come(born: str) -> None:
    first = RESIDENT[:6] + born + "151"
    assert slip(first + check_character(first)) is NumberSlip.DATE


def test_an_old_number_s_birthday() -> None:
    assert slip("440308990230151") is NumberSlip.DATE


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(place: int, change: int) -> None:
    digit = str((int(RESIDENT[place]) + change) % 10)
    changed = RESIDENT[:place] + digit + RESIDENT[place + 1 :]
    assert check_character(changed[:17]) != RESIDENT[17]


@pytest.mark.parametrize("last", [each for each in "0123456789X" if each != RESIDENT[17]])
def test_another_check_character(last: str) -> None:
    assert slip(RESIDENT[:17] + last) is NumberSlip.CHECK


@pytest.mark.parametrize("text", ["", "1" * 16, "１" * 17, "1" * 16 + "X"])
def test_a_check_character_needs_17_digits(text: str) -> None:
    with pytest.raises(ValueError, match="17 digits"):
        check_character(text)


def test_an_old_number_upgraded() -> None:
    assert upgraded("440308990110151") == RESIDENT
    for wrong in ("44030899011015", RESIDENT, "44030899011015A"):
        with pytest.raises(ValueError, match="15 digits"):
            upgraded(wrong)


def test_social_security_numbers() -> None:
    assert is_social_security_number(RESIDENT, TODAY)
    assert is_social_security_number("911124198108030024", TODAY)
    assert not is_social_security_number("XXX110090010101", TODAY)
    assert not is_social_security_number("440308990110151", TODAY)
    assert not is_social_security_number(RESIDENT[:17] + "3", TODAY)


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000600037341L"])
def test_credit_codes(code: str) -> None:
    assert is_credit_code(code)
    for place in range(18):
        other = "1" if code[place] != "1" else "2"
        assert not is_credit_code(code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize("code", ["", "91350100M000100Y4", "91350100M000100Y433", "I" * 18])
def test_what_is_no_credit_code(code: str) -> None:
    assert not is_credit_code(code)
