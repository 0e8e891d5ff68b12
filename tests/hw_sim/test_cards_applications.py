from __future__ import annotations

from collections.abc import Mapping

import pytest

from hw_sim.cards.application import Challenges, MultiApplicationCard
from hw_sim.cards.iso7816 import Answer, Command, Handler
from hw_sim.cards.memory import Memory
from tests.hw_sim.card_terminal import Ask


class Named:
    """An application that tells its FID and spends challenges of eight bytes."""

    def __init__(self, aid: bytes, fid: int | None, challenges: Challenges) -> None:
        self.aid = aid
        self.fid = fid
        self.drops = 0
        self.warning = False
        self._challenges = challenges

    def select(self) -> bytes | Answer:
        return Answer(self.aid, 0x6283) if self.warning else self.aid

    @property
    def handlers(self) -> Mapping[tuple[int, int], Handler]:
        return {
            (0x00, 0x01): lambda _: (self.fid or 0).to_bytes(2, "big"),
            (0x00, 0x02): lambda _: self._challenges.spend(8),
            (0x00, 0xA4): self._file,
        }

    def drop_volatile_state(self) -> None:
        self.drops += 1

    def _file(self, command: Command) -> bytes:
        return b"file of " + self.aid


class Card(MultiApplicationCard):
    """MF, below it A and B; below A its directories A1 and A2."""

    def __init__(self) -> None:
        challenges = Challenges()
        master = Named(b"MASTER", 0x3F00, challenges)
        super().__init__(
            b"\x3b\x00", t0=False, memory=Memory(), challenges=challenges, master=master
        )
        self.named = {"MF": master}
        for name, fid, above in (
            ("A", 0xDDF1, None),
            ("A1", 0xDF01, "A"),
            ("A2", 0xDF02, "A"),
            ("B", None, None),
        ):
            application = Named(name.encode(), fid, challenges)
            self.named[name] = application
            self.install(application, self.named[above] if above else None)


def by_name(name: str) -> str:
    return f"00A40400{len(name):02X}{name.encode().hex()}00"


def test_the_master_is_current_after_power_on(ask: Ask) -> None:
    card = Card()
    assert ask(card, "0001000000")[0].hex() == "3f00"
    assert ask(card, by_name("A2")) == (b"A2", 0x9000)
    assert ask(card, "0001000000")[0].hex() == "df02"
    card.reset()
    assert ask(card, "0001000000")[0].hex() == "3f00"
    assert {application.drops for application in card.named.values()} == {1}


@pytest.mark.parametrize(
    ("here", "fid", "found"),
    [
        ("MF", "DDF1", "A"),
        ("MF", "DF01", None),
        ("A", "DF01", "A1"),
        ("A1", "DF02", "A2"),
        ("A1", "DDF1", "A"),
        ("A1", "3F00", "MASTER"),
        ("B", "DDF1", "A"),
        ("B", "DF01", None),
    ],
)
def test_an_identifier_finds_what_is_near(ask: Ask, here: str, fid: str, found: str | None) -> None:
    card = Card()
    if here != "MF":
        ask(card, by_name(here))
    answer, sw = ask(card, f"00A4000002{fid}00")
    file = f"file of {here if here != 'MF' else 'MASTER'}"
    assert (answer.decode(), sw) == (found or file, 0x9000)


def test_p1_02_looks_for_files_alone(ask: Ask) -> None:
    assert ask(Card(), "00A4020002DDF100")[0] == b"file of MASTER"


def test_an_unknown_name_leaves_the_current_application(ask: Ask) -> None:
    card = Card()
    ask(card, by_name("A1"))
    assert ask(card, by_name("C")) == (b"", 0x6A82)
    assert ask(card, "0001000000")[0].hex() == "df01"


def test_a_warning_comes_with_the_information_and_without(ask: Ask) -> None:
    card = Card()
    card.named["B"].warning = True
    assert ask(card, by_name("B")) == (b"B", 0x6283)
    assert ask(card, "00A4040C0142") == (b"", 0x6283)
    assert ask(card, "00A404000142") == (b"", 0x6101)
    assert ask(card, "00C0000001") == (b"B", 0x6283)


@pytest.mark.parametrize("name", ["MASTER", "A", "B"])
def test_every_application_spends_the_card_s_challenge_once(ask: Ask, name: str) -> None:
    card = Card()
    ask(card, by_name(name))
    challenge, sw = ask(card, "0084000008")
    assert sw == 0x9000
    assert ask(card, "0002000000") == (challenge, 0x9000)
    assert ask(card, "0002000000") == (b"", 0x6984)


def test_a_challenge_of_another_length_is_spent_in_vain(ask: Ask) -> None:
    card = Card()
    ask(card, "0084000010")
    assert ask(card, "0002000000") == (b"", 0x6984)
    ask(card, "0084000008")
    card.reset()
    assert ask(card, "0002000000") == (b"", 0x6984)
