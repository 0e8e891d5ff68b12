"""What is recorded, what is hidden, and what stands for it."""

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.command import Command
from apdu.errors import CardError, CardMute, CardRemoved, MalformedAnswer, ReaderGone
from apdu.recording.recorder import RecordingTransport
from apdu.recording.replay import ReplayTransport
from apdu.recording.stand_ins import StandIns
from apdu.recording.transcript import Exchange, Redacted, Reset, Transcript

SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF00"
SECRET = "5EC0DE5EC0DE"
ISSUER_ITEMS = "0304332E3030" + "0706" + SECRET
HOLDER_ITEMS = "0806" + SECRET + "0B0101"
KEY = b"a key of the tests only"


class Clock:
    """Advances 24 ms at each look."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 24_000_000
        return self.now


def recorded(transport: Any, *commands: str) -> RecordingTransport:
    recorder = RecordingTransport(transport, StandIns(KEY), clock=Clock())
    for command in commands:
        recorder.transmit(bytes.fromhex(command))
    return recorder


def exchanges(recorder: RecordingTransport) -> list[Exchange]:
    return [event for event in recorder.transcript.events if isinstance(event, Exchange)]


def shown(recorder: RecordingTransport) -> list[str]:
    """The last exchange's command and answer, as they are written."""
    last = exchanges(recorder)[-1]
    assert isinstance(last.answer, Redacted)
    return [last.command.text, last.answer.text]


def plain(text: str) -> str:
    return text.replace("[", "").replace("]", "")


def hidden(text: str) -> str:
    return re.sub(r"\[(\w+)\]", lambda found: "**" * (len(found[1]) // 2), text)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("0020000006[5EC0DE5EC0DE]", "63C2"),
        ("805E010006[5EC0DE5EC0DE]", "9000"),
        ("0084000006", "[5EC0DE5EC0DE]9000"),
        ("0088000006[5EC0DE5EC0DE]06", "[5EC0DE5EC0DE]9000"),
        ("0082000A06[5EC0DE5EC0DE]", "9000"),
        ("80FA000006[5EC0DE5EC0DE]06", "[5EC0DE5EC0DE]9000"),
        ("BFDE280106[5EC0DE5EC0DE]", "9000"),
        ("00DC010406[5EC0DE5EC0DE]", "9000"),
        ("00D68800000006[5EC0DE5EC0DE]", "9000"),
        ("8424000106[5EC0DE5EC0DE]", "9000"),
        ("80C4000006[5EC0DE5EC0DE]", "63C2"),
        ("00B2010C00", "[70065EC0DE5EC0DE]9000"),
        ("00FF000006[5EC0DE5EC0DE]00", "[5EC0DE5EC0DE]9000"),
        # EF05 and EF06 of the SSSE: tags and lengths, and what is harmless.
        ("00B2012D00", "0304332E30300706[5EC0DE5EC0DE]9000"),
        ("00B2013500", "0806[5EC0DE5EC0DE]0B02[5EC0]9000"),
        ("00B2013500", "0000FF0806[5EC0DE5EC0DE]000A009000"),
        ("00B2013500", "08FF0006[5EC0DE5EC0DE]0B01[5E]9000"),
        # What does not hold just those items shows nothing.
        ("00B2012D00", "[5E065EC0DE5EC0DE]9000"),
        ("00B2013500", "[03035EC0DE]9000"),
        ("00B2013500", "[08FF5EC0DE5EC0DE]9000"),
        ("00B2012D00", "0306[5EC0DE5EC0DE]9000"),
    ],
)
def test_what_is_hidden(scripted: Any, command: str, answer: str) -> None:
    card = scripted((SSSE, "6F009000"), (plain(command), plain(answer)))
    recorder = recorded(card, SSSE, plain(command))
    assert shown(recorder) == [hidden(command), hidden(answer)]
    assert "5EC0" not in recorder.transcript.text()


def test_an_exchange_in_full(scripted: Any) -> None:
    recorder = recorded(scripted((SSSE, "6F028400" + "9000")), SSSE)
    assert recorder.transcript.text().splitlines()[-3:] == [SSSE, "# 24ms", "6F0284009000"]


