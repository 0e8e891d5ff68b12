"""The PKI application: opening it, its PINs, its keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apdu.channel import Channel
from apdu.errors import (
    CardError,
    CardRemoved,
    KeyMismatch,
    MalformedAnswer,
    PinBlocked,
    PinRejected,
    UnexpectedStatus,
    UnknownCard,
)
from apdu.pin import IllegalPin
from apdu.pki.application import PkiApplication
from apdu.pki.profile import KeyUse, shipped_pki_profile
from tests.apdu.card_in_process import CardInProcess, insert
from tests.apdu.pki_issuance import ADMIN_PIN, USER_PIN, opened

SELECT = [
    ("00A40000023F0000", "9000"),
    ("00A404000C504B492EC9E7BBE1B1A3D5CF00", "6F14840C504B492EC9E7BBE1B1A3D5CF7304920233309000"),
    ("00A404000C53532E434552542E4144463100", "6F0E840C53532E434552542E414446319000"),
]
DIGEST = (
    "80C4010305C10312345600",
    "3DE741F445DD357BEA4E6C3FE6437036F62B5E3EC0F00D62796EDB4305ED627F9000",
)
CHALLENGE = ("0084000010", "178CEDCF32C5D7990216632170C7CD379000")
PROOF = "0020018110358B51056B9B9EB2C96B20E7DB7A6B8F"
WRONG_PIN = b"654321"


# --- opening -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "answer", "error"),
    [
        (1, "6A82", UnknownCard),
        (2, "6A82", UnknownCard),
        (1, "6283", CardError),
        (2, "6A86", UnexpectedStatus),
        (2, CardRemoved(), CardRemoved),
    ],
)
def test_a_card_without_it_is_told(
    scripted: Any, at: int, answer: str | CardError, error: type[CardError]
) -> None:
    with pytest.raises(error):
        opened(scripted(*SELECT[:at], (SELECT[at][0], answer)))


def test_the_master_file_says_nothing(scripted: Any) -> None:
    card = scripted((SELECT[0][0], "6A82"), *SELECT[1:])
    assert isinstance(opened(card), PkiApplication)
    assert card.consumed


@pytest.mark.parametrize("name", ["v2", "v3"])
def test_a_card_that_has_none_is_no_pki_card(name: str) -> None:
    with pytest.raises(UnknownCard):
        opened(insert(name))


# --- PINs: the values of a public program's log -------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error", "tries"),
    [
        ("9000", None, None),
        ("63C5", PinRejected, 5),
        ("63C0", PinBlocked, None),
        ("6983", PinBlocked, None),
        ("6982", UnexpectedStatus, None),
        (CardRemoved(), CardRemoved, None),
    ],
)
def test_the_logged_pin_is_shown_once_and_zeros_are_left(
    scripted: Any, answer: str | CardError, error: type[CardError] | None, tries: int | None
) -> None:
    card = scripted(*SELECT, DIGEST, CHALLENGE, (PROOF, answer))
    digits = bytearray(USER_PIN)
    application = opened(card)
    if error is None:
        application.verify_pin(digits)
    else:
        with pytest.raises(error) as caught:
            application.verify_pin(digits)
        assert getattr(caught.value, "tries_left", None) == tries
        assert USER_PIN.decode() not in f"{caught.value!r} {caught.value.args}"
    assert digits == bytes(6)
    for at in (3, 5):
        assert not any(card.buffers[at])


@pytest.mark.parametrize(
    ("challenge", "proof", "admin"),
    [
        ("51780DDC9394E497EAE01B3D9CAB4A97", "C6CEE3CC430485E8676D2A6B10E52494", False),
        ("3D3ECC44607070F8935A64A15E8D95BA", "638C4E4E44182071BA0619F81D35C892", True),
    ],
)
def test_logged_proofs_without_a_digest_by_the_card(
    scripted: Any, challenge: str, proof: str, admin: bool
) -> None:
    header = "0020010010" if admin else "0020018110"
    card = scripted(*SELECT, ("0084000010", challenge + "9000"), (header + proof, "9000"))
    profile = shipped_pki_profile()
    profile = replace(profile, pin=replace(profile.pin, digest_by_card=False))
    application = PkiApplication.open(Channel(card), profile=profile)
    if admin:
        application.verify_admin_pin(bytearray(ADMIN_PIN))
    else:
        application.verify_pin(bytearray(USER_PIN))


@pytest.mark.parametrize("digits", [b"", b"123", b"12a456", b"1" * 17])
def test_an_illegal_pin_never_reaches_the_card(scripted: Any, digits: bytes) -> None:
    buffer = bytearray(digits)
    with pytest.raises(IllegalPin):
        opened(scripted(*SELECT)).verify_pin(buffer)
    assert not any(buffer)


@pytest.mark.parametrize(
    "answers",
    [
        [(DIGEST[0], "AA" * 31 + "9000")],
        [(DIGEST[0], "9000")],
        [(DIGEST[0], "AA" * 33 + "9000")],
        [DIGEST, ("0084000010", "AA" * 15 + "9000")],
        [DIGEST, ("0084000010", "AA" * 17 + "9000")],
        [DIGEST, ("0084000010", "9000")],
    ],
)
def test_no_try_is_spent_on_a_digest_or_challenge_that_is_none(
    scripted: Any, answers: list[tuple[str, str]]
) -> None:
    with pytest.raises(MalformedAnswer):
        opened(scripted(*SELECT, *answers)).verify_pin(bytearray(USER_PIN))


def test_a_challenge_of_eight_bytes_is_filled_up_with_zeros() -> None:
    card = insert("pki")
    profile = replace(shipped_pki_profile(), challenge=8)
    PkiApplication.open(Channel(card), profile=profile).verify_pin(bytearray(USER_PIN))
    assert bytes.fromhex("0084000008") in card.commands


def test_wrong_pins_until_it_is_blocked() -> None:
    application = opened(insert("pki"))
    for left in (5, 4, 3, 2, 1):
        with pytest.raises(PinRejected) as caught:
            application.verify_pin(bytearray(WRONG_PIN))
        assert caught.value.tries_left == left
    with pytest.raises(PinBlocked):
        application.verify_pin(bytearray(WRONG_PIN))
    with pytest.raises(PinBlocked):
        application.verify_pin(bytearray(USER_PIN))


def test_the_two_pins_are_two() -> None:
    application = opened(insert("pki"))
    with pytest.raises(PinRejected) as caught:
        application.verify_admin_pin(bytearray(USER_PIN))
    assert caught.value.tries_left == 2
    application.verify_admin_pin(bytearray(ADMIN_PIN))
    application.verify_pin(bytearray(USER_PIN))


# --- keys --------------------------------------------------------------------------------------


def test_a_card_without_keys() -> None:
    application = opened(insert("pki"))
    application.verify_pin(bytearray(USER_PIN))
    assert [application.public_key(use) for use in KeyUse] == [None, None]
    with pytest.raises(KeyMismatch):
        application.sign(b"what is signed")


def test_generated_keys_are_the_card_s_and_replace_the_old_ones() -> None:
    card = insert("pki")
    application = opened(card)
    application.verify_pin(bytearray(USER_PIN))
    first, second = application.generate_key_pair(), application.generate_key_pair()
    assert first != second
    assert application.public_key(KeyUse.SIGNATURE) == second
    assert application.public_key(KeyUse.ENCRYPTION) is None
    assert bytes.fromhex("8040000008C0020012C2020013") in card.commands


class Idle(CardInProcess):
    """Says that it made a pair, and does nothing."""

    def transmit(self, command: bytes | bytearray) -> bytes:
        return b"\x90\x00" if command[1] == 0x40 else super().transmit(command)


def test_a_card_that_makes_no_pair_is_found_out() -> None:
    application = opened(Idle(insert("pki").card))
    with pytest.raises(KeyMismatch):
        application.generate_key_pair()


def test_generation_needs_the_pin() -> None:
    application = opened(insert("pki"))
    with pytest.raises(UnexpectedStatus) as caught:
        application.generate_key_pair()
    assert (caught.value.command, caught.value.sw) == ("GENERATE KEY PAIR", 0x6982)


@pytest.mark.parametrize("point", ["01" * 64, "00" * 63 + "01", "FF" * 64])
def test_a_key_file_without_a_point_is_malformed(scripted: Any, point: str) -> None:
    card = scripted(*SELECT, ("00A4000002001400", "9000"), ("00B0000042", "CA40" + point + "9000"))
    with pytest.raises(MalformedAnswer):
        opened(card).public_key(KeyUse.ENCRYPTION)


@pytest.mark.parametrize("answers", [["11" * 65 + "6282"], ["11" * 65 + "9000", "6B00"], ["9000"]])
def test_a_short_key_file_is_malformed(scripted: Any, answers: list[str]) -> None:
    reads = zip(("00B0000042", "00B0004101"), answers, strict=False)
    card = scripted(*SELECT, ("00A4000002001200", "9000"), *reads)
    with pytest.raises(MalformedAnswer):
        opened(card).public_key(KeyUse.SIGNATURE)
