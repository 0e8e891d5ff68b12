"""iWriteCard: by address, strictly, at once and with an HSM; and what the extras tell."""

import pytest

from hw_sim.population import population
from tests.apdu.counter import (
    SERIAL,
    CallersHsm,
    Counter,
    CounterCard,
    LackingCustodian,
    NoCustodian,
    calls,
    card_info,
    counter_card,
    fails,
    must_equal,
    psam,
)

KEY = "2"
PHOTO = (b"\xff\xd8" + bytes(range(1, 255)) * 3 + b"\xff\xd9").hex().upper()


def read(card: CounterCard, address: str, info: str | None = None) -> str:
    answer = calls(Counter(card)).call("iReadCard", "1", KEY, info or card_info(card), address)
    assert answer.number == 0
    return answer.output


@pytest.mark.parametrize(
    ("name", "address", "data"),
    [
        ("v1", "SSSEEF06|09|0A|0D|$", "SSSEEF06|阿依古丽·买买提|2|19880229|$"),
        ("v2", "SSSEEF06|09|4E|0A|0B|$", "SSSEEF06|王芳||9|20|$"),
        ("v3", "SSSEEF06|09|4E|0A|0B|$", "SSSEEF06|王芳|江|9|20|$"),
        ("v3", "SSSEEF06|09|0A|0C|$DF01EF06|23|28|$", "SSSEEF06|𠮷野|9|429900|$DF01EF06||1|$"),
        ("v3", "DF01EF15|40:02|2A|$", "DF01EF15|011^201507^江城大学|11|$"),
        ("v3", "DF01EF15|40:01|$", "DF01EF15|^^|$"),
        ("v3", "SSSEEF08|$", f"SSSEEF08|{PHOTO}|$"),
        ("v3", "MFEF05|05|06|$", "MFEF05|20240229|20340228|$"),
        ("v3", "DF04EF05|80|$", "DF04EF05|20240301|$"),
    ],
    ids=range(9),
)
def test_what_was_written_reads_back(name: str, address: str, data: str) -> None:
    card = counter_card(name)
    answer = calls(Counter(card)).call("iWriteCard", "1", card_info(card), address, data)
    assert (answer.number, answer.output) == (0, "")
    must_equal([read(card, address)], [data])


def test_a_card_without_a_name_extension_has_its_other_items_one_record_earlier() -> None:
    """Each of these is as long as the one that stands at its usual number."""
    card = counter_card("v2")
    before = read(card, "SSSEEF06|08|0A|0B|0C|0D|$").split("|")
    desk = calls(Counter(card))
    answer = desk.call("iWriteCard", "1", card_info(card), "SSSEEF06|0A|$", "SSSEEF06|9|$")
    assert answer.number == 0
    must_equal(read(card, "SSSEEF06|08|0A|0B|0C|0D|$").split("|"), [*before[:2], "9", *before[3:]])
    arguments = ("SSSEEF06|4E|$", "SSSEEF06|江|$")
    assert fails(desk.call("iWriteCard", "1", card_info(card), *arguments)) == -27267


def test_a_shorter_photo_leaves_nothing_of_the_longer_one() -> None:
    card = counter_card("v3")
    desk = calls(Counter(card))
    for photo in (PHOTO, "FFD8FFD9"):
        arguments = ("SSSEEF08|$", f"SSSEEF08|{photo}|$")
        assert desk.call("iWriteCard", "1", card_info(card), *arguments).number == 0
    must_equal([read(card, "SSSEEF08|$")], ["SSSEEF08|FFD8FFD9|$"])


def test_an_order_of_issuance_on_a_blank_card() -> None:
    """Card number and dates come with the order; the blank has only its identification code."""
    card, person = counter_card("blank"), population()[12]
    info = card_info(card)
    assert info.endswith("||")
    address = "SSSEEF06|08|09|4E|0A|0B|0D|$SSSEEF08|$DF01EF06|23|28|$SSSEEF05|05|06|07|$"
    born = person.born.strftime("%Y%m%d")
    data = (
        f"SSSEEF06|{person.number}|{person.name}||{person.sex.value}|{person.nation}|{born}|$"
        f"SSSEEF08|{PHOTO}|$DF01EF06|江城市人民路99号|12900000000|$"
        "SSSEEF05|20240229|20340228|A99000017|$"
    )
    assert calls(Counter(card)).call("iWriteCard", "1", info, address, data).number == 0
    card_id = info.split("|")[0]
    must_equal([read(card, address, f"{card_id}|A99000017|")], [data])


