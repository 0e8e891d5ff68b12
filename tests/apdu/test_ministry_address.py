"""pFileAddr and pWriteData: golden texts by hand, round trips, and texts that are neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.ministry.address import (
    FileAddress,
    FileValues,
    ItemAddress,
    format_addresses,
    format_values,
    parse_addresses,
    parse_values,
)
from apdu.ministry.encoding import from_gbk, to_gbk
from apdu.ministry.error_numbers import Refusal

ISSUANCE = "SSSEEF05|05|06|07|$SSSEEF06|08|09|4E|0A|0B|0D|$SSSEEF08|$DF01EF06|23|28|$DF01EF0A|37|$"


def refusal(parse: object, text: str) -> int:
    assert callable(parse)
    with pytest.raises(Refusal) as refused:
        parse(text)
    assert text == "" or text not in str(refused.value)
    return int(refused.value.number)


def test_what_a_caller_writes_at_issuance() -> None:
    found = parse_addresses(ISSUANCE)
    assert [address.file for address in found] == [
        "SSSEEF05",
        "SSSEEF06",
        "SSSEEF08",
        "DF01EF06",
        "DF01EF0A",
    ]
    assert [[item.tag for item in address.items] for address in found] == [
        [0x05, 0x06, 0x07],
        [0x08, 0x09, 0x4E, 0x0A, 0x0B, 0x0D],
        [],
        [0x23, 0x28],
        [0x37],
    ]
    assert format_addresses(found) == ISSUANCE


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("DF01EF15|40:01|$", FileAddress("DF01EF15", None, (ItemAddress(0x40, 1),))),
        ("DF01EF15|40:02|$", FileAddress("DF01EF15", None, (ItemAddress(0x40, 2),))),
        ("DF02EF07:01$", FileAddress("DF02EF07", 1)),
        ("DF02EF07:04|$", FileAddress("DF02EF07", 4)),
        ("SSSEEF08|$", FileAddress("SSSEEF08")),
        ("MFEF05|07|$", FileAddress("MFEF05", None, (ItemAddress(0x07),))),
        ("3F00EF06|08|$", FileAddress("3F00EF06", None, (ItemAddress(0x08),))),
    ],
)
def test_one_address(text: str, address: FileAddress) -> None:
    assert parse_addresses(text) == (address,)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", -14),
        ("SSSEEF05|05|", -14),
        ("$", -14),
        ("SSSEEF05|05|$x", -41),
        ("SSSEEF05|05|$SSSEEF06", -14),
        ("SSSEEF05|05$", -14),
        ("EF05|05|$", -14),
        ("SSSEEF5|05|$", -14),
        ("SSSEEF05|GG|$", -14),
        ("SSSEEF05|5|$", -42),
        ("SSSEEF05|005|$", -42),
        ("SSSEEF05||$", -42),
        ("SSSEEF05|4e|$", -41),
        ("SSSEEF05|05 |$", -41),
        ("社保EF05|05|$", -41),
        ("SSSEEF05|05|\0$", -41),
        ("DF02EF07:1$", -42),
        ("DF02EF07:00$", -14),
        ("DF02EF07:0A$", -14),
        ("DF02EF07:$", -42),
        ("DF01EF15|40:00|$", -14),
        ("DF01EF15|40:001|$", -42),
        ("SSSEEF05|" + "05|" * 40_000 + "$", -42),
    ],
    ids=range(23),
)
def test_what_is_no_address(text: str, number: int) -> None:
    assert refusal(parse_addresses, text) == number


def test_values_stand_in_the_places_of_their_address() -> None:
    text = "SSSEEF05|20240229||A99000017|$DF01EF15|021^201001^江城大学|$DF02EF07:01|a^b|$"
    found = parse_values(text)
    assert found == (
        FileValues("SSSEEF05", None, ("20240229", "", "A99000017")),
        FileValues("DF01EF15", None, ("021^201001^江城大学",)),
        FileValues("DF02EF07", 1, ("a^b",)),
    )
    assert format_values(found) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", -14),
        ("SSSEEF05|a|", -14),
        ("SSSEEF05|a$", -14),
        ("ssseef05|a|$", -14),
        ("SSSEEF05|a\0b|$", -41),
        ("SSSEEF05|" + "a" * 100_000 + "|$", -42),
    ],
    ids=range(6),
)
def test_what_are_no_values(text: str, number: int) -> None:
    assert refusal(parse_values, text) == number


@pytest.mark.parametrize("value", ["a|b", "a$b", "a\0b"])
def test_a_value_with_a_separator_is_not_written(value: str) -> None:
    with pytest.raises(Refusal) as refused:
        format_values([FileValues("SSSEEF06", None, (value,))])
    assert refused.value.number == -41


def test_values_do_not_show_in_a_repr() -> None:
    assert "王芳" not in repr(parse_values("SSSEEF06|王芳|$"))


names = st.from_regex(r"(SSSE|DF0[1-7]|MF|3F00)EF[01][0-9A-F]", fullmatch=True)
items = st.builds(ItemAddress, st.integers(1, 254), st.integers(1, 99))
addresses = st.one_of(
    st.builds(FileAddress, names, st.none(), st.lists(items, max_size=6).map(tuple)),
    st.builds(FileAddress, names, st.integers(1, 99), st.just(())),
)
plain = st.text(st.characters(blacklist_characters="|$\0", codec="utf-8"), max_size=20)
files = st.builds(
    FileValues,
    names,
    st.none() | st.integers(1, 99),
    st.lists(plain, max_size=6).map(tuple),
)


@given(st.lists(addresses, min_size=1, max_size=5).map(tuple))
def test_addresses_come_back(wanted: tuple[FileAddress, ...]) -> None:
    assert parse_addresses(format_addresses(wanted)) == wanted


@given(st.lists(files, min_size=1, max_size=5).map(tuple))
def test_values_come_back(wanted: tuple[FileValues, ...]) -> None:
    assert parse_values(format_values(wanted)) == wanted


@given(st.text() | st.text("SEDF0145|$:^M", max_size=40))
def test_no_text_breaks_the_readers(text: str) -> None:
    for parse in (parse_addresses, parse_values):
        try:
            parse(text)
        except Refusal as refused:
            assert refused.number in (-14, -41, -42)


@given(st.text(st.characters(blacklist_characters="\0", codec="gb18030"), max_size=40))
def test_texts_come_back_from_the_callers_encoding(text: str) -> None:
    assert from_gbk(to_gbk(text)) == text


def test_the_callers_encoding() -> None:
    assert to_gbk("王芳|") == bytes.fromhex("CDF5B7BC7C")
    assert to_gbk("𠮷") == bytes.fromhex("9534B235")


@pytest.mark.parametrize("data", [b"\xff\xff", b"\x81", b"a\0b"])
def test_bytes_that_are_no_text(data: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        from_gbk(data)
    assert refused.value.number == -41


@pytest.mark.parametrize("text", ["\ud800", "a\0b"])
def test_texts_that_callers_cannot_take(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        to_gbk(text)
    assert refused.value.number == -41
