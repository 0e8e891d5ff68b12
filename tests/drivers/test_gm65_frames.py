"""The GM65 frame codec: vectors, cuts, damage, payloads in pieces."""

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.code_scanner import LONGEST_CODE
from drivers.gm65.frames import Answer, Damaged, Kind, PayloadReader, crc, encode, take_answer
from drivers.gm65.scanner import gm65_facts
from tests.drivers.scanner_double import ACK, CHECK, STOP, TRIGGER

VECTORS = [(bytes.fromhex(row["octets"]), row["crc"]) for row in gm65_facts()["vectors"]]
no_mark = st.binary(min_size=1, max_size=60).filter(lambda data: b"\r" not in data)


def pieces(stream, size):
    return [stream[start : start + size] for start in range(0, len(stream), size)]


def taken(stream, size, length=1):
    held, found = bytearray(), []
    for piece in pieces(stream, size):
        held += piece
        found.append(take_answer(held, length))
    return [answer for answer in found if isinstance(answer, Answer)], bytes(held)


@pytest.mark.parametrize(("octets", "value"), VECTORS)
def test_the_crc_of_printed_frames(octets, value):
    assert crc(octets) == value.to_bytes(2, "big")


def test_crc_with_its_check_value():
    assert crc(b"123456789") == b"\x31\xc3"


def test_the_commands():
    assert encode(Kind.WRITE, 2, b"\x01", checked=False) == TRIGGER
    assert encode(Kind.WRITE, 2, b"\x00") == STOP
    assert encode(Kind.READ, 2, b"\x01") == CHECK
    assert encode(Kind.READ, 0x2A, b"\x02") == bytes.fromhex("7E000701002A02D80F")
    assert encode(Kind.WRITE, 0x2A, b"\x39\x01") == bytes.fromhex("7E000802002A3901A7EA")


@pytest.mark.parametrize("size", [0, 256])
def test_a_command_of_no_or_too_many_bytes_is_refused(size):
    with pytest.raises(ValueError):
        encode(Kind.WRITE, 2, bytes(size))


@pytest.mark.parametrize("size", range(1, 8))
def test_an_answer_in_pieces(size):
    assert taken(ACK, size) == ([Answer(b"\x00")], b"")


def test_an_answer_of_several_registers():
    octets = b"\x00\x02\x39\x01"
    frame = b"\x02\x00" + octets + binascii.crc_hqx(octets, 0).to_bytes(2, "big")
    assert taken(frame, 3, length=2) == ([Answer(b"\x39\x01")], b"")


@given(st.binary(max_size=30), st.binary(max_size=30), st.integers(1, 40))
def test_garbage_before_goes_and_what_follows_stays(before, after, size):
    assert taken(before + ACK + after, size)[0][0] == Answer(b"\x00")
    held = bytearray(before + ACK + after)
    assert take_answer(held, 1) == Answer(b"\x00")
    assert held == after


def test_garbage_is_not_kept_and_is_no_damaged_answer():
    held = bytearray(b"x" * 100 + ACK[:3])
    assert take_answer(held, 1) is None
    assert held == ACK[:3]
    held = bytearray(b"xyz" + ACK[:5])
    assert take_answer(held, 1) is None
    assert held == ACK[:5]


@given(st.integers(0, 6), st.integers(1, 255))
def test_a_changed_byte_is_no_answer(place, change):
    frame = bytearray(ACK)
    frame[place] ^= change
    assert take_answer(frame, 1) in (None, Damaged())


def test_a_wrong_crc_is_told_and_its_bytes_are_dropped():
    held = bytearray(ACK[:-1] + b"\x32")
    assert take_answer(held, 1) == Damaged()
    assert take_answer(held, 1) is None
    held += ACK
    assert take_answer(held, 1) == Answer(b"\x00")


def test_a_lost_byte_does_not_swallow_the_next_answer():
    held = bytearray(ACK[:5] + ACK)
    assert take_answer(held, 1) == Answer(b"\x00")
    assert not held


@pytest.mark.parametrize("end", [b"\r", b"\r\n"])
@given(payload=no_mark, size=st.integers(1, 70))
def test_a_payload_up_to_its_end_mark(end, payload, size):
    reader, found = PayloadReader(end, 60), []
    for piece in pieces(payload + end, size):
        found.append(reader.feed(piece))
    if not payload.startswith(ACK):
        assert found[-1] == payload
    assert set(found[:-1]) <= {None}
    assert not reader.begun


@given(no_mark, st.integers(1, 70))
def test_a_payload_without_end_mark_ends_by_silence(payload, size):
    reader = PayloadReader(b"", 60)
    assert {reader.feed(piece) for piece in pieces(payload, size)} == {None}
    assert reader.begun
    if not payload.startswith(ACK):
        assert reader.silence() == payload
    assert reader.silence() is None


def test_silence_within_a_payload_that_has_an_end_mark_cuts_it():
    reader = PayloadReader(b"\r", 60)
    reader.feed(b"half a co")
    assert reader.silence() is None
    assert reader.feed(b"whole\r") == b"whole"


def test_empty_payloads_are_none():
    reader = PayloadReader(b"\r\n", 60)
    assert reader.feed(b"\r\n\r\n") is None
    assert not reader.begun and not reader.dropped
    assert reader.feed(b"\r\ncode\r\n") == b"code"
    assert PayloadReader(b"", 60).silence() is None


@pytest.mark.parametrize("end", [b"\r", b"\r\n"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_longest_payload_passes_and_a_longer_one_is_dropped(end, size):
    reader = PayloadReader(end, LONGEST_CODE)
    longest = b"x" * LONGEST_CODE
    found = [reader.feed(piece) for piece in pieces(longest + end, size)]
    assert found[-1] == longest and not reader.dropped
    for over in (1, 2, 3, 5_000):
        found = [reader.feed(piece) for piece in pieces(longest + b"y" * over + end, size)]
        assert set(found) == {None}
        assert reader.dropped and not reader.begun
    assert reader.feed(b"next" + end) == b"next"


def test_a_long_payload_without_end_mark_is_dropped_up_to_the_silence():
    reader = PayloadReader(b"", 60)
    assert reader.feed(b"x" * 60) is None and reader.silence() == b"x" * 60
    for over in (1, 2, 60):
        reader.feed(b"x" * 60)
        reader.feed(b"y" * over)
        assert reader.begun
        assert reader.silence() is None
        assert not reader.begun


def test_a_dropped_payload_is_told_although_an_empty_one_follows():
    reader = PayloadReader(b"\r", 60)
    assert reader.feed(b"x" * 61 + b"\r\r") is None
    assert reader.dropped


def test_a_dropped_payload_is_not_kept_in_memory():
    reader = PayloadReader(b"\r", 60)
    for _ in range(100):
        reader.feed(b"x" * 50)
    assert len(reader._held) <= 60


def test_late_answers_before_a_payload_are_no_part_of_it():
    reader = PayloadReader(b"\r", 60)
    for octet in ACK + ACK + b"\x02\x00code":
        assert reader.feed(bytes([octet])) is None
    assert reader.feed(b"\r") == b"\x02\x00code"
    assert reader.feed(b"\r" + ACK + b"code\r") == b"code"


def test_control_bytes_are_passed_on():
    everything = bytes(octet for octet in range(256) if octet != 0x0D)
    assert PayloadReader(b"\r", 300).feed(everything + b"\r") == everything


def test_an_answer_shows_no_content():
    assert "42" not in repr(Answer(b"42"))
