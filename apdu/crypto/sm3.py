"""SM3 hash (GB/T 32905-2016) and HMAC-SM3."""

from __future__ import annotations

import hashlib
import hmac

DIGEST_SIZE = 32
"""Bytes in an SM3 digest."""


def digest(message: bytes | bytearray) -> bytes:
    """SM3 of `message`, 32 bytes."""
    return hashlib.new("sm3", message).digest()


def hmac_digest(key: bytes, message: bytes) -> bytes:
    """HMAC-SM3 (RFC 2104 over SM3) of `message` under `key`, 32 bytes."""
    return hmac.new(key, message, "sm3").digest()


def kdf(shared: bytes, length: int) -> bytes:
    """`length` bytes of SM2's key derivation function (GB/T 32918.4 §5.4.3)."""
    blocks = (length + DIGEST_SIZE - 1) // DIGEST_SIZE
    stream = b"".join(digest(shared + n.to_bytes(4, "big")) for n in range(1, blocks + 1))
    return stream[:length]
