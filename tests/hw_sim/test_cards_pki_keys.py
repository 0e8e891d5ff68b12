"""The signing pair of the PKI application."""

from __future__ import annotations

import gmalg
import gmssl_pyx
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from hw_sim.cards.iso7816 import Card
from tests.hw_sim.application_cards import PkiCard
from tests.hw_sim.card_terminal import Ask, full
from tests.hw_sim.pki_terminal import (
    ADF,
    CHOOSE,
    GENERATE,
    enter,
    generated,
    public_key,
    verify_admin,
    verify_user,
)

MESSAGE = b"demo message"
USER_ID = b"1234567812345678"
# a, b, Gx and Gy of the curve (GB/T 32918.5).
CURVE = bytes.fromhex(
    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
    "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
    "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
    "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
)


def digest(public: bytes, message: bytes) -> bytes:
    """e = SM3(Z‖M) of GB/T 32918.2 §5.5 and §6.1."""
    z: bytes = gmssl_pyx.sm3_hash(b"\x00\x80" + USER_ID + CURVE + public)
    e: bytes = gmssl_pyx.sm3_hash(z + message)
    return e


def sign(ask: Ask, card: Card, message: bytes = MESSAGE) -> bytes:
    assert ask(card, CHOOSE) == (b"", 0x9000)
    e = digest(public_key(ask, card), message)
    signature, sw = full(ask, card, "002A9E9A20" + e.hex() + "40")
    assert (sw, len(signature)) == (0x9000, 64)
    return signature


def is_signature(public: bytes, signature: bytes, message: bytes = MESSAGE) -> bool:
    """Both libraries must agree."""
    r, s = signature[:32], signature[32:]
    der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    first = bool(gmssl_pyx.sm2_verify(public, message, der))
    second = bool(gmalg.SM2(uid=USER_ID, pk=b"\x04" + public).verify(message, r, s))
    assert first == second
    return first


@pytest.mark.parametrize("t0", [False, True])
def test_signature_verifies_with_the_card_s_public_key(ask: Ask, t0: bool) -> None:
    card = generated(ask, t0=t0)
    public, signature = public_key(ask, card), sign(ask, card)
    assert is_signature(public, signature)
    assert not is_signature(public, signature, MESSAGE + b".")
    assert signature != sign(ask, card)


def test_public_key_stands_behind_two_bytes_and_is_exported_so(ask: Ask) -> None:
    card = generated(ask)
    ask(card, "00A40000020012")
    content = ask(card, "00B0000042")[0]
    assert content[:2].hex() == "ca40"
    assert ask(card, "80C9820008C0020012C2020013") == (b"", 0x9000)
    assert ask(card, "80C9828042") == (content, 0x9000)
    assert ask(card, "80C9828000") == (content, 0x9000)


def test_new_pair_replaces_the_old_one(ask: Ask) -> None:
    card = generated(ask)
    old = public_key(ask, card)
    ask(card, GENERATE)
    assert public_key(ask, card) != old
    assert not is_signature(old, sign(ask, card))


def test_keys_survive_power(ask: Ask) -> None:
    card = generated(ask)
    public = public_key(ask, card)
    card.reset()
    enter(ask, card)
    verify_user(ask, card)
    assert is_signature(public, sign(ask, card))


def test_torn_generation_leaves_no_pair(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_user(ask, card)
    card.tear(bytes.fromhex(GENERATE))
    enter(ask, card)
    assert public_key(ask, card) == bytes(64)
    assert ask(card, CHOOSE)[1] == 0x6A88


def test_torn_generation_leaves_the_old_pair(ask: Ask) -> None:
    card = generated(ask)
    old = public_key(ask, card)
    card.tear(bytes.fromhex(GENERATE))
    enter(ask, card)
    verify_user(ask, card)
    assert public_key(ask, card) == old
    assert is_signature(old, sign(ask, card))


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("8040010008C0020012C2020013", 0x6A86),
        ("8040000108C0020012C2020013", 0x6A86),
        ("80400000", 0x6700),
        ("8040000004C0020012", 0x6A80),
        ("8040000008C2020013C0020012", 0x6A80),
        ("8040000008C0020012C2020014", 0x6A88),
        ("8040000008C0020014C2020015", 0x6A88),
        ("80C9820008C0020014C2020015", 0x6A88),
        ("80C9820000", 0x6700),
        ("80C9828142", 0x6A86),
        ("80C9828042", 0x6985),
        ("002241B8048402001300", 0x6A86),
        ("002201B60484020013", 0x6A86),
        ("002241B6", 0x6700),
        ("002241B60483020013", 0x6A80),
        ("002241B603840200", 0x6A80),
        ("002241B60184", 0x6A80),
        ("002241B60484020015", 0x6A88),
        ("002241B60484020012", 0x6A88),
        ("002A9E9A20" + "11" * 32 + "40", 0x6985),
        ("002A9E9A1F" + "11" * 31 + "40", 0x6700),
        ("002A9E9A40", 0x6700),
        ("002A9E9B20" + "11" * 32 + "40", 0x6A86),
        ("002A809A20" + "11" * 32 + "40", 0x6A86),
    ],
)
def test_refusals_after_the_user_pin(ask: Ask, command: str, sw: int) -> None:
    assert ask(generated(ask), command)[1] == sw


def test_generation_needs_the_user_pin(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_admin(ask, card)
    assert ask(card, GENERATE)[1] == 0x6982


@pytest.mark.parametrize("command", ["80C9820008C0020012C2020013", CHOOSE])
def test_empty_card_has_no_key_to_name(ask: Ask, command: str) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_user(ask, card)
    assert ask(card, command)[1] == 0x6A88


def test_signing_needs_the_user_pin_of_this_session(ask: Ask) -> None:
    card = generated(ask)
    full(ask, card, ADF)
    assert ask(card, CHOOSE)[1] == 0x9000
    command = "002A9E9A20" + "11" * 32 + "40"
    assert ask(card, command)[1] == 0x6982
    verify_user(ask, card)
    assert ask(card, command)[1] == 0x9000
    assert ask(card, command[:-2] + "3F")[1] == 0x6C40


@pytest.mark.parametrize("event", ["reset", "ADF"])
def test_chosen_and_exported_keys_are_forgotten(ask: Ask, event: str) -> None:
    card = generated(ask)
    ask(card, CHOOSE)
    ask(card, "80C9820008C0020012C2020013")
    if event == "reset":
        card.reset()
    enter(ask, card)
    verify_user(ask, card)
    assert ask(card, "002A9E9A20" + "11" * 32 + "40")[1] == 0x6985
    assert ask(card, "80C9828042")[1] == 0x6985
