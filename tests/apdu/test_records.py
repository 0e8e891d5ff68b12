"""Reading a file by whatever way the card allows."""

from typing import Any

import pytest

from apdu.channel import Channel
from apdu.errors import CardError, MalformedAnswer, UnexpectedStatus
from apdu.formats import Unreadable
from apdu.profile import shipped_profiles
from apdu.records import RecordReader, Way
from apdu.simple_tlv import Record

HOLDER = shipped_profiles()["1"].holder_file
TAGS = [item.tag for item in HOLDER.items if item.tag is not None]
RECORDS = [Record(tag, b"%d" % (tag % 10)) for tag in TAGS]
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


ONE, BROKEN = "00B2013400", "08123433339000"


def test_a_record_that_the_card_stores_broken_off_is_not_whole(scripted: Any) -> None:
    rest = [(f"00B2{n + 1:02X}3400", TLV[n] + "9000") for n in range(1, len(TLV))]
    script = [(ALL, BROKEN + "".join(TLV[1:])), (ONE, BROKEN), (ONE, BROKEN), *rest]
    first, *others = RecordReader(Channel(scripted(*script))).read(HOLDER)
    assert first == Record(8, b"433", whole=False)
    assert others == RECORDS[1:]
    assert HOLDER.raw_values([first]) == {}
    assert HOLDER.decode([first])["social_security_number"] == Unreadable(b"433")


@pytest.mark.parametrize("again", ["081234339000", "081234333334359000", "089000"])
def test_a_record_broken_off_elsewhere_each_time_is_malformed(scripted: Any, again: str) -> None:
    with pytest.raises(MalformedAnswer):
        RecordReader(Channel(scripted((ALL, BROKEN), (ONE, BROKEN), (ONE, again)))).read(HOLDER)


def test_a_record_that_comes_whole_the_second_time_is_taken(scripted: Any) -> None:
    rest = [(f"00B2{n + 1:02X}3400", TLV[n] + "9000") for n in range(1, len(TLV))]
    script = [(ALL, BROKEN), (ONE, BROKEN), (ONE, TLV[0] + "9000"), *rest]
    assert RecordReader(Channel(scripted(*script))).read(HOLDER) == tuple(RECORDS)


def test_where_records_are_missing_each_is_asked_for_alone(scripted: Any) -> None:
    """A record that is shorter than it says has swallowed the one behind it."""
    swallowing = "0803" + TLV[0][4:] + TLV[1][:4] + "".join(TLV[2:])
    script = [(ALL, swallowing + "9000"), *numbers()]
    reader = RecordReader(Channel(scripted(*script)))
    assert reader.read(HOLDER) == tuple(RECORDS)
    assert reader.way is Way.ALL


@pytest.mark.parametrize("sw", ["6A86", "6A83", "6D00"])
def test_missing_records_that_cannot_be_asked_for_alone_stay_missing(
    scripted: Any, sw: str
) -> None:
    script = [(ALL, "".join(TLV[:3]) + "9000"), ("00B2013400", sw)]
    assert RecordReader(Channel(scripted(*script))).read(HOLDER) == tuple(RECORDS[:3])


EXACT = [
    (f"00B2{n + 1:02X}34{item.length + 2:02X}", TLV[n] + "9000")
    for n, item in enumerate(HOLDER.items)
    if item.length is not None
]


def test_a_card_that_wants_exact_lengths_gets_them_from_then_on(scripted: Any) -> None:
    script = [(ALL, "6700"), ("00B2013400", "6700"), *EXACT, *EXACT]
    reader = RecordReader(Channel(scripted(*script)))
    assert reader.read(HOLDER) == tuple(RECORDS)
    assert reader.way is Way.NUMBERS
    assert reader.read(HOLDER) == tuple(RECORDS)


def test_exact_lengths_that_fit_no_number_fit_the_tags(scripted: Any) -> None:
    """An optional record is absent: the numbers behind it are one off, the tags are not."""
    holder = shipped_profiles()["2"].holder_file
    size = {item.tag: item.length or 0 for item in holder.items}
    by_tag = [
        (f"00B2{tag:02X}30{size[tag] + 2:02X}", "6A83" if tag == 0x4E else f"{tag:02X}01319000")
        for tag in (8, 9, 0x4E, 0xA, 0xB, 0xC, 0xD)
    ]
    script = [(ALL, "6700"), ("00B2013400", "6700"), ("00B2013414", "0801319000"),
              ("00B2023420", "0901319000"), ("00B2033416", "6700"), *by_tag]  # fmt: skip
    reader = RecordReader(Channel(scripted(*script)))
    assert [record.tag for record in reader.read(holder)] == [8, 9, 0xA, 0xB, 0xC, 0xD]
    assert reader.way is Way.TAGS
    # Also where numbers have worked for another file; the tags may still be tried.
    script = [*script[1:5], (ALL, "6700"), *by_tag]
    reader = RecordReader(Channel(scripted(*script)))
    reader.way = Way.NUMBERS
    assert [record.tag for record in reader.read(holder)] == [8, 9, 0xA, 0xB, 0xC, 0xD]


def test_a_length_refused_twice_is_not_remembered(scripted: Any) -> None:
    script = [(ALL, "6A86"), ("00B2013400", "6700"), ("00B2013414", "6700"), *tags()]
    reader = RecordReader(Channel(scripted(*script)))
    assert reader.read(HOLDER) == tuple(RECORDS)


