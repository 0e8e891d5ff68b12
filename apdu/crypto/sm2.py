"""SM2 signatures and encryption (GB/T 32918-2016/2017): the one public face.

Everything that peers disagree about is named by the caller: how a signature or ciphertext is
encoded, and the signer's identity (default ``1234567812345678``, GM/T 0009). Work is done by the
system's libcrypto after a self-test; where that is refused, signatures can still be verified.
"""

from __future__ import annotations

import base64
import binascii
import functools
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from apdu.crypto import sm2_curve as curve
from apdu.crypto import sm2_der, sm2_libcrypto, sm2_pure, sm3
from apdu.crypto.errors import BackendRefused, MalformedCiphertext, MalformedKey

DEFAULT_USER_ID = b"1234567812345678"
"""The signer's identity (openssl: ``distid``) where the two sides agreed on no other
(GM/T 0009 §10)."""

_SIZE = curve.FIELD_SIZE
_MAXIMUM_USER_ID = 0x1FFF
"""Its length in bits must fit into two bytes (GB/T 32918.2 §5.5)."""


class SignatureEncoding(Enum):
    """How a signature is written."""

    DER = "der"
    """SEQUENCE of two INTEGERs, 8 to 72 bytes."""
    RAW = "raw"
    """r ‖ s, 64 bytes."""


class CiphertextEncoding(Enum):
    """How a ciphertext is written; the order is always C1, C3, C2 (GB/T 32918.4-2016)."""

    DER = "der"
    """SM2Cipher of GM/T 0009: SEQUENCE { x, y, hash, ciphertext }."""
    RAW = "raw"
    """x ‖ y ‖ C3 ‖ C2, without the point's 04 prefix: 96 bytes more than the plaintext."""
    RAW_PREFIXED = "raw-04"
    """04 ‖ x ‖ y ‖ C3 ‖ C2: 97 bytes more than the plaintext."""


@dataclass(frozen=True)
class PublicKey:
    """A point on the curve.

    Attributes:
        xy: x ‖ y, 64 bytes.

    Raises:
        MalformedKey: another length, or the point is not on the curve.
    """

    xy: bytes

    def __post_init__(self) -> None:
        if len(self.xy) != 2 * _SIZE:
            raise MalformedKey(f"an SM2 public key has {2 * _SIZE} bytes, not {len(self.xy)}")
        x, y = int.from_bytes(self.xy[:_SIZE], "big"), int.from_bytes(self.xy[_SIZE:], "big")
        if not curve.on_curve(x, y):
            raise MalformedKey("the point is not on the SM2 curve")

    @classmethod
    def from_der(cls, der: bytes) -> PublicKey:
        """From SubjectPublicKeyInfo. Raises MalformedKey."""
        return cls(sm2_der.spki_to_xy(der))

    @classmethod
    def from_pem(cls, text: str) -> PublicKey:
        """From ``-----BEGIN PUBLIC KEY-----``. Raises MalformedKey."""
        return cls.from_der(_from_pem(text, "PUBLIC KEY"))

    def to_der(self) -> bytes:
        """SubjectPublicKeyInfo, 91 bytes."""
        return sm2_der.spki_from_xy(self.xy)

    def to_pem(self) -> str:
        """``-----BEGIN PUBLIC KEY-----`` text, as the openssl command reads it."""
        return _to_pem(self.to_der(), "PUBLIC KEY")


