from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Literal

import pytest

from hw_sim.cards import keys
from hw_sim.cards.catalogue import make_card
from hw_sim.cards.keys import Algorithm, KeyName, card_key, hsm_cryptogram, process_key
from hw_sim.cards.psam import Psam, held_key
from hw_sim.population import DIVISION
from tests.hw_sim.card_terminal import SSSE, Ask

SELECT = "00A4000002DF01"
FACTOR, CHALLENGE, DATA = b"\x86\x31\x42\x99\x01\x02\x03\x04", bytes(range(8)), b"\x22" * 8
IMAGE = tomllib.loads(files("hw_sim.cards").joinpath("images", "psam.toml").read_text("utf-8"))
HELD: list[tuple[KeyName, int, int]] = [
    (entry["name"], int(entry["usage"], 16), int(entry["index"], 16)) for entry in IMAGE["keys"]
]


def derive(usage: int, index: int, region: str = DIVISION) -> str:
    """BF DE with the factors of the card above, then the challenge."""
    factors = [FACTOR, f"{region}sx".encode(), f"{region[:2]}0000sh".encode()]
    data = b"".join(factors[: usage >> 5]) + CHALLENGE
    return f"BFDE{usage:02X}{index:02X}{len(data):02X}{data.hex()}"


def test_atr_names_the_psam() -> None:
    assert Psam().atr == bytes.fromhex("3B6D0000") + b"YKT-PSAM-4299"


@pytest.mark.parametrize("select", [SELECT, "00A4040006D15600000590"])
@pytest.mark.parametrize("flag", ["01", "03"])
@pytest.mark.parametrize(("name", "usage", "index"), HELD)
def test_psam_answers_like_the_hsm(
    ask: Ask, select: str, flag: Literal["01", "03"], name: KeyName, usage: int, index: int
) -> None:
    psam = Psam()
    assert ask(psam, select)[1] == 0x610A
    derivation = derive(usage, index if flag == "01" else index + 0x80)
    assert ask(psam, derivation) == (b"", 0x9000)
    assert ask(psam, "80FA000008" + DATA.hex()) == (b"", 0x6108)
    expected = hsm_cryptogram(name, flag, FACTOR, DIVISION, CHALLENGE, DATA)
    assert ask(psam, "00C0000008") == (expected, 0x9000)


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_key_of_any_level_leads_to_the_same_card_key(algorithm: Algorithm, levels: int) -> None:
    factors = (b"420000sh", b"429900sx", FACTOR)
    key = held_key("UK_SSSE", algorithm, "429900", levels)
    for factor in factors[-levels:]:
        key = keys.diversify(key, factor, algorithm)
    assert key == card_key("UK_SSSE", algorithm, "429900", FACTOR)


@pytest.mark.parametrize(
    ("usage", "index", "name", "right"),
    [(0x28, 0x0A, "RK_SSSE", False), (0x48, 0x12, "UK_SSSE", True)],
)
def test_a_key_of_the_province_serves_its_other_cities(
    ask: Ask, usage: int, index: int, name: KeyName, right: bool
) -> None:
    psam = Psam()
    ask(psam, SELECT)
    ask(psam, derive(usage, index, "420100"))
    ask(psam, "80FA000008" + DATA.hex())
    expected = hsm_cryptogram(name, "01", FACTOR, "420100", CHALLENGE, DATA)
    assert (ask(psam, "00C0000008")[0] == expected) is right


@pytest.mark.parametrize("algorithm", Algorithm)
def test_psam_protects_a_reload(ask: Ask, algorithm: Algorithm) -> None:
    size, offset = (8, 0) if algorithm is Algorithm.TRIPLE_DES else (16, 0x80)
    key = card_key("STK_SSSE", algorithm, DIVISION, FACTOR)
    process = process_key(key, CHALLENGE, algorithm)
    block = b"\x03\x12\x34\x56".ljust(size, b"\x80")
    psam = Psam()
    ask(psam, SELECT)
    ask(psam, derive(0x48, 0x09 + offset))
    ask(psam, f"80FA0000{size:02X}{block.hex()}")
    encrypted, _ = ask(psam, f"00C00000{size:02X}")
    assert keys.decrypt(process, encrypted, algorithm) == block
    ask(psam, derive(0x48, 0x09 + offset))
    header = bytes.fromhex("84240001") + bytes((size + 4,))
    text = header + encrypted + b"\x80"
    chained = bytes(size) + text + bytes(-len(text) % size)
    assert ask(psam, f"80FA0500{len(chained):02X}{chained.hex()}") == (b"", 0x6104)
    expected = keys.mac(process, bytes(size), header + encrypted, algorithm)
    assert ask(psam, "00C0000004") == (expected, 0x9000)


@pytest.mark.parametrize("name", ["v2", "v3"])
def test_card_accepts_the_psam(ask: Ask, name: str) -> None:
    psam, card = Psam(), make_card(name)
    ask(card, SSSE)
    challenge, _ = ask(card, "0084000008")
    ask(psam, SELECT)
    index = "8A" if name == "v3" else "0A"
    ask(psam, f"BFDE28{index}10{(card.atr[-8:] + challenge).hex()}")
    ask(psam, "80FA000008" + DATA.hex())
    sealed, _ = ask(psam, "00C0000008")
    assert ask(card, "0082000A10" + (sealed + DATA).hex()) == (b"", 0x9000)


@pytest.mark.parametrize(
    ("before", "command", "sw"),
    [
        ((), "BFDE280A10" + "00" * 16, 0x6985),
        ((SELECT,), "BFDE280B10" + "00" * 16, 0x9403),
        ((SELECT,), "BFDE290A10" + "00" * 16, 0x6A88),
        ((SELECT,), "BFDE671218" + "00" * 24, 0x9403),
        ((SELECT,), "BFDE280A18" + "00" * 24, 0x6700),
        ((SELECT,), "BFDE280A08" + "00" * 8, 0x6700),
        ((SELECT,), "80FA000008" + "00" * 8, 0x6985),
        ((SELECT, "BFDE280A10" + "00" * 16), "80FA000007" + "00" * 7, 0x6700),
        ((SELECT, "BFDE280A10" + "00" * 16), "80FA010008" + "00" * 8, 0x6A86),
        ((SELECT, "BFDE280A10" + "00" * 16), "80FA000108" + "00" * 8, 0x6A86),
        ((SELECT, "BFDE280A10" + "00" * 16), "80FA050008" + "00" * 8, 0x6700),
        ((SELECT, "BFDE280A10" + "00" * 16), "80FA05000F" + "00" * 15, 0x6700),
        ((SELECT, "BFDE288A10" + "00" * 16), "80FA050010" + "00" * 16, 0x6700),
        ((SELECT, "BFDE288A10" + "00" * 16), "80FA000018" + "00" * 24, 0x6700),
        # 67: type 7 encrypts only.
        ((SELECT, "BFDE672E20" + "00" * 32), "80FA050010" + "00" * 16, 0x6985),
        ((SELECT, "BFDE280A10" + "00" * 16), "80FA050010" + "00" * 16, 0x6104),
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
