"""The CRT-591 frame codec: published frames, round trips, cuts, damage, noise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.crt591.device import crt591_facts
from drivers.crt591.frames import Bad, Control, Damaged, FrameReader, Good, encode
from tests.drivers.dispenser_double import bad, framed, good

octets = st.integers(0, 255)
data = st.binary(max_size=512)


def answers(found):
    return [each for each in found if isinstance(each, Good | Bad)]


@pytest.mark.parametrize("vector", crt591_facts()["vectors"], ids=lambda vector: vector["frame"])
def test_published_frames(vector):
    frame = bytes.fromhex(vector["frame"])
    assert encode(0, vector["cm"], vector["pm"], bytes.fromhex(vector["data"])) == frame


@given(octets, octets, octets, data)
def test_commands_are_framed(address, cm, pm, content):
    assert encode(address, cm, pm, content) == framed(b"\x43" + bytes([cm, pm]) + content, address)


def test_a_command_that_is_too_long():
    assert len(encode(0, 0x51, 0x39, bytes(512))) == 521
    with pytest.raises(ValueError, match="513"):
        encode(0, 0x51, 0x39, bytes(513))


@given(octets, octets, st.binary(min_size=3, max_size=3), data)
def test_good_answers(cm, pm, state, content):
    frame = framed(b"\x50" + bytes([cm, pm]) + state + content)
    assert FrameReader(0).feed(frame) == [Good(cm, pm, state, content)]


@pytest.mark.parametrize("head", [b"\x4e", b"\x45"])
def test_refusals(head):
    assert FrameReader(0).feed(bad("3233", "A1", head)) == [Bad(0x32, 0x33, "A1", b"")]


def test_a_code_that_is_no_text():
    frame = framed(b"\x4e\x32\x33\xff0")
    assert FrameReader(0).feed(frame) == [Bad(0x32, 0x33, "?0", b"")]


def test_what_a_card_said_is_in_no_repr():
    assert "secret" not in repr(FrameReader(0).feed(good("5139", data=b"secret")))


@pytest.mark.parametrize("text", [b"\x51\x31\x30000", b"\x50\x31\x3000"])
def test_a_text_that_is_no_answer(text):
    assert FrameReader(0).feed(framed(text)) == [Damaged()]


def test_another_device_on_the_line_is_not_heard():
    frame = framed(b"\x50\x31\x30000", address=5)
    assert FrameReader(0).feed(frame) == []
    assert FrameReader(5).feed(frame) == [Good(0x31, 0x30, b"000", b"")]


def test_control_bytes_stand_between_frames_and_not_in_them():
    reader = FrameReader(0)
    inside = good("5139", data=b"\x06\x15\x04\xf2\x03\x90\x00")
    found = reader.feed(b"\x06" + inside + b"\x15\x04")
    assert [found[0], *found[2:]] == [Control.ACK, Control.NAK, Control.EOT]
    assert answers(found) == [Good(0x51, 0x39, b"020", b"\x06\x15\x04\xf2\x03\x90\x00")]


@given(st.lists(st.tuples(octets, data), max_size=4), st.integers(1, 60))
def test_the_pieces_do_not_matter(several, size):
    stream = b"".join(
        b"\x06" + framed(b"\x50\x51" + bytes([pm]) + b"220" + each) for pm, each in several
    )
    reader, found = FrameReader(0), []
    for start in range(0, len(stream), size):
        found += reader.feed(stream[start : start + size])
    assert answers(found) == [Good(0x51, pm, b"220", each) for pm, each in several]
    assert found.count(Control.ACK) == len(several)
    assert not reader.partial


@given(data, st.data())
def test_a_cut_answer_is_never_accepted_and_can_be_given_up(content, drawn):
    frame = framed(b"\x50\x51\x39220" + content)
    reader = FrameReader(0)
    assert reader.feed(frame[: drawn.draw(st.integers(1, len(frame) - 1))]) == []
    assert reader.give_up()
    assert not reader.give_up()
    assert reader.feed(frame) == [Good(0x51, 0x39, b"220", content)]


@given(st.binary(max_size=40), st.data())
def test_a_changed_byte_never_makes_an_answer(content, drawn):
    frame = bytearray(framed(b"\x50\x51\x39220" + content))
    at = drawn.draw(st.integers(2, len(frame) - 1))
    frame[at] ^= drawn.draw(st.integers(1, 255))
    assert answers(FrameReader(0).feed(bytes(frame))) == []


@given(st.binary(max_size=40))
def test_the_rest_of_a_damaged_answer_holds_no_control_byte(content):
    """A NAK in it would have a movement sent again."""
    frame = bytearray(framed(b"\x50\x51\x39220" + content.replace(b"\xf2", b"\x15")))
    frame[-1] ^= 1
    reader = FrameReader(0)
    assert reader.feed(bytes(frame)) == [Damaged()]
    # Its check byte may happen to begin a frame.
    assert reader.partial == (frame[-1] == 0xF2)


@given(st.integers(4, 12))
def test_nor_does_what_comes_of_it_later(cut):
    """Until the next answer begins, or the line was silent."""
    frame = b"\xf2\x00\xff\xff" + b"\x04\x15\x06" * 3
    reader = FrameReader(0)
    assert reader.feed(frame[:cut]) + reader.feed(frame[cut:]) == [Damaged()]
    assert not reader.partial
    assert reader.feed(good("3130")) == [Good(0x31, 0x30, b"020", b"")]
    assert reader.feed(b"\x06") == [Control.ACK]
    reader.feed(frame)
    reader.give_up()
    assert reader.feed(b"\x04") == [Control.EOT]


@given(st.binary(max_size=200), data)
def test_garbage_costs_at_most_what_is_given_up(garbage, content):
    reader = FrameReader(0)
    reader.feed(garbage)
    reader.give_up()
    frame = framed(b"\x50\x51\x39220" + content)
    assert reader.feed(frame) == [Good(0x51, 0x39, b"220", content)]


def test_after_a_lost_byte_the_next_answer_is_found():
    whole = good("3130")
    found = FrameReader(0).feed(whole[:5] + whole[6:] + whole)
    assert answers(found) == [Good(0x31, 0x30, b"020", b"")]
    assert Damaged() in found


def test_a_length_that_no_answer_has_is_not_waited_for():
    assert FrameReader(0).feed(b"\xf2\x00\x02\x07") == [Damaged()]
    assert FrameReader(0).feed(b"\xf2\x00\x00\x04") == [Damaged()]