@pytest.mark.parametrize("name", ["v2", "v3"])
def test_an_hsm_opens_the_file_that_is_written(name: str) -> None:
    card = counter_card(name)
    desk = calls(Counter(card, NoCustodian()))
    address, data = "DF01EF06|23|28|$", "DF01EF06|江城市人民路99号|12900000000|$"
    algorithm, key, factor, original, end = desk.call(
        "iWriteCard_HSM_Step1", "1", card_info(card), address
    ).output.split("|")
    assert (key, end) == ("0179", "")
    result = CallersHsm(card).result(algorithm, key, factor, original)
    answer = desk.call("iWriteCard_HSM_Step2", result, data)
    assert (answer.number, answer.output) == (0, "")
    must_equal([read(card, address)], [data])


def test_an_hsm_whose_key_no_source_names() -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    arguments = ("1", card_info(card), "DF01EF15|2A|$")
    assert fails(desk.call("iWriteCard_HSM_Step1", *arguments)) == -27272


@pytest.mark.parametrize(
    ("address", "data", "number"),
    [
        ("SSSEEF06|09|$", "", -14),
        ("SSSEEF06|09|$", "SSSEEF06|王芳|1|$", -14),
        ("SSSEEF06|09|0A|$", "SSSEEF06|王芳|$", -14),
        ("SSSEEF06|09|$", "SSSEEF05|王芳|$", -14),
        ("SSSEEF06|09|$", "SSSEEF06|王芳|$SSSEEF05|1|$", -14),
        ("SSSEEF06|09|$", "SSSEEF06|" + "王" * 16 + "|$", -42),
        ("SSSEEF06|09|$", "SSSEEF06|王\0芳|$", -41),
        ("SSSEEF06|09|$", "SSSEEF06|\ud800|$", -41),
        ("SSSEEF06|08|$", "SSSEEF06|王芳|$", -41),
        ("SSSEEF06|0D|$", "SSSEEF06|2024-02-29|$", -41),
        ("SSSEEF06|0D|$", "SSSEEF06|202402|$", -42),
        ("SSSEEF06|0D|$", "SSSEEF06|20230229|$", -23),
        ("SSSEEF06|0D|$", "SSSEEF06|２０２４０２２９|$", -41),
        ("SSSEEF06|0B|$", "SSSEEF06|011|$", -42),
        ("SSSEEF06|0B|$", "SSSEEF06|0x|$", -41),
        ("SSSEEF05|01|$", "SSSEEF05|4299|$", -23),
        ("SSSEEF05|01|$", "SSSEEF05|" + "zz" * 16 + "|$", -41),
        ("SSSEEF08|$", "SSSEEF08|FFD|$", -42),
        ("SSSEEF08|$", "SSSEEF08|" + "FF" * 4097 + "|$", -42),
        ("SSSEEF08|$", "SSSEEF08|FFD800|$", -23),
        ("SSSEEF08|$", "SSSEEF08|" + "FF" * 50_000 + "|$", -42),
        ("DF01EF15|40:01|$", "DF01EF15|011^201507|$", -14),
        ("DF01EF15|40:01|$", "DF01EF15|011^201513^x|$", -23),
        ("DF01EF15|40:01|$", "DF01EF15|011^2015^x^y|$", -14),
        ("DF04EF06|92|$", "DF04EF06|-1|$", -41),
        ("DF04EF06|92|$", "DF04EF06|4294967295|$", -23),
        ("DF02EF07:01$", "DF02EF07:01|a^b^c^d|$", -13),
    ],
    ids=range(27),
)
def test_what_is_not_legal_is_not_written(address: str, data: str, number: int) -> None:
    """Neither it nor what stands before it."""
    card = counter_card("v3")
    desk = calls(Counter(card))
    before = read(card, "DF01EF06|23|28|$")
    sent = len(card.commands)
    given = ("DF01EF06|23|28|$" + address, "DF01EF06|x|y|$" + data if data else "")
    assert fails(desk.call("iWriteCard", "1", card_info(card), *given)) == number
    assert not {0xDC, 0xD6, 0x82} & {command[1] for command in card.commands[sent:]}
    must_equal([read(card, "DF01EF06|23|28|$")], [before])


def test_what_nobody_may_write_is_no_matter_for_an_hsm() -> None:
    card = counter_card("v3")
    arguments = ("1", card_info(card), "DF01EF16|$")
    desk = calls(Counter(card, NoCustodian()))
    assert fails(desk.call("iWriteCard_HSM_Step1", *arguments)) == -27010