@dataclass(frozen=True, repr=False)
class PrivateKey:
    """A secret number; never shown by repr.

    Attributes:
        d: 32 bytes, 1..n-2.

    Raises:
        MalformedKey: another length or range.
    """

    d: bytes

    def __post_init__(self) -> None:
        if len(self.d) != _SIZE:
            raise MalformedKey(f"an SM2 private key has {_SIZE} bytes, not {len(self.d)}")
        if not 1 <= int.from_bytes(self.d, "big") <= curve.N - 2:
            raise MalformedKey("the SM2 private key is out of range")

    def __repr__(self) -> str:
        return "PrivateKey(...)"

    @classmethod
    def from_der(cls, der: bytes) -> PrivateKey:
        """From ECPrivateKey (SEC 1, RFC 5915) that carries its public key. Raises MalformedKey."""
        return cls(sm2_der.sec1_to_key(der))

    @classmethod
    def from_pem(cls, text: str) -> PrivateKey:
        """From ``-----BEGIN EC PRIVATE KEY-----``. Raises MalformedKey."""
        return cls.from_der(_from_pem(text, "EC PRIVATE KEY"))

    def to_der(self) -> bytes:
        """ECPrivateKey (RFC 5915), 121 bytes, not encrypted. Raises BackendRefused."""
        return sm2_der.sec1_from_key(self.d, self.xy)

    def to_pem(self) -> str:
        """``-----BEGIN EC PRIVATE KEY-----`` text, not encrypted. Raises BackendRefused."""
        return _to_pem(self.to_der(), "EC PRIVATE KEY")

    def public_key(self) -> PublicKey:
        """The matching public key. Raises BackendRefused."""
        return PublicKey(self.xy)

    @functools.cached_property
    def xy(self) -> bytes:
        """The public key's 64 bytes, computed once. Raises BackendRefused."""
        return sm2_libcrypto.load().public_key(self.d)


def generate() -> PrivateKey:
    """A new private key from the system's randomness. Raises BackendRefused."""
    return PrivateKey(sm2_libcrypto.load().generate())


def digest(key: PublicKey, message: bytes, *, user_id: bytes = DEFAULT_USER_ID) -> bytes:
    """e = SM3(Z ‖ message), 32 bytes: what is really signed (GB/T 32918.2 §6.1).

    A card that keeps the private half is given this, so that a message of any length takes one
    command; its signature then verifies against `message` with the same `user_id`.

    Raises:
        ValueError: `user_id` longer than 8191 bytes.
    """
    _check_user_id(user_id)
    return sm3.digest(sm2_pure.identity_digest(key.xy, user_id) + message)


def sign(
    key: PrivateKey,
    message: bytes,
    *,
    encoding: SignatureEncoding,
    user_id: bytes = DEFAULT_USER_ID,
) -> bytes:
    """Sign SM3(Z ‖ message), with Z made from `user_id` and the public key.

    Raises:
        BackendRefused: this machine has no trustworthy libcrypto.
        ValueError: `user_id` longer than 8191 bytes.
    """
    _check_user_id(user_id)
    der = sm2_libcrypto.load().sign(key.d, key.xy, user_id, message)
    match encoding:
        case SignatureEncoding.DER:
            return der
        case SignatureEncoding.RAW:
            raw = sm2_der.signature_to_raw(der)
            if raw is None:
                raise BackendRefused("libcrypto made a signature that is not DER")
            return raw
        case _:
            assert_never(encoding)


def verify(
    key: PublicKey,
    message: bytes,
    signature: bytes,
    *,
    encoding: SignatureEncoding,
    user_id: bytes = DEFAULT_USER_ID,
) -> bool:
    """Whether `signature` is `key`'s signature of `message`; a malformed one is simply False.

    Raises:
        ValueError: `user_id` longer than 8191 bytes.
    """
    _check_user_id(user_id)
    raw = _signature_to_raw(signature, encoding)
    if raw is None:
        return False
    try:
        backend = sm2_libcrypto.load()
    except BackendRefused:
        return sm2_pure.verify(key.xy, user_id, message, raw)
    return backend.verify(key.xy, user_id, message, sm2_der.signature_from_raw(raw))


def verify_digest(
    key: PublicKey, digest: bytes, signature: bytes, *, encoding: SignatureEncoding
) -> bool:
    """Whether `signature` is `key`'s signature of the message with this `digest`, 32 bytes; for
    whoever was not told the message. Always in plain Python.

    Raises:
        ValueError: `digest` has another length.
    """
    if len(digest) != sm3.DIGEST_SIZE:
        raise ValueError(f"an SM3 digest has {sm3.DIGEST_SIZE} bytes, not {len(digest)}")
    raw = _signature_to_raw(signature, encoding)
    return raw is not None and sm2_pure.verify_digest(key.xy, digest, raw)


