"""Codes in pictures: exact bytes or none, whoever reads them."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.code_scanner import LONGEST_CODE
from drivers.decoding import (
    LONGEST_EDGE,
    Decoded,
    Decoder,
    NotExact,
    TwoCodes,
    cascade,
    decode,
    readers,
    text_of,
)
from drivers.decoding.readers import by_pyzbar, by_wechat, by_zxing
from drivers.decoding.treatments import LARGEST_TREATED, denoised, grown, reduced
from tests.bench.qr_stills import scene, still, ways
from tests.drivers.code_pictures import beside, code_picture

CODE = b"SSC1:4299A0C3F17D5B2E"
HOSTILE = {
    "control characters": bytes(range(1, 32)),
    "escapes": b"\x1b]0;owned\x07\x1b[2J\x9b31m",
    "zero bytes": b"SSC1:\0\0junk\0",
    "only a zero byte": b"\0",
    "all bytes": bytes(range(256)),
    "a script's URL": b"javascript:alert(1)",
    "formats": b"%s%n%x{0}${jndi:ldap://x}",
    "SQL": b"';DROP TABLE rows;--",
    "a path": b"../../../etc/passwd\0.png",
    "directions": "‮⁦abc".encode(),
    "byte order mark": b"\xef\xbb\xbfabc",
    "half a character": "社".encode()[:2],
    "the longest in bytes": b"\xff" * 2_953,
}


@pytest.mark.parametrize("still", [False, True])
@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_hostile_payloads_are_bytes_in_bytes_out(payload, still):
    found = decode(code_picture(payload), still)
    assert found == Decoded(payload, Decoder.ZXING)
    assert "SSC1" not in repr(found)


@pytest.mark.parametrize(
    ("payload", "options"),
    [
        ("社保卡".encode(), {}),
        ("社保卡".encode("gb18030"), {}),
        ("社會".encode("big5"), {}),
        ("𠮷".encode("gb18030"), {}),
        (CODE, {"error": "H"}),
    ],
)
def test_bytes_as_they_stand_in_the_code(payload, options):
    assert decode(code_picture(payload, **options)).payload == payload


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_a_declared_encoding_changes_no_byte(encoding):
    image = code_picture("社保卡A1", encoding=encoding, eci=True)
    assert decode(image).payload == "社保卡A1".encode(encoding)


def test_hanzi_mode_gives_gb_2312():
    assert decode(code_picture("社保卡", mode="hanzi")).payload == "社保卡".encode("gb2312")


@given(payload=st.binary(min_size=1, max_size=120))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_exact_or_not_told(payload):
    image = code_picture(payload, module=3)
    assert decode(image).payload == payload
    second = by_pyzbar(image)
    assert second.payloads <= {payload, payload.removeprefix(b"\xef\xbb\xbf")}
    assert second.payloads or second.spoiled
    third = by_wechat(image)
    assert third.payloads <= {payload, payload.split(b"\0")[0]}


def test_what_pyzbar_converts_is_told_as_spoiled():
    read = by_pyzbar(code_picture("社保卡".encode("gb18030")))
    assert (read.payloads, read.spoiled) == (frozenset(), True)


@pytest.mark.parametrize("decoder", [Decoder.PYZBAR, Decoder.WECHAT])
def test_a_code_that_only_a_changing_decoder_reads(decoder):
    image = code_picture("社保卡".encode("gb18030"))
    with pytest.raises(NotExact):
        decode(image, still=True, decoders=[decoder])


@pytest.mark.parametrize("decoder", list(Decoder))
def test_each_alone(decoder):
    assert decode(code_picture(CODE), True, [decoder]) == Decoded(CODE, decoder)


def test_wechat_is_asked_last_and_never_for_a_frame(monkeypatch):
    asked = []
    step = cascade._FOR_STILLS[-1]
    assert step.decoder is Decoder.WECHAT
    noted = step._replace(read=lambda image: asked.append(image) or step.read(image))
    monkeypatch.setattr(cascade, "_FOR_STILLS", (*cascade._FOR_STILLS[:-1], noted))
    empty = scene(np.random.default_rng(1))
    assert decode(empty) is None
    assert decode(code_picture(CODE), still=True).decoder is Decoder.ZXING
    assert asked == []
    assert decode(empty, still=True) is None
    assert len(asked) == 1


@pytest.mark.parametrize("still", [False, True])
def test_two_different_codes_are_refused(still):
    with pytest.raises(TwoCodes):
        decode(beside(code_picture(CODE), code_picture(CODE + b"x")), still)


@pytest.mark.parametrize("still", [False, True])
def test_the_same_code_twice_is_one(still):
    assert decode(beside(code_picture(CODE), code_picture(CODE)), still).payload == CODE


def test_pyzbar_sees_two_though_it_can_tell_only_one():
    image = beside(code_picture(CODE), code_picture("社保卡".encode("gb18030")))
    with pytest.raises(TwoCodes):
        decode(image, True, [Decoder.PYZBAR])


def test_longer_than_the_longest_counts_as_none():
    fits = code_picture("7" * LONGEST_CODE, module=2)
    assert len(decode(fits).payload) == LONGEST_CODE
    assert decode(code_picture("7" * (LONGEST_CODE + 1), module=2), still=True) is None


@pytest.mark.parametrize("still", [False, True])
@pytest.mark.parametrize(
    "shape",
    [
        (0, 0),
        (0, 5),
        (1, 1),
        (1, 900),
        (900, 1),
        (2, 3),
        (64, 64),
        (1, LONGEST_EDGE),
        (LONGEST_EDGE, 20),
    ],
)
@pytest.mark.parametrize("shade", [0, 255])
def test_pictures_without_anything(shape, shade, still):
    assert decode(np.full(shape, shade, np.uint8), still) is None


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_noise_of_any_shape_is_no_code(data):
    rows, columns = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 90))
    seed = data.draw(st.integers(0, 999))
    noise = np.random.default_rng(seed).integers(0, 256, (rows, columns), dtype=np.uint8)
    assert decode(noise, still=True) is None


@pytest.mark.parametrize("image", [np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.float64)])
def test_only_grey_bytes_are_pictures(image):
    with pytest.raises(ValueError, match="grey"):
        decode(image)


def test_an_edge_that_a_decoder_could_not_take():
    with pytest.raises(ValueError, match="edge"):
        decode(np.zeros((1, LONGEST_EDGE + 1), np.uint8))


def test_a_part_of_a_larger_picture_and_one_that_nobody_may_write():
    whole = np.pad(code_picture(CODE), 50, constant_values=255)
    assert decode(whole[20:-20, 30:-10]).payload == CODE
    whole.flags.writeable = False
    assert decode(whole).payload == CODE
    assert decode(whole, True, [Decoder.PYZBAR]).payload == CODE


@pytest.mark.parametrize("turn", [None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180])
def test_turned_mirrored_and_light_on_dark(turn):
    image = code_picture(CODE)
    if turn is not None:
        image = cv2.rotate(image, turn)
    for seen in (image, np.fliplr(image), 255 - image):
        assert decode(seen).payload == CODE


def test_large_stills_are_treated_smaller():
    large = np.full((3000, 4000), 255, np.uint8)
    assert LARGEST_TREATED * 0.99 < reduced(large).size <= LARGEST_TREATED
    small = large[:100, :100]
    assert reduced(small) is small
    assert grown(small).shape == (300, 300)
    assert grown(large) is large


@pytest.mark.parametrize(
    ("way", "place", "decoder"), [("small", 9, Decoder.ZXING), ("glare", 13, Decoder.PYZBAR)]
)
def test_a_code_that_was_found_and_not_read_is_looked_at_more_closely(way, place, decoder):
    sample = still(way, place)
    assert by_zxing(denoised(sample.image)).payloads == frozenset()
    assert decode(sample.image) == Decoded(sample.payload, decoder)


def test_frames_lose_their_grain_before_they_are_looked_at():
    sample = still("noise", 20)
    assert by_zxing(sample.image).payloads == frozenset()
    assert decode(sample.image).payload == sample.payload


@pytest.mark.parametrize("way", ways())
def test_the_least_spoiled_still_of_every_way_is_read(way):
    sample = still(way, 0)
    assert decode(sample.image, still=True).payload == sample.payload


def test_together_they_read_what_none_does_alone():
    chosen = ("small", "faint", "glare", "gbk")
    samples = [still(way, place) for way in chosen for place in range(12, 20, 2)]
    alone = {
        read: sum(sample.payload in read(sample.image).payloads for sample in samples)
        for read in (by_zxing, by_pyzbar, by_wechat)
    }
    together = [decode(sample.image, still=True) for sample in samples]
    assert all(
        found is None or found.payload == sample.payload
        for found, sample in zip(together, samples, strict=True)
    )
    assert sum(found is not None for found in together) > max(alone.values())


def test_without_libzbar_the_others_do_their_work(monkeypatch):
    monkeypatch.setattr(readers, "pyzbar", None)
    assert decode(code_picture(CODE), True).payload == CODE
    assert decode(code_picture(CODE), True, [Decoder.PYZBAR]) is None


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"abc", "abc"),
        ("社保卡".encode(), "社保卡"),
        ("社保卡".encode("gbk"), "社保卡"),
        ("䶮㼆".encode("gb18030"), "䶮㼆"),
        (b"\0\x1b", "\0\x1b"),
        (b"\xff\xfe", None),
    ],
)
def test_text_for_people(payload, text):
    assert text_of(payload) == text
