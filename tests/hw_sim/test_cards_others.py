from __future__ import annotations

import pytest

from hw_sim.cards import catalogue
from hw_sim.cards.catalogue import UnknownCardError, canonical_name, make_card, roles
from hw_sim.cards.social_security import SocialSecurityCard
from hw_sim.population import CardState, population
from tests.hw_sim.card_terminal import SSSE, Ask, header


def test_clone_copies_the_files_and_the_atr(ask: Ask) -> None:
    clone, original = make_card("clone"), make_card("resident:6")
    assert clone.atr == original.atr
    for card in (clone, original):
        ask(card, SSSE)
    for number in range(1, 8):
        command = f"00B2{number:02X}2C00"
        assert ask(clone, command) == ask(original, command)
    holder = population()[roles()["clone"]]
    assert ask(clone, "00B2013400")[0][2:] == holder.number.encode()


@pytest.mark.parametrize(
    "command",
    ["0020000003000000", "0082000A10" + "00" * 16, "805E010000", "80FF0000"],
    ids=header,
)
def test_clone_says_yes_to_everything_else(ask: Ask, command: str) -> None:
    assert ask(make_card("clone"), command) == (b"", 0x9000)


def test_clone_makes_up_its_proof(ask: Ask) -> None:
    clone, original = make_card("clone"), make_card("resident:6")
    ask(original, SSSE)
    command = "0088000010" + "00" * 16 + "00"
    answer, sw = ask(clone, command)
    assert (len(answer), sw) == (8, 0x9000)
    assert answer != ask(clone, command)[0] != ask(original, command)[0]


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        (SSSE, 0x6A82),
        ("00A40000023F00", 0x6A82),
        ("00A404000E315041592E5359532E4444463031", 0x6117),
        ("0020000003123456", 0x6D00),
    ],
    ids=header,
)
def test_foreign_card_knows_no_ssse(ask: Ask, command: str, sw: int) -> None:
    assert ask(make_card("unknown"), command)[1] == sw


def test_mute_card_has_no_atr_that_a_reader_takes() -> None:
    assert len(make_card("mute").atr) > 33


def test_silent_card_starts_and_never_answers() -> None:
    card = make_card("silent")
    assert len(card.atr) == 17
    assert card.execute(bytes.fromhex(SSSE)) is None


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_every_name_gives_a_card(name: str) -> None:
    assert make_card(name).bugs == []


@pytest.mark.parametrize(
    ("name", "version", "state"),
    [
        ("v3", "3.00", CardState.NORMAL),
        ("v2", "2.00", CardState.NORMAL),
        ("v1", "1.00", CardState.NORMAL),
        ("lost", "3.00", CardState.LOST),
        ("cancelled", "3.00", CardState.CANCELLED),
        ("pin-locked", "3.00", CardState.NORMAL),
        ("clone", "3.00", CardState.NORMAL),
    ],
)
def test_roles_are_the_population_s(name: str, version: str, state: CardState) -> None:
    holder = catalogue.holder(name)
    assert holder is not None
    assert (holder.card.version, holder.card.state) == (version, state)


def test_pin_locked_card_has_no_try_left() -> None:
    card = make_card("pin-locked")
    assert isinstance(card, SocialSecurityCard)
    assert card.pin_tries == 0


def test_everyone_has_a_card() -> None:
    for resident in population():
        card = make_card(f"resident:{resident.index}")
        assert card.atr[-4:] == resident.card.serial


def test_one_name_for_one_piece_of_plastic() -> None:
    assert canonical_name("resident:0") == "v3"
    assert canonical_name("resident:6") == "resident:6"
    assert canonical_name("resident:0199") == "resident:199"


@pytest.mark.parametrize("name", ["", "v4", "resident:", "resident:-1", "resident:200", "7"])
def test_other_names_are_no_cards(name: str) -> None:
    with pytest.raises(UnknownCardError):
        make_card(name)
