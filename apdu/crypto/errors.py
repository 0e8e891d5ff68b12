"""What goes wrong in cryptography, told without any key, plaintext or signature."""

from __future__ import annotations


class CryptoError(Exception):
    """Base of everything that `apdu.crypto` raises besides a programmer's mistake."""


class BackendRefused(CryptoError):
    """libcrypto is missing, cannot do SM2, or failed its known-answer self-test."""


class MalformedKey(CryptoError):
    """The bytes are no SM2 key: wrong length, wrong curve, or a point off the curve."""


class MalformedCertificate(CryptoError):
    """The bytes are no X.509 certificate of an SM2 key."""


class MalformedCiphertext(CryptoError):
    """The ciphertext cannot be decrypted: wrong encoding, wrong key, or changed on its way."""


class NotAuthentic(CryptoError):
    """The authentication tag does not fit: the sealed data or its context was changed."""