LARGE = shipped_profiles()["2"].files["DF02EF05"]
"""436 bytes: two plain items and two B-TLV of two records each."""
LARGE_TLV = [vector.record for item in LARGE.items for vector in item.vectors[:1]]


def test_a_file_longer_than_one_answer_is_read_by_number(scripted: Any) -> None:
    script = [(f"00B2{n:02X}2C00", tlv.hex() + "9000") for n, tlv in enumerate(LARGE_TLV, 1)]
    reader = RecordReader(Channel(scripted((ALL, "".join(TLV) + "9000"), *script)))
    reader.read(HOLDER)
    records = reader.read(LARGE)
    assert [record.tag for record in records] == [0x42, 0x41, 0x43, 0x43, 0x44, 0x44]
    assert reader.way is Way.ALL
    read = LARGE.decode(records)
    assert read["tag_43_1"] == read["tag_43_2"] == LARGE.items[2].vectors[0].value


def test_records_of_one_tag_are_never_read_by_tag(scripted: Any) -> None:
    aid = shipped_profiles()["2"].files["DF02EF15"]
    script = [("00B201AD00", "6A86"), ("00B201AC00", "6A86"), ("00A4020002EF1500", "9000"),
              ("00B2010400", "6A81")]  # fmt: skip
    reader = RecordReader(Channel(scripted(*script)))
    with pytest.raises(UnexpectedStatus) as caught:
        reader.read(aid)
    assert caught.value.sw == 0x6A81


DEALS = shipped_profiles()["2"].files["DF04EF08"]
DEAL = b"".join(item.vectors[0].record for item in DEALS.items)
DEAL_1, DEAL_2, DEAL_3 = "00B2014400", "00B2024400", "00B2034400"


def test_a_cyclic_file_is_read_by_number_until_there_is_no_record(scripted: Any) -> None:
    older = DEAL[:2] + b"2" + DEAL[3:]
    script = [(DEAL_1, DEAL.hex() + "9000"), (DEAL_2, older.hex() + "9000"), (DEAL_3, "6A83")]
    entries = RecordReader(Channel(scripted(*script))).read_entries(DEALS)
    assert entries == (DEAL, older)
    newest, second = DEALS.decode_cyclic(entries)
    assert newest is not None
    assert second is not None
    assert (newest["field_2"], second["field_2"], newest["field_5"]) == ("1", "2", 12850)


def test_a_cyclic_file_has_no_more_records_than_declared(scripted: Any) -> None:
    deals = shipped_profiles()["1"].files["DF04EF08"]
    script = [(f"00B2{n:02X}4400", DEAL.hex() + "9000") for n in range(1, 11)]
    assert len(RecordReader(Channel(scripted(*script))).read_entries(deals)) == 10


@pytest.mark.parametrize("sw", ["6A82", "6A86", "6700", "6981"])
def test_a_cyclic_file_is_selected_where_its_short_identifier_is_refused(
    scripted: Any, sw: str
) -> None:
    refused = [(DEAL_1, sw), *([("00B201441C", sw)] if sw == "6700" else [])]
    script = [*refused, ("00A4020002EF0800", "9000"), ("00B2010400", DEAL.hex() + "9000"),
              ("00B2020400", "6A83")]  # fmt: skip
    assert RecordReader(Channel(scripted(*script))).read_entries(DEALS) == (DEAL,)


def test_a_cyclic_file_of_a_card_that_is_known_to_want_selection(scripted: Any) -> None:
    reader = RecordReader(Channel(scripted(("00A4020002EF0800", "9000"), ("00B2010400", "6A83"))))
    reader.way = Way.SELECTED_NUMBERS
    assert reader.read_entries(DEALS) == ()


def test_a_cyclic_file_of_a_card_that_wants_the_exact_length(scripted: Any) -> None:
    script = [(DEAL_1, "6700"), ("00B201441C", DEAL.hex() + "9000"), ("00B202441C", "6A83")]
    assert RecordReader(Channel(scripted(*script))).read_entries(DEALS) == (DEAL,)


@pytest.mark.parametrize("stored", [DEAL[:-1], DEAL + b"\x00"])
def test_a_cyclic_record_of_another_length_is_taken_where_the_card_stores_it(
    scripted: Any, stored: bytes
) -> None:
    answer = stored.hex() + "9000"
    script = [(DEAL_1, answer), (DEAL_1, answer), (DEAL_2, "6A83")]
    assert RecordReader(Channel(scripted(*script))).read_entries(DEALS) == (stored,)
    changing = [(DEAL_1, answer), (DEAL_1, DEAL.hex() + "9000")]
    with pytest.raises(MalformedAnswer):
        RecordReader(Channel(scripted(*changing))).read_entries(DEALS)


def test_a_closed_cyclic_file(scripted: Any) -> None:
    with pytest.raises(UnexpectedStatus) as caught:
        RecordReader(Channel(scripted((DEAL_1, "6982")))).read_entries(DEALS)
    assert caught.value.sw == 0x6982
    script = [(DEAL_1, "6A82"), ("00A4020002EF0800", "6A82"), ("00A4000002EF0800", "6A82")]
    with pytest.raises(UnexpectedStatus) as caught:
        RecordReader(Channel(scripted(*script))).read_entries(DEALS)
    assert caught.value.sw == 0x6A82
