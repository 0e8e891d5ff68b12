"""iReadCard: any item by its address, by key, by PIN, and with an HSM in two steps."""

import pytest

from apdu.ministry.terminal import PinPrompt
from hw_sim.cards.catalogue import holder
from hw_sim.population import DEMO_PIN
from tests.apdu.counter import (
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
    odd_card,
    psam,
)

CARDS = ("v1", "v2", "v3")
PIN, KEY = "1", "2"


def issuer_and_holder(name: str) -> list[str]:
    """What the address of the test below asks for, by the population."""
    resident = holder(name)
    assert resident is not None
    issued = resident.card
    return [
        "SSSEEF05",
        issued.card_id.hex().upper(),
        issued.issued.strftime("%Y%m%d"),
        issued.card_number,
        "$SSSEEF06",
        resident.number,
        resident.name,
        resident.sex.value,
        resident.nation,
        resident.birthplace,
        resident.born.strftime("%Y%m%d"),
        "$",
    ]


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize(("directory", "authentication"), [("SSSE", KEY), ("MF", KEY)])
def test_values_stand_in_the_places_of_the_address(
    name: str, directory: str, authentication: str
) -> None:
    card = counter_card(name)
    address = f"{directory}EF05|01|05|07|${directory}EF06|08|09|0A|0B|0C|0D|$"
    answer = calls(Counter(card)).call("iReadCard", "1", authentication, card_info(card), address)
    assert answer.number == 0
    wanted = [part.replace("SSSE", directory) for part in issuer_and_holder(name)]
    must_equal(answer.output.split("|"), wanted)


@pytest.mark.parametrize("name", ["v2", "v3"])
def test_nested_values_are_joined(name: str) -> None:
    card, resident = counter_card(name), holder(name)
    assert resident is not None
    address = "DF01EF15|40:01|2A|40:03|$"
    answer = calls(Counter(card)).call("iReadCard", "1", KEY, card_info(card), address)
    school = f"031^{resident.born.year + 22}06^江城职业技术学院"
    must_equal([answer.output], [f"DF01EF15|{school}|21|^^|$"])


@pytest.mark.parametrize("name", CARDS)
def test_a_record_of_a_cyclic_file(name: str) -> None:
    card = counter_card(name)
    desk = calls(Counter(card))
    first = desk.call("iReadCard", "1", KEY, card_info(card), "DF02EF07:01$")
    file, fields, end = first.output.split("|")
    assert (file, len(fields.split("^")), end) == ("DF02EF07:01", 4, "$")
    for number, wanted in (("04", -27267), ("05", -14)):
        address = f"DF02EF07:{number}$"
        assert fails(desk.call("iReadCard", "1", KEY, card_info(card), address)) == wanted


@pytest.mark.parametrize("name", ["v2", "v3"])
@pytest.mark.parametrize("address", ["SSSEEF08|$", "SSSEEF08|01|$"])
def test_a_photo_comes_in_hexadecimal(name: str, address: str) -> None:
    card = counter_card(name)
    answer = calls(Counter(card)).call("iReadCard", "1", KEY, card_info(card), address)
    file, photo, end = answer.output.split("|")
    assert (file, end) == ("SSSEEF08", "$")
    assert photo.startswith("FFD8")
    assert photo.endswith("FFD9")


def test_an_absent_name_extension_is_empty() -> None:
    card = counter_card("v3")
    answer = calls(Counter(card)).call("iReadCard", "1", KEY, card_info(card), "SSSEEF06|4E|$")
    assert (answer.number, answer.output) == (0, "SSSEEF06||$")


def test_files_of_several_applications_come_in_the_callers_order() -> None:
    card = counter_card("v3")
    address = "DF01EF06|28|$SSSEEF05|07|$DF02EF06|4D|$SSSEEF06|0A|$"
    answer = calls(Counter(card)).call("iReadCard", "1", KEY, card_info(card), address)
    assert answer.number == 0
    assert [part.split("|")[0] for part in answer.output.split("$")] == [
        "DF01EF06",
        "SSSEEF05",
        "DF02EF06",
        "SSSEEF06",
        "",
    ]


