"""SM2, SM3 and SM4 as the PKI application uses them.

Each form here is pinned by values that a public issuance program logged (domain facts §4.6); the
tests hold them.
"""

from __future__ import annotations

import gmssl_pyx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_LENGTH = 16
COORDINATE = 32

# The order of the curve sm2p256v1 (GB/T 32918.5).
_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


def sm3(data: bytes) -> bytes:
    """32 bytes."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def pin_key(packed: bytes) -> bytes:
    """CTK, 16 bytes, of a PIN in BCD."""
    return sm3(packed)[:KEY_LENGTH]


def sm4_decrypt(key: bytes, data: bytes) -> bytes:
    """ECB; data a multiple of 16 bytes."""
    decryptor = Cipher(algorithms.SM4(key), modes.ECB()).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def command_mac(key: bytes, challenge: bytes, message: bytes) -> bytes:
    """The MAC of a protected command, 4 bytes.

    SM4-CBC over the message, padded with 80 00.., from the challenge (16 bytes) on. The last
    block is folded: its four words are XORed, and not its first word taken.
    """
    padded = message + b"\x80" + bytes(-(len(message) + 1) % 16)
    encryptor = Cipher(algorithms.SM4(key), modes.CBC(challenge)).encryptor()
    last = (encryptor.update(padded) + encryptor.finalize())[-16:]
    words = (last[i : i + 4] for i in range(0, 16, 4))
    return bytes(a ^ b ^ c ^ d for a, b, c, d in zip(*words, strict=True))


def generate_pair() -> tuple[bytes, bytes]:
    """X‖Y (64 bytes) and d (32 bytes)."""
    public, private = gmssl_pyx.sm2_key_generate()
    return public, private


def sign_digest(private: bytes, digest: bytes) -> bytes:
    """r‖s, 64 bytes, over e = SM3(Z‖M), 32 bytes (GB/T 32918.2)."""
    r, s = decode_dss_signature(gmssl_pyx.sm2_sign_sm3_digest(private, digest))
    return r.to_bytes(COORDINATE, "big") + s.to_bytes(COORDINATE, "big")


def is_pair(public: bytes, private: bytes) -> bool:
    """Whether X‖Y (64 bytes) belongs to d (32 bytes)."""
    if not 1 <= int.from_bytes(private, "big") <= _ORDER - 2:
        return False
    digest = sm3(public)
    signature = gmssl_pyx.sm2_sign_sm3_digest(private, digest)
    try:
        return bool(gmssl_pyx.sm2_verify_sm3_digest(public, digest, signature))
    except gmssl_pyx.GmsslInnerError:
        return False


def open_envelope(private: bytes, envelope: bytes) -> bytes | None:
    """The text of an SM2 cipher X‖Y‖C3‖C2 (GB/T 32918.4); ``None`` where it is not for this key."""
    x, y, rest = envelope[:COORDINATE], envelope[COORDINATE : 2 * COORDINATE], envelope[64:]
    parts = _integer(x) + _integer(y) + _octets(rest[:32]) + _octets(rest[32:])
    try:
        text: bytes = gmssl_pyx.sm2_decrypt(private, b"\x30" + bytes([len(parts)]) + parts)
    except gmssl_pyx.GmsslInnerError:
        return None
    return text


def _integer(coordinate: bytes) -> bytes:
    value = int.from_bytes(coordinate, "big")
    body = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(body)]) + body


def _octets(value: bytes) -> bytes:
    return b"\x04" + bytes([len(value)]) + value
