from __future__ import annotations

import pytest

from hw_sim.cards.catalogue import make_card
from hw_sim.cards.keys import hsm_cryptogram
from hw_sim.population import DIVISION
from tests.hw_sim.card_terminal import SSSE, Ask, authenticate, card_of, flag_of, full

NAMES = ("v1", "v2", "v3")


@pytest.mark.parametrize("length", [4, 8, 16])
def test_challenges_have_the_asked_length_and_differ(ask: Ask, length: int) -> None:
    card = card_of("v3")
    first, sw = ask(card, f"00840000{length:02X}")
    assert (len(first), sw) == (length, 0x9000)
    assert ask(card, f"00840000{length:02X}")[0] != first


@pytest.mark.parametrize("command", ["00840000", "0084000000", "0084000007", "008400000800"])
def test_other_challenge_lengths_are_refused(ask: Ask, command: str) -> None:
    assert ask(card_of("v3"), command)[1] == 0x6700


def test_seeded_challenges_repeat_after_power_on(ask: Ask) -> None:
    card = make_card("v3", challenge_seed=7)
    first = [ask(card, "0084000008")[0] for _ in range(3)]
    card.power_on()
    assert [ask(card, "0084000008")[0] for _ in range(3)] == first


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("version", ["", "00"])
def test_internal_authentication_proves_the_card(ask: Ask, name: str, version: str) -> None:
    card = card_of(name)
    ask(card, SSSE)
    factor, data = bytes(range(8)), bytes(range(8, 16))
    lc = "11" if version else "10"
    answer, sw = full(ask, card, f"00880000{lc}{(factor + data).hex()}{version}00")
    assert sw == 0x9000
    assert answer == hsm_cryptogram(
        "IRK_SSSE", flag_of(card), card.atr[-8:], DIVISION, factor, data
    )


@pytest.mark.parametrize("name", NAMES)
def test_external_authentication_with_the_right_key(ask: Ask, name: str) -> None:
    card = card_of(name)
    ask(card, SSSE)
    assert authenticate(ask, card, "RK_SSSE", 0x0A) == 0x9000
    assert authenticate(ask, card, "UK_SSSE", 0x04) == 0x9000


def test_challenge_is_used_once_even_by_a_wrong_answer(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    wrong = "0082000A10" + "00" * 16
    assert ask(card, wrong)[1] == 0x6984
    ask(card, "0084000008")
    assert ask(card, wrong)[1] == 0x63C2
    assert ask(card, wrong)[1] == 0x6984
    ask(card, "0084000004")
    assert ask(card, wrong)[1] == 0x6984


def test_replayed_answer_is_refused(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    challenge, _ = ask(card, "0084000008")
    data = bytes(8)
    sealed = hsm_cryptogram("RK_SSSE", "03", card.atr[-8:], DIVISION, challenge, data)
    command = "0082000A10" + (sealed + data).hex()
    assert ask(card, command)[1] == 0x9000
    assert ask(card, command)[1] == 0x6984
    ask(card, "0084000008")
    assert ask(card, command)[1] == 0x63C2


def test_power_cycle_between_challenge_and_answer_ends_the_challenge(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    ask(card, "0084000008")
    card.reset()
    ask(card, SSSE)
    assert ask(card, "0082000A10" + "00" * 16)[1] == 0x6984


def test_key_is_blocked_after_three_wrong_answers(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    for left in (2, 1, 0):
        ask(card, "0084000008")
        assert ask(card, "0082000A10" + "00" * 16)[1] == 0x63C0 | left
    assert authenticate(ask, card, "RK_SSSE", 0x0A) == 0x6983
    card.power_on()
    ask(card, SSSE)
    assert authenticate(ask, card, "RK_SSSE", 0x0A) == 0x6983


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("0082000B10" + "00" * 16, 0x6A88),
        ("0082000010" + "00" * 16, 0x6A88),
        ("0088000A10" + "00" * 16, 0x6A88),
        ("0082000A08" + "00" * 8, 0x6700),
        ("0088000008" + "00" * 8, 0x6700),
        ("0082010A10" + "00" * 16, 0x6A86),
    ],
)
def test_authentication_commands_are_checked(ask: Ask, command: str, sw: int) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    ask(card, "0084000008")
    assert ask(card, command)[1] == sw


def test_authentication_ends_with_selection_and_the_pin_stays(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    authenticate(ask, card, "RK_SSSE", 0x0A)
    assert ask(card, "00B2013400")[1] == 0x9000
    ask(card, SSSE)
    assert ask(card, "00B2013400")[1] == 0x6982


def test_a_wrong_answer_ends_the_key_s_earlier_authentication(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    authenticate(ask, card, "RK_SSSE", 0x0A)
    ask(card, "0084000008")
    assert ask(card, "0082000A10" + "00" * 16)[1] == 0x63C2
    assert ask(card, "00B2013400")[1] == 0x6982