def test_with_the_pin_no_key_is_shown_where_a_pin_will_do() -> None:
    card = counter_card("v3")
    counter = Counter(card, NoCustodian(), entries=[DEMO_PIN])
    answer = calls(counter).call("iReadCard", "1", PIN, card_info(card), "DF01EF06|28|$")
    assert answer.number == 0
    assert [prompt for prompt, _ in counter.asked] == [PinPrompt.PIN]
    assert all(not any(buffer) for buffer in counter.entered)
    assert 0x82 not in [command[1] for command in card.commands]


def test_a_file_that_wants_pin_and_key() -> None:
    card = counter_card("v3")
    counter = Counter(card, entries=[DEMO_PIN])
    desk = calls(counter)
    arguments = (card_info(card), "DF04EF06|90|$")
    assert fails(desk.call("iReadCard", "1", KEY, *arguments)) == -27010
    assert desk.call("iReadCard", "1", PIN, *arguments).number == 0


@pytest.mark.parametrize("address", ["DF01EF06|28|$", "SSSEEF06|09|$"])
def test_without_keys_the_caller_learns_to_ask_the_hsm(address: str) -> None:
    card = counter_card("v3")
    arguments = ("1", KEY, card_info(card), address)
    assert fails(calls(Counter(card, NoCustodian())).call("iReadCard", *arguments)) == -2201
    lacking = LackingCustodian(psam(), frozenset({"RK_SSSE", "RK1_DF01"}))
    wanted = -2203 if address.startswith("SSSE") else -27272
    assert fails(calls(Counter(card, lacking)).call("iReadCard", *arguments)) == wanted


@pytest.mark.parametrize(
    ("name", "address", "key"),
    [
        ("v3", "SSSEEF06|08|09|$", "004C"),
        ("v3", "SSSEEF05|07|$SSSEEF06|0A|$SSSEEF08|$", "004C"),
        ("v3", "SSSEEF05|07|$DF01EF06|23|28|$DF01EF0A|37|$", "004F"),
        ("v2", "DF01EF06|23|28|$", "004F"),
        ("v1", "DF01EF06|28|$", "004F"),
    ],
)
def test_two_steps_give_what_one_gives(name: str, address: str, key: str) -> None:
    card = counter_card(name)
    info = card_info(card)
    at_once = calls(Counter(card)).call("iReadCard", "1", KEY, info, address)
    desk = calls(Counter(card, NoCustodian()))
    algorithm, told_key, original, factor, end = desk.call(
        "iReadCard_HSM_Step1", "1", info, address
    ).output.split("|")
    assert (told_key, end) == (key, "")
    assert algorithm == ("03" if name == "v3" else "01")
    sent = len(card.commands)
    result = CallersHsm(card).result(algorithm, told_key, factor, original)
    second = desk.call("iReadCard_HSM_Step2", result)
    assert card.commands[sent][1] == 0x82
    assert (at_once.number, second.number) == (0, 0)
    must_equal([second.output], [at_once.output])


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("SSSEEF05|07|$", -2204),
        ("SSSEEF06|09|$DF01EF06|28|$", -14),
        ("DF01EF06|28|$DF02EF06|4D|$", -14),
        ("DF04EF08:01$", -2204),
    ],
)
def test_what_an_hsm_cannot_open_in_one_step(address: str, number: int) -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    assert fails(desk.call("iReadCard_HSM_Step1", "1", card_info(card), address)) == number


