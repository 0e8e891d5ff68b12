"""From a master key to an authentication result, as cards and PSAMs compute it.

In the field these keys live in a PSAM or HSM and never here. This is for custodians in software:
tests, and peers of the simulated cards. `Scheme.SM4_SIMULATED` is our assumption, because how
SM4 cards reduce a 16-byte block to 8 bytes is not public: never claim conformity by it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import Enum
from typing import assert_never

from apdu.crypto import sm4, tdes

FACTOR_SIZE = 8
KEY_SIZE = 16


class Scheme(Enum):
    """Cipher and reduction of the keys and results of one card."""

    TDES = "3des"
    """Process key 3DES(sub-key, challenge); result single DES(process key, data) (mark C)."""
    SM4_SIMULATED = "sm4-simulated"
    """Process key SM4(K, R ‖ NOT R); result: the XOR of both halves of SM4(PK, data ‖ 00×8)
    (mark I)."""


@functools.lru_cache(maxsize=64)
def province_factor(region: str) -> bytes:
    """F_prov: the province's two digits, 0000 and ``sh`` in ASCII, 8 bytes (mark B)."""
    return (_region(region)[:2] + "0000sh").encode("ascii")


@functools.lru_cache(maxsize=64)
def city_factor(region: str) -> bytes:
    """F_city: the six digits of the region and ``sx`` in ASCII, 8 bytes (mark B)."""
    return (_region(region) + "sx").encode("ascii")


def diversify(scheme: Scheme, key: bytes, factor: bytes) -> bytes:
    """The 16-byte sub-key of `key` (16 bytes) for an 8-byte factor: both ciphers encrypt
    factor ‖ NOT factor (PBOC, mark M).

    Raises:
        ValueError: a wrong length.
    """
    _check(key, KEY_SIZE)
    _check(factor, FACTOR_SIZE)
    return _block_cipher(scheme)(key, factor + _inverted(factor))


def card_key(scheme: Scheme, root: bytes, *factors: bytes) -> bytes:
    """Diversify step by step: national root, F_prov, F_city, F_card."""
    for factor in factors:
        root = diversify(scheme, root, factor)
    return root


def process_key(scheme: Scheme, sub_key: bytes, challenge: bytes) -> bytes:
    """The key (过程密钥) of one authentication: 8 bytes for 3DES, 16 for SM4."""
    _check(sub_key, KEY_SIZE)
    _check(challenge, FACTOR_SIZE)
    match scheme:
        case Scheme.TDES:
            return tdes.encrypt_ecb(sub_key, challenge)
        case Scheme.SM4_SIMULATED:
            return sm4.encrypt_ecb(sub_key, challenge + _inverted(challenge))
        case _:
            assert_never(scheme)


def authenticator(scheme: Scheme, sub_key: bytes, challenge: bytes, data: bytes) -> bytes:
    """The 8-byte result of internal and external authentication over 8 bytes `data`."""
    _check(data, FACTOR_SIZE)
    key = process_key(scheme, sub_key, challenge)
    match scheme:
        case Scheme.TDES:
            return tdes.encrypt_ecb(key, data)
        case Scheme.SM4_SIMULATED:
            block = sm4.encrypt_ecb(key, data + bytes(8))
            return bytes(left ^ right for left, right in zip(block[:8], block[8:], strict=True))
        case _:
            assert_never(scheme)


def encrypt(scheme: Scheme, sub_key: bytes, challenge: bytes, block: bytes | bytearray) -> bytes:
    """A protected command's data, ECB under the process key.

    Args:
        block: whole blocks of 8 bytes for 3DES (mark B), 16 for SM4 (mark I).

    Raises:
        ValueError: a wrong length.
    """
    return _block_cipher(scheme)(process_key(scheme, sub_key, challenge), bytes(block))


def mac(scheme: Scheme, sub_key: bytes, challenge: bytes, text: bytes) -> bytes:
    """A protected command's MAC, 4 bytes: the head of the last block of a CBC-MAC under the
    process key, with zeros as initial vector. 3DES cards: single DES (mark C); SM4: mark I.

    Args:
        text: header, Lc and encrypted data, already padded to whole blocks.

    Raises:
        ValueError: a wrong length.
    """
    key, cipher = process_key(scheme, sub_key, challenge), _block_cipher(scheme)
    size = 8 if scheme is Scheme.TDES else 16
    if not text or len(text) % size:
        raise ValueError(f"a MAC is taken over whole blocks of {size} bytes")
    state = bytes(size)
    for at in range(0, len(text), size):
        block = text[at : at + size]
        state = cipher(key, bytes(a ^ b for a, b in zip(state, block, strict=True)))
    return state[:4]


def _block_cipher(scheme: Scheme) -> Callable[[bytes, bytes], bytes]:
    """ECB under a key; 8 bytes of 3DES key make it single DES."""
    match scheme:
        case Scheme.TDES:
            return tdes.encrypt_ecb
        case Scheme.SM4_SIMULATED:
            return sm4.encrypt_ecb
        case _:
            assert_never(scheme)


def _inverted(data: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in data)


def _region(region: str) -> str:
    if len(region) != 6 or not (region.isascii() and region.isdecimal()):
        raise ValueError("a region has six digits")
    return region


def _check(value: bytes, size: int) -> None:
    if len(value) != size:
        raise ValueError(f"{size} bytes are needed, not {len(value)}")
