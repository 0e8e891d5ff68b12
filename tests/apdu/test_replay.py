"""A transcript in the place of a card, in each of its modes."""

import pytest

from apdu.errors import CardError, CardMute
from apdu.reading import read_card
from apdu.recording.replay import Mode, ReplayDepleted, ReplayError, ReplayMismatch, ReplayTransport
from apdu.recording.transcript import Transcript, TranscriptError
from tests.apdu.conftest import ATR, DemoCard

TEXT = """\
# ATR: 3B00
00A40000023F00
# 1ms
9000
0020000003******
# 1ms
63C2
# 8000ms CardMute: 00B2013500
# RESET: 3B01AA
00B2012D00
# 1ms
# SYNTHETIC: 0A0B
0302****9000
"""
SELECT, VERIFY, HOLDER, ISSUER = (
    bytes.fromhex(text)
    for text in ("00A40000023F00", "0020000003123456", "00B2013500", "00B2012D00")
)


def replay(mode: Mode = Mode.STRICT) -> ReplayTransport:
    return ReplayTransport(Transcript.parse(TEXT), mode=mode)


def test_strict_gives_what_was_recorded() -> None:
    card = replay()
    assert card.atr == b"\x3b\x00"
    assert card.transmit(SELECT) == b"\x90\x00"
    assert card.transmit(VERIFY) == b"\x63\xc2"
    with pytest.raises(CardMute):
        card.transmit(HOLDER)
    assert not card.depleted
    assert card.reset() == b"\x3b\x01\xaa"
    assert card.atr == b"\x3b\x01\xaa"
    assert card.transmit(ISSUER) == bytes.fromhex("03020A0B9000")
    card.close()
    assert card.depleted


@pytest.mark.parametrize(
    ("first", "then", "message"),
    [
        ([], bytes.fromhex("00A40000023F01"), "line 2: another command, from byte 7 on"),
        ([], bytes.fromhex("00A4000002"), "line 2: another command, from byte 6 on"),
        ([], VERIFY, "line 2: another command, from byte 2 on"),
        ([SELECT], VERIFY[:-1], "line 5: another command, from byte 8 on"),
        ([SELECT], VERIFY + b"\x00", "line 5: another command, from byte 9 on"),
    ],
)
def test_strict_refuses_another_command(first: list[bytes], then: bytes, message: str) -> None:
    card = replay()
    for command in first:
        card.transmit(command)
    with pytest.raises(ReplayMismatch) as found:
        card.transmit(then)
    assert str(found.value) == message
    # What did not fit is still to come.
    assert not card.depleted


def test_strict_wants_resets_where_they_were() -> None:
    card = replay()
    with pytest.raises(ReplayMismatch) as early:
        card.reset()
    assert early.value.line == 2
    card.transmit(SELECT)
    card.transmit(VERIFY)
    with pytest.raises(CardMute):
        card.transmit(HOLDER)
    with pytest.raises(ReplayMismatch) as late:
        card.transmit(ISSUER)
    assert late.value.line == 9


@pytest.mark.parametrize("mode", Mode)
def test_nothing_comes_after_the_end(mode: Mode) -> None:
    card = ReplayTransport(Transcript.parse("# ATR: 3B00\n00A40000\n9000\n"), mode=mode)
    card.transmit(bytes.fromhex("00A40000"))
    for _ in range(2):
        with pytest.raises(ReplayDepleted) as found:
            card.transmit(bytes.fromhex("00A40000"))
        assert found.value.line == 2


def test_strict_is_depleted_for_a_reset_too() -> None:
    with pytest.raises(ReplayDepleted):
        ReplayTransport(Transcript.parse("# ATR: 3B00\n")).reset()


def test_answers_come_whatever_is_asked() -> None:
    card = replay(Mode.ANSWERS)
    assert card.transmit(HOLDER) == b"\x90\x00"
    # A reset that was not recorded here changes nothing.
    assert card.reset() == b"\x3b\x00"
    assert card.transmit(HOLDER) == b"\x63\xc2"
    with pytest.raises(CardMute):
        card.transmit(SELECT)
    assert card.transmit(SELECT) == bytes.fromhex("03020A0B9000")
    assert card.atr == b"\x3b\x01\xaa"


def test_answers_take_a_reset_that_is_due() -> None:
    card = replay(Mode.ANSWERS)
    card.transmit(SELECT)
    card.transmit(SELECT)
    with pytest.raises(CardMute):
        card.transmit(SELECT)
    assert card.reset() == b"\x3b\x01\xaa"
    assert card.transmit(SELECT) == bytes.fromhex("03020A0B9000")


def test_forward_leaves_out_what_lies_between() -> None:
    card = replay(Mode.FORWARD)
    assert card.transmit(VERIFY) == b"\x63\xc2"
    assert card.transmit(ISSUER) == bytes.fromhex("03020A0B9000")
    assert card.depleted


def test_forward_never_goes_back() -> None:
    card = replay(Mode.FORWARD)
    card.transmit(VERIFY)
    with pytest.raises(ReplayMismatch) as found:
        card.transmit(SELECT)
    assert found.value.line == 8
    assert card.transmit(ISSUER) == bytes.fromhex("03020A0B9000")


def test_forward_finds_the_next_reset() -> None:
    card = replay(Mode.FORWARD)
    assert card.reset() == b"\x3b\x01\xaa"
    assert card.reset() == b"\x3b\x01\xaa"
    assert card.transmit(ISSUER) == bytes.fromhex("03020A0B9000")


def test_an_answer_for_which_nothing_stands_is_no_replay() -> None:
    text = "# ATR: 3B00\n00B2013500\n****9000\n"
    with pytest.raises(TranscriptError) as found:
        ReplayTransport(Transcript.parse(text))
    assert found.value.line == 2
    with pytest.raises(TranscriptError):
        ReplayTransport(Transcript.parse("# ATR: 3B**\n"))
    with pytest.raises(TranscriptError):
        ReplayTransport(Transcript.parse("# ATR: 3B00\n# RESET: 3B**\n"))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("version", ["1.00", "2.00", "3.00"])
def test_a_whole_read_that_another_program_wrote_down_replays(
    demo: type[DemoCard], version: str, end: str
) -> None:
    """In the layout of apdu4j: header, time between command and answer, small letters, blanks."""
    card = demo(version)
    lines = [f"# ATR: {ATR.hex()}", "# PROTOCOL: T=0", "# UID: 01020304", "#", ""]
    for at, (command, answer) in enumerate(card.script):
        lines += [command.lower(), f"# {at}ms", f" {answer.lower()}"]
    replayed = ReplayTransport(Transcript.parse("".join(line + end for line in lines)))
    reading = read_card(replayed, card.custodian, random=card.random)
    assert replayed.depleted
    assert reading.genuine is True
    assert reading.holder is not None
    assert (reading.holder.social_security_number, reading.holder.name) == (card.number, card.name)


def test_a_replay_that_does_not_fit_never_passes_for_a_card_that_failed() -> None:
    assert not issubclass(ReplayError, CardError)