@pytest.mark.parametrize(
    "address",
    [
        "",
        "$",
        "SSSEEF1F|01|$",
        "DF09EF05|01|$",
        "SSSEEF05|08|$",
        "SSSEEF05|05:02|$",
        "SSSEEF05|$",
        "SSSEEF05:01$",
        "SSSEEF08|02|$",
        "DF02EF07|01|$",
        "DF02EF07|$",
        "DF02EF07:01|01|$",
        "SSSEEF05|05|",
        "SSSEEF05|\0|$",
        "SSSEEF05|05|$" * 10_000,
    ],
    ids=range(15),
)
def test_addresses_that_the_card_does_not_have(address: str) -> None:
    card = counter_card("v3")
    desk = calls(Counter(card))
    number = fails(desk.call("iReadCard", "1", KEY, card_info(card), address))
    assert number == (-41 if "\0" in address else -42 if len(address) > 1000 else -14)


@pytest.mark.parametrize("authentication", ["", "0", "3", "x"])
def test_no_such_authentication(authentication: str) -> None:
    card = counter_card("v3")
    arguments = ("1", authentication, card_info(card), "SSSEEF05|07|$")
    assert fails(calls(Counter(card)).call("iReadCard", *arguments)) == -14


def test_another_card_than_the_caller_means() -> None:
    card, other = counter_card("v3"), counter_card("resident:12")
    counter = Counter(card, entries=[DEMO_PIN])
    card_id, number, _ = card_info(card).split("|")
    other_id, other_number, _ = card_info(other).split("|")
    for info in (f"{other_id}|{number}|", f"{card_id}|{other_number}|", f"{card_id}||"):
        before = len(card.commands)
        assert fails(calls(counter).call("iReadCard", "1", PIN, info, "DF01EF06|28|$")) == -22
        # Selected and EF05 read: nothing else, and nobody asked for a PIN.
        assert {command[1] for command in card.commands[before:]} <= {0xA4, 0xB2, 0xC0}
    assert not counter.asked


@pytest.mark.parametrize(
    ("info", "number"),
    [
        ("", -14),
        ("|", -14),
        ("||", -20),
        ("429900D15600000500000A17FFFFFFFF|A99000017", -14),
        ("429900D15600000500000A17FFFFFFFF|A99000017|x", -14),
        ("429900D15600000500000A17FFFFFFF|A99000017|", -20),
        ("429900D15600000500000A17FFFFFFFG|A99000017|", -20),
        ("0" * 100_000, -42),
    ],
    ids=range(8),
)
def test_what_is_no_card_information(info: str, number: int) -> None:
    card = counter_card("v3")
    arguments = ("1", KEY, info, "SSSEEF05|07|$")
    assert fails(calls(Counter(card)).call("iReadCard", *arguments)) == number
    assert not card.commands


def test_a_card_cannot_move_fields_by_a_separator_in_its_name() -> None:
    resident = holder("v2")
    assert resident is not None
    name = resident.name.encode("gbk")
    card = odd_card("v2", (name, b"x|B00000000"[: len(name)]))
    desk = calls(Counter(card))
    assert fails(desk.call("iReadCardBas", "1")) == -41
    assert fails(desk.call("iReadCard", "1", KEY, card_info(card), "SSSEEF06|09|0A|$")) == -41
    assert desk.call("iReadCard", "1", KEY, card_info(card), "SSSEEF06|0A|$").number == 0


@pytest.mark.parametrize(
    ("address", "odd", "wanted"),
    [
        # An ASCII date in a packed field, as some issued cards hold it.
        ("SSSEEF05|06|$", (b"\x06\x04", b"2012"), "SSSEEF05|32303132|$"),
        ("SSSEEF06|0D|$", (b"\x0d\x04", b"\0\0\0\0"), "SSSEEF06||$"),
        ("SSSEEF06|0D|$", (b"\x0d\x04", b"\xff\xff\xff\xff"), "SSSEEF06||$"),
        ("SSSEEF06|09|$", (b"\x09\x1e", b"A\xffB".ljust(30, b"\0")), "SSSEEF06|A�B|$"),
        ("SSSEEF06|09|$", (b"\x09\x1e", b"A  ".ljust(30, b"\xff")), "SSSEEF06|A|$"),
    ],
    ids=range(5),
)
def test_what_is_not_of_its_format_is_shown_as_it_is(
    address: str, odd: tuple[bytes, bytes], wanted: str
) -> None:
    head, value = odd
    card = counter_card("v2+lax")
    (stored,) = [
        answer[at : at + 2 + head[1]] for answer in read_all(card) if (at := answer.find(head)) >= 0
    ]
    other = odd_card("v2+lax", (stored, head + value))
    answer = calls(Counter(other)).call("iReadCard", "1", KEY, card_info(other), address)
    assert answer.number == 0
    must_equal([answer.output], [wanted])


