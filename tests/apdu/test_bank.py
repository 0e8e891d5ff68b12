"""The account number of the bank application, by hand-written transcripts."""

from datetime import datetime
from typing import Any

import pytest

from apdu.bank.account import BankAccount, NumberSource, read_account
from apdu.channel import Channel
from apdu.errors import ApplicationBlocked, MalformedAnswer, UnexpectedStatus
from apdu.trace import TraceLine

NUMBER = "9999900000000000179"
"""Belongs to nobody: no bank's numbers begin with 99999."""
PAN = "5A0A" + NUMBER + "F"
TRACK_2 = "5713" + NUMBER + "D30122200000000000F"
OTHER_PAN = "5A0A9999900000000000187F"
DEBIT, CREDIT = "A000000333010101", "A000000333010102"
PSE, PPSE = "315041592E5359532E4444463031", "325041592E5359532E4444463031"


def tlv(tag: str, *parts: str) -> str:
    value = "".join(parts).replace(" ", "")
    size = len(value) // 2
    return f"{tag}{f'{size:02X}' if size < 0x80 else f'81{size:02X}'}{value}"


def select(name: str) -> str:
    return f"00A40400{tlv('', name)}00"


def fci(name: str, *proprietary: str) -> str:
    return tlv("6F", tlv("84", name), tlv("A5", *proprietary)) + "9000"


def entry(name: str, *more: str) -> str:
    return tlv("61", tlv("4F", name), *more)


NO_DIRECTORIES = ((select(PSE), "6A82"), (select(PPSE), "6A82"))
NO_PDOL = "80A8000002830000"
ONE_RECORD = tlv("80", "7C00", "10010100") + "9000"
READ_2_1 = "00B2011400"