def test_the_serial_number_of_a_card_is_hidden_and_stays_the_same(scripted: Any) -> None:
    """Whether the answer to reset and the card identification code agree survives."""
    card_id = "0110" + "429900D156000005" + "00000A17" + "FFFFFFFF"
    card = scripted((SSSE, "9000"), ("00B2012D00", card_id + "9000"))
    recorder = recorded(card, SSSE, "00B2012D00")
    transcript = recorder.transcript
    assert transcript.atr.text == "3B6D00000081540A0B86384299" + "**" * 4
    assert shown(recorder)[1] == "0110" + "429900D156000005" + "**" * 8 + "9000"
    (_, exchange) = transcript.events
    assert isinstance(exchange, Exchange) and isinstance(exchange.answer, Redacted)
    assert exchange.answer.synthetic == transcript.atr.synthetic + b"\xff" * 4
    assert transcript.atr.synthetic != bytes.fromhex("00000A17")


@pytest.mark.parametrize("atr", ["3B", "3B00", "3B690000424E4B2D44454D4F", "3F0200AB"])
def test_other_answers_to_reset_are_recorded_as_they_are(scripted: Any, atr: str) -> None:
    card = scripted(atr=bytes.fromhex(atr))
    assert RecordingTransport(card).transcript.atr.text == atr


@pytest.mark.parametrize(
    ("atr", "protocol"),
    [("3B00", "T=0"), ("3B80011F", "T=1"), ("3B8001", "T=1"), ("3B6D0000" + "00" * 13, "T=0")],
)
def test_the_first_protocol_that_the_card_offers(scripted: Any, atr: str, protocol: str) -> None:
    card = scripted(atr=bytes.fromhex(atr))
    assert RecordingTransport(card).transcript.protocol == protocol


def test_equal_results_stay_equal_in_two_recordings(scripted: Any) -> None:
    """A card's proof and what the PSAM computed: whether they are equal decides."""
    stand_ins = StandIns()
    proofs = []
    for command in ("00880000020102 08", "80FA0000020102 08"):
        for answer in ("0102030405060708", "0102030405060709"):
            raw = command.replace(" ", "")
            recorder = RecordingTransport(scripted((raw, answer + "9000")), stand_ins)
            recorder.transmit(bytes.fromhex(raw))
            (found,) = exchanges(recorder)
            assert isinstance(found.answer, Redacted)
            proofs.append(found.answer.synthetic)
    assert proofs[0] == proofs[2] != proofs[1] == proofs[3]
    assert StandIns().equal(bytes(8)) != StandIns().equal(bytes(8))
    assert len(StandIns().equal(bytes(100))) == 100


def test_waiting_data_is_hidden_like_what_it_belongs_to(scripted: Any) -> None:
    script = [
        (SSSE, "9000"),
        ("00B2013500", "6108"),
        ("00C0000008", "0806" + SECRET + "9000"),
        ("0088000002010208", "6106"),
        ("00C0000006", SECRET + "9000"),
        ("00C0000006", SECRET + "9000"),
    ]
    recorder = recorded(scripted(*script), *(pair[0] for pair in script))
    answers = [event.answer for event in exchanges(recorder)]
    assert isinstance(answers[2], Redacted) and isinstance(answers[4], Redacted)
    assert answers[2].text == "0806" + "**" * 6 + "9000"
    assert answers[4].synthetic == StandIns(KEY).equal(bytes.fromhex(SECRET))
    assert isinstance(answers[5], Redacted)
    assert answers[5].synthetic == bytes(6)


@pytest.mark.parametrize("failure", [CardRemoved(), CardMute(), ReaderGone()])
def test_failures_and_resets_are_recorded_and_come_again(scripted: Any, failure: Any) -> None:
    card = scripted((SSSE, "9000"), ("00B2012D00", failure), ("00B2012D00", "6985"))
    recorder = recorded(card, SSSE)
    with pytest.raises(type(failure)):
        recorder.transmit(bytes.fromhex("00B2012D00"))
    recorder.reset()
    recorder.transmit(bytes.fromhex("00B2012D00"))
    replay = ReplayTransport(Transcript.parse(recorder.transcript.text()))
    replay.transmit(bytes.fromhex(SSSE))
    with pytest.raises(type(failure)):
        replay.transmit(bytes.fromhex("00B2012D00"))
    replay.reset()
    assert replay.transmit(bytes.fromhex("00B2012D00")) == b"\x69\x85"
    assert replay.depleted


def test_after_a_reset_nothing_is_selected(scripted: Any) -> None:
    card = scripted((SSSE, "9000"), ("00B2012D00", "0304332E3030" + "9000"))
    recorder = recorded(card, SSSE)
    recorder.reset()
    recorder.transmit(bytes.fromhex("00B2012D00"))
    assert shown(recorder)[1] == "**" * 6 + "9000"


