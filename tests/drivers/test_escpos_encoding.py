"""A slip's bytes: what is sent, what never is, and where it is cut."""

import os
import re
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drivers.escpos.encoding import parts
from drivers.escpos.layout import columns, encoded, row, wrapped
from drivers.escpos.printer import escpos_facts
from drivers.receipt_printer import (
    LONGEST_CODE,
    Align,
    Code,
    Cut,
    Feed,
    Row,
    Rule,
    Size,
    Slip,
    Text,
    Unprintable,
    is_plain,
)

REAL_TIME = re.compile(rb"\x10[\x04\x05\x14]")
# Two-byte signs of GB 18030 and printable ASCII.
signs = st.one_of(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E),
    st.sampled_from("社会保障卡养老金待遇资格认证，。：；（）王芳彝镕堃囍·—"),
)
texts = st.text(signs, max_size=120)


def facts(**changes):
    made = escpos_facts()
    for path, value in changes.items():
        table, key = path.split("__")
        made[table][key] = value
    return made


def sent(*lines, **changes):
    return b"".join(parts(Slip((*lines, Cut())), facts(**changes)))


def body(*lines, **changes):
    head, tail = b"\x1b@\x1b3\x24", b"\x1bd\x06\x1dV\x01"
    octets = sent(*lines, **changes)
    assert octets.startswith(head)
    assert octets.endswith(tail)
    return octets[len(head) : -len(tail)]


def test_a_chinese_line():
    assert body(Text("证明", Size.LARGE, bold=True, align=Align.CENTRE)) == (
        b"\x1d!\x11\x1bE\x01\x1ba\x01\x1c&\xd6\xa4\xc3\xf7\x1c.\n"
    )


@pytest.mark.parametrize("text", ["，", "：", "12333", "①"])
def test_a_line_without_a_chinese_character_is_chinese_too(text):
    """The library would look for a code page, and print a question mark."""
    assert body(Text(text)) == (
        b"\x1d!\x00\x1bE\x00\x1ba\x00\x1c&" + text.encode("gb18030") + b"\x1c.\n"
    )


def test_sizes_and_places():
    shown = [body(Text("1", size, align=place)) for size, place in zip(Size, [*Align, Align.LEFT],
                                                                       strict=True)]  # fmt: skip
    assert [line[2] for line in shown] == [0x00, 0x01, 0x11, 0x22]
    assert [line[8] for line in shown] == [0, 1, 2, 0]


def test_every_line_says_all_that_it_needs():
    """A printer that lost its power between two lines prints the second one well."""
    line = Text("流水号", Size.TALL, bold=True)
    alone = body(line)
    assert body(Text("x", Size.HUGE, align=Align.RIGHT), line).endswith(alone)


def test_a_rule_and_a_feed():
    assert body(Rule()).count(b"-") == 48
    assert body(Rule(), paper__columns=32).count(b"-") == 32
    assert body(Feed(3)) == b"\x1bd\x03"


def test_a_native_code():
    assert body(Code("https://x")) == (
        b"\x1ba\x01\x1bJ\x18"
        b"\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E1"
        b"\x1d(k\x0c\x001P0https://x\x1d(k\x03\x001Q0\x1bJ\x18"
    )


def test_a_code_as_a_picture_is_sent_in_pieces_of_whole_lines():
    octets = body(Code("https://x"), code__native=False)
    heads = re.findall(rb"\x1dv0\x00\x12\x00(.)\x00", octets, re.DOTALL)
    assert len(heads) == 18
    assert sum(head[0] for head in heads) == 138


