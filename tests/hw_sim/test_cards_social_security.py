from __future__ import annotations

from dataclasses import replace

import pytest

from hw_sim.cards.access import Access, Condition
from hw_sim.cards.catalogue import roles
from hw_sim.cards.contents import Piece
from hw_sim.cards.image import load_image
from hw_sim.cards.social_security import SocialSecurityCard
from hw_sim.population import population
from tests.hw_sim.card_terminal import SSSE, Ask, authenticate, card_of, full, header

NAMES = ("v1", "v2", "v3")


@pytest.mark.parametrize("name", NAMES)
def test_atr_has_thirteen_historical_bytes_and_the_serial(name: str) -> None:
    card, holder = card_of(name), population()[roles()[name]]
    assert card.atr[:5].hex() == "3b6d000000"
    assert len(card.atr) == 17
    assert card.atr[9] == 0x86
    assert card.atr[11:13] == holder.card.card_id[:2]
    assert card.atr[13:] == holder.card.card_id[8:12] == holder.card.serial


@pytest.mark.parametrize(
    ("name", "information"),
    [
        ("v1", "6F16840F7378312E73682EC9E7BBE1B1A3D5CFA50388010B"),
        ("v2", "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C03860101"),
        ("v3", "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988010B9F0C03860103"),
    ],
)
@pytest.mark.parametrize("select", [SSSE + "00", SSSE, "00A4000002DDF1"])
def test_ssse_is_selected_by_name_and_identifier(
    ask: Ask, name: str, information: str, select: str
) -> None:
    assert full(ask, card_of(name), select) == (bytes.fromhex(information), 0x9000)


def test_v2_makes_its_answers_wait_and_insists_on_le(ask: Ask) -> None:
    card = card_of("v2")
    assert ask(card, SSSE + "00") == (b"", 0x611E)
    assert ask(card, "00B2072C00") == (b"", 0x6C0B)


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00A40000023F00", 0x6117),
        ("00A40400053F00112233", 0x6A82),
        ("00A4000002DF01", 0x6A82),
        ("00A4000002EF05", 0x6A82),  # not in the MF
        ("00A4020002EF05", 0x6A82),
        ("00A4010002EF05", 0x6A86),
        ("00A4000202DDF1", 0x6A86),
        ("00A4000001DD", 0x6700),
        ("00A40400", 0x6700),
        ("00A4000C02DDF1", 0x9000),
        ("00B2012C00", 0x6A82),
        ("00B2010400", 0x6986),
        ("0020000003123456", 0x6985),
        ("008800001000000000000000000000000000000000", 0x6985),
        ("0082000A1000000000000000000000000000000000", 0x6985),
    ],
    ids=header,
)
def test_master_directory_holds_no_file_and_spends_no_try(ask: Ask, command: str, sw: int) -> None:
    card = card_of("v3")
    assert ask(card, command)[1] == sw
    assert card.pin_tries == 3


@pytest.mark.parametrize("p1", ["00", "02"])
def test_file_is_selected_by_both_forms(ask: Ask, p1: str) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    assert ask(card, f"00A4{p1}0002EF05") == (b"", 0x9000)
    data, sw = ask(card, "00B2010400")
    assert (data[:2].hex(), sw) == ("0110", 0x9000)


def text(card: SocialSecurityCard, ask: Ask, sfi: int, tag: int) -> bytes:
    data, sw = full(ask, card, f"00B2{tag:02X}{sfi << 3:02X}00")
    assert sw == 0x9000
    assert data[:2] == bytes((tag, len(data) - 2))
    return data[2:]


@pytest.mark.parametrize(("name", "version"), [("v1", b"1.00"), ("v2", b"2.0\0"), ("v3", b"3.00")])
def test_issuer_file_holds_the_issued_card(ask: Ask, name: str, version: bytes) -> None:
    card, issued = card_of(name), population()[roles()[name]].card
    ask(card, SSSE)
    assert text(card, ask, 5, 0x01) == issued.card_id
    assert text(card, ask, 5, 0x03) == version
    assert text(card, ask, 5, 0x05) == bytes.fromhex(f"{issued.issued:%Y%m%d}")
    assert text(card, ask, 5, 0x06) == bytes.fromhex(f"{issued.expires:%Y%m%d}")
    assert text(card, ask, 5, 0x07) == issued.card_number.encode()
    assert text(card, ask, 5, 0x04).hex() == "915600000242990042990001"


@pytest.mark.parametrize(("name", "pad"), [("v1", b"\0"), ("v2", b" "), ("v3", b"\0")])
def test_holder_file_names_the_resident(ask: Ask, name: str, pad: bytes) -> None:
    card, holder = card_of(name), population()[roles()[name]]
    ask(card, SSSE)
    if name == "v3":
        assert authenticate(ask, card, "RK_SSSE", 0x0A) == 0x9000
    assert text(card, ask, 6, 0x08) == holder.number.encode()
    assert text(card, ask, 6, 0x09) == holder.name.encode("gb18030").ljust(30, pad)
    assert text(card, ask, 6, 0x0A) == holder.sex.value.encode()
    assert text(card, ask, 6, 0x0C) == bytes.fromhex(holder.birthplace)
    assert text(card, ask, 6, 0x0D) == bytes.fromhex(f"{holder.born:%Y%m%d}")


