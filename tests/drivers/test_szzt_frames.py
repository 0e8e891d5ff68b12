"""The SZZT frame codec: round trips, cuts, damage, noise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.szzt.frames import BareKey, Damaged, Frame, FrameReader, encode
from tests.drivers.pad_double import framed

texts = st.binary(max_size=999)
hex_texts = st.text("0123456789ABCDEF", max_size=60).map(str.encode)
not_stx = st.binary(max_size=20).map(lambda data: data.replace(b"\x02", b"\x2a"))


def frames(found):
    return [item.text for item in found if isinstance(item, Frame)]


def test_the_example_of_the_table():
    assert encode(b"3") == bytes.fromhex("02 30 30 31 33 03 30 31")
    assert FrameReader().feed(bytes.fromhex("0230303133033031")) == [Frame(b"3")]


def test_lower_case_check_digits_are_right_too():
    frame = framed(b"5\x5a")
    assert frame[-2:] != frame[-2:].lower()
    assert frames(FrameReader().feed(frame[:-2] + frame[-2:].lower())) == [b"5\x5a"]


@given(texts)
def test_round_trip(text):
    frame = encode(text)
    assert frame == framed(text)
    reader = FrameReader()
    assert reader.feed(bytes(frame)) == [Frame(text)]
    assert not reader.partial


@given(st.lists(texts, max_size=4), st.integers(1, 50))
def test_the_pieces_do_not_matter(several, size):
    stream = b"".join(framed(text) for text in several)
    reader, found = FrameReader(), []
    for start in range(0, len(stream), size):
        found += reader.feed(stream[start : start + size])
    assert found == [Frame(text) for text in several]


@given(texts, st.data())
def test_a_cut_frame_is_never_accepted_and_can_be_given_up(text, data):
    frame = framed(text)
    reader = FrameReader()
    assert reader.feed(frame[: data.draw(st.integers(1, len(frame) - 1))]) == []
    assert reader.give_up()
    assert not reader.give_up()
    assert reader.feed(frame) == [Frame(text)]


@given(hex_texts, st.data())
def test_a_changed_byte_never_makes_another_text(text, data):
    frame = bytearray(framed(text))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    assert set(frames(FrameReader().feed(bytes(frame)))) <= {text}


@given(hex_texts, hex_texts, st.data())
def test_after_a_lost_byte_the_next_frame_is_read(text, following, data):
    frame = bytearray(framed(text))
    del frame[data.draw(st.integers(0, len(frame) - 1))]
    reader = FrameReader()
    reader.feed(bytes(frame))
    reader.give_up()
    assert frames(reader.feed(framed(following))) == [following]


@given(not_stx, texts, not_stx)
def test_bare_bytes_around_a_frame_are_keys_in_their_order(before, text, after):
    found = FrameReader().feed(before + framed(text) + after)
    keys = [BareKey(octet) for octet in before]
    assert found == [*keys, Frame(text), *(BareKey(octet) for octet in after)]


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_noise_never_stops_the_reader(pieces):
    reader = FrameReader()
    for piece in pieces:
        reader.feed(piece)
    reader.give_up()
    assert reader.feed(framed(b"3")) == [Frame(b"3")]


def test_a_stray_stx_does_not_swallow_key_presses():
    assert FrameReader().feed(b"\x02\x2a\x0d") == [Damaged(), BareKey(0x2A), BareKey(0x0D)]


def test_the_bytes_of_a_damaged_frame_are_no_keys():
    frame = bytearray(framed(b"7\x0d\x2a"))
    frame[-1] ^= 1
    assert FrameReader().feed(bytes(frame) + framed(b"5")) == [Damaged(), Frame(b"5")]


def test_keys_right_behind_a_damaged_frame_are_keys():
    frame = bytearray(framed(b"5"))
    frame[-1] ^= 1
    assert FrameReader().feed(bytes(frame) + b"*\r") == [Damaged(), BareKey(0x2A), BareKey(0x0D)]


def test_another_end_than_etx_is_no_frame():
    inner = b"0015\x04"
    assert FrameReader().feed(b"\x02" + inner + b"%02X" % (0x30 ^ 0x30 ^ 0x31 ^ 0x35 ^ 0x04)) == [
        Damaged()
    ]


def test_a_text_over_999_bytes_is_refused():
    with pytest.raises(ValueError):
        encode(bytes(1000))


def test_a_frame_shows_no_text():
    assert "4242" not in repr(Frame(b"4242"))
