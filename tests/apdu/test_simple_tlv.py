"""SIMPLE-TLV records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu import simple_tlv
from apdu.errors import MalformedAnswer
from apdu.simple_tlv import Record

RECORDS = st.lists(
    st.builds(
        Record,
        st.integers(1, 0xFE),
        st.binary(max_size=20) | st.just(bytes(300)),
        whole=st.just(True),
    ),
    max_size=8,
)


@given(RECORDS)
def test_there_and_back(records: list[Record]) -> None:
    assert simple_tlv.decode(simple_tlv.encode(records)) == tuple(records)


@given(RECORDS, st.sampled_from([b"\x00", b"\xff"]), st.integers(0, 5))
def test_padding_is_skipped_only_on_request(records: list[Record], pad: bytes, count: int) -> None:
    data = simple_tlv.encode(records) + pad * count
    assert simple_tlv.decode(data, skip_padding=True) == tuple(records)
    if count:
        with pytest.raises(MalformedAnswer):
            simple_tlv.decode(data)


@given(st.binary(max_size=60), st.booleans())
def test_foreign_bytes_decode_or_are_malformed(data: bytes, skip: bool) -> None:
    try:
        simple_tlv.decode(data, skip_padding=skip)
    except MalformedAnswer as error:
        # A byte or two may spell a word of the message by chance.
        assert len(data) < 4 or data.hex() not in str(error)


def test_lengths_from_255_take_three_bytes() -> None:
    assert simple_tlv.encode([Record(0x21, b"x" * 254)])[:2] == b"\x21\xfe"
    assert simple_tlv.encode([Record(0x21, b"x" * 255)])[:4] == b"\x21\xff\x00\xff"
    assert simple_tlv.decode(b"\x21\xff\x00\x00") == (Record(0x21, b""),)
    longest = Record(0x21, bytes(0xFFFF))
    assert simple_tlv.decode(simple_tlv.encode([longest])) == (longest,)


@pytest.mark.parametrize("data", ["08", "0802AA", "08FF", "08FF00", "08FF000001", "08FF0002AA"])
def test_broken_off_records_are_malformed(data: str) -> None:
    with pytest.raises(MalformedAnswer):
        simple_tlv.decode(bytes.fromhex(data), skip_padding=True)


@pytest.mark.parametrize("record", [Record(0, b""), Record(0xFF, b""), Record(1, bytes(65536))])
def test_what_cannot_be_written_is_refused(record: Record) -> None:
    with pytest.raises(ValueError, match="SIMPLE-TLV"):
        simple_tlv.encode([record])


def test_repr_shows_no_value() -> None:
    assert repr(Record(8, b"secret")) == "Record(tag=08, 6 bytes)"
