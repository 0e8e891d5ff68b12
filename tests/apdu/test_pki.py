"""The PKI application: opening it, its PINs, its keys, signatures that others verify."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gmalg
import pytest

from apdu.channel import Channel
from apdu.crypto import sm2
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
from apdu.pki import CardSignature, PkiApplication
from apdu.pki_profile import KeyUse, shipped_pki_profile
from tests.apdu.card_in_process import CardInProcess, insert

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
USER_PIN, ADMIN_PIN, WRONG_PIN = b"123456", b"12345678", b"654321"
MESSAGE = "我同意".encode()


def opened(card: Any) -> PkiApplication:
    return PkiApplication.open(Channel(card))


def with_keys(card: CardInProcess) -> PkiApplication:
    application = opened(card)
    application.verify_pin(bytearray(USER_PIN))
    application.generate_key_pair()
    return application


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
    opened(scripted((SELECT[0][0], "6A82"), *SELECT[1:]))


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
        application.sign(MESSAGE)


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
    with pytest.raises(KeyMismatch):
        with_keys(Idle(insert("pki").card))


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


# --- signatures --------------------------------------------------------------------------------


def test_signatures_verify_by_an_independent_implementation() -> None:
    application = with_keys(insert("pki"))
    key = application.public_key(KeyUse.SIGNATURE)
    assert key is not None
    for user_id in (sm2.DEFAULT_USER_ID, b"ALICE123@YAHOO.COM"):
        signature = application.sign(MESSAGE, user_id=user_id)
        peer = gmalg.SM2(uid=user_id, pk=b"\x04" + key.xy)
        assert peer.verify(MESSAGE, signature.raw[:32], signature.raw[32:])
        assert not peer.verify(MESSAGE + b".", signature.raw[:32], signature.raw[32:])
        encoding = sm2.SignatureEncoding.DER
        assert sm2.verify(key, MESSAGE, signature.der, encoding=encoding, user_id=user_id)
    assert repr(signature) == "CardSignature(...)"


def test_a_digest_that_others_made_is_signed() -> None:
    application = with_keys(insert("pki"))
    key = application.public_key(KeyUse.SIGNATURE)
    assert key is not None
    signature = application.sign_digest(sm2.digest(key, MESSAGE, user_id=b"somebody"))
    encoding = sm2.SignatureEncoding.RAW
    for user_id, verifies in ((b"somebody", True), (sm2.DEFAULT_USER_ID, False)):
        assert verifies is sm2.verify(
            key, MESSAGE, signature.raw, encoding=encoding, user_id=user_id
        )


@pytest.mark.parametrize("size", [0, 31, 33])
def test_what_is_no_digest_never_reaches_the_card(scripted: Any, size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        opened(scripted(*SELECT)).sign_digest(bytes(size))


@pytest.mark.peer
def test_openssl_verifies_the_card_s_signature(tmp_path: Path) -> None:
    application = with_keys(insert("pki"))
    key = application.public_key(KeyUse.SIGNATURE)
    assert key is not None
    (tmp_path / "key.pem").write_text(key.to_pem())
    (tmp_path / "message").write_bytes(MESSAGE)
    (tmp_path / "signature").write_bytes(application.sign(MESSAGE).der)
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin"]
    options = ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
    files = ["-in", "message", "-sigfile", "signature"]
    done = subprocess.run([*verify, *options, *files], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"Verified Successfully" in done.stdout


def test_signing_needs_the_pin() -> None:
    card = insert("pki")
    with_keys(card)
    with pytest.raises(UnexpectedStatus) as caught:
        opened(card).sign(MESSAGE)
    assert (caught.value.command, caught.value.sw) == ("COMPUTE DIGITAL SIGNATURE", 0x6982)


Sign = Callable[[PkiApplication], CardSignature]
DIGEST_2 = sm2.digest(sm2.PrivateKey(bytes(31) + b"\x02").public_key(), MESSAGE)
each_form = pytest.mark.parametrize(
    "sign",
    [lambda card: card.sign(MESSAGE), lambda card: card.sign_digest(DIGEST_2)],
    ids=["message", "digest"],
)


def signing(scripted: Any, sign: Sign, raw: str) -> CardSignature:
    """What becomes of an answer to the signing command; the key is that of d = 2."""
    key = sm2.PrivateKey(bytes(31) + b"\x02").public_key()
    card = scripted(
        *SELECT,
        ("00A4000002001200", "9000"),
        ("00B0000042", "CA40" + key.xy.hex() + "9000"),
        ("002241B60484020013", "9000"),
        ("002A9E9A20" + DIGEST_2.hex() + "40", raw),
    )
    return sign(opened(card))


@each_form
def test_a_signature_that_does_not_verify_is_refused(scripted: Any, sign: Sign) -> None:
    key = sm2.PrivateKey(bytes(31) + b"\x02")
    raw = sm2.sign(key, MESSAGE, encoding=sm2.SignatureEncoding.RAW)
    assert signing(scripted, sign, raw.hex() + "9000").raw == raw
    other = sm2.sign(key, MESSAGE + b".", encoding=sm2.SignatureEncoding.RAW)
    for wrong in (other, raw[:-1] + bytes((raw[-1] ^ 1,)), bytes(64), raw[32:] + raw[:32]):
        with pytest.raises(KeyMismatch) as caught:
            signing(scripted, sign, wrong.hex() + "9000")
        assert wrong.hex() not in f"{caught.value!r}"


@each_form
@pytest.mark.parametrize("answer", ["9000", "11" * 63 + "9000"])
def test_a_signature_of_another_length_is_malformed(scripted: Any, sign: Sign, answer: str) -> None:
    with pytest.raises(MalformedAnswer):
        signing(scripted, sign, answer)
