"""Transcripts: text there and back, and what is no transcript."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.errors import CardError, CardMute
from apdu.recording.transcript import (
    FAILURES,
    Exchange,
    Redacted,
    Reset,
    Transcript,
    TranscriptError,
)

TEXT = """\
# SYNTHETIC: 01020304
# ATR: 3B6D00000053480301863142********
# PROTOCOL: T=0
#
00A4040002AABB00
# 3ms
6F00
0088000004********04
# 1ms
# SYNTHETIC: CAFEBABE
********9000
# 8000ms CardMute: 00B2013500
# RESET: 3B00
00B2013500
# 0ms
6985
"""
FOREIGN = """
# Dump of apdu4j
# ATR: 3b00
# PROTOCOL: T=1

00a4040000
# 24ms
6f009000

  80ca9f7f00
# 5ms
  6a88
"""


def test_a_text_is_read_and_written_the_same() -> None:
    transcript = Transcript.parse(TEXT)
    assert transcript.text() == TEXT
    assert transcript.atr.filled == bytes.fromhex("3B6D0000005348030186314201020304")
    select, proof, mute, reset, read = transcript.events
    assert isinstance(select, Exchange) and isinstance(proof, Exchange)
    assert isinstance(mute, Exchange) and isinstance(read, Exchange)
    assert (select.line, select.milliseconds) == (5, 3)
    assert isinstance(proof.answer, Redacted)
    assert proof.answer.filled == bytes.fromhex("CAFEBABE9000")
    assert (mute.answer, mute.milliseconds, mute.line) == (CardMute, 8000, 12)
    assert reset == Reset(Redacted.open(b"\x3b\x00"), 13)
    assert read.line == 14


def test_a_dump_of_apdu4j_is_read() -> None:
    transcript = Transcript.parse(FOREIGN)
    assert (transcript.atr.filled, transcript.protocol) == (b"\x3b\x00", "T=1")
    assert [
        (event.command.text, event.milliseconds)
        for event in transcript.events
        if isinstance(event, Exchange)
    ] == [("00A4040000", 24), ("80CA9F7F00", 5)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_command_that_got_no_answer_in_a_dump_of_apdu4j_is_a_mute_card(end: str) -> None:
    """It stands on a line of its own, and the reader's words in the comment after it."""
    lines = (
        *("# ATR: 3B00", "# PROTOCOL: T=0", "# UID: 01020304", "#"),
        *("00A40000", "# 2ms", "9000"),
        *("00B2013500", "# 31ms Transmit failed: 0x8010002F (SCARD_E_COMM_DATA_LOST)"),
        *("00B2012D00", "# 4ms SCARD_W_REMOVED_CARD"),
        *("00B2012D00", "# 4ms Reader: gone"),
        *("00B2012D00", "# 4ms", "6985", "# that was all", "# 9ms in all"),
    )
    transcript = Transcript.parse("".join(line + end for line in lines))
    found = [event for event in transcript.events if isinstance(event, Exchange)]
    assert [event.line for event in found] == [5, 8, 10, 12, 14]
    assert [event.answer for event in found[1:4]] == [CardMute] * 3
    assert [event.milliseconds for event in found] == [2, 31, 4, 4, 4]
    assert found[4].answer == Redacted.open(b"\x69\x85")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        ("00A40000\n9000\n", 2),
        ("# ATR: 3B00\n00A40000\n9000\n00B00000\n", 4),
        ("# ATR: 3B00\n00A40000\n9000\n00B00000\n# 1ms\n", 4),
        ("# ATR: 3B00\n00A4000\n9000\n", 2),
        ("# ATR: 3B00\n00A4 0000\n9000\n", 2),
        ("# ATR: 3B00\n00A40000\n9*00\n", 3),
        ("# ATR: 3B00\n00A40000\nnonsense\n", 3),
        ("# ATR: 3B\n# ATR\n# RESET: x\n", 3),
        ("# ATR:\n", 1),
        ("# ATR: 3B00\n# SYNTHETIC: 0102\n00B0000002\n****9000\n", 3),
        ("# ATR: 3B00\n00B0000002\n# SYNTHETIC: 01\n****9000\n", 4),
        ("# ATR: 3B00\n00B0000002\n# SYNTHETIC: 0x\n****9000\n", 3),
        ("# ATR: 3B00\n# SYNTHETIC: 01\n", 2),
        ("# ATR: 3B00\n# 8ms KeyboardInterrupt: 00B20135\n", 2),
        ("# ATR: 3B00\n# 8ms CardMute: 00B2013\n", 2),
        # A pair that is torn apart in the middle.
        ("# ATR: 3B00\n00A40000\n# RESET: 3B00\n9000\n", 2),
        ("# ATR: 3B00\n00A40000\n# 8ms CardMute: 00B20135\n9000\n", 2),
        ("# ATR: 3B00\n00A40000\n90\n", 3),
        ("# ATR: 3B00\n00A4**\n9000\n", 2),
        ("# ATR: 3B00\n# 8ms CardMute: 00B201\n", 2),
        ("# ATR: 3B00\n# SYNTHETIC: 01\n# SYNTHETIC: 02\n00B0000001\n**9000\n", 3),
        ("# ATR: 3B00\n# SYNTHETIC: 01\n00B00000**\n9000\n", 3),
        ("# ATR: 3B00\n# SYNTHETIC: 01\n# 8ms CardMute: 00B2013**0\n", 3),
        # Torn within a line.
        ("# ATR: 3B00\n00A40000\n9000", 3),
        ("# ATR: 3B00\n00A40000\n9000\n# RES", 4),
        ("# ATR: 3B00\r\n00A40000\r\n6F028400", 3),
        ("# ATR: 3B", 1),
    ],
)
def test_what_is_no_transcript_names_its_line_and_no_bytes(text: str, line: int) -> None:
    with pytest.raises(TranscriptError) as found:
        Transcript.parse(text)
    assert found.value.line == line
    assert str(found.value).startswith(f"line {line}: ")
    assert not any(word in str(found.value) for word in ("00A4", "00B0", "nonsense", "3B00"))


