"""Reading an IPP printer's answers: whole ones, halves, noise, and what pyipp stumbles over."""

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.ipp.answers import (
    ExchangeFailed,
    Span,
    members,
    number,
    octet_strings,
    read_answer,
    words,
)
from tests.drivers.printer_double import (
    HEAD,
    attribute,
    boolean,
    enum,
    integer,
    keywords,
    message,
    titled,
)

PRINTER = (
    b"\x04"
    + enum("printer-state", 5)
    + keywords("printer-state-reasons", "media-empty-error", "toner-low")
    + boolean("printer-is-accepting-jobs", False)
    + integer("queued-job-count", -2)
)
WHOLE = message(0, 77, PRINTER)


def test_a_printer():
    answer = read_answer(WHOLE)
    assert (answer.status, answer.request, answer.ok, answer.jobs) == (0, 77, True, ())
    assert answer.printer == {
        "printer-state": (5,),
        "printer-state-reasons": ("media-empty-error", "toner-low"),
        "printer-is-accepting-jobs": (False,),
        "queued-job-count": (-2,),
    }


def test_jobs():
    one = b"\x02" + integer("job-id", 1) + titled("job-name", "证明-1")
    two = b"\x02" + integer("job-id", 2) + titled("job-name", "B")
    answer = read_answer(message(1, 1, one, two))
    assert answer.jobs == (
        {"job-id": (1,), "job-name": ("证明-1",)},
        {"job-id": (2,), "job-name": ("B",)},
    )
    assert answer.printer == {}


@pytest.mark.parametrize(
    ("status", "ok"), [(0, True), (1, True), (0xFF, True), (0x100, False), (0x0400, False),
                       (0x0506, False), (0x8000, False)]
)  # fmt: skip
def test_the_status(status, ok):
    answer = read_answer(message(status, 1))
    assert (answer.status, answer.ok) == (status, ok)


def test_a_name_with_language():
    value = b"\x00\x05zh-cn\x00\x03\xe8\xaf\x81"
    job = b"\x02" + attribute(0x36, "job-name", value) + attribute(0x35, "t", value)
    assert read_answer(message(0, 1, job)).jobs[0] == {"job-name": ("证",), "t": ("证",)}


def collection(name, *members):
    return attribute(0x34, name, b"") + b"".join(members) + attribute(0x37, "", b"")


def member(name, value):
    return attribute(0x4A, "", name.encode()) + value


SIZE = collection(
    "", member("x-dimension", integer("", 21000)), member("y-dimension", integer("", 29700))
)


def test_collections_octets_and_ranges():
    told = (
        collection("media-col", member("media-size", SIZE), member("a", keywords("", "b")))
        + collection("", member("a", keywords("", "c") + keywords("", "d")))
        + attribute(0x33, "copies-supported", struct.pack(">ii", 1, 99))
        + attribute(0x30, "printer-supply", b"type=toner;\xff", b"level=5;")
    )
    printer = read_answer(message(0, 1, b"\x04" + told + PRINTER[1:])).printer
    size = {"x-dimension": (21000,), "y-dimension": (29700,)}
    assert printer["media-col"] == ({"media-size": (size,), "a": ("b",)}, {"a": ("c", "d")})
    assert members(printer, "media-col")[0]["a"] == ("b",)
    assert printer["copies-supported"] == (Span(1, 99),)
    assert octet_strings(printer, "printer-supply") == ("type=toner;\ufffd", "level=5;")
    assert printer["printer-state"] == (5,)
    assert members(printer, "printer-supply") == octet_strings(printer, "media-col") == ()


def test_collections_in_collections_end_somewhere():
    inner = integer("", 1)
    for _ in range(3000):
        inner = collection("", member("m", inner))
    told = b"\x04" + collection("deep", member("m", inner))
    printer = read_answer(message(0, 1, told + PRINTER[1:])).printer
    assert printer["printer-state"] == (5,)
    depth, here = 0, printer["deep"]
    while here and isinstance(here[0], dict):
        depth, here = depth + 1, here[0].get("m", ())
    assert depth == 8 and here == ()


def test_values_that_nobody_asked_for_are_left_out():
    others = (
        attribute(0x13, "printer-state-message", b"")
        + attribute(0x10, "printer-info", b"")
        + attribute(0x31, "printer-current-time", bytes(11))
        + attribute(0x32, "printer-resolution-default", bytes(9))
        + attribute(0x37, "", b"")
        + attribute(0x4A, "", b"member")
        + enum("operations-supported", 0x4F99)
        + enum("finishings-supported", 0x7FFF)
    )
    answer = read_answer(message(0, 1, b"\x04" + others + PRINTER[1:]))
    del (answer.printer)["operations-supported"]
    assert answer.printer.pop("finishings-supported") == (0x7FFF,)
    assert answer.printer == read_answer(WHOLE).printer


