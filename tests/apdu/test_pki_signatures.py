"""Signatures by a PKI card: others verify them, and what does not verify is refused."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gmalg
import pytest

from apdu.crypto import sm2
from apdu.errors import KeyMismatch, MalformedAnswer, UnexpectedStatus
from apdu.pki.application import CardSignature, PkiApplication
from apdu.pki.profile import KeyUse
from tests.apdu.card_in_process import CardInProcess, insert
from tests.apdu.pki_issuance import USER_PIN, opened
from tests.apdu.test_pki import SELECT

MESSAGE = "我同意".encode()


def with_keys(card: CardInProcess) -> PkiApplication:
    application = opened(card)
    application.verify_pin(bytearray(USER_PIN))
    application.generate_key_pair()
    return application


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