def test_a_representation_shows_no_bytes() -> None:
    redacted = Redacted.parse("5EC0DE**", b"\x5e")
    assert repr(redacted) == "Redacted(4 bytes, 1 hidden)"
    exchange = Exchange(Redacted.parse("5EC0DE"), redacted)
    assert "5EC0DE" not in repr(Transcript(redacted, (exchange,))).upper()
    assert "94" not in repr(exchange)


@pytest.mark.parametrize(
    ("data", "where"),
    [("0020AA00", None), ("0020FF00", None), ("0021AA00", 1), ("0020AA", 3), ("0020AA0000", 4)],
)
def test_hidden_bytes_match_any(data: str, where: int | None) -> None:
    assert Redacted.parse("0020**00").difference(bytes.fromhex(data)) == where


def test_synthetic_bytes_are_as_many_as_hidden_ones() -> None:
    with pytest.raises(ValueError):
        Redacted.parse("00****", b"\x01")
    with pytest.raises(ValueError):
        _ = Redacted.parse("00**").filled


@st.composite
def redacted(draw: st.DrawFn, least: int) -> Redacted:
    shown = draw(st.lists(st.none() | st.integers(0, 255), min_size=least, max_size=40))
    hidden = shown.count(None)
    synthetic = draw(st.binary(min_size=hidden, max_size=hidden))
    return Redacted(tuple(shown), synthetic)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    failures: list[type[CardError]] = list(FAILURES.values())
    commands = redacted(4).map(lambda command: Redacted(command.shown))
    events = st.one_of(
        st.builds(
            Exchange,
            commands,
            st.one_of(redacted(2), st.sampled_from(failures)),
            st.integers(0, 99999),
            st.just(0),
        ),
        st.builds(Reset, redacted(2), st.just(0)),
    )
    protocol = draw(st.sampled_from(["T=0", "T=1"]))
    return Transcript(draw(redacted(2)), tuple(draw(st.lists(events, max_size=8))), protocol)


@given(transcripts())
def test_any_transcript_is_read_back(transcript: Transcript) -> None:
    text = transcript.text()
    again = Transcript.parse(text)
    assert again.text() == text
    assert (again.atr, again.protocol) == (transcript.atr, transcript.protocol)
    assert len(again.events) == len(transcript.events)
    for mine, theirs in zip(again.events, transcript.events, strict=True):
        if isinstance(mine, Exchange) and isinstance(theirs, Exchange):
            assert (mine.command, mine.answer) == (theirs.command, theirs.answer)
            assert mine.milliseconds == theirs.milliseconds
        else:
            assert isinstance(mine, Reset) and isinstance(theirs, Reset)
            assert mine.atr == theirs.atr


LINES = ("# ATR: 3B00", "# 4ms", "# SYNTHETIC: 01", "# RESET: 3B00", "00B2012D**", "**9000", "90")
MORE = (
    "# PROTOCOL:",
    "# 4ms CardMute: 00B2012D00",
    "# 4ms Reader gone",
    "#" + "9" * 5000 + "ms",
    "#٣ms",
)


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(LINES + MORE), max_size=12).map(
        lambda lines: "\n".join([*lines, ""])
    )
)
def test_no_text_breaks_the_reader(text: str) -> None:
    """What it takes, it takes as something that it can write: and then it is that."""
    try:
        transcript = Transcript.parse("# ATR: 3B00\n" + text)
    except TranscriptError as error:
        assert error.line >= 1
        return
    assert Transcript.parse(transcript.text()).text() == transcript.text()
