from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.cards import catalogue
from hw_sim.cards.bank_image import OptionsFormat, load_bank_image, luhn_digit
from hw_sim.cards.ber import ber
from hw_sim.cards.iso7816 import Card
from hw_sim.population import population
from tests.hw_sim.application_cards import bank_card
from tests.hw_sim.card_terminal import Ask, full

PSE = "00A404000E315041592E5359532E444446303100"
PPSE = "00A404000E325041592E5359532E444446303100"
DEBIT = "00A4040008A00000033301010100"
OPTIONS = "80A80000128310" + "00" * 16 + "00"
AFL = "080102011001010018010200"
TRANSPORT_ENTRY = "611D4F08A000000632010105500E5452414E53504F52542044454D4F870102"
DEBIT_ENTRY = "61194F08A000000333010101500A44454249542044454D4F870101"
NUMBER = "6299994299000000016"


def elements(data: bytes) -> dict[str, bytes]:
    """Tags and values of one level (EMV book 3 annex B)."""
    found = {}
    while data:
        size = 2 if data[0] & 0x1F == 0x1F else 1
        tag, length, data = data[:size].hex().upper(), data[size], data[size + 1 :]
        if length == 0x81:
            length, data = data[0], data[1:]
        assert length <= len(data)
        found[tag], data = data[:length], data[length:]
    return found


def read_all(ask: Ask, card: Card) -> dict[str, bytes]:
    """Every element of the records that the AFL names."""
    full(ask, card, DEBIT)
    data, sw = full(ask, card, OPTIONS)
    assert sw == 0x9000
    answer = elements(data)
    afl = answer["80"][2:] if "80" in answer else elements(answer["77"])["94"]
    found = {}
    for place in range(0, len(afl), 4):
        control, first, last, _ = afl[place : place + 4]
        for number in range(first, last + 1):
            data, sw = full(ask, card, f"00B2{number:02X}{control | 4:02X}00")
            assert sw == 0x9000
            found.update(elements(elements(data)["70"]))
    return found


@pytest.mark.parametrize("t0", [False, True])
def test_directory_lists_the_applications(ask: Ask, t0: bool) -> None:
    card = bank_card(t0=t0)
    information = bytes.fromhex("6F15840E315041592E5359532E4444463031A503880101")
    assert full(ask, card, PSE) == (information, 0x9000)
    assert full(ask, card, "00B2010C00") == (bytes.fromhex("701F" + TRANSPORT_ENTRY), 0x9000)
    assert full(ask, card, "00B2020C00") == (bytes.fromhex("701B" + DEBIT_ENTRY), 0x9000)
    assert ask(card, "00B2030C00")[1] == 0x6A83


def test_contactless_directory_lists_them_in_its_fci(ask: Ask) -> None:
    body = "BF0C3A" + TRANSPORT_ENTRY + DEBIT_ENTRY
    information = bytes.fromhex("6F4F840E325041592E5359532E4444463031A53D" + body)
    assert full(ask, bank_card(), PPSE) == (information, 0x9000)


def test_listed_but_absent_application_is_not_found(ask: Ask) -> None:
    assert ask(bank_card(), "00A4040008A00000063201010500")[1] == 0x6A82


def test_aid_only_card_has_no_directory(ask: Ask) -> None:
    card = bank_card(directory=False, contactless=False)
    assert ask(card, PSE)[1] == 0x6A82
    assert ask(card, PPSE)[1] == 0x6A82
    assert read_all(ask, card)["5A"].hex() == NUMBER + "f"


def test_fci_asks_for_sixteen_bytes(ask: Ask) -> None:
    data, sw = full(ask, bank_card(), DEBIT)
    assert sw == 0x9000
    fci = elements(elements(data)["6F"])
    assert fci["84"].hex() == "a000000333010101"
    assert elements(fci["A5"])["9F38"].hex() == "9f7a019f02065f2a029a039f3704"