def encrypt(key: PublicKey, plaintext: bytes | bytearray, *, encoding: CiphertextEncoding) -> bytes:
    """Encrypt at least one byte to the holder of `key`'s private half.

    Args:
        plaintext: a secret in a `bytearray` is not copied; its owner wipes it.

    Raises:
        BackendRefused: this machine has no trustworthy libcrypto.
        ValueError: `plaintext` is empty.
    """
    if not plaintext:
        raise ValueError("SM2 cannot encrypt nothing")
    backend = sm2_libcrypto.load()
    der = backend.encrypt(key.xy, plaintext)
    c1, c3, c2 = sm2_der.ciphertext_to_parts(der)
    # A key stream of zeros leaves the text readable (one in 256 for a single byte); the standard
    # says to draw again (GB/T 32918.4 §6.1 A5), which OpenSSL 3.0 does not do.
    while c2 == plaintext:
        der = backend.encrypt(key.xy, plaintext)
        c1, c3, c2 = sm2_der.ciphertext_to_parts(der)
    match encoding:
        case CiphertextEncoding.DER:
            return der
        case CiphertextEncoding.RAW:
            return c1 + c3 + c2
        case CiphertextEncoding.RAW_PREFIXED:
            return b"\x04" + c1 + c3 + c2
        case _:
            assert_never(encoding)


def decrypt(key: PrivateKey, ciphertext: bytes, *, encoding: CiphertextEncoding) -> bytes:
    """Undo `encrypt`.

    Raises:
        MalformedCiphertext: another encoding, another key, or changed on its way.
        BackendRefused: this machine has no trustworthy libcrypto.
    """
    match encoding:
        case CiphertextEncoding.DER:
            der = sm2_der.ciphertext_from_parts(*sm2_der.ciphertext_to_parts(ciphertext))
        case CiphertextEncoding.RAW:
            der = _ciphertext_from_raw(ciphertext)
        case CiphertextEncoding.RAW_PREFIXED:
            if ciphertext[:1] != b"\x04":
                raise MalformedCiphertext("the point's 04 prefix is missing")
            der = _ciphertext_from_raw(ciphertext[1:])
        case _:
            assert_never(encoding)
    return sm2_libcrypto.load().decrypt(key.d, key.xy, der)


def _signature_to_raw(signature: bytes, encoding: SignatureEncoding) -> bytes | None:
    match encoding:
        case SignatureEncoding.DER:
            return sm2_der.signature_to_raw(signature)
        case SignatureEncoding.RAW:
            return signature if len(signature) == 2 * _SIZE else None
        case _:
            assert_never(encoding)


def _ciphertext_from_raw(raw: bytes) -> bytes:
    if len(raw) <= 3 * _SIZE:
        raise MalformedCiphertext("shorter than an SM2 ciphertext can be")
    c1, c3, c2 = raw[: 2 * _SIZE], raw[2 * _SIZE : 3 * _SIZE], raw[3 * _SIZE :]
    return sm2_der.ciphertext_from_parts(c1, c3, c2)


def _check_user_id(user_id: bytes) -> None:
    if len(user_id) > _MAXIMUM_USER_ID:
        raise ValueError(f"an SM2 user id has at most {_MAXIMUM_USER_ID} bytes")


def _to_pem(der: bytes, label: str) -> str:
    text = base64.b64encode(der).decode("ascii")
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _from_pem(text: str, label: str) -> bytes:
    _, _, rest = text.partition(f"-----BEGIN {label}-----")
    body, mark, _ = rest.partition(f"-----END {label}-----")
    if not mark:
        raise MalformedKey(f"no PEM block labelled {label}")
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        raise MalformedKey("the PEM block is not base64") from None
