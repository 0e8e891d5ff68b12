"""The SAM-V frame codec: published vectors, cuts, damage, lengths that cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sam_v.frames import HEAD, LONGEST_FRAME, Answer, Damaged, encode, take_answer
from drivers.sam_v.reader import sam_v_facts
from tests.drivers.id_reader_double import FOUND, OK, READ, frame

FACTS = sam_v_facts()
SENT = FACTS["vectors"]["sent"]
RECEIVED = FACTS["vectors"]["received"]
answers = st.builds(frame, st.integers(0, 255), st.binary(max_size=60))


def taken(stream, size):
    held, found = bytearray(), []
    for start in range(0, len(stream), size):
        held += stream[start : start + size]
        while (answer := take_answer(held)) is not None:
            found.append(answer)
    return [answer for answer in found if isinstance(answer, Answer)], bytes(held)


@pytest.mark.parametrize("command", SENT)
def test_the_published_commands(command):
    octets = bytes.fromhex(FACTS["commands"][command]["send"])
    assert encode(octets) == bytes.fromhex(SENT[command])


def test_every_command_has_its_vector():
    assert FACTS["commands"].keys() == SENT.keys()


@pytest.mark.parametrize("row", RECEIVED, ids=lambda row: f"{row['code']:02X}")
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 100])
def test_the_published_answers_in_pieces(row, size):
    expected = Answer(row["code"], bytes.fromhex(row["data"]))
    assert taken(bytes.fromhex(row["frame"]), size) == ([expected], b"")


@pytest.mark.parametrize("row", RECEIVED, ids=lambda row: f"{row['code']:02X}")
def test_the_double_writes_the_published_answers(row):
    assert frame(row["code"], bytes.fromhex(row["data"])) == bytes.fromhex(row["frame"])


@given(st.lists(answers, max_size=4), st.integers(1, 90))
def test_every_split_of_a_good_stream(frames, size):
    found, rest = taken(b"".join(frames), size)
    assert [frame(answer.code, answer.data) for answer in found] == frames
    assert rest == b""


def test_a_card_in_any_pieces():
    for size in (1, 64, 1000, 4096):
        (answer,), rest = taken(READ, size)
        assert answer.code == 0x90 and len(answer.data) == 1284 and rest == b""


@given(st.binary(max_size=40), st.integers(1, 60))
def test_garbage_before_an_answer_goes(garbage, size):
    if HEAD in garbage:
        return
    found, _ = taken(garbage + FOUND, size)
    assert found == [Answer(0x9F, bytes(4))]


@pytest.mark.parametrize("more", [b"\xaa", b"\xaa\xaa", HEAD[:4], HEAD])
def test_a_head_that_begins_twice(more):
    assert taken(more + OK, 1)[0] == [Answer(0x90, b"")]


@given(st.binary(max_size=200))
def test_garbage_is_never_kept_beyond_one_frame(garbage):
    held = bytearray(garbage)
    for _ in range(300):
        if take_answer(held) is None:
            break
    else:
        raise AssertionError("there is always something more")
    assert len(held) < 5 or held.startswith(HEAD)


@pytest.mark.parametrize("length", [0, 1, 3, LONGEST_FRAME - 6, 0x7FFF, 0xFFFF])
def test_a_length_that_no_answer_has_is_not_waited_for(length):
    held = bytearray(HEAD + length.to_bytes(2, "big") + OK)
    assert take_answer(held) == Answer(0x90, b"")
    assert not held


def test_the_longest_answer_passes():
    longest = frame(0x90, bytes(LONGEST_FRAME - 11))
    assert len(longest) == LONGEST_FRAME
    assert len(taken(longest, 512)[0]) == 1


@given(answers, st.data(), st.integers(1, 255))
def test_a_changed_byte_is_no_answer(sent, data, change):
    spoiled = bytearray(sent)
    spoiled[data.draw(st.integers(0, len(sent) - 1))] ^= change
    assert take_answer(spoiled) in (None, Damaged())


def test_a_wrong_checksum_is_told_once_and_what_follows_is_found():
    held = bytearray(OK[:-1] + b"\x00")
    assert take_answer(held) == Damaged()
    assert take_answer(held) is None
    held += OK
    assert take_answer(held) == Answer(0x90, b"")


def test_a_lost_byte_does_not_swallow_the_next_answer():
    held = bytearray(OK[:8] + OK[9:] + FOUND)
    assert take_answer(held) == Answer(0x9F, bytes(4))
    assert not held


def test_an_answer_shows_no_content():
    assert "42" not in repr(Answer(0x90, b"42"))
