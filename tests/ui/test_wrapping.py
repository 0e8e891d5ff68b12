from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.wrapping import (
    NOT_AT_END,
    NOT_AT_START,
    balanced,
    ellipsized,
    is_wide,
    may_break,
    shortened,
    without_orphan,
    wrap,
)


def measure(text: str) -> int:
    return sum(2 if is_wide(character) else 1 for character in text)


TEXTS = st.text(st.sampled_from("中文字查询，。、（）“”……——·ab cd-/12.,()¥ "), max_size=80)
WIDTHS = st.integers(min_value=4, max_value=40)


def squeezed(text: str) -> str:
    return text.replace(" ", "")


@given(TEXTS, WIDTHS)
def test_nothing_is_lost_and_nothing_is_too_wide(text: str, width: int) -> None:
    for breaking in (wrap, balanced, without_orphan):
        lines = breaking(text, width, measure)
        assert squeezed("".join(lines)) == squeezed(text)
        assert all(measure(line) <= width for line in lines)
        assert all(line == line.strip() for line in lines)


@given(TEXTS, WIDTHS)
def test_lines_part_only_where_they_may(text: str, width: int) -> None:
    """A forbidden break is allowed only when a line holds no permitted one."""
    lines = wrap(text, width, measure)
    at = 0
    clean = text.strip()
    for line in lines[:-1]:
        start = clean.index(line, at) if line else at
        at = start + len(line)
        if clean[at : at + 1] == " " or may_break(clean[at - 1], clean[at]):
            continue
        inside = range(start + 1, at)
        assert not any(clean[i] != " " and may_break(clean[i - 1], clean[i]) for i in inside), (
            f"{line!r} could have ended earlier"
        )


@given(TEXTS, WIDTHS)
def test_balancing_costs_no_line(text: str, width: int) -> None:
    assert len(balanced(text, width, measure)) <= len(wrap(text, width, measure))


@given(TEXTS, WIDTHS, st.integers(min_value=1, max_value=4))
def test_shortened_text_fits(text: str, width: int, most: int) -> None:
    lines = shortened(wrap(text, width, measure), most, width, measure)
    assert len(lines) <= most
    assert all(measure(line) <= width for line in lines)


@pytest.mark.parametrize("mark", sorted(NOT_AT_START))
def test_no_line_begins_with_a_closing_mark(mark: str) -> None:
    lines = wrap("中中中中" + mark + "中中", 8, measure)
    assert lines[0] == "中中中" and lines[1].startswith("中" + mark)


@pytest.mark.parametrize("mark", sorted(NOT_AT_END))
def test_no_line_ends_with_an_opening_mark(mark: str) -> None:
    lines = wrap("中中中" + mark + "中中中", 6 + measure(mark), measure)
    assert lines[0] == "中中中" and lines[1].startswith(mark)


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("two words", 5, ["two", "words"]),
        ("2029-08 至今", 8, ["2029-08", "至今"]),
        ("well-known fact", 8, ["well-", "known", "fact"]),
        ("中文 English 中文", 12, ["中文 English", "中文"]),
        ("字字……字", 6, ["字", "字……", "字"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("一行\n二行", 40, ["一行", "二行"]),
        ("", 10, [""]),
    ],
)
def test_examples(text: str, width: int, expected: list[str]) -> None:
    assert wrap(text, width, measure) == expected


def test_han_text_parts_at_a_pause() -> None:
    text = "办事请备好市民卡、手机二维码或身份证"
    assert without_orphan(text, 30, measure) == ["办事请备好市民卡、", "手机二维码或身份证"]


def test_ellipsis_replaces_the_end() -> None:
    assert ellipsized("查询缴费记录", 8, measure) == "查询缴…"
    assert ellipsized("查询", 8, measure) == "查询"
