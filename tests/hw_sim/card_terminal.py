"""What the tests of the simulated cards do as a terminal would."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from hw_sim.cards.catalogue import make_card
from hw_sim.cards.iso7816 import Card
from hw_sim.cards.keys import (
    KeyName,
    block_size,
    card_key,
    encrypt,
    hsm_cryptogram,
    mac,
    process_key,
)
from hw_sim.cards.social_security import SocialSecurityCard
from hw_sim.population import DIVISION

Ask = Callable[[Card, str], tuple[bytes, int]]

SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"
TIMEOUT = 10.0


def header(value: object) -> str | None:
    """Name of a parameter in test reports: a command without its body, which may hold a PIN."""
    return value[:8] if isinstance(value, str) else None


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def card_of(name: str) -> SocialSecurityCard:
    card = make_card(name)
    assert isinstance(card, SocialSecurityCard)
    return card


def flag_of(card: SocialSecurityCard) -> Literal["01", "03"]:
    return "03" if card.image.generation == "3" else "01"


def full(ask: Ask, card: Card, command: str) -> tuple[bytes, int]:
    """What a terminal sees after the right Le and GET RESPONSE."""
    data, sw = ask(card, command)
    if sw >> 8 == 0x6C:
        data, sw = ask(card, command[:-2] + f"{sw & 0xFF:02X}")
    if sw >> 8 == 0x61:
        data, sw = ask(card, f"00C00000{sw & 0xFF:02X}")
    return data, sw


def authenticate(ask: Ask, card: SocialSecurityCard, name: KeyName, kid: int) -> int:
    """The status word of a right EXTERNAL AUTHENTICATE."""
    return ask(card, authentication(ask, card, name, kid))[1]


def authentication(ask: Ask, card: SocialSecurityCard, name: KeyName, kid: int) -> str:
    """A right EXTERNAL AUTHENTICATE for a fresh challenge."""
    challenge, _ = ask(card, "0084000008")
    data = b"\x11" * 8
    sealed = hsm_cryptogram(name, flag_of(card), card.atr[-8:], DIVISION, challenge, data)
    return f"008200{kid:02X}10" + (sealed + data).hex()


def protected(ask: Ask, card: SocialSecurityCard, header: str, block: bytes = b"") -> str:
    """A command under secure messaging, for a fresh challenge (domain facts §3.2)."""
    algorithm = card.image.algorithm
    subkey = card_key("STK_SSSE", algorithm, DIVISION, card.atr[-8:])
    process = process_key(subkey, ask(card, "0084000008")[0], algorithm)
    enciphered = encrypt(process, block, algorithm)
    text = bytes.fromhex(header) + bytes([len(enciphered) + 4]) + enciphered
    return (text + mac(process, bytes(block_size(algorithm)), text, algorithm)).hex()


def pin_block(card: SocialSecurityCard, pin: str) -> bytes:
    """What RELOAD carries: length, digits, 80 00 (domain facts §3)."""
    packed = bytes.fromhex(pin)
    block = bytes([len(packed)]) + packed + b"\x80"
    return block.ljust(block_size(card.image.algorithm), b"\0")
