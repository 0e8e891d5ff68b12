"""The code on a certificate: alphabet, check character, and what people type."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.documents import codes
from kiosk.documents.codes import ALPHABET, MistypedCode, TypingSlip

firsts = st.text(ALPHABET, min_size=15, max_size=15)


def test_the_alphabet_has_nothing_that_looks_alike() -> None:
    assert len(set(ALPHABET)) == 32
    assert not set("01IO") & set(ALPHABET)
    assert "".join(sorted(ALPHABET)) == ALPHABET


# From python-stdnum 2.1, stdnum.iso7064.mod_37_36 with this alphabet.
VECTORS = [
    ("222222222222222", "2"),
    ("ZZZZZZZZZZZZZZZ", "W"),
    ("7F3K92MDQ4TXB8A", "T"),
    ("CDEFGHJKLMNPQRS", "L"),
    ("32Z45678ABJKLMN", "8"),
    ("23456789ABCDEFG", "A"),
]


@pytest.mark.parametrize(("first", "expected"), VECTORS)
def test_the_check_character_is_that_of_iso_7064(first: str, expected: str) -> None:
    assert codes.check_character(first) == expected
    assert codes.is_code(first + expected)


@given(firsts, st.integers(0, 15), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_noticed(first: str, at: int, other: str) -> None:
    code = first + codes.check_character(first)
    slipped = code[:at] + other + code[at + 1 :]
    assert codes.is_code(slipped) == (other == code[at])


def test_nearly_every_pair_of_neighbours_that_changed_places_is_noticed() -> None:
    missed = tried = 0
    for first, _check in VECTORS:
        for left in ALPHABET:
            for right in ALPHABET:
                for at in range(0, 13, 4):
                    here = first[:at] + left + right + first[at + 2 :]
                    there = first[:at] + right + left + first[at + 2 :]
                    tried += left != right
                    same = codes.check_character(here) == codes.check_character(there)
                    missed += left != right and same
    assert tried > 20_000
    assert missed < tried / 100


@pytest.mark.parametrize(
    "text", ["", "2" * 15, "2" * 17, "2" * 15 + "3", "1" * 16, "o" * 16, "2" * 15 + "２"]
)
def test_other_texts_are_no_codes(text: str) -> None:
    assert not codes.is_code(text)


def test_a_code_needs_fifteen_characters_before_the_last() -> None:
    with pytest.raises(ValueError, match="15"):
        codes.check_character("2" * 14)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("7F3K92MDQ4TXB8AT", "7F3K-92MD-Q4TX-B8AT"),
        ("7F3K92", "7F3K-92"),
        ("7F3K", "7F3K"),
        ("", ""),
    ],
)
def test_it_is_shown_in_fours(code: str, shown: str) -> None:
    assert codes.group4(code) == shown


@given(firsts, st.data())
def test_what_people_type_is_taken(first: str, data: st.DataObject) -> None:
    code = first + codes.check_character(first)
    typed = "".join(
        data.draw(st.sampled_from([character, character.lower(), f" {character}", f"-{character}"]))
        for character in code
    )
    assert codes.parse_typed(typed) == code
    assert codes.parse_typed(codes.group4(code)) == code


def test_full_width_characters_and_dashes_are_taken() -> None:
    assert codes.parse_typed("７ｆ３Ｋ－92MD—Q4TX–B8AT　") == "7F3K92MDQ4TXB8AT"


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ("7F3K-92MD-Q4TX-B8A0", TypingSlip.CHARACTER),
        ("7F3K-92MD-Q4TX-B8A张", TypingSlip.CHARACTER),
        ("7F3K-92MD-Q4TX-B8A", TypingSlip.LENGTH),
        ("7F3K-92MD-Q4TX-B8ATT", TypingSlip.LENGTH),
        ("", TypingSlip.LENGTH),
        ("7F3K-92MD-Q4TX-B8AK", TypingSlip.CHECK),
    ],
)
def test_slips_are_told_apart(text: str, slip: TypingSlip) -> None:
    with pytest.raises(MistypedCode) as caught:
        codes.parse_typed(text)
    assert caught.value.slip is slip
    assert "B8A" not in str(caught.value)


@given(st.text())
def test_any_text_is_a_code_or_a_slip(text: str) -> None:
    with contextlib.suppress(MistypedCode):
        assert codes.is_code(codes.parse_typed(text))
