"""Reading a file by whatever way the card allows."""

from typing import Any

import pytest

from apdu.channel import Channel
from apdu.errors import CardError, MalformedAnswer, UnexpectedStatus
from apdu.profile import shipped_profiles
from apdu.records import RecordReader, Way
from apdu.simple_tlv import Record

HOLDER = shipped_profiles()["1"].holder_file
RECORDS = [Record(item.tag, b"%d" % item.tag) for item in HOLDER.items]
TLV = [f"{record.tag:02X}{len(record.value):02X}{record.value.hex()}" for record in RECORDS]
ALL = "00B2013500"


def numbers(sfi: int = 6, count: int = 6) -> list[tuple[str, str]]:
    return [(f"00B2{n + 1:02X}{sfi << 3 | 4:02X}00", TLV[n] + "9000") for n in range(count)]


def tags(sfi: int = 6) -> list[tuple[str, str]]:
    pairs = zip(RECORDS, TLV, strict=True)
    return [(f"00B2{record.tag:02X}{sfi << 3:02X}00", tlv + "9000") for record, tlv in pairs]


NO_NUMBER, NO_TAG = ("00B2013400", "6A86"), ("00B2083000", "6A81")
SELECT_02, SELECT_00 = "00A4020002EF0600", "00A4000002EF0600"


@pytest.mark.parametrize(
    ("script", "way"),
    [
        ([(ALL, "".join(TLV) + "9000")], Way.ALL),
        ([(ALL, "".join(TLV) + "FFFF006282")], Way.ALL),
        ([(ALL, "6A86"), *numbers()], Way.NUMBERS),
        ([(ALL, "6A83"), *numbers()], Way.NUMBERS),
        ([(ALL, "6F00"), *numbers()], Way.NUMBERS),
        ([(ALL, TLV[0] + "9000"), *numbers()], Way.NUMBERS),
        ([(ALL, "6A86"), NO_NUMBER, *tags()], Way.TAGS),
        (
            [(ALL, "6A82"), ("00B2013400", "6A82"), ("00B2083000", "6A82"), (SELECT_02, "9000"),
             *numbers(0)],
            Way.SELECTED_NUMBERS,
        ),
        (
            [(ALL, "6B00"), NO_NUMBER, NO_TAG, (SELECT_02, "6A86"), (SELECT_00, "9000"),
             ("00B2010400", "6A86"), (SELECT_02, "6A86"), (SELECT_00, "9000"), *tags(0)],
            Way.SELECTED_TAGS,
        ),
    ],
)  # fmt: skip
def test_the_first_way_that_works_is_taken_and_remembered(
    scripted: Any, script: list[tuple[str, str]], way: Way
) -> None:
    reader = RecordReader(Channel(scripted(*script)))
    assert reader.read(HOLDER) == tuple(RECORDS)
    assert reader.way is way


def test_the_remembered_way_is_the_only_one_tried(scripted: Any) -> None:
    script = [(ALL, "6A86"), *numbers(), ("00B2013400", "6A86")]
    reader = RecordReader(Channel(scripted(*script)))
    reader.read(HOLDER)
    with pytest.raises(UnexpectedStatus) as caught:
        reader.read(HOLDER)
    assert caught.value.sw == 0x6A86


def test_no_record_ends_the_file(scripted: Any) -> None:
    script = [(ALL, "6A86"), *numbers(count=4), ("00B2053400", "6A83")]
    assert RecordReader(Channel(scripted(*script))).read(HOLDER) == tuple(RECORDS[:4])


def test_a_tag_that_the_card_lacks_is_skipped(scripted: Any) -> None:
    by_tag = tags()
    by_tag[2] = (by_tag[2][0], "6A83")
    reader = RecordReader(Channel(scripted((ALL, "6A86"), NO_NUMBER, *by_tag)))
    assert reader.read(HOLDER) == (*RECORDS[:2], *RECORDS[3:])


@pytest.mark.parametrize("sw", ["6982", "6983", "9303", "6281"])
def test_a_closed_file_is_not_tried_in_other_ways(scripted: Any, sw: str) -> None:
    with pytest.raises(CardError):
        RecordReader(Channel(scripted((ALL, sw)))).read(HOLDER)


def test_padding_behind_a_record_is_skipped(scripted: Any) -> None:
    for pad in ("00", "FFFF"):
        padded = [(command, answer[:-4] + pad + "9000") for command, answer in numbers()]
        reader = RecordReader(Channel(scripted((ALL, "6A86"), *padded)))
        assert reader.read(HOLDER) == tuple(RECORDS)
        padded = [(command, answer[:-4] + pad + "9000") for command, answer in tags()]
        reader = RecordReader(Channel(scripted((ALL, "6A86"), NO_NUMBER, *padded)))
        assert reader.read(HOLDER) == tuple(RECORDS)


def test_a_card_that_refuses_every_way(scripted: Any) -> None:
    script = [(ALL, "6A82"), ("00B2013400", "6A82"), ("00B2083000", "6A82")]
    script += [(SELECT_02, "6A82"), (SELECT_00, "6A82")] * 2
    with pytest.raises(UnexpectedStatus) as caught:
        RecordReader(Channel(scripted(*script))).read(HOLDER)
    assert caught.value.sw == 0x6A82


def test_an_empty_file_is_refused(scripted: Any) -> None:
    script = [(ALL, "6A83"), ("00B2013400", "6A83")]
    script += [(f"00B2{tag:02X}3000", "6A83") for tag in (8, 9, 10, 11, 12, 13)]
    script += [(SELECT_02, "9000"), ("00B2010400", "6A83"), (SELECT_02, "9000")]
    script += [(f"00B2{tag:02X}0000", "6A83") for tag in (8, 9, 10, 11, 12, 13)]
    with pytest.raises(UnexpectedStatus) as caught:
        RecordReader(Channel(scripted(*script))).read(HOLDER)
    assert caught.value.sw == 0x6A83


def test_a_card_that_never_ends_is_left(scripted: Any) -> None:
    endless = [(f"00B2{n:02X}3400", "0801319000") for n in range(1, 31)]
    records = RecordReader(Channel(scripted((ALL, "6A86"), *endless))).read(HOLDER)
    assert records == (Record(8, b"1"),) * 30


def test_a_record_broken_off_is_malformed(scripted: Any) -> None:
    with pytest.raises(MalformedAnswer):
        RecordReader(Channel(scripted((ALL, "08123433339000")))).read(HOLDER)
