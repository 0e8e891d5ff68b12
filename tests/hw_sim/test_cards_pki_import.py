"""Import of the encryption pair, which the CA made, into the PKI application."""

from __future__ import annotations

import gmalg
import pytest

from hw_sim.cards.pki_crypto import is_pair, open_envelope
from tests.hw_sim.application_cards import PkiCard
from tests.hw_sim.card_terminal import Ask, full
from tests.hw_sim.pki_terminal import (
    ADF,
    GENERATE,
    enter,
    generated,
    public_key,
    sm4,
    verify_admin,
    verify_user,
)

ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
SESSION_KEY = bytes(range(16))
PRIVATE = bytes(range(1, 33))
PUBLIC = gmalg.SM2().generate_pk(PRIVATE)[1:]
OTHER_PRIVATE = bytes(range(2, 34))
OTHER_PUBLIC = gmalg.SM2().generate_pk(OTHER_PRIVATE)[1:]
LOAD = "804A021012C110" + SESSION_KEY.hex()
IMPORT_PUBLIC = "80C2400046C0020014CA40" + PUBLIC.hex()
IMPORT_PRIVATE = "80C2C00126C2020015CB20" + sm4(SESSION_KEY, PRIVATE).hex()


@pytest.mark.parametrize(
    "command",
    [GENERATE, "804E000100", LOAD, IMPORT_PUBLIC, IMPORT_PRIVATE],
    ids=["generate", "envelope", "session key", "public", "private"],
)
def test_user_pin_is_needed(ask: Ask, command: str) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_admin(ask, card)
    assert ask(card, command)[1] == 0x6982


def envelope(public: bytes, text: bytes) -> str:
    """80 4E with an SM2 cipher that gmalg made: 04 and X‖Y, C3, C2."""
    cipher: bytes = gmalg.SM2(pk=b"\x04" + public).encrypt(text)
    body = bytes.fromhex("C2020013C1820070") + cipher[1:]
    return "804E000178" + body.hex() + "00"


def test_encryption_pair_is_imported_through_the_envelope(ask: Ask) -> None:
    card = generated(ask)
    command = envelope(public_key(ask, card), SESSION_KEY)
    assert full(ask, card, command) == (SESSION_KEY, 0x9000)
    for command in (LOAD, IMPORT_PUBLIC, IMPORT_PRIVATE):
        assert ask(card, command) == (b"", 0x9000)
    assert public_key(ask, card, 0x0014) == PUBLIC


@pytest.mark.parametrize(
    "torn", [LOAD, IMPORT_PUBLIC, IMPORT_PRIVATE], ids=["load", "public", "private"]
)
def test_torn_import_leaves_the_old_files(ask: Ask, torn: str) -> None:
    card = generated(ask)
    before = {}
    for command in (LOAD, IMPORT_PUBLIC, IMPORT_PRIVATE):
        if command == torn:
            before = {fid: public_key(ask, card, fid) for fid in (0x12, 0x14)}
            card.tear(bytes.fromhex(command))
            break
        assert ask(card, command)[1] == 0x9000
    enter(ask, card)
    assert {fid: public_key(ask, card, fid) for fid in (0x12, 0x14)} == before
    verify_user(ask, card)
    assert ask(card, IMPORT_PRIVATE)[1] == 0x6985


@pytest.mark.parametrize(
    "private",
    [OTHER_PRIVATE, bytes(32), (ORDER - 1).to_bytes(32, "big"), b"\xff" * 32],
    ids=["another's", "zero", "one too large", "much too large"],
)
def test_private_key_must_belong_to_the_public_one(ask: Ask, private: bytes) -> None:
    card = generated(ask)
    ask(card, LOAD)
    ask(card, IMPORT_PUBLIC)
    cipher = sm4(SESSION_KEY, private)
    assert ask(card, "80C2C00126C2020015CB20" + cipher.hex())[1] == 0x6A80
    assert ask(card, IMPORT_PRIVATE)[1] == 0x6985
    ask(card, LOAD)
    assert ask(card, IMPORT_PRIVATE)[1] == 0x9000


def test_session_key_is_used_once_and_forgotten_with_the_session(ask: Ask) -> None:
    card = generated(ask)
    ask(card, IMPORT_PUBLIC)
    ask(card, LOAD)
    assert [ask(card, IMPORT_PRIVATE)[1] for _ in range(2)] == [0x9000, 0x6985]
    ask(card, LOAD)
    full(ask, card, ADF)
    verify_user(ask, card)
    assert ask(card, IMPORT_PRIVATE)[1] == 0x6985


def test_private_key_waits_for_the_public_one(ask: Ask) -> None:
    card = generated(ask)
    ask(card, LOAD)
    assert ask(card, IMPORT_PRIVATE)[1] == 0x6985


def test_envelope_for_another_key_is_refused(ask: Ask) -> None:
    card = generated(ask)
    assert full(ask, card, envelope(OTHER_PUBLIC, SESSION_KEY))[1] == 0x6A80


def test_damaged_envelope_is_refused(ask: Ask) -> None:
    card = generated(ask)
    command = envelope(public_key(ask, card), SESSION_KEY)
    for place in (26, 90, 154, 218):
        changed = f"{int(command[place], 16) ^ 1:x}"
        assert full(ask, card, command[:place] + changed + command[place + 1 :])[1] == 0x6A80


@pytest.mark.parametrize("coordinate", [b"\x00" * 31 + b"\x01", b"\xff" * 32])
def test_envelope_off_the_curve_opens_nothing(coordinate: bytes) -> None:
    assert open_envelope(OTHER_PRIVATE, coordinate * 2 + bytes(48)) is None
    assert not is_pair(coordinate * 2, OTHER_PRIVATE)


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("804E0001", 0x6700),
        ("804E000004C2020013", 0x6A86),
        ("804E000104C2020013", 0x6A80),
        ("804E000107C2020013C10100", 0x6A80),
        ("804E000178C2020015C1820070" + "11" * 112, 0x6A88),
        ("804A0210", 0x6700),
        ("804A021011C10F" + "11" * 15, 0x6A80),
        ("804A021111C10F" + "11" * 15, 0x6A86),
        ("80C24000", 0x6700),
        ("80C2400146C0020014CA40" + "11" * 64, 0x6A86),
        ("80C2400045C0020014CA3F" + "11" * 63, 0x6A80),
        ("80C2400046C0020012CA40" + "11" * 64, 0x6A88),
        ("80C2C000", 0x6A86),
    ],
)
def test_refusals_of_the_import(ask: Ask, command: str, sw: int) -> None:
    assert ask(generated(ask), command)[1] == sw


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("80C2C001", 0x6700),
        ("80C2C00125C2020015CB1F" + "11" * 31, 0x6A80),
        ("80C2C00126C2020013CB20" + "11" * 32, 0x6A88),
    ],
)
def test_malformed_private_key_keeps_the_session_key(ask: Ask, command: str, sw: int) -> None:
    card = generated(ask)
    ask(card, LOAD)
    ask(card, IMPORT_PUBLIC)
    assert ask(card, command)[1] == sw
    assert ask(card, IMPORT_PRIVATE)[1] == 0x9000
