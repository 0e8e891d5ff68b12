from __future__ import annotations

import pytest

from tests.hw_sim.card_terminal import SSSE, Ask, card_of, header


@pytest.mark.parametrize(("name", "most"), [("v1", 6), ("v2", 6), ("v3", 3)])
def test_pin_counts_down_to_blocked_and_survives_power(ask: Ask, name: str, most: int) -> None:
    card = card_of(name)
    for left in reversed(range(most)):
        ask(card, SSSE)
        assert ask(card, "0020000003654321")[1] == 0x63C0 | left
        card.power_off()
        card.power_on()
    ask(card, SSSE)
    assert ask(card, "0020000003123456")[1] == 0x6983


def test_right_pin_gives_all_tries_back(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    ask(card, "0020000003654321")
    assert ask(card, "0020000003123456") == (b"", 0x9000)
    assert card.pin_tries == 3


@pytest.mark.parametrize(
    ("name", "command", "sw"),
    [
        ("v3", "00200000", 0x63C3),
        ("v2", "00200000", 0x6700),
        ("v3", "002000000112", 0x6700),
        ("v3", "0020000009123456789012345678", 0x6700),
        ("v3", "0020000103123456", 0x6A86),
    ],
    ids=header,
)
def test_malformed_verify_costs_no_try(ask: Ask, name: str, command: str, sw: int) -> None:
    card = card_of(name)
    before = card.pin_tries
    ask(card, SSSE)
    assert ask(card, command)[1] == sw
    assert card.pin_tries == before


def test_empty_verify_tells_a_blocked_pin(ask: Ask) -> None:
    card = card_of("pin-locked")
    ask(card, SSSE)
    assert ask(card, "00200000")[1] == 0x6983


def test_pin_is_changed_with_the_old_one(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    assert ask(card, "805E010007654321FF111222")[1] == 0x63C2
    assert ask(card, "805E010007123456FF11122A")[1] == 0x6A80
    assert ask(card, "805E010003123456")[1] == 0x6700
    assert ask(card, "805E010007123456FF111222")[1] == 0x9000
    assert ask(card, "0020000003111222")[1] == 0x9000
    assert ask(card, "0020000003123456")[1] == 0x63C2


@pytest.mark.parametrize("pin", ["654321", "123456"], ids=["wrong", "right"])
def test_tear_cannot_save_a_try(pin: str) -> None:
    card = card_of("v3")
    card.execute(bytes.fromhex(SSSE))
    card.tear(bytes.fromhex(f"0020000003{pin}"))
    assert card.pin_tries == 2


def test_torn_change_keeps_the_old_pin(ask: Ask) -> None:
    card = card_of("v3")
    ask(card, SSSE)
    card.tear(bytes.fromhex("805E010007123456FF111222"))
    ask(card, SSSE)
    assert ask(card, "0020000003123456")[1] == 0x9000