class Defect(CardRemoved):
    """A failure of a kind that a transcript has no name for."""


@pytest.mark.parametrize("answer", ["", "90"])
def test_an_answer_without_status_is_passed_on_and_recorded(scripted: Any, answer: str) -> None:
    recorder = recorded(scripted(("0084000008", answer), ("0084000008", Defect())), "0084000008")
    with pytest.raises(Defect):
        recorder.transmit(bytes.fromhex("0084000008"))
    assert recorder.transcript.text().splitlines()[-2:] == [
        "# 24ms MalformedAnswer: 0084000008",
        "# 24ms CardRemoved: 0084000008",
    ]


class Session:
    """A card that answers, fails and resets as it is told."""

    def __init__(self, atr: bytes) -> None:
        self.atr = atr
        self.next: bytes | CardError = b""

    def transmit(self, command: bytes | bytearray) -> bytes:
        if isinstance(self.next, CardError):
            raise self.next
        return self.next

    def reset(self) -> bytes:
        return self.atr

    def close(self) -> None:
        pass


COMMANDS = (SSSE, "00B2012D00", "00B2013500", "00C0000010", "0088000002AABB08", "0084000008")
PIECES = (ISSUER_ITEMS, HOLDER_ITEMS, "0000", "FF", "61", "6A")
OK = "9000"
commands = st.sampled_from(COMMANDS).map(bytes.fromhex) | st.builds(
    lambda cla, ins, data, ne: bytes(Command(cla, ins, 0, 4, data, ne).encode()),
    st.sampled_from([0x00, 0x80, 0x84, 0xBF]),
    st.integers(0, 255),
    st.binary(max_size=300),
    st.none() | st.integers(1, 65536),
)
answers: st.SearchStrategy[bytes | CardError] = st.one_of(
    st.binary(max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=4).map(lambda it: bytes.fromhex("".join(it) + OK)),
    st.sampled_from([CardRemoved(), CardMute(), ReaderGone(), Defect()]),
)
atrs = st.binary(min_size=2, max_size=33)


@given(atrs, st.lists(st.tuples(commands, answers) | atrs, max_size=12))
def test_any_session_is_recorded_and_replays_but_for_its_synthetic_bytes(
    atr: bytes, session: list[tuple[bytes, bytes | CardError] | bytes]
) -> None:
    card = Session(atr)
    recorder = RecordingTransport(card)
    for step in session:
        if isinstance(step, bytes):
            card.atr = step
            recorder.reset()
            continue
        command, card.next = step
        with contextlib.suppress(CardError):
            recorder.transmit(command)
    transcript = Transcript.parse(recorder.transcript.text())
    replay = ReplayTransport(transcript)
    assert_the_same(replay.atr, atr, transcript.atr)
    for step, event in zip(session, transcript.events, strict=True):
        if isinstance(step, bytes):
            assert isinstance(event, Reset)
            assert_the_same(replay.reset(), step, event.atr)
            continue
        command, answer = step
        assert isinstance(event, Exchange)
        if isinstance(answer, CardError) or len(answer) < 2:
            with pytest.raises(CardError) as failed:
                replay.transmit(command)
            kind = type(answer) if isinstance(answer, CardError) else MalformedAnswer
            assert type(failed.value) is (CardRemoved if kind is Defect else kind)
        else:
            assert isinstance(event.answer, Redacted)
            assert_the_same(replay.transmit(command), answer, event.answer)
    assert replay.depleted


def assert_the_same(replayed: bytes, real: bytes, recorded: Redacted) -> None:
    """Byte by byte what was there, or what the recording declares to stand for it."""
    assert len(recorded.shown) == len(real)
    declared = iter(recorded.synthetic)
    assert replayed == bytes(
        next(declared) if shown is None else byte
        for byte, shown in zip(real, recorded.shown, strict=True)
    )


@given(st.lists(answers, max_size=6))
def test_no_byte_is_shown_that_is_not_selected(found: list[bytes | CardError]) -> None:
    """Before the SSSE is selected, nothing but lengths and status words is."""
    card = Session(b"\x3b\x00")
    recorder = RecordingTransport(card)
    for card.next in found:
        with contextlib.suppress(CardError):
            recorder.transmit(bytes.fromhex("00B2012D00"))
    for event in exchanges(recorder):
        if isinstance(event.answer, Redacted):
            assert set(event.answer.shown[:-2]) <= {None}
