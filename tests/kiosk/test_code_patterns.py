"""The pattern language of the pack against Python's regular expressions, and what it refuses."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.code_patterns import PatternProblem, read_pattern

LONGEST = 512
CHARACTERS = "ab19[]-.\\^?"


def escaped(character: str) -> str:
    return f"\\{character}" if character in string.punctuation else character


@st.composite
def piece(draw: st.DrawFn, counts: tuple[int, int]) -> str:
    if draw(st.booleans()):
        text = escaped(draw(st.sampled_from(CHARACTERS)))
    else:
        members = draw(st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=3))
        ranges = ["a-c", "0-9", "\\+-\\."]
        text = "".join(["[", *map(escaped, members), draw(st.sampled_from(["", *ranges])), "]"])
    if counts == (1, 1):
        return text
    low, high = counts
    return f"{text}{{{low}}}" if low == high else f"{text}{{{low},{high}}}"


@st.composite
def patterns(draw: st.DrawFn) -> str:
    fixed = [draw(piece((n, n))) for n in draw(st.lists(st.integers(1, 3), max_size=4))]
    low = draw(st.integers(0, 2))
    open_one = draw(piece((low, low + draw(st.integers(1, 4)))))
    at = draw(st.integers(0, len(fixed)))
    return "".join([*fixed[:at], open_one, "a", *fixed[at:]])


texts = st.text(alphabet=CHARACTERS, max_size=14)


@given(patterns(), texts)
def test_it_fits_what_a_regular_expression_fits(pattern: str, text: str) -> None:
    expected = re.fullmatch(pattern, text) is not None
    assert read_pattern(pattern, LONGEST).fits(text) == expected


@given(st.data(), patterns())
def test_texts_of_its_form_fit(data: st.DataObject, pattern: str) -> None:
    text = data.draw(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True))
    assert read_pattern(pattern, LONGEST).fits(text)


@given(patterns(), patterns(), texts)
def test_two_that_fit_one_text_are_said_to_meet(one: str, other: str, text: str) -> None:
    first, second = read_pattern(one, LONGEST), read_pattern(other, LONGEST)
    assert first.meets(second) == second.meets(first)
    if first.fits(text) and second.fits(text):
        assert first.meets(second)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("A[0-9]{4}", "A[0-9]{5}", False),
        ("A[0-9]{4}", "A[0-9]{2,5}", True),
        ("A[0-9]{1,9}Z", "A[0-9]{1,9}Y", False),
        ("[A-C]x", "[D-F]x", False),
        ("[A-C]x", "[C-F]x", True),
        ("a{1,400}", "[!-~]{300}", True),
        ("a{0,2}b", "a{3}b", False),
    ],
)
def test_whether_two_patterns_meet_is_decided(one: str, other: str, meet: bool) -> None:
    assert read_pattern(one, LONGEST).meets(read_pattern(other, LONGEST)) is meet


@pytest.mark.parametrize(
    "pattern",
    [
        "(a)",
        "a*",
        "a+",
        "a?",
        "(a{1,9}){1,9}",
        "a|b",
        "^a",
        "a$",
        "a.b",
        "[^a]",
        "[a",
        "a]",
        "[]",
        "a{",
        "a{,3}",
        "a{3,2}",
        "a{1,2}{3}",
        "a{1,2}b{1,2}",
        "[z-a]",
        "\\d",
        "\\",
        "",
        "a{0}",
        "a{513}",
        "a{1,513}",
        "[a-f-z]",
    ],
)
def test_what_is_none_of_its_signs_is_refused(pattern: str) -> None:
    with pytest.raises(PatternProblem):
        read_pattern(pattern, LONGEST)


@given(st.text(max_size=30))
def test_whatever_is_written_is_read_or_refused(pattern: str) -> None:
    try:
        read = read_pattern(pattern, LONGEST)
    except PatternProblem:
        return
    assert 1 <= read.shortest <= read.longest <= LONGEST