@pytest.mark.parametrize("correction", "LMQH")
@pytest.mark.parametrize("dots", [384, 576])
@pytest.mark.parametrize("native", [True, False])
def test_the_longest_code_fits_the_paper(dots, native, correction):
    octets = body(
        Code("x" * LONGEST_CODE),
        paper__dots=dots,
        code__native=native,
        code__correction=correction,
    )
    modules = {"L": 61, "M": 69, "Q": 81, "H": 89}[correction]
    if native:
        assert octets[octets.index(b"1C") + 2] == min(6, dots // (modules + 8))
    else:
        # Bytes across, with a margin of one module at each side.
        across = octets[octets.index(b"\x1dv0") + 4]
        assert across == -(-(modules + 2) * min(6, dots // (modules + 8)) // 8)
        assert across <= dots // 8


@pytest.mark.parametrize("mode", [("PART", 1), ("FULL", 0)])
def test_the_cut(mode):
    assert sent(Text("x"), cut__mode=mode[0]).endswith(b"\x1dV" + bytes([mode[1]]))


@given(texts)
def test_no_text_becomes_a_command(text):
    """Behind FS & stand the text's bytes, in which no byte is a control character."""
    octets = encoded(text, False)
    assert octets.decode("gb18030") == text
    assert all(octet >= 0x20 for octet in octets)


HOSTILE = ["\x1b@", "\x1dV\x00", "王\x10\x04\x01芳", "\n", "\x00", "\x7f", "\x85", "\u2028",
           "\u202e", "\ufeff", "\ud800", "\x1c."]  # fmt: skip


@pytest.mark.parametrize("place", range(len(HOSTILE)))
@pytest.mark.parametrize(
    "line", [Text, lambda text: Row(text, ""), lambda text: Row("", text), Code]
)
def test_control_characters_are_refused(line, place):
    assert not is_plain(HOSTILE[place])
    with pytest.raises(ValueError) as refused:
        line(HOSTILE[place])
    assert HOSTILE[place] not in str(refused.value)


@given(st.text(max_size=40))
def test_whatever_a_line_takes_is_harmless(text):
    try:
        line = Text(text)
        octets = body(line)
    except (ValueError, Unprintable):
        return
    shown = re.findall(rb"\x1d!\x00\x1bE\x00\x1ba\x00\x1c&([^\x00-\x1f\x7f]*)\x1c\.\n", octets)
    assert shown
    assert octets == b"".join(
        b"\x1d!\x00\x1bE\x00\x1ba\x00\x1c&" + each + b"\x1c.\n" for each in shown
    )


def test_a_sign_that_the_printer_lacks_is_told():
    with pytest.raises(Unprintable) as told:
        sent(Text("张\U00020bb7和㐂"))
    assert told.value.characters == {"\U00020bb7", "㐂"}
    assert "㐂" not in str(told.value)
    assert "2 characters" in str(told.value)


def test_a_printer_with_four_byte_signs_prints_them():
    # GB 18030: (0x20BB7 - 0x10000 + 189000) in digits of 10, 126, 10 and 126.
    assert b"\x1c&\x95\x34\xb2\x35\x1c." in sent(Text("\U00020bb7"), text__four_bytes=True)


def test_slips_end_with_their_only_cut():
    for lines in ((), (Text("x"),), (Cut(), Text("x")), (Text("x"), Cut(), Cut())):
        with pytest.raises(ValueError):
            Slip(lines)


@pytest.mark.parametrize("text", ["", "x" * (LONGEST_CODE + 1), "社" * 101])
def test_codes_of_no_or_too_many_bytes_are_refused(text):
    with pytest.raises(ValueError):
        Code(text)


@pytest.mark.parametrize("lines", [0, 21])
def test_feeds_have_limits(lines):
    with pytest.raises(ValueError):
        Feed(lines)


def test_personal_text_never_shows():
    shown = repr(Slip((Text("王芳"), Row("姓名", "王芳"), Code("王芳"), Cut())))
    assert "王芳" not in shown


@given(texts, texts, st.booleans(), st.integers(16, 48))
def test_parts_are_whole_lines_and_small(text, value, native, width):
    assume(text.strip())
    slip = Slip((Text(text, Size.TALL), Row("业务", value), Code(text), Feed(16), Cut()))
    made = parts(slip, facts(code__native=native, paper__columns=width))
    assert b"".join(made) == b"".join(
        parts(slip, facts(code__native=native, paper__columns=width, part__bytes=10**6))
    )
    for part in made:
        assert len(part) <= 640
        # A printer would obey them in the middle of anything.
        assert not REAL_TIME.search(part)
        assert part.count(b"\x1c&") == part.count(b"\x1c.")


@given(texts, st.integers(4, 48))
def test_no_line_is_wider_than_the_paper_and_nothing_is_lost(text, width):
    lines = wrapped(text, width)
    assert all(columns(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_words_and_punctuation_at_the_end_of_a_line():
    assert wrapped("take this slip home", 10) == ["take this", "slip home"]
    assert wrapped("四个字呢，好", 8) == ["四个字", "呢，好"]
    assert wrapped("x" * 12, 5) == ["xxxxx", "xxxxx", "xx"]


def test_rows():
    assert row("时间", "09:30", 12) == ["时间   09:30"]
    assert row("时间", "2026-11-22", 12) == ["时间", "  2026-11-22"[:12]]


@given(st.text(signs, max_size=10), texts, st.integers(8, 48))
def test_rows_fit(label, value, width):
    lines = row(label, value, width)
    assert all(columns(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == (label + value).replace(" ", "")


def test_the_library_leaves_nothing_behind(tmp_path):
    """Its import sets up the root logger and makes a folder for temporary files; both are undone,
    and it prints nothing."""
    program = (
        "import logging\n"
        "from drivers.escpos.encoding import parts\n"
        "from drivers.escpos.printer import escpos_facts\n"
        "from drivers.receipt_printer import Code, Cut, Slip\n"
        "facts = escpos_facts()\n"
        "facts['code']['native'] = False\n"
        "assert parts(Slip((Code('x'), Cut())), facts)\n"
        "assert logging.getLogger().handlers == []\n"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env=environment, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == []
