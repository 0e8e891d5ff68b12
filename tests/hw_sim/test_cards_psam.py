from __future__ import annotations

from typing import Literal

import pytest

from hw_sim.cards.catalogue import make_card
from hw_sim.cards.keys import KeyName, hsm_cryptogram
from hw_sim.cards.psam import Psam
from hw_sim.population import DIVISION
from tests.hw_sim.card_terminal import SSSE, Ask

SELECT = "00A4000002DF01"
FACTOR, CHALLENGE, DATA = b"\x86\x31\x42\x99\x01\x02\x03\x04", bytes(range(8)), b"\x22" * 8


def test_atr_names_the_psam() -> None:
    assert Psam().atr == bytes.fromhex("3B6D0000") + b"YKT-PSAM-4299"


@pytest.mark.parametrize("select", [SELECT, "00A4040006D15600000590"])
@pytest.mark.parametrize(
    ("index", "name", "flag"),
    [
        (0x01, "IRK_SSSE", "01"),
        (0x0A, "RK_SSSE", "01"),
        (0x41, "IRK_SSSE", "03"),
        (0x4A, "RK_SSSE", "03"),
    ],
)
def test_psam_answers_like_the_hsm(
    ask: Ask, select: str, index: int, name: KeyName, flag: Literal["01", "03"]
) -> None:
    psam = Psam()
    assert ask(psam, select)[1] == 0x610A
    derive = f"BFDE28{index:02X}10{(FACTOR + CHALLENGE).hex()}"
    assert ask(psam, derive) == (b"", 0x9000)
    assert ask(psam, "80FA000008" + DATA.hex()) == (b"", 0x6108)
    expected = hsm_cryptogram(name, flag, FACTOR, DIVISION, CHALLENGE, DATA)
    assert ask(psam, "00C0000008") == (expected, 0x9000)


@pytest.mark.parametrize("name", ["v2", "v3"])
def test_card_accepts_the_psam(ask: Ask, name: str) -> None:
    psam, card = Psam(), make_card(name)
    ask(card, SSSE)
    challenge, _ = ask(card, "0084000008")
    ask(psam, SELECT)
    index = "4A" if name == "v3" else "0A"
    ask(psam, f"BFDE28{index}10{(card.atr[-8:] + challenge).hex()}")
    ask(psam, "80FA000008" + DATA.hex())
    sealed, _ = ask(psam, "00C0000008")
    assert ask(card, "0082000A10" + (sealed + DATA).hex()) == (b"", 0x9000)


@pytest.mark.parametrize(
    ("before", "command", "sw"),
    [
        ((), "BFDE280A10" + "00" * 16, 0x6985),
        ((SELECT,), "BFDE280B10" + "00" * 16, 0x9403),
        ((SELECT,), "BFDE480A10" + "00" * 16, 0x6A88),
        ((SELECT,), "BFDE280A18" + "00" * 24, 0x6700),
        ((SELECT,), "BFDE280A08" + "00" * 8, 0x6700),
        ((SELECT,), "80FA000008" + "00" * 8, 0x6985),
        ((SELECT, "BFDE280A10" + "00" * 16), "80FA000007" + "00" * 7, 0x6700),
        ((SELECT, "BFDE280A10" + "00" * 16), "80FA050008" + "00" * 8, 0x6A86),
        ((SELECT, "BFDE280A10" + "00" * 16, SELECT), "80FA000008" + "00" * 8, 0x6985),
        (
            (SELECT, "BFDE280A10" + "00" * 16, "80FA000008" + "00" * 8),
            "80FA000008" + "00" * 8,
            0x6985,
        ),
        ((), "00A4000002DF02", 0x6A82),
        ((), "00A4040006D15600000591", 0x6A82),
        ((), "00A4080002DF01", 0x6A86),
        ((), "00A40000", 0x6700),
        ((), "00A40000023F00", 0x9000),
        ((SELECT,), "00B0000006", 0x6986),
        ((SELECT,), "00B0970006", 0x6A82),
        ((SELECT,), "00B0960606", 0x6B00),
    ],
)
def test_what_the_psam_refuses(ask: Ask, before: tuple[str, ...], command: str, sw: int) -> None:
    psam = Psam()
    for earlier in before:
        ask(psam, earlier)
    assert ask(psam, command)[1] == sw


def test_reset_ends_the_derived_key(ask: Ask) -> None:
    psam = Psam()
    ask(psam, SELECT)
    ask(psam, "BFDE280A10" + "00" * 16)
    psam.reset()
    ask(psam, SELECT)
    assert ask(psam, "80FA000008" + "00" * 8)[1] == 0x6985


def test_terminal_number_is_readable(ask: Ask) -> None:
    psam = Psam()
    assert ask(psam, "00B0960006") == (bytes.fromhex("429900000001"), 0x9000)
    assert ask(psam, "00A40000020016") == (b"", 0x9000)
    assert ask(psam, "00B0000006") == (bytes.fromhex("429900000001"), 0x9000)
    assert ask(psam, "00B0000402") == (bytes.fromhex("0001"), 0x9000)
    assert ask(psam, "00B0000000") == (b"", 0x6C06)
