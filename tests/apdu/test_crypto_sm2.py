"""SM2 against GB/T 32918.5, with both backends."""

import ctypes
import functools
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apdu.crypto import sm2, sm2_der, sm2_libcrypto, sm2_pure
from apdu.crypto.errors import BackendRefused, MalformedCiphertext, MalformedKey
from apdu.crypto.sm2 import CiphertextEncoding, PrivateKey, PublicKey, SignatureEncoding
from tests.apdu.sm2_example import C1, C2, C3, KEY, MESSAGE, PUBLIC, SIGNATURE, XY, D

DER, RAW = SignatureEncoding.DER, SignatureEncoding.RAW


@pytest.mark.parametrize("backend", ["libcrypto", "pure"])
def test_the_published_signature(backend: str, request: pytest.FixtureRequest) -> None:
    if backend == "pure":
        request.getfixturevalue("refused")
    assert sm2.verify(PUBLIC, MESSAGE, SIGNATURE, encoding=RAW)
    assert not sm2.verify(PUBLIC, b"Message digest", SIGNATURE, encoding=RAW)
    assert not sm2.verify(PUBLIC, MESSAGE, SIGNATURE, encoding=RAW, user_id=b"")
    assert not sm2.verify(PUBLIC, MESSAGE, SIGNATURE, encoding=DER)
    for at in (0, 31, 32, 63):
        spoiled = bytearray(SIGNATURE)
        spoiled[at] ^= 1
        assert not sm2.verify(PUBLIC, MESSAGE, bytes(spoiled), encoding=RAW)


def test_the_published_digest() -> None:
    published = "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640"
    assert sm2.digest(PUBLIC, MESSAGE) == bytes.fromhex(published)
    others = (
        sm2.digest(PUBLIC, MESSAGE, user_id=b"ALICE123@YAHOO.COM"),
        sm2.digest(PUBLIC, MESSAGE + b"."),
        sm2.digest(sm2.generate().public_key(), MESSAGE),
    )
    assert bytes.fromhex(published) not in others


def test_a_signature_is_verified_by_the_digest_alone() -> None:
    digest = sm2.digest(PUBLIC, MESSAGE)
    assert sm2.verify_digest(PUBLIC, digest, SIGNATURE, encoding=RAW)
    der = sm2_der.signature_from_raw(SIGNATURE)
    assert sm2.verify_digest(PUBLIC, digest, der, encoding=DER)
    assert not sm2.verify_digest(PUBLIC, digest, der, encoding=RAW)
    assert not sm2.verify_digest(PUBLIC, digest[::-1], SIGNATURE, encoding=RAW)
    for wrong in (b"", digest[:-1], digest + b"\0"):
        with pytest.raises(ValueError, match="32 bytes"):
            sm2.verify_digest(PUBLIC, wrong, SIGNATURE, encoding=RAW)


def test_the_public_key_follows_from_the_private_one() -> None:
    assert KEY.public_key() == PUBLIC


@pytest.mark.parametrize(
    ("encoding", "ciphertext"),
    [
        (CiphertextEncoding.RAW, C1 + C3 + C2),
        (CiphertextEncoding.RAW_PREFIXED, b"\x04" + C1 + C3 + C2),
        (CiphertextEncoding.DER, sm2_der.ciphertext_from_parts(C1, C3, C2)),
    ],
)
def test_the_published_ciphertext(encoding: CiphertextEncoding, ciphertext: bytes) -> None:
    assert sm2.decrypt(KEY, ciphertext, encoding=encoding) == b"encryption standard"
    for at in (1, 40, 70, len(ciphertext) - 1):
        spoiled = bytearray(ciphertext)
        spoiled[at] ^= 1
        with pytest.raises(MalformedCiphertext):
            sm2.decrypt(KEY, bytes(spoiled), encoding=encoding)


@pytest.mark.parametrize("encoding", CiphertextEncoding)
@pytest.mark.parametrize("size", [1, 19, 32, 255, 1000])
def test_encryption_goes_there_and_back(encoding: CiphertextEncoding, size: int) -> None:
    plaintext = bytes(range(256)) * 4
    ciphertext = sm2.encrypt(PUBLIC, plaintext[:size], encoding=encoding)
    assert sm2.decrypt(KEY, ciphertext, encoding=encoding) == plaintext[:size]


def test_a_ciphertext_that_shows_its_text_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = sm2_libcrypto.load()
    good = backend.encrypt(XY, b"x" * 20)
    readable = sm2_der.ciphertext_from_parts(C1, C3, b"x" * 20)
    drawn = iter([readable, readable, good])
    monkeypatch.setattr(backend, "encrypt", lambda xy, plaintext: next(drawn))
    assert sm2.encrypt(PUBLIC, b"x" * 20, encoding=CiphertextEncoding.DER) == good


def test_a_bytearray_is_encrypted_and_left_to_its_owner() -> None:
    secret = bytearray(b"wiped by its owner")
    cipher = sm2.encrypt(PUBLIC, secret, encoding=CiphertextEncoding.RAW)
    assert secret == b"wiped by its owner"
    secret[:] = bytes(len(secret))
    plain = sm2.decrypt(KEY, cipher, encoding=CiphertextEncoding.RAW)
    assert plain == b"wiped by its owner"


