"""SM4-GCM (GB/T 32907-2016, GB/T 36624-2018; RFC 8998 §2.1): by the system's libgcrypt where there
is one that knows it, else by `cryptography`. Both give the same bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from offline_queue import libgcrypt

KEY_SIZE = 16
NONCE_SIZE = 12
TAG_SIZE = 16

_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
_NONCE = bytes.fromhex("00001234567800000000ABCD")
_DATA = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
_TEXT = b"".join(bytes((octet,)) * 8 for octet in bytes.fromhex("AABBCCDDEEFFEEAA"))
_SEALED = bytes.fromhex(
    "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
    "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
    "83DE3541E4C2B58177E065A9BF7B62EC"
)
"""RFC 8998 appendix A.1."""


class Sm4Gcm(Protocol):
    """SM4-GCM under one key. Safe to call from several threads."""

    def encrypt(self, nonce: bytes, data: bytes, text: bytes) -> bytes:
        """Ciphertext, as long as `text`, and tag (`TAG_SIZE` bytes).

        Args:
            nonce: `NONCE_SIZE` bytes that this key was never used with before.
            data: associated data, bound but not contained.
        """

    def decrypt(self, nonce: bytes, data: bytes, sealed: bytes) -> bytes:
        """What `encrypt` was given.

        Args:
            sealed: ciphertext and tag.

        Raises:
            InvalidTag: the nonce, the data, the ciphertext or the tag are not as they were, or
                there are fewer bytes than a tag has.
        """


class ByCryptography:
    """`Sm4Gcm` by `cryptography`. Raises ValueError when the key has another length."""

    def __init__(self, key: bytes) -> None:
        self._key = SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, text: bytes) -> bytes:
        """See `Sm4Gcm`."""
        encryptor = Cipher(self._key, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(data)
        return b"".join((encryptor.update(text), encryptor.finalize(), encryptor.tag))

    def decrypt(self, nonce: bytes, data: bytes, sealed: bytes) -> bytes:
        """See `Sm4Gcm`."""
        if len(sealed) < TAG_SIZE:
            raise InvalidTag
        decryptor = Cipher(self._key, modes.GCM(nonce, sealed[-TAG_SIZE:])).decryptor()
        decryptor.authenticate_additional_data(data)
        return decryptor.update(sealed[:-TAG_SIZE]) + decryptor.finalize()


def sm4_gcm(key: bytes) -> Sm4Gcm:
    """The cipher of one key. Raises ValueError when the key has another length than `KEY_SIZE`."""
    return _quickest()(key)


@functools.cache
def _quickest() -> Callable[[bytes], Sm4Gcm]:
    return by_libgcrypt() or ByCryptography


def by_libgcrypt() -> Callable[[bytes], Sm4Gcm] | None:
    """Makes `Sm4Gcm` by libgcrypt; None where it is absent, or too old for SM4, or must not use
    it (FIPS mode), or does not answer the published vector."""
    try:
        make = functools.partial(libgcrypt.Libgcrypt, libgcrypt.load())
        cipher = make(_KEY)
        sealed = cipher.encrypt(_NONCE, _DATA, _TEXT)
        right = sealed == _SEALED and cipher.decrypt(_NONCE, _DATA, sealed) == _TEXT
    except (OSError, AttributeError, ValueError, InvalidTag):
        return None
    return make if right else None