@pytest.mark.parametrize(("name", "extension"), [("v1", None), ("v2", None), ("v3", bytes(20))])
def test_name_extension_is_there_only_in_v3(ask: Ask, name: str, extension: bytes | None) -> None:
    card = card_of(name)
    ask(card, SSSE)
    if name == "v3":
        authenticate(ask, card, "RK_SSSE", 0x0A)
    data, sw = full(ask, card, "00B24E3000")
    assert (data[2:], sw) == ((b"", 0x6A83) if extension is None else (extension, 0x9000))


def test_long_name_runs_on_in_the_extension(ask: Ask) -> None:
    holder = replace(population()[1], name="阿卜杜拉·买买提·吐尔逊江·艾山江")
    card = SocialSecurityCard(load_image("v2"), Piece.issued(holder))
    ask(card, SSSE)
    joined = text(card, ask, 6, 0x09) + text(card, ask, 6, 0x4E).rstrip(b" ")
    assert joined.decode("gb18030") == holder.name


def test_value_that_does_not_fit_is_an_error_of_issuance() -> None:
    holder = replace(population()[1], number="42990019740816003")
    with pytest.raises(ValueError, match="record 08"):
        SocialSecurityCard(load_image("v2"), Piece.issued(holder))


@pytest.mark.parametrize(
    ("name", "command", "sw"),
    [
        ("v1", "00B2012D00", 0x6A86),
        ("v2", "00B2012D40", 0x9000),
        ("v3", "00B2012D00", 0x9000),
        ("v3", "00B2082D00", 0x6A83),
        ("v3", "00B2082C00", 0x6A83),
        ("v3", "00B2002C00", 0x6A83),
        ("v3", "00B27F2800", 0x6A83),
        ("v3", "00B2012F00", 0x6A86),
        ("v3", "00B2014C00", 0x6A82),
        ("v3", "00B2010400", 0x6986),
        ("v3", "00B2013400", 0x6982),
        ("v2", "00B2013414", 0x9000),
        ("v1", "00B2013400", 0x9000),
    ],
)
def test_records_are_addressed_and_guarded(ask: Ask, name: str, command: str, sw: int) -> None:
    card = card_of(name)
    ask(card, SSSE)
    assert ask(card, command)[1] == sw


def test_mode_5_gives_all_records_from_one_on(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    each = [ask(card, f"00B2{number:02X}2C00")[0] for number in range(1, 8)]
    assert ask(card, "00B2012D00")[0] == b"".join(each)
    assert ask(card, "00B2062D00")[0] == b"".join(each[5:])


def test_update_needs_its_key_and_the_same_tag_and_length(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    assert ask(card, "00DC022C03020139")[1] == 0x6982
    authenticate(ask, card, "RK_SSSE", 0x0A)
    assert ask(card, "00DC022C03020139")[1] == 0x6982
    authenticate(ask, card, "UK_SSSE", 0x04)
    assert ask(card, "00DC022C03030139")[1] == 0x6A80
    assert ask(card, "00DC022C0402023939")[1] == 0x6700
    assert ask(card, "00DC082C03020139")[1] == 0x6A83
    assert ask(card, "00DC022C03020139")[1] == 0x9000
    assert ask(card, "00B2022C00") == (b"\x02\x01\x39", 0x9000)


def test_torn_update_leaves_the_record(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    authenticate(ask, card, "UK_SSSE", 0x04)
    card.tear(bytes.fromhex("00DC022C03020139"))
    ask(card, SSSE)
    assert ask(card, "00B2022C00") == (b"\x02\x01\x33", 0x9000)


@pytest.mark.parametrize(
    ("condition", "granted"),
    [
        (Condition.FREE, (True, True, True, True)),
        (Condition.PIN, (False, True, False, True)),
        (Condition.KEY, (False, False, True, True)),
        (Condition.PIN_OR_KEY, (False, True, True, True)),
        (Condition.PIN_AND_KEY, (False, False, False, True)),
        (Condition.NEVER, (False, False, False, False)),
    ],
)
def test_access_expressions(condition: Condition, granted: tuple[bool, ...]) -> None:
    access = Access(condition, 0x0A if "KEY" in condition.value else None)
    states = [(False, set[int]()), (True, {0x0B}), (False, {0x0A}), (True, {0x0A})]
    assert tuple(access.granted(pin=pin, keys=keys) for pin, keys in states) == granted


def test_access_and_its_key_must_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Access(Condition.PIN, 0x0A)
    with pytest.raises(ValueError, match="do not fit"):
        Access(Condition.PIN_OR_KEY, None)
