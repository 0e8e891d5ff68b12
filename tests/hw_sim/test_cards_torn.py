"""Power goes at any write of any command that writes: a card keeps no half of it.

Whatever was done before, a torn command leaves the memory as it was, except that a try that was
spent stays spent; what was answered stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.cards.iso7816 import Card
from hw_sim.cards.social_security import SocialSecurityCard
from tests.hw_sim import pki_terminal as pki
from tests.hw_sim.card_terminal import (
    SSSE,
    Ask,
    authenticate,
    authentication,
    card_of,
    pin_block,
    protected,
)

Last = Callable[[Ask, SocialSecurityCard], str]
"""Prepares a card with whole commands; the command that may be torn."""

CARDS = ("v1", "v2", "v3", "pki")
WRITES = 6
"""More than any command of these has."""


def verify(pin: str) -> Last:
    def last(ask: Ask, card: SocialSecurityCard) -> str:
        ask(card, SSSE)
        return f"0020000003{pin}"

    return last


def change(old: str, new: str) -> Last:
    def last(ask: Ask, card: SocialSecurityCard) -> str:
        ask(card, SSSE)
        return f"805E010007{old}FF{new}"

    return last


def right_key(ask: Ask, card: SocialSecurityCard) -> str:
    ask(card, SSSE)
    return authentication(ask, card, "UK_SSSE", 0x04)


def wrong_key(ask: Ask, card: SocialSecurityCard) -> str:
    ask(card, SSSE)
    ask(card, "0084000008")
    return "0082000410" + "00" * 16


def record(ask: Ask, card: SocialSecurityCard) -> str:
    ask(card, SSSE)
    authenticate(ask, card, "UK_SSSE", 0x04)
    return "00DC022C03020139"


def entry(ask: Ask, card: SocialSecurityCard) -> str:
    """Three writes: the record, which is the newest, how many there are."""
    ask(card, SSSE)
    ask(card, "00A4000002DF02")
    authenticate(ask, card, "UK3_DF02", 0x85)
    return "00E2003855" + "41" * 0x55


def part_of_a_file(ask: Ask, card: SocialSecurityCard) -> str:
    ask(card, SSSE)
    authenticate(ask, card, "UK_SSSE", 0x04)
    return "00D6870010" + "42" * 16


def under_messaging(header: str, pin: str = "") -> Last:
    def last(ask: Ask, card: SocialSecurityCard) -> str:
        ask(card, SSSE)
        if header.startswith("8424"):
            authenticate(ask, card, "PUK", 0x06)
        return protected(ask, card, header, pin_block(card, pin) if pin else b"")

    return last


COMMANDS: Mapping[str, Last] = {
    "right PIN": verify("123456"),
    "wrong PIN": verify("000000"),
    "PIN changed": change("123456", "111222"),
    "PIN changed back": change("111222", "123456"),
    "right key": right_key,
    "wrong key": wrong_key,
    "record": record,
    "cyclic record": entry,
    "bytes": part_of_a_file,
    "PIN unblocked": under_messaging("84240000"),
    "PIN reloaded": under_messaging("84240001", "765432"),
    "application blocked": under_messaging("841E0000"),
    "application unblocked": under_messaging("84180000"),
    "card blocked": under_messaging("84160000"),
}


def user_pin(ask: Ask, card: SocialSecurityCard) -> str:
    enter_pki(ask, card)
    challenge, _ = ask(card, "0084000010")
    return "0020018110" + pki.sm4(pki.pin_key(pki.USER_PIN), challenge.ljust(16, b"\0")).hex()


def key_pair(ask: Ask, card: SocialSecurityCard) -> str:
    enter_pki(ask, card)
    pki.verify_user(ask, card)
    return pki.GENERATE


def certificate(ask: Ask, card: SocialSecurityCard) -> str:
    enter_pki(ask, card)
    pki.verify_admin(ask, card)
    ask(card, "00A40000020018")
    return "00D6000070" + "43" * 0x70


def admin_pin(ask: Ask, card: SocialSecurityCard) -> str:
    enter_pki(ask, card)
    pki.verify_admin(ask, card)
    block = pki.pin_block("87654321")
    return pki.protected(ask, card, "845E0100", pki.pin_key(pki.ADMIN_PIN), block)


def master_key(ask: Ask, card: SocialSecurityCard) -> str:
    enter_pki(ask, card)
    pki.prove(ask, card, "00820000", pki.MASTER_KEY)
    return pki.protected(ask, card, "84D40100", pki.MASTER_KEY, pki.key_block(bytes(16)))


def enter_pki(ask: Ask, card: SocialSecurityCard) -> None:
    for name in (pki.DDF, pki.ADF):
        ask(card, name)


PKI_COMMANDS: Mapping[str, Last] = {
    "user PIN": user_pin,
    "key pair": key_pair,
    "certificate": certificate,
    "admin PIN": admin_pin,
    "master key": master_key,
}

EVERY = [
    *((card, name) for card in CARDS for name in COMMANDS),
    *(("pki", name) for name in PKI_COMMANDS),
]


def ask(card: Card, command: str) -> tuple[bytes, int]:
    answer = card.execute(bytes.fromhex(command))
    assert answer is not None
    return answer[:-2], int.from_bytes(answer[-2:], "big")


def same_but_for_spent_tries(now: Mapping[str, bytes], before: Mapping[str, bytes]) -> bool:
    return now.keys() == before.keys() and all(
        value == before[word] or (word.endswith(".tries") and value[0] == before[word][0] - 1)
        for word, value in now.items()
    )


@pytest.mark.parametrize(("name", "command"), EVERY, ids=lambda each: each.replace(" ", "-"))
def test_every_command_writes_and_a_tear_at_each_write_takes_all_of_it(
    name: str, command: str
) -> None:
    last = {**COMMANDS, **PKI_COMMANDS}[command]
    for at_write in (*range(1, WRITES + 1), None):
        card = card_of(name)
        if command == "PIN changed back":
            ask(card, COMMANDS["PIN changed"](ask, card))
        if command == "application unblocked":
            ask(card, COMMANDS["application blocked"](ask, card))
        final = bytes.fromhex(last(ask, card))
        before = card.memory.words()
        card.tear(final, at_write)
        assert same_but_for_spent_tries(card.memory.words(), before), at_write
        if at_write == 1:
            assert card.memory.words() == before
        # The preparation is lost with the power.
        _, sw = ask(card, last(ask, card))
        assert (sw == 0x9000) == (command not in ("wrong PIN", "wrong key"))
        if command not in ("right PIN", "right key", "user PIN", "PIN unblocked"):
            assert card.memory.words() != before


class Done(NamedTuple):
    command: str
    torn: bool
    at_write: int | None


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, list[Done]]:
    name = draw(st.sampled_from(CARDS))
    commands = [*COMMANDS, *(PKI_COMMANDS if name == "pki" else ())]
    commands.remove("card blocked")
    at_write = st.one_of(st.none(), st.integers(1, WRITES))
    return name, draw(
        st.lists(st.builds(Done, st.sampled_from(commands), st.booleans(), at_write), max_size=6)
    )


@given(histories())
def test_no_history_leaves_a_mixture(history: tuple[str, list[Done]]) -> None:
    name, script = history
    card = card_of(name)
    for done in script:
        final = {**COMMANDS, **PKI_COMMANDS}[done.command](ask, card)
        before = card.memory.words()
        if done.torn:
            card.tear(bytes.fromhex(final), done.at_write)
            assert same_but_for_spent_tries(card.memory.words(), before)
            assert ask(card, "00B2010400")[1] in (0x6986, 0x6D00), "nothing is selected any more"
        else:
            _, sw = ask(card, final)
            after = card.memory.words()
            if sw != 0x9000:
                assert same_but_for_spent_tries(after, before)
            card.power_off()
            card.power_on()
            assert card.memory.words() == after
    assert card.bugs == []
