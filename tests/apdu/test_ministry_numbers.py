"""The error numbers: the table, and which error of ours becomes which of them."""

import tomllib
from importlib import resources

import pytest

from apdu import errors
from apdu.ministry.error_numbers import (
    Number,
    Refusal,
    meaning,
    number_for,
    number_for_status,
)
from apdu.pin import IllegalPin
from apdu.response import Response
from apdu.status import raise_for

TABLE = tomllib.loads(
    resources.files("apdu.ministry").joinpath("error_numbers.toml").read_text("utf-8")
)["number"]


def test_the_table_is_whole() -> None:
    values = [entry["value"] for entry in TABLE]
    assert len(values) == len(set(values))
    assert {number.value for number in Number} <= set(values)
    for entry in TABLE:
        assert entry["zh"] and entry["en"] and entry["mark"] in {"A", "B", "C", "I", "M"}


@pytest.mark.parametrize(
    ("sw", "number"),
    [
        (0x6982, -27010),
        (0x9303, -37635),
        (0x63C0, -25536),
        (0x63C1, -25537),
        (0x63C2, -25538),
        (0x6700, -26368),
        (0x6901, -26881),
        (0x6981, -27009),
        (0x6983, -27011),
        (0x6984, -27012),
        (0x6985, -27013),
        (0x6988, -27016),
        (0x6A80, -27264),
        (0x6A81, -27265),
        (0x6A82, -27266),
        (0x6A83, -27267),
        (0x6A88, -27272),
        (0x9302, -37634),
        (0x9403, -37891),
        (0x9406, -37894),
        (0x6A86, -26370),
        (0x6E00, -26371),
        (0x6F00, -28416),
        (0x6D00, -27904),
    ],
)
def test_a_status_word_becomes_a_number(sw: int, number: int) -> None:
    assert number_for_status(sw) == number
    assert number_for(errors.UnexpectedStatus("SELECT", sw)) == number


@pytest.mark.parametrize("entry", [entry for entry in TABLE if entry["mark"] == "B"])
def test_the_rule_holds_for_the_table(entry: dict[str, object]) -> None:
    words = entry.get("sw", [])
    assert isinstance(words, list)
    assert [-word for word in words] == [entry["value"]] * len(words)


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (errors.CardAbsent(), -2),
        (errors.CardRemoved(), -2),
        (errors.CardMute(), -4),
        (errors.CardReset(), -12),
        (errors.ReaderGone(), -11),
        (errors.ReaderBusy(), -11),
        (errors.UnknownCard(), -1),
        (errors.PinRejected(2), -51),
        (errors.PinRejected(0), -52),
        (errors.PinBlocked(), -52),
        (IllegalPin(), -33),
        (errors.PsamUnavailable(), -2201),
        (errors.PinNeeded(), -27010),
        (errors.AccessNever(), -27010),
        (errors.MalformedAnswer(), -999),
        (errors.PersonalisationFailed(()), -999),
        (Refusal(Number.PINS_DIFFER), -34),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_becomes_a_number(error: Exception, number: int) -> None:
    assert number_for(error) == number


@pytest.mark.parametrize(
    ("command", "sw"),
    [("EXTERNAL AUTHENTICATE", 0x63C2), ("EXTERNAL AUTHENTICATE", 0x6300), ("SELECT", 0x6283)],
)
def test_a_refused_cryptogram_or_a_locked_card_tells_its_status_word(command: str, sw: int) -> None:
    with pytest.raises(errors.CardError) as raised:
        raise_for(command, Response(b"", sw))
    assert number_for(raised.value) == -sw


def test_a_bug_is_none_of_them() -> None:
    assert number_for(KeyError("x")) is None


def test_what_a_number_means() -> None:
    assert meaning(-2201).zh == "无PSAM卡"
    # Words that the table does not list mean what the card layer says of them.
    assert "应用" in meaning(-0x6283).zh
    assert meaning(-70_000) == meaning(-999)
    assert meaning(7) == meaning(-999)