def read_all(card: CounterCard) -> list[bytes]:
    """EF05 and EF06 as the card gives them."""
    card.transmit(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF"))
    return [card.transmit(bytes.fromhex(command)) for command in ("00B2012D00", "00B2013500")]


def test_a_part_that_holds_the_separator_of_parts() -> None:
    school = "江城职业技术学院".encode("gbk")
    card = odd_card("v3", (school, b"^" + school[2:] + b" "))
    arguments = ("1", KEY, card_info(card), "DF01EF15|40:01|$")
    assert fails(calls(Counter(card)).call("iReadCard", *arguments)) == -41


def test_a_card_that_lacks_a_record() -> None:
    card = odd_card("v2", (b"\x0a\x01", b"\xf9\x01"))
    desk = calls(Counter(card))
    assert fails(desk.call("iReadCard", "1", KEY, card_info(card), "SSSEEF06|0A|$")) == -27267
    assert desk.call("iReadCard", "1", KEY, card_info(card), "SSSEEF06|0B|$").number == 0


@pytest.mark.parametrize(
    ("step", "number"),
    [("iReadCard_HSM_Step2", -12), ("iReadCardBas_HSM_Step2", -12), ("iReloadPIN_HSM_Step3", -12)],
)
def test_a_step_without_the_one_before(step: str, number: int) -> None:
    assert fails(calls(Counter(counter_card("v3"))).call(step, "00" * 16)) == number


def test_a_step_of_another_call_ends_the_one_that_waits() -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    told = desk.call("iReadCardBas_HSM_Step1", "1").output
    sent = len(card.commands)
    assert fails(desk.call("iReadCard_HSM_Step2", "00" * 16)) == -14
    assert len(card.commands) == sent
    assert not card.taken
    assert fails(desk.call("iReadCardBas_HSM_Step2", CallersHsm(card).basics(told))) == -12


def test_any_other_call_ends_the_one_that_waits() -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    told = desk.call("iReadCardBas_HSM_Step1", "1").output
    assert card.taken
    assert desk.call("iGetReaderInfo").number == 0
    assert not card.taken
    assert fails(desk.call("iReadCardBas_HSM_Step2", CallersHsm(card).basics(told))) == -12


def test_the_same_card_is_given_back_before_it_is_powered_again() -> None:
    card = counter_card("v3")
    desk = calls(Counter(card))
    desk.call("iReadCardBas_HSM_Step1", "1")
    assert desk.call("iReadCardBas", "1").number == 0


def test_a_card_that_is_pulled_between_the_steps() -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    told = desk.call("iReadCardBas_HSM_Step1", "1").output
    card.pull()
    assert fails(desk.call("iReadCardBas_HSM_Step2", CallersHsm(card).basics(told))) == -12


def test_a_card_that_is_reset_between_the_steps_has_forgotten_its_challenge() -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    told = desk.call("iReadCardBas_HSM_Step1", "1").output
    card.reset()
    number = fails(desk.call("iReadCardBas_HSM_Step2", CallersHsm(card).basics(told)))
    assert number < -20_000


def test_a_waiting_call_is_given_up_at_the_end() -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    desk.call("iReadCardBas_HSM_Step1", "1")
    desk.close()
    assert not card.taken
    desk.close()