def test_encryption_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="nothing"):
        sm2.encrypt(PUBLIC, b"", encoding=CiphertextEncoding.RAW)
    for encoding in CiphertextEncoding:
        for junk in (b"", b"\x04", C1 + C3, b"\x05" + C1 + C3 + C2):
            with pytest.raises(MalformedCiphertext):
                sm2.decrypt(KEY, junk, encoding=encoding)


@settings(max_examples=30)
@given(
    st.binary(max_size=80),
    st.binary(max_size=20),
    st.sampled_from(SignatureEncoding),
)
def test_signatures_pass_both_backends_and_bind_message_and_signer(
    message: bytes, user_id: bytes, encoding: SignatureEncoding
) -> None:
    key = sm2.generate()
    public = key.public_key()
    signature = sm2.sign(key, message, encoding=encoding, user_id=user_id)
    assert sm2.verify(public, message, signature, encoding=encoding, user_id=user_id)
    raw = signature if encoding is RAW else sm2_der.signature_to_raw(signature)
    assert raw is not None
    assert sm2_pure.verify(public.xy, user_id, message, raw)
    assert not sm2.verify(public, message + b"x", signature, encoding=encoding, user_id=user_id)
    assert not sm2.verify(public, message, signature, encoding=encoding, user_id=user_id + b"x")
    assert not sm2.verify(PUBLIC, message, signature, encoding=encoding, user_id=user_id)


def test_without_libcrypto_only_verification_is_left(refused: None) -> None:
    for call in (
        sm2.generate,
        PrivateKey(D).public_key,
        lambda: sm2.sign(KEY, b"", encoding=RAW),
        lambda: sm2.encrypt(PUBLIC, b"x", encoding=CiphertextEncoding.RAW),
        lambda: sm2.decrypt(KEY, C1 + C3 + C2, encoding=CiphertextEncoding.RAW),
    ):
        with pytest.raises(BackendRefused):
            call()


@pytest.mark.parametrize("operation", ["public_key", "sign", "verify", "decrypt"])
def test_a_backend_that_answers_wrongly_is_refused(
    operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = sm2_libcrypto.load()
    sm2_libcrypto.self_test(backend)
    wrong: Any = True if operation == "verify" else bytes(64)
    monkeypatch.setattr(backend, operation, lambda *arguments: wrong)
    with pytest.raises(BackendRefused):
        sm2_libcrypto.self_test(backend)


def test_a_library_without_sm2_is_refused() -> None:
    with pytest.raises(BackendRefused):
        sm2_libcrypto.LibCrypto(ctypes.CDLL("libc.so.6"))


def test_the_library_is_found_without_a_linker_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    candidates = list(sm2_libcrypto._candidates())
    assert candidates[0] == "libcrypto.so.3"
    last = sm2_libcrypto.LibCrypto(ctypes.CDLL(candidates[-1]))
    sm2_libcrypto.self_test(last)


def test_no_library_at_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def candidates() -> Iterator[str]:
        for name in ("libnothing.so.0", "libc.so.6"):
            asked.append(name)
            yield name

    monkeypatch.setattr(sm2_libcrypto, "_candidates", candidates)
    monkeypatch.setattr(
        sm2_libcrypto, "_search", functools.cache(sm2_libcrypto._search.__wrapped__)
    )
    for _ in range(2):
        with pytest.raises(BackendRefused):
            sm2_libcrypto.load()
    assert asked == ["libnothing.so.0", "libc.so.6"]


def test_keys_travel_as_pem_and_der() -> None:
    assert PublicKey.from_pem(PUBLIC.to_pem()) == PUBLIC
    assert PublicKey.from_der(PUBLIC.to_der()) == PUBLIC
    assert PrivateKey.from_pem(KEY.to_pem()) == KEY
    assert PUBLIC.to_der().hex() == (
        "3059301306072a8648ce3d020106082a811ccf5501822d03420004" + XY.hex()
    )
    assert D.hex() not in repr(KEY).lower()
    assert str(int.from_bytes(D, "big")) not in repr(KEY)


@pytest.mark.parametrize(
    "call",
    [
        lambda: PublicKey(XY[:63]),
        lambda: PublicKey(XY[:63] + b"\0"),
        lambda: PublicKey(bytes(64)),
        lambda: PublicKey.from_der(PUBLIC.to_der() + b"\0"),
        lambda: PublicKey.from_der(b"\x30" + bytes(90)),
        lambda: PublicKey.from_pem("no key"),
        lambda: PublicKey.from_pem("-----BEGIN PUBLIC KEY-----\n?\n-----END PUBLIC KEY-----"),
        lambda: PublicKey.from_pem(KEY.to_pem()),
        lambda: PrivateKey(bytes(32)),
        lambda: PrivateKey(b"\xff" * 32),
        lambda: PrivateKey(b"\x01"),
        lambda: PrivateKey.from_der(KEY.to_der()[:-1]),
    ],
)
def test_what_is_no_key_is_malformed(call: Any) -> None:
    with pytest.raises(MalformedKey):
        call()


def test_a_user_id_too_long_is_refused() -> None:
    for call in (
        lambda: sm2.sign(KEY, b"", encoding=RAW, user_id=bytes(8192)),
        lambda: sm2.verify(PUBLIC, b"", SIGNATURE, encoding=RAW, user_id=bytes(8192)),
    ):
        with pytest.raises(ValueError, match="user id"):
            call()


def test_importing_sm2_loads_no_heavy_library() -> None:
    program = "import sys, apdu.crypto.sm2, apdu.crypto.sm4; print('cryptography' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
