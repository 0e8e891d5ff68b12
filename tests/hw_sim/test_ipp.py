"""Bytes of IPP messages: the examples of RFC 8010 Appendix A, round trips, and what is refused."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.printer.ipp import Group, GroupTag, Message, Tag, Value, encode
from hw_sim.printer.ipp_decoding import Malformed, ValueTooLong, decode
from tests.hw_sim.ipp_client import field

PRINTER = b"ipp://printer.example.com/ipp/print/pinetree"
HEAD = field(0x47, "attributes-charset", b"utf-8") + field(
    0x48, "attributes-natural-language", b"en-us"
)

PRINT_JOB = (  # RFC 8010 A.1
    bytes.fromhex("0101 0002 00000001 01")
    + HEAD
    + field(0x45, "printer-uri", PRINTER)
    + field(0x42, "job-name", b"foobar")
    + field(0x22, "ipp-attribute-fidelity", b"\x01")
    + b"\x02"
    + field(0x21, "copies", bytes.fromhex("00000014"))
    + field(0x44, "sides", b"two-sided-long-edge")
    + b"\x03%!PDF..."
)
SUBSTITUTED = (  # A.4
    bytes.fromhex("0101 0001 00000001 01")
    + HEAD
    + field(0x41, "status-message", b"successful-ok-ignored-or-substituted-attributes")
    + b"\x05"
    + field(0x21, "copies", bytes.fromhex("00000014"))
    + field(0x10, "sides", b"")
    + b"\x02"
    + field(0x21, "job-id", bytes.fromhex("00000093"))
    + field(0x23, "job-state", bytes.fromhex("00000003"))
    + b"\x03"
)
COLLECTION = (  # A.7: a collection inside a collection
    bytes.fromhex("0101 0005 00000001 01")
    + HEAD
    + b"\x02"
    + field(0x34, "media-col", b"")
    + field(0x4A, "", b"media-size")
    + field(0x34, "", b"")
    + field(0x4A, "", b"x-dimension")
    + field(0x21, "", struct.pack(">i", 21000))
    + field(0x4A, "", b"y-dimension")
    + field(0x21, "", struct.pack(">i", 29700))
    + field(0x37, "", b"")
    + field(0x4A, "", b"media-type")
    + field(0x44, "", b"stationery")
    + field(0x37, "", b"")
    + b"\x03"
)


@pytest.mark.parametrize("example", [PRINT_JOB, SUBSTITUTED, COLLECTION])
def test_examples_survive_reading_and_writing(example: bytes) -> None:
    assert encode(decode(example)) == example


def test_print_job_example_is_understood() -> None:
    message = decode(PRINT_JOB)
    assert (message.version, message.code, message.request_id) == ((1, 1), 2, 1)
    operation, job = message.groups
    assert operation.tag is GroupTag.OPERATION
    assert operation.attributes["ipp-attribute-fidelity"] == (Value(Tag.BOOLEAN, True),)
    assert job.attributes["copies"] == (Value(Tag.INTEGER, 20),)
    assert message.data == b"%!PDF..."


def test_collection_example_is_understood() -> None:
    column = decode(COLLECTION).groups[1].attributes["media-col"][0].content
    assert column["media-size"][0].content["y-dimension"] == (Value(Tag.INTEGER, 29700),)
    assert column["media-type"] == (Value(Tag.KEYWORD, "stationery"),)


def plain_values() -> st.SearchStrategy[Value]:
    text = st.text(max_size=60)
    ascii_text = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60)
    number = st.integers(-(2**31), 2**31 - 1)

    def of(tag: Tag, contents: st.SearchStrategy[Any]) -> st.SearchStrategy[Value]:
        return contents.map(lambda content: Value(tag, content))

    return st.one_of(
        of(Tag.INTEGER, number),
        of(Tag.ENUM, number),
        of(Tag.BOOLEAN, st.booleans()),
        of(Tag.OCTETS, st.binary(max_size=60)),
        of(Tag.DATE_TIME, st.binary(min_size=11, max_size=11)),
        of(Tag.RANGE, st.tuples(number, number)),
        of(Tag.RESOLUTION, st.tuples(number, number, st.sampled_from([3, 4]))),
        of(Tag.TEXT, text),
        of(Tag.NAME, text),
        of(Tag.KEYWORD, ascii_text),
        of(Tag.URI, ascii_text),
        of(Tag.NAME_WITH_LANGUAGE, st.tuples(st.just("zh-cn"), text)),
        of(Tag.NO_VALUE, st.none()),
    )


names = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=12)
attributes = st.dictionaries(
    names,
    st.lists(
        st.recursive(
            plain_values(),
            lambda inner: st.dictionaries(
                names, st.lists(inner, min_size=1, max_size=2).map(tuple), max_size=3
            ).map(lambda members: Value(Tag.COLLECTION, members)),
            max_leaves=6,
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    max_size=4,
)


@given(st.lists(attributes, min_size=1, max_size=3), st.binary(max_size=20))
def test_round_trip(groups: list[Any], data: bytes) -> None:
    made = Message((2, 0), 0x000B, 7, tuple(Group(GroupTag.PRINTER, each) for each in groups), data)
    assert decode(encode(made)) == made


def whole(*fields: bytes) -> bytes:
    return bytes.fromhex("0200 000B 00000007 01") + b"".join(fields) + b"\x03"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"\x02\x00\x00\x0b\x00\x00", "fixed part"),
        (PRINT_JOB[:60], "longer than the message"),
        (whole(HEAD)[:-1], "no end"),
        (bytes.fromhex("0200 000B 00000007 47"), "where a group begins"),
        (bytes.fromhex("0200 000B 00000007 00"), "where a group begins"),
        (whole(field(0x44, "", b"orphan")), "without a first one"),
        (whole(field(0x21, "n", b"1234"), field(0x21, "n", b"1234")), "n twice"),
        (whole(field(0x21, "n", b"123")), "INTEGER of 3 bytes"),
        (whole(field(0x22, "n", b"\x02")), "neither 0 nor 1"),
        (whole(field(0x31, "n", b"2026")), "11 bytes"),
        (whole(field(0x33, "n", b"1234")), "RANGE of 4 bytes"),
        (whole(field(0x36, "n", b"\x00\x02zh\x00\x09x")), "with language"),
        (whole(field(0x41, "n", b"\xff")), "no text"),
        (whole(field(0x44, "n", "卡".encode())), "no text"),
        (whole(field(0x60, "n", b"")), "value tag 0x60"),
        (whole(field(0x37, "n", b"")), "outside of a collection"),
        (whole(field(0x34, "n", b"x")), "begins with a value"),
        (whole(field(0x34, "n", b""), field(0x21, "m", b"1234")), "no end"),
        (whole(field(0x34, "n", b""), field(0x37, "", b""), field(0x4A, "", b"m")), "no end|first"),
        (
            whole(field(0x34, "n", b""), field(0x4A, "", b"m"), field(0x37, "", b"")),
            "without a value",
        ),
    ],
)
def test_malformed(wrong: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        decode(wrong)


def test_every_cut_of_a_message_is_malformed_never_worse() -> None:
    for example in (PRINT_JOB, COLLECTION):
        end = example.index(b"\x03", len(example) - 12)
        for size in range(end):
            with pytest.raises(Malformed):
                decode(example[:size])


def test_malformed_message_still_tells_its_request_id() -> None:
    with pytest.raises(Malformed) as raised:
        decode(whole(field(0x21, "n", b"1")))
    assert raised.value.request_id == 7


@pytest.mark.parametrize(
    ("tag", "longest"), [(0x41, 1023), (0x42, 255), (0x44, 255), (0x45, 1023), (0x47, 63)]
)
def test_values_are_limited_by_their_syntax(tag: int, longest: int) -> None:
    decode(whole(field(tag, "n", b"x" * longest)))
    with pytest.raises(ValueTooLong):
        decode(whole(field(tag, "n", b"x" * (longest + 1))))