@pytest.mark.parametrize("t0", [False, True])
@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (OptionsFormat.PRIMITIVE, "800E7C00" + AFL),
        (OptionsFormat.TEMPLATE, "771282027C00940C" + AFL),
    ],
)
def test_options_come_in_both_formats(ask: Ask, kind: OptionsFormat, answer: str, t0: bool) -> None:
    card = bank_card(processing_options=kind, t0=t0)
    full(ask, card, DEBIT)
    assert full(ask, card, OPTIONS) == (bytes.fromhex(answer), 0x9000)
    assert read_all(ask, card)["5A"].hex() == NUMBER + "f"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("80A800000B8309" + "00" * 9 + "00", 0x6985),
        ("80A8000002830000", 0x6985),
        ("80A80000128311" + "00" * 16 + "00", 0x6700),
        ("80A80000018300", 0x6700),
        ("80A8000000", 0x6700),
        ("80A80000128410" + "00" * 16 + "00", 0x6A80),
        ("80A80100128310" + "00" * 16 + "00", 0x6A86),
        ("80A80001128310" + "00" * 16 + "00", 0x6A86),
    ],
)
def test_options_hold_to_the_pdol(ask: Ask, command: str, sw: int) -> None:
    card = bank_card()
    full(ask, card, DEBIT)
    assert ask(card, command)[1] == sw
    assert full(ask, card, OPTIONS)[1] == 0x9000


def test_options_are_given_once_for_each_selection(ask: Ask) -> None:
    card = bank_card()
    full(ask, card, DEBIT)
    assert [full(ask, card, OPTIONS)[1] for _ in range(2)] == [0x9000, 0x6985]
    full(ask, card, DEBIT)
    assert full(ask, card, OPTIONS)[1] == 0x9000


def test_without_pdol_an_empty_template_is_right(ask: Ask) -> None:
    card = bank_card(pdol=())
    assert b"\x9f\x38" not in full(ask, card, DEBIT)[0]
    assert full(ask, card, OPTIONS)[1] == 0x6985
    assert full(ask, card, "80A8000002830000")[1] == 0x9000


@pytest.mark.parametrize("event", ["select", "reset", "tear"])
def test_records_wait_for_the_options(ask: Ask, event: str) -> None:
    card = bank_card()
    full(ask, card, DEBIT)
    assert ask(card, "00B2011400")[1] == 0x6985
    read_all(ask, card)
    match event:
        case "reset":
            card.reset()
        case "tear":
            card.tear(bytes.fromhex("00B2011400"))
        case _:
            full(ask, card, PSE)
    full(ask, card, DEBIT)
    assert ask(card, "00B2011400")[1] == 0x6985


def test_some_cards_give_records_at_once(ask: Ask) -> None:
    card = bank_card(reads_without_options=True)
    full(ask, card, DEBIT)
    assert elements(elements(full(ask, card, "00B2011400")[0])["70"])["57"].hex().startswith(NUMBER)


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00B2031C00", 0x6A83),
        ("00B2001C00", 0x6A83),
        ("00B2012400", 0x6A82),
        ("00B2010400", 0x6A82),
        ("00B2011D00", 0x6A86),
        ("00B2011800", 0x6A86),
        ("00B2011C01AA", 0x6700),
        ("0020000003000000", 0x6D00),
        ("84240000", 0x6E00),
    ],
)
def test_refusals_of_the_application(ask: Ask, command: str, sw: int) -> None:
    card = bank_card()
    read_all(ask, card)
    assert ask(card, command)[1] == sw


def test_directory_reads_by_its_own_short_identifier(ask: Ask) -> None:
    card = bank_card()
    full(ask, card, PSE)
    assert ask(card, "00B2011400")[1] == 0x6A82
    assert ask(card, "00B2010D00")[1] == 0x6A86


def test_account_stands_in_three_items(ask: Ask) -> None:
    found = read_all(ask, bank_card())
    expires = population()[0].card.expires
    assert found["5A"].hex() == NUMBER + "f"
    assert found["57"].hex() == f"{NUMBER}d{expires:%y%m}2200000f"
    assert found["5F24"].hex() == f"{expires:%y%m%d}"
    assert "5F20" not in found


