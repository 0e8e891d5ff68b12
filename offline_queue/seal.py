"""Sealing of a row's body by SM4-GCM (GB/T 32907-2016, GB/T 36624-2018; RFC 8998 §2.1).

The columns that never change are the associated data, so a body opens only in the row that it was
sealed for. What changes with delivery (state, attempts, lease) is not covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from offline_queue.errors import RowForged

KEY_SIZE = 16
NONCE_SIZE = 12
TAG_SIZE = 16

SEAL_BROKEN = "seal-broken"
KEY_UNKNOWN = "key-unknown"

_FORMAT = b"offline_queue row 1"


class Header(NamedTuple):
    """The columns of a row that never change and stand in clear.

    Attributes:
        order: the ordering key, or empty.
        created: milliseconds of the file's time.
    """

    seq: int
    kind: str
    key: str
    order: str
    priority: int
    created: int

    def associated_data(self, key_version: int) -> bytes:
        """Every field with its length before it (4 bytes, big-endian), so that none can lend
        bytes to its neighbour."""
        fields = (
            _FORMAT,
            b"%d" % key_version,
            b"%d" % self.seq,
            self.kind.encode(),
            self.key.encode(),
            self.order.encode(),
            b"%d" % self.priority,
            b"%d" % self.created,
        )
        return b"".join([len(field).to_bytes(4, "big") + field for field in fields])


class SealKeys:
    """SM4 keys by version: the current one seals, every one opens.

    Args:
        keys: `KEY_SIZE` bytes each, by a version of 1 or more.
        current: the version that seals new rows.

    Raises:
        ValueError: a key of another length, a bad version, or no current key.
    """

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        if current not in keys or min(keys) < 1:
            raise ValueError("seal keys have versions from 1, and the current one is there")
        self._ciphers = {version: SM4(key) for version, key in keys.items()}
        self.current = current

    def __repr__(self) -> str:
        return f"SealKeys(versions={sorted(self._ciphers)}, current={self.current})"

    def seal(self, header: Header, body: bytes, nonce: bytes) -> bytes:
        """Nonce (12 bytes), ciphertext and tag (16 bytes), under the current key.

        Args:
            nonce: 12 random bytes, fresh for every call.
        """
        encryptor = Cipher(self._ciphers[self.current], modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(header.associated_data(self.current))
        return b"".join((nonce, encryptor.update(body), encryptor.finalize(), encryptor.tag))

    def open(self, header: Header, key_version: int, sealed: bytes) -> bytes:
        """The body that `seal` was given.

        Raises:
            RowForged: the header, the version or the sealed bytes are not as they were.
        """
        cipher = self._ciphers.get(key_version)
        if cipher is None:
            raise RowForged(KEY_UNKNOWN)
        if len(sealed) < NONCE_SIZE + TAG_SIZE:
            raise RowForged(SEAL_BROKEN)
        nonce, text, tag = sealed[:NONCE_SIZE], sealed[NONCE_SIZE:-TAG_SIZE], sealed[-TAG_SIZE:]
        decryptor = Cipher(cipher, modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(header.associated_data(key_version))
        try:
            return decryptor.update(text) + decryptor.finalize()
        except InvalidTag:
            raise RowForged(SEAL_BROKEN) from None
