"""What a card forgets when its power goes, when it comes, and at a reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from hw_sim.cards.catalogue import make_card
from hw_sim.cards.iso7816 import Card
from tests.hw_sim import pki_terminal as pki
from tests.hw_sim.card_terminal import SSSE, Ask, authentication, card_of, protected

RESIDENCE = "00A4000002DF01"
PSAM_APPLICATION = "00A4040006D15600000590"
SELECT_PKI = (pki.DDF, pki.ADF)


class Forgotten(NamedTuple):
    """Something that a card knows for one session.

    Attributes:
        prepare: brings the card to know it; the command that shows whether it does.
        again: selections that are repeated, so that only what was to be forgotten is missing.
        known, forgotten: status words of that command.
    """

    what: str
    card: str
    prepare: Callable[[Ask, Card], str]
    again: tuple[str, ...]
    known: int
    forgotten: int


def after(*commands: str, shown_by: str) -> Callable[[Ask, Card], str]:
    def prepare(ask: Ask, card: Card) -> str:
        for command in commands:
            ask(card, command)
        return shown_by

    return prepare


def challenge(ask: Ask, card: Card) -> str:
    social = card_of("v3")
    ask(card, SSSE)
    # Its twin, which has the same keys, knows the answer to the card's challenge.
    return authentication(lambda _, command: ask(card, command), social, "RK_SSSE", 0x0A)


def messaging(ask: Ask, card: Card) -> str:
    social = card_of("v3")
    ask(card, SSSE)
    return protected(lambda _, command: ask(card, command), social, "841E0000")


def pki_proof(ask: Ask, card: Card) -> str:
    pki.enter(ask, card)
    assert pki.verify_user(ask, card) == 0x9000
    return pki.GENERATE


def pki_administrator(ask: Ask, card: Card) -> str:
    pki.enter(ask, card)
    assert pki.verify_admin(ask, card) == 0x9000
    ask(card, "00A40000020018")
    return "00D6000001AA"


def pki_chosen_key(ask: Ask, card: Card) -> str:
    pki_proof(ask, card)
    ask(card, pki.GENERATE)
    assert ask(card, pki.CHOOSE) == (b"", 0x9000)
    return "002A9E9A20" + "11" * 32 + "00"


READ_CURRENT = "00B2010400"
EVERY = (
    Forgotten("directory", "v3", after(SSSE, shown_by="00B2012C00"), (), 0x9000, 0x6A82),
    Forgotten(
        "file", "v3", after(SSSE, "00A4020002EF05", shown_by=READ_CURRENT), (SSSE,), 0x9000, 0x6986
    ),
    Forgotten(
        "PIN", "v3", after(SSSE, "0020000003123456", RESIDENCE, shown_by="00B2013400"),
        (SSSE, RESIDENCE), 0x9000, 0x6982,
    ),
    Forgotten("challenge", "v3", challenge, (SSSE,), 0x9000, 0x6984),
    Forgotten("secure messaging", "v3", messaging, (SSSE,), 0x9000, 0x6984),
    Forgotten("waiting answer", "v2", after(SSSE, shown_by="00C000001E"), (), 0x9000, 0x6985),
    Forgotten(
        "master file", "v2+master-first", after("00A40000023F00", shown_by=SSSE), (), 0x611E, 0x6A82
    ),
    Forgotten("user PIN of the PKI", "pki", pki_proof, SELECT_PKI, 0x9000, 0x6982),
    Forgotten(
        "administrator of the PKI", "pki", pki_administrator,
        (*SELECT_PKI, "00A40000020018"), 0x9000, 0x6982,
    ),
    Forgotten("key of the PKI", "pki", pki_chosen_key, SELECT_PKI, 0x9000, 0x6985),
    Forgotten(
        "process key of the PSAM", "psam",
        after(PSAM_APPLICATION, "BFDE480918" + "11" * 24, shown_by="80FA000008" + "22" * 8),
        (), 0x6108, 0x6985,
    ),
)  # fmt: skip


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.what.replace(" ", "-"))
def test_a_card_knows_it_for_one_session(ask: Ask, each: Forgotten) -> None:
    card = make_card(each.card)
    assert ask(card, each.prepare(ask, card))[1] == each.known


@pytest.mark.parametrize("event", ["power_off", "power_on", "reset"])
@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.what.replace(" ", "-"))
def test_a_card_forgets_it(ask: Ask, each: Forgotten, event: str) -> None:
    card = make_card(each.card)
    shown_by = each.prepare(ask, card)
    getattr(card, event)()
    for command in each.again:
        ask(card, command)
    assert ask(card, shown_by)[1] == each.forgotten