def test_searching_for_5a_finds_another_number(ask: Ask) -> None:
    card = bank_card()
    read_all(ask, card)
    record = full(ask, card, "00B2010C00")[0]
    place = record.index(0x5A)
    found = record[place + 2 : place + 12].hex()
    assert len(found.rstrip("f")) == 19
    assert found.rstrip("f") != NUMBER
    assert set(elements(elements(record)["70"])) == {"9F63", "5F28"}


def test_a_card_may_have_the_number_in_track_2_alone(ask: Ask) -> None:
    found = read_all(ask, bank_card(account_tag=False))
    assert "5A" not in found
    assert found["57"].hex().partition("d")[0] == NUMBER


@pytest.mark.parametrize("digits", ["7992739871" + "3", "629999429900000001" + "6"])
def test_luhn_digit(digits: str) -> None:
    assert luhn_digit(digits[:-1]) == digits[-1]


def test_everyone_has_an_account_that_is_plainly_a_demo() -> None:
    image = load_bank_image()
    numbers = [image.account(resident).number for resident in population()]
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        assert (len(number), number[:12]) == (19, "629999429900")
        assert luhn_digit(number[:-1]) == number[-1]


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("bank", None),
        ("bank+bank-aid-only", None),
        ("bank+bank-options-77", None),
        ("bank+bank-track-2", "5A"),
        ("bank+bank-aid-only+bank-options-77+bank-track-2", "5A"),
    ],
)
def test_cards_of_the_catalogue_tell_their_holder_s_account(
    ask: Ask, name: str, without: str | None
) -> None:
    holder = catalogue.holder(name)
    assert holder is not None
    card = catalogue.make_card(name)
    assert full(ask, card, PSE)[1] == (0x6A82 if "aid-only" in name else 0x9000)
    assert full(ask, card, PPSE)[1] == (0x6A82 if "aid-only" in name else 0x9000)
    found = read_all(ask, card)
    number = load_bank_image().account(holder).number
    assert found["57"].hex().startswith(f"{number}d")
    if without is None:
        assert found["5A"].hex() == f"{number}f"
    else:
        assert without not in found
    full(ask, card, DEBIT)
    assert full(ask, card, OPTIONS)[0][:1].hex() == ("77" if "77" in name else "80")


def test_master_file_of_an_aid_only_card_has_no_name(ask: Ask) -> None:
    card = catalogue.make_card("bank+bank-aid-only")
    assert full(ask, card, "00A40000023F0000") == (b"\x6f\x00", 0x9000)


def test_records_of_another_card_need_no_options(ask: Ask) -> None:
    card = catalogue.make_card("bank+bank-at-once")
    full(ask, card, DEBIT)
    assert full(ask, card, "00B2011400")[1] == 0x9000


def test_an_unknown_difference_is_no_image() -> None:
    with pytest.raises(ValueError, match="unknown colour"):
        load_bank_image({"colour": "red"})


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255])
def test_ber_uses_the_shortest_length(length: int) -> None:
    encoded = ber("9F38", bytes(length))
    assert encoded[2:].removesuffix(bytes(length)).hex() == (
        f"{length:02x}" if length < 128 else f"81{length:02x}"
    )


_HEADERS = st.sampled_from(["00A40400", "80A80000", "00B2010C", "00B20114", "00C00000", "00840000"])
_COMMANDS = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda start, body: bytes.fromhex(start) + body, _HEADERS, st.binary(max_size=24)),
    st.sampled_from([bytes.fromhex(command) for command in (PSE, PPSE, DEBIT, OPTIONS)]),
)


@given(st.lists(_COMMANDS, max_size=20), st.booleans())
def test_no_command_finds_a_bug(commands: list[bytes], t0: bool) -> None:
    card = bank_card(t0=t0)
    for command in commands:
        answer = card.execute(command)
        assert answer is not None
        assert len(answer) >= 2
    assert card.bugs == []
