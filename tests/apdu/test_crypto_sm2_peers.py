"""SM2 beside independent implementations: two from PyPI and the openssl command."""

import importlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from apdu.crypto import sm2
from apdu.crypto.errors import MalformedCiphertext
from apdu.crypto.sm2 import CiphertextEncoding, PrivateKey, PublicKey, SignatureEncoding

pytestmark = pytest.mark.peer

KEY = PrivateKey(bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"))
PUBLIC = PublicKey(
    bytes.fromhex(
        "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
        "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
    )
)
D, XY = KEY.d, PUBLIC.xy
USER_ID = b"ALICE123@YAHOO.COM"
MESSAGES = (b"", b"m", b"message digest", bytes(range(256)) * 5)
PLAINTEXTS = (b"twelve bytes", b"encryption standard", bytes(range(150)))
DER, RAW = SignatureEncoding.DER, SignatureEncoding.RAW


@pytest.fixture
def gmssl() -> Any:
    return importlib.import_module("gmssl_pyx")


@pytest.fixture
def gmalg() -> Any:
    """Makes gmalg's SM2 for one user id."""
    module: Any = importlib.import_module("gmalg")
    return lambda user_id: module.SM2(D, user_id, b"\x04" + XY)


@pytest.mark.parametrize("user_id", [sm2.DEFAULT_USER_ID, USER_ID])
def test_gmssl_signatures(gmssl: Any, user_id: bytes) -> None:
    for message in MESSAGES:
        ours = sm2.sign(KEY, message, encoding=DER, user_id=user_id)
        assert gmssl.sm2_verify(XY, message, ours, signer_id=user_id)
        assert gmssl.sm2_verify_sm3_digest(XY, sm2.digest(PUBLIC, message, user_id=user_id), ours)
        theirs = gmssl.sm2_sign(D, XY, message, signer_id=user_id)
        assert sm2.verify(PUBLIC, message, theirs, encoding=DER, user_id=user_id)
        assert not sm2.verify(PUBLIC, message, theirs, encoding=DER, user_id=b"somebody else")


def test_gmssl_signs_our_digest_like_a_card(gmssl: Any) -> None:
    for message in MESSAGES:
        signature = gmssl.sm2_sign_sm3_digest(D, sm2.digest(PUBLIC, message))
        assert sm2.verify(PUBLIC, message, signature, encoding=DER)


def test_gmssl_encryption(gmssl: Any) -> None:
    for plaintext in PLAINTEXTS:
        ours = sm2.encrypt(PUBLIC, plaintext, encoding=CiphertextEncoding.DER)
        assert gmssl.sm2_decrypt(D, ours) == plaintext
        theirs = gmssl.sm2_encrypt(XY, plaintext)
        assert sm2.decrypt(KEY, theirs, encoding=CiphertextEncoding.DER) == plaintext
        spoiled = theirs[:-1] + bytes((theirs[-1] ^ 1,))
        with pytest.raises(MalformedCiphertext):
            sm2.decrypt(KEY, spoiled, encoding=CiphertextEncoding.DER)


@pytest.mark.parametrize("user_id", [sm2.DEFAULT_USER_ID, USER_ID])
def test_gmalg_signatures(gmalg: Any, user_id: bytes) -> None:
    oracle = gmalg(user_id)
    for message in MESSAGES:
        ours = sm2.sign(KEY, message, encoding=RAW, user_id=user_id)
        assert oracle.verify(message, ours[:32], ours[32:])
        # gmalg leaves out leading zeros.
        theirs = b"".join(part.rjust(32, b"\0") for part in oracle.sign(message))
        assert sm2.verify(PUBLIC, message, theirs, encoding=RAW, user_id=user_id)
        assert not sm2.verify(PUBLIC, message, theirs, encoding=RAW, user_id=b"somebody else")


def test_gmalg_encryption(gmalg: Any) -> None:
    oracle = gmalg(sm2.DEFAULT_USER_ID)
    for plaintext in PLAINTEXTS:
        ours = sm2.encrypt(PUBLIC, plaintext, encoding=CiphertextEncoding.RAW_PREFIXED)
        assert oracle.decrypt(ours) == plaintext
        theirs = oracle.encrypt(plaintext)
        assert len(theirs) == 97 + len(plaintext)
        assert sm2.decrypt(KEY, theirs, encoding=CiphertextEncoding.RAW_PREFIXED) == plaintext
        assert sm2.decrypt(KEY, theirs[1:], encoding=CiphertextEncoding.RAW) == plaintext


@pytest.fixture
def openssl(tmp_path: Path) -> Any:
    """Runs the openssl command in a folder with our keys; gives back what it writes."""
    (tmp_path / "pub.pem").write_text(PUBLIC.to_pem())
    (tmp_path / "key.pem").write_text(KEY.to_pem())

    def run(*arguments: str, **files: bytes) -> bytes:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        command = ["openssl", *arguments]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        return done.stdout

    return run


@pytest.mark.parametrize("user_id", [sm2.DEFAULT_USER_ID, USER_ID])
def test_openssl_signatures(openssl: Any, user_id: bytes) -> None:
    option = ("-sigopt", f"distid:{user_id.decode()}", "message")
    for message in MESSAGES:
        ours = sm2.sign(KEY, message, encoding=DER, user_id=user_id)
        verify = ("dgst", "-sm3", "-verify", "pub.pem", "-signature", "signature", *option)
        assert b"OK" in openssl(*verify, message=message, signature=ours)
        theirs = openssl("dgst", "-sm3", "-sign", "key.pem", *option, message=message)
        assert sm2.verify(PUBLIC, message, theirs, encoding=DER, user_id=user_id)


def test_openssl_encryption(openssl: Any) -> None:
    for plaintext in PLAINTEXTS:
        ours = sm2.encrypt(PUBLIC, plaintext, encoding=CiphertextEncoding.DER)
        decrypt = ("pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "sealed")
        assert openssl(*decrypt, sealed=ours) == plaintext
        encrypt = ("pkeyutl", "-encrypt", "-pubin", "-inkey", "pub.pem", "-in", "plain")
        theirs = openssl(*encrypt, plain=plaintext)
        assert sm2.decrypt(KEY, theirs, encoding=CiphertextEncoding.DER) == plaintext


def test_openssl_reads_and_writes_our_keys(openssl: Any) -> None:
    assert openssl("pkey", "-in", "key.pem", "-pubout").decode() == PUBLIC.to_pem()
    assert openssl("ec", "-in", "key.pem", "-outform", "DER") == KEY.to_der()