def debit(*exchanges: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The debit application is found without a directory and wants no terminal data."""
    return (*NO_DIRECTORIES, (select(DEBIT), fci(DEBIT)), *exchanges)


def read(card: Any, **how: Any) -> BankAccount | None:
    return read_account(
        Channel(card),
        now=lambda: datetime(2026, 3, 4, 15, 6, 7),
        random=lambda size: b"\xab" * size,
        **how,
    )


def told(account: BankAccount | None) -> tuple[str, str]:
    assert account is not None
    return account.number, account.source.value


def test_the_whole_way_of_a_contact_card(scripted: Any) -> None:
    pdol = tlv("9F38", "9F0206 9F1A02 9A03 9C01 DF5504 9F3704")
    options = tlv("83", "000000000000 0156 260304 31 00000000 ABABABAB")
    entries = tlv("70", entry(CREDIT, "870102"), entry(DEBIT, "5003504243", "870101"))
    locator = tlv("80", "7C00", "08010100", "10010200", "18010301")
    card = scripted(
        (select(PSE), fci(PSE, "880101", "5F2D027A68")),
        ("00B2010C00", entries + "9000"),
        ("00B2020C00", "6A83"),
        (select(DEBIT), fci(DEBIT, "5003504243", pdol)),
        (f"80A8000016{options}00", locator + "9000"),
        ("00B2010C00", tlv("70", tlv("5F20", "57414E475A2F"), tlv("9F46", PAN)) + "9000"),
        (READ_2_1, tlv("70", tlv("5F24", "301231"), PAN, "5F340101") + "9000"),
    )
    account = read(card)
    assert told(account) == (NUMBER, "5A")
    assert account is not None
    assert account.application.hex().upper() == DEBIT


def test_a_contactless_card_answers_with_its_second_track(scripted: Any) -> None:
    card = scripted(
        (select(PSE), "6A82"),
        (select(PPSE), fci(PPSE, tlv("BF0C", entry(DEBIT, "870101")))),
        (select(DEBIT), fci(DEBIT, tlv("9F38", "9F6604 9F7A01"))),
        ("80A80000078305300000000000", tlv("77", "82027C00", TRACK_2, "9F3602000A") + "9000"),
    )
    assert told(read(card)) == (NUMBER, "57")


def test_without_directory_the_known_names_are_asked_in_order(scripted: Any) -> None:
    card = scripted(
        *NO_DIRECTORIES,
        (select(DEBIT), "6A82"),
        (select(CREDIT), fci(CREDIT)),
        (NO_PDOL, tlv("77", "82027C00", tlv("94", "10010100")) + "9000"),
        (READ_2_1, tlv("70", TRACK_2, PAN) + "9000"),
    )
    account = read(card)
    assert told(account) == (NUMBER, "5A")
    assert account is not None
    assert account.application.hex().upper() == CREDIT


def test_a_card_without_bank_application(scripted: Any) -> None:
    names = (PSE, PPSE, DEBIT, CREDIT, "A000000333010103", "A000000333010106")
    assert read(scripted(*((select(name), "6A82") for name in names))) is None


@pytest.mark.parametrize(
    "directory",
    [
        [(select(PSE), fci(PSE, "880101")), ("00B2010C00", "6A83"), (select(PPSE), "6A82")],
        [(select(PSE), fci(PSE, "88011F")), (select(PPSE), "6A82")],
        [(select(PSE), "6F058403AABB9000"), (select(PPSE), "6A82")],
        [
            (select(PSE), fci(PSE, "880101")),
            ("00B2010C00", "700461024F" + "9000"),
            (select(PPSE), "6A81"),
        ],
        [
            (select(PSE), fci(PSE, "880101")),
            ("00B2010C00", tlv("70", entry("A000000632010105"), tlv("61", "9D02AABB")) + "9000"),
            ("00B2020C00", "6A83"),
            (select(PPSE), fci(PPSE)),
        ],
        [(select(PSE), "6283"), (select(PPSE), fci(PPSE, tlv("BF0C", entry("A000"))))],
    ],
    ids=["empty", "impossible-file", "broken-fci", "broken-record", "others-only", "no-names"],
)  # fmt: skip
def test_a_directory_without_bank_application_is_none(
    scripted: Any, directory: list[tuple[str, str]]
) -> None:
    card = scripted(
        *directory,
        (select(DEBIT), fci(DEBIT)),
        (NO_PDOL, ONE_RECORD),
        (READ_2_1, tlv("70", PAN) + "9000"),
    )
    assert told(read(card)) == (NUMBER, "5A")


def test_the_best_of_a_directory_comes_first(scripted: Any) -> None:
    long_name = DEBIT + "01"
    card = scripted(
        (select(PSE), "6A82"),
        (select(PPSE), fci(PPSE, tlv(
            "BF0C",
            entry(CREDIT),
            entry("A000000333010106", "870102"),
            entry(long_name, "870181"),
        ))),
        (select(long_name), fci(long_name)),
        (NO_PDOL, "6985"),
        (select("A000000333010106"), "6A82"),
        (select(CREDIT), fci(CREDIT)),
        (NO_PDOL, ONE_RECORD),
        (READ_2_1, tlv("70", PAN) + "9000"),
    )  # fmt: skip
    assert told(read(card)) == (NUMBER, "5A")


@pytest.mark.parametrize("sw", ["6283", "6A81", "9303"])
def test_a_blocked_application_is_told(scripted: Any, sw: str) -> None:
    others = [CREDIT, "A000000333010103", "A000000333010106"]
    card = scripted(
        *NO_DIRECTORIES, (select(DEBIT), sw), *((select(name), "6A82") for name in others)
    )
    with pytest.raises(ApplicationBlocked, match=sw):
        read(card)


@pytest.mark.parametrize("sw", ["6F00", "6C05", "6581"])
def test_a_card_that_fails_does_not_pass_for_one_without_bank_application(
    scripted: Any, sw: str
) -> None:
    others = [CREDIT, "A000000333010103", "A000000333010106"]
    again = [(select(DEBIT)[:-2] + "05", sw)] if sw == "6C05" else []
    card = scripted(
        *NO_DIRECTORIES, (select(DEBIT), sw), *again, *((select(name), "6A82") for name in others)
    )
    with pytest.raises(UnexpectedStatus, match=sw):
        read(card)


@pytest.mark.parametrize("sw", ["6A82", "6A86", "6D00"])
def test_an_application_that_cannot_be_selected_is_none(scripted: Any, sw: str) -> None:
    names = (DEBIT, CREDIT, "A000000333010103", "A000000333010106")
    assert read(scripted(*NO_DIRECTORIES, *((select(name), sw) for name in names))) is None


def test_one_blocked_application_does_not_hide_another(scripted: Any) -> None:
    card = scripted(
        *NO_DIRECTORIES,
        (select(DEBIT), "6283"),
        (select(CREDIT), fci(CREDIT)),
        (NO_PDOL, ONE_RECORD),
        (READ_2_1, tlv("70", PAN) + "9000"),
    )
    assert told(read(card)) == (NUMBER, "5A")


@pytest.mark.parametrize(
    ("refused", "command"),
    [
        ([(NO_PDOL, "6985")], "GET PROCESSING OPTIONS"),
        ([(NO_PDOL, ONE_RECORD), (READ_2_1, "6A83")], "READ RECORD"),
    ],
)
def test_an_application_that_refuses_is_told_when_no_other_answers(
    scripted: Any, refused: list[tuple[str, str]], command: str
) -> None:
    others = [CREDIT, "A000000333010103", "A000000333010106"]
    card = scripted(*debit(*refused), *((select(name), "6A82") for name in others))
    with pytest.raises(UnexpectedStatus) as caught:
        read(card)
    assert caught.value.command == command


@pytest.mark.parametrize(
    "record",
    [
        tlv("70", tlv("5F20", "5A5A5A205A5A5A"), PAN),
        tlv("70", tlv("9F10", OTHER_PAN), PAN),
        tlv("70", tlv("8C", "9F02065F2A029A039C019F37045A0A"), PAN),
        tlv("70", tlv("9F5A", "0A" + "99" * 9), PAN),
        tlv("70", tlv("73", tlv("70", PAN))),
        tlv("70", PAN) + tlv("70", PAN),
        tlv("70", PAN, PAN, TRACK_2),
        "00" + tlv("70", "FF00", PAN, "0000"),
        tlv("70", tlv("93", "00" * 0x80), PAN),
    ],
    ids=[
        "name-of-z", "in-a-value", "in-a-list", "longer-tag", "nested", "two-templates",
        "told-twice", "padded", "long-form",
    ],
)  # fmt: skip
def test_the_number_is_found_by_structure_only(scripted: Any, record: str) -> None:
    card = scripted(*debit((NO_PDOL, ONE_RECORD), (READ_2_1, record + "9000")))
    assert told(read(card)) == (NUMBER, "5A")


@pytest.mark.parametrize(
    "record",
    [
        tlv("70", PAN)[:-2],
        tlv("70", "5A"),
        tlv("70", "5A8000"),
        tlv("77", PAN),
        PAN,
        "",
        tlv("70", PAN, OTHER_PAN),
        tlv("70", OTHER_PAN, TRACK_2),
        tlv("70", "5A0A9999900000FF00000179"),
        tlv("70", "5A0A99999000000A0000179F"),
        tlv("70", "5A0AF9999900000000000179"),
        tlv("70", "5A00"),
        tlv("70", "5A0599999000FF"),
        tlv("70", "5A0B" + "99" * 11),
        tlv("70", "5A0A" + "FF" * 10),
        tlv("70", "570A99999000000000001790"),
        tlv("70", "5702D301"),
        tlv("70", tlv("9F46", PAN)),
    ],
)
def test_a_malformed_record_is_told_without_its_bytes(scripted: Any, record: str) -> None:
    card = scripted(*debit((NO_PDOL, ONE_RECORD), (READ_2_1, record + "9000")))
    with pytest.raises(MalformedAnswer) as caught:
        read(card)
    assert "9999" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        "", "80017C", "800A", "76027C00", "80037C0010", "77028202", "5A0112",
        tlv("80", "7C00", "100101"),
        tlv("80", "7C00", "00010100"),
        tlv("80", "7C00", "F8010100"),
        tlv("80", "7C00", "11010100"),
        tlv("80", "7C00", "10000100"),
        tlv("80", "7C00", "10020100"),
        tlv("80", "7C00", "10010103"),
        tlv("80", "7C00"),
        tlv("80", "7C00", "58010400"),
        tlv("77", "82027C00", tlv("94", "100101")),
    ],
)  # fmt: skip
def test_impossible_processing_options_are_malformed(scripted: Any, options: str) -> None:
    with pytest.raises(MalformedAnswer):
        read(scripted(*debit((NO_PDOL, options + "9000"))))


def test_a_locator_that_goes_in_circles_reads_each_record_once(scripted: Any) -> None:
    circle = tlv("80", "7C00", "08010200", "08020300" * 3, "58010900", "10010100") + "9000"
    nothing = tlv("70", tlv("5F24", "301231")) + "9000"
    card = scripted(
        *debit(
            (NO_PDOL, circle),
            ("00B2010C00", nothing),
            ("00B2020C00", nothing),
            ("00B2030C00", nothing),
            (READ_2_1, tlv("70", PAN) + "9000"),
        )
    )
    assert told(read(card)) == (NUMBER, "5A")


def test_a_locator_without_end_is_left(scripted: Any) -> None:
    nothing = tlv("70", tlv("5F24", "301231")) + "9000"
    records = [(f"00B2{number:02X}0C00", nothing) for number in range(1, 61)]
    card = scripted(*debit((NO_PDOL, tlv("80", "7C00", "0801FF00") + "9000"), *records))
    with pytest.raises(MalformedAnswer, match="never"):
        read(card)


@pytest.mark.parametrize("pdol", ["9F02FF", "9F02069F", "DF01FE"])
def test_an_impossible_list_of_terminal_data_is_malformed(scripted: Any, pdol: str) -> None:
    card = scripted(*NO_DIRECTORIES, (select(DEBIT), fci(DEBIT, tlv("9F38", pdol))))
    with pytest.raises(MalformedAnswer):
        read(card)


def test_nothing_shows_the_number(scripted: Any, caplog: pytest.LogCaptureFixture) -> None:
    lines: list[TraceLine] = []
    card = scripted(*debit((NO_PDOL, ONE_RECORD), (READ_2_1, tlv("70", PAN, TRACK_2) + "9000")))
    account = read_account(Channel(card, trace=lines.append))
    assert account is not None
    assert repr(account) == "BankAccount(999************0179, A000000333010101, PAN)"
    shown = repr(account) + str(account) + "".join(map(str, lines)) + caplog.text
    assert len(lines) == 5
    assert NUMBER not in shown
    assert NUMBER[:8] not in shown


@pytest.mark.parametrize(
    ("number", "fits"),
    [
        (NUMBER, True),
        (NUMBER[:-1] + "8", False),
        ("4111111111111111", True),
        ("4111111111111112", False),
        ("1411111111111111", False),
    ],
)
def test_the_check_digit_is_reported(number: str, fits: bool) -> None:
    assert BankAccount(number, b"", NumberSource.PAN).check_digit_fits is fits