def test_blanks_behind_a_text_are_nothing() -> None:
    card = counter_card("v3")
    arguments = ("SSSEEF06|09|4E|$", "SSSEEF06|王芳   |  |$")
    assert calls(Counter(card)).call("iWriteCard", "1", card_info(card), *arguments).number == 0
    must_equal([read(card, "SSSEEF06|09|4E|$")], ["SSSEEF06|王芳||$"])


def test_nothing_illegal_is_written_by_an_hsm_either() -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    algorithm, key, factor, original, _ = desk.call(
        "iWriteCard_HSM_Step1", "1", card_info(card), "SSSEEF06|09|0A|$"
    ).output.split("|")
    result = CallersHsm(card).result(algorithm, key, factor, original)
    assert fails(desk.call("iWriteCard_HSM_Step2", result, "SSSEEF06|王芳|12|$")) == -42
    assert 0xDC not in [command[1] for command in card.commands]


@pytest.mark.parametrize(("address", "number"), [("DF01EF16|$", -27010), ("SSSEEF06|09|$", -27272)])
def test_what_nobody_may_write_and_what_no_key_opens(address: str, number: int) -> None:
    card = counter_card("v3")
    counter = Counter(card, LackingCustodian(psam(), frozenset({"UK_SSSE"})))
    data = address.split("|")[0] + "|FF01|$"
    assert fails(calls(counter).call("iWriteCard", "1", card_info(card), address, data)) == number


def test_a_card_that_is_pulled_while_it_is_written_is_not_called_good() -> None:
    class Pulled(CounterCard):
        updates = 0

        def transmit(self, command: bytes | bytearray) -> bytes:
            self.updates += command[1] == 0xDC
            if self.updates == 2:
                self.pull()
            return super().transmit(command)

    card = Pulled(counter_card("v3").card)
    arguments = ("SSSEEF06|09|0A|$", "SSSEEF06|王芳|2|$")
    assert fails(calls(Counter(card)).call("iWriteCard", "1", card_info(card), *arguments)) == -2


def test_another_card_is_not_written() -> None:
    card, other = counter_card("v3"), counter_card("resident:12")
    arguments = ("SSSEEF06|0A|$", "SSSEEF06|9|$")
    assert fails(calls(Counter(card)).call("iWriteCard", "1", card_info(other), *arguments)) == -22
    assert 0x82 not in [command[1] for command in card.commands]


@pytest.mark.parametrize("number", ["429900000123", None])
def test_the_terminal_tells_who_it_is(number: str | None) -> None:
    answer = calls(Counter(None, number=number)).call("iGetReaderInfo")
    assert (answer.number, answer.output) == (0, f"{SERIAL}|{number or '000000000000'}|")


@pytest.mark.parametrize(
    ("name", "wanted"), [("v1", (0, "64")), ("v3", (0, "64")), ("unknown", (-1, "卡类型不对"))]
)
def test_the_kind_of_card(name: str, wanted: tuple[int, str]) -> None:
    answer = calls(Counter(counter_card(name))).call("iGetCardType")
    assert (answer.number, answer.output) == wanted


def test_the_number_of_the_banks_card() -> None:
    card = counter_card("bank")
    answer = calls(Counter(card)).call("iReadICCardNum")
    assert answer.number == 0
    assert answer.output.isdecimal()
    assert len(answer.output) == 19
    assert not card.taken
    assert fails(calls(Counter(counter_card("v1"))).call("iReadICCardNum")) == -27266


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("iDoDebit", ("1", "", "0.1|0.2|20240229185001|")),
        ("iDoDebit_HSM_Step1", ("1", "", "")),
        ("iDoDebit_HSM_Step2", ("",)),
        ("iReadDebitRecord", ("1",)),
        ("iReadIdentityCard", ()),
        ("ireadcardbas", ("1",)),
        ("", ()),
        ("\0", ()),
        ("i" * 100_000, ()),
    ],
    ids=range(9),
)
def test_functions_that_there_are_not(name: str, arguments: tuple[str, ...]) -> None:
    assert fails(calls(Counter(counter_card("v3"))).call(name, *arguments)) == -13


@pytest.mark.parametrize("name", ["iReadCardBas", "iReadCard", "iWriteCard_HSM_Step1"])
def test_another_number_of_arguments(name: str) -> None:
    desk = calls(Counter(counter_card("v3")))
    assert fails(desk.call(name)) == -14
    assert fails(desk.call(name, *["1"] * 9)) == -14