def test_groups_that_are_empty_or_unknown():
    answer = read_answer(
        message(1, 1, b"\x05", b"\x02", b"\x09" + keywords("printer-state", "x"), PRINTER, b"\x07")
    )
    assert answer.printer == read_answer(WHOLE).printer
    assert answer.jobs == ()


def test_a_collection_ends_with_its_group():
    torn = b"\x04" + attribute(0x34, "media-col", b"") + integer("", 5)
    answer = read_answer(message(0, 1, torn, b"\x02" + integer("job-id", 1)))
    assert answer.jobs == ({"job-id": (1,)},)


@pytest.mark.parametrize("tag", [0x41, 0x42, 0x44, 0x45, 0x47, 0x48, 0x49])
def test_the_syntaxes_of_texts(tag):
    answer = read_answer(message(0, 1, b"\x04" + attribute(tag, "a", b"b")))
    assert answer.printer == {"a": ("b",)}


def test_text_that_is_no_utf8_is_read_with_marks():
    job = b"\x02" + attribute(0x42, "job-name", b"\xba\xbaA")
    answer = read_answer(message(0, 1, job))
    assert answer.jobs[0]["job-name"] == ("\ufffd\ufffdA",)


@pytest.mark.parametrize("size", range(len(WHOLE)))
def test_half_an_answer_is_none(size):
    with pytest.raises(ExchangeFailed):
        read_answer(WHOLE[:size])


def test_what_follows_the_end_does_not_matter():
    assert read_answer(WHOLE + b"\x00data").printer == read_answer(WHOLE).printer


@pytest.mark.parametrize(
    "attributes",
    [
        b"\x44\x00\x00\xff\xfb",  # a length of -5 leads pyipp back to its own beginning
        b"\x44\xff\xfd",
        b"\x44\x00\x01a\x80\x00",
        attribute(0x23, "printer-state", b"\x00\x05"),
        attribute(0x21, "job-id", bytes(8)),
        attribute(0x22, "b", b""),
        attribute(0x33, "copies-supported", bytes(7)),
        attribute(0x36, "job-name", b"\x00\x09zh"),
        attribute(0x36, "job-name", b"\x00\x01z\xff\xff"),
    ],
)
def test_lengths_that_are_wrong(attributes):
    with pytest.raises(ExchangeFailed):
        read_answer(message(0, 1, b"\x04" + keywords("a", "b") + attributes))


@pytest.mark.parametrize(
    "octets",
    [
        b"<html><body>403</body></html>",
        b"\x00" * 100,
        b"%PDF-1.7 and so on",
        b"\x03",
        b"\x00" + WHOLE[1:],
        b"\x03" + WHOLE[1:],
    ],
)
def test_other_things_than_ipp(octets):
    with pytest.raises(ExchangeFailed):
        read_answer(octets)


@given(st.binary(max_size=200))
def test_noise_never_does_more_than_fail(noise):
    for octets in (noise, WHOLE[:8] + noise, WHOLE[:8] + HEAD + noise):
        try:
            answer = read_answer(octets)
        except ExchangeFailed:
            continue
        assert octets[0] in (1, 2)
        assert answer.request == int.from_bytes(octets[4:8])


TEXT_TAGS = range(0x41, 0x4A)
"""A value of one of these syntaxes reads the same under another one (RFC 8010 §3.5.2)."""


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
@example(94, 1)
def test_a_changed_octet_never_does_more_than_fail(place, change):
    octets = bytearray(WHOLE)
    octets[place] ^= change
    try:
        answer = read_answer(bytes(octets))
    except ExchangeFailed:
        return
    unread = place < 2 or 8 <= place < 8 + len(HEAD)
    other_text = {WHOLE[place], octets[place]} <= set(TEXT_TAGS)
    assert answer != read_answer(WHOLE) or unread or other_text


def test_a_very_long_list_is_read_in_reasonable_time():
    values = keywords("k", "") + b"\x44\x00\x00\x00\x00" * 200_000
    assert len(read_answer(message(0, 1, b"\x04" + values)).printer["k"]) == 200_001


def test_number_and_words():
    attributes = {"n": (3,), "two": (3, 4), "b": (True,), "w": ("a", 1, "b")}
    assert number(attributes, "n") == 3
    assert [number(attributes, name) for name in ("two", "b", "w", "none")] == [None] * 4
    assert words(attributes, "w") == ("a", "b")
    assert words(attributes, "n") == words(attributes, "none") == ()
