"""What a terminal does with the PKI application; its SM4 is not the card's library."""

from __future__ import annotations

import gmalg
import gmssl_pyx

from hw_sim.cards.iso7816 import Card
from tests.hw_sim.application_cards import PkiCard
from tests.hw_sim.card_terminal import Ask, full

DDF = "00A404000C504B492EC9E7BBE1B1A3D5CF"
ADF = "00A404000C53532E434552542E41444631"
USER_PIN = "123456"
ADMIN_PIN = "12345678"
MASTER_KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
GENERATE = "8040000008C0020012C2020013"
CHOOSE = "002241B60484020013"


def sm4(key: bytes, block: bytes) -> bytes:
    """One block or several, each by itself."""
    cipher = gmalg.SM4(key)
    return b"".join(bytes(cipher.encrypt(block[i : i + 16])) for i in range(0, len(block), 16))


def pin_key(pin: str) -> bytes:
    digest: bytes = gmssl_pyx.sm3_hash(bytes.fromhex(pin))
    return digest[:16]


def mac(key: bytes, challenge: bytes, message: bytes) -> bytes:
    """SM4-CBC-MAC, the last block folded to 4 bytes."""
    message += b"\x80"
    message += bytes(-len(message) % 16)
    block = challenge
    for place in range(0, len(message), 16):
        mixed = (a ^ b for a, b in zip(block, message[place : place + 16], strict=True))
        block = sm4(key, bytes(mixed))
    folded = 0
    for place in range(0, 16, 4):
        folded ^= int.from_bytes(block[place : place + 4], "big")
    return folded.to_bytes(4, "big")


def enter(ask: Ask, card: Card) -> None:
    for command in (DDF, ADF):
        assert full(ask, card, command)[1] == 0x9000


def prove(ask: Ask, card: Card, header: str, key: bytes) -> int:
    """VERIFY or EXTERNAL AUTHENTICATE with a fresh challenge; its status word."""
    challenge, sw = ask(card, "0084000010")
    assert sw == 0x9000
    return ask(card, header + "10" + sm4(key, challenge).hex())[1]


def verify_user(ask: Ask, card: Card, pin: str = USER_PIN) -> int:
    return prove(ask, card, "00200181", pin_key(pin))


def verify_admin(ask: Ask, card: Card, pin: str = ADMIN_PIN) -> int:
    return prove(ask, card, "00200100", pin_key(pin))


def protected(ask: Ask, card: Card, header: str, key: bytes, block: bytes) -> str:
    """The protected command that carries the block, under a fresh challenge."""
    challenge, sw = ask(card, "0084000010")
    assert sw == 0x9000
    cipher = sm4(key, block)
    start = bytes.fromhex(header) + bytes([len(cipher) + 4])
    return (start + cipher + mac(key, challenge, start + cipher)).hex()


def pin_block(pin: str) -> bytes:
    packed = bytes.fromhex(pin)
    return (bytes([len(packed)]) + packed + b"\x80").ljust(16, b"\x00")


def key_block(key: bytes) -> bytes:
    return (bytes.fromhex("13000000") + key + b"\x80").ljust(32, b"\x00")


def public_key(ask: Ask, card: Card, fid: int = 0x0012) -> bytes:
    """X‖Y of a public key file."""
    assert ask(card, f"00A4000002{fid:04X}") == (b"", 0x9000)
    data, sw = ask(card, "00B0000042")
    assert (sw, len(data)) == (0x9000, 66)
    return data[2:]


def generated(ask: Ask, *, t0: bool = False) -> PkiCard:
    """A card with the user PIN given and a new key pair."""
    card = PkiCard(t0=t0)
    enter(ask, card)
    assert verify_user(ask, card) == 0x9000
    assert ask(card, GENERATE) == (b"", 0x9000)
    return card
