"""Keys of the simulated cards and PSAM, and what they are used for (domain facts §4.3).

The root keys are constants of the simulator and protect nothing. The 3DES forms follow the
published example; how a real SM4 card reduces 16 bytes to 8 is not public, so the SM4 form is
the simulator's own profile and no statement about real cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Literal, assert_never

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


class Algorithm(Enum):
    """算法标识 in tag 9F0C of the FCI (domain facts §1.2)."""

    TRIPLE_DES = "01"
    SM4 = "03"


KeyName = Literal["IRK_SSSE", "RK_SSSE", "UK_SSSE"]
KEY_NAMES: tuple[KeyName, ...] = ("IRK_SSSE", "RK_SSSE", "UK_SSSE")

_ROOTS: Mapping[tuple[str, Algorithm], bytes] = MappingProxyType(
    {
        ("IRK_SSSE", Algorithm.TRIPLE_DES): b"SIMULATED-IRK-01",
        ("RK_SSSE", Algorithm.TRIPLE_DES): b"SIMULATED-RKS-01",
        ("UK_SSSE", Algorithm.TRIPLE_DES): b"SIMULATED-UKS-01",
        ("IRK_SSSE", Algorithm.SM4): b"SIMULATED-IRK-03",
        ("RK_SSSE", Algorithm.SM4): b"SIMULATED-RKS-03",
        ("UK_SSSE", Algorithm.SM4): b"SIMULATED-UKS-03",
    }
)


def des3_encrypt(key: bytes, data: bytes) -> bytes:
    """Two-key 3DES, ECB; key 16 bytes, data a multiple of 8."""
    return _ecb(Cipher(TripleDES(key + key[:8]), modes.ECB()), data)


def des_encrypt(key: bytes, data: bytes) -> bytes:
    """Single DES, ECB; key 8 bytes, data a multiple of 8."""
    return _ecb(Cipher(TripleDES(key * 3), modes.ECB()), data)


def sm4_encrypt(key: bytes, data: bytes) -> bytes:
    """SM4, ECB; key 16 bytes, data a multiple of 16."""
    return _ecb(Cipher(algorithms.SM4(key), modes.ECB()), data)


def province_factor(region: str) -> bytes:
    """F_prov, 8 bytes, of a six-digit division."""
    return f"{region[:2]}0000sh".encode("ascii")


def city_factor(region: str) -> bytes:
    """F_city, 8 bytes, of a six-digit division."""
    return f"{region}sx".encode("ascii")


def diversify(key: bytes, factor: bytes, algorithm: Algorithm) -> bytes:
    """Sub-key, 16 bytes, of a key of 16 bytes for a factor of 8 bytes."""
    both = factor + _inverted(factor)
    match algorithm:
        case Algorithm.TRIPLE_DES:
            return des3_encrypt(key, both)
        case Algorithm.SM4:
            return sm4_encrypt(key, both)
        case _:
            assert_never(algorithm)


def process_key(subkey: bytes, challenge: bytes, algorithm: Algorithm) -> bytes:
    """过程密钥: 8 bytes for 3DES, 16 for SM4, of an 8-byte challenge."""
    match algorithm:
        case Algorithm.TRIPLE_DES:
            return des3_encrypt(subkey, challenge)
        case Algorithm.SM4:
            return sm4_encrypt(subkey, challenge + _inverted(challenge))
        case _:
            assert_never(algorithm)


def seal(process: bytes, data: bytes, algorithm: Algorithm) -> bytes:
    """The 8-byte authenticator of 8 data bytes under a process key."""
    match algorithm:
        case Algorithm.TRIPLE_DES:
            return des_encrypt(process, data)
        case Algorithm.SM4:
            block = sm4_encrypt(process, data + bytes(8))
            return bytes(a ^ b for a, b in zip(block[:8], block[8:], strict=True))
        case _:
            assert_never(algorithm)


def authenticator(subkey: bytes, challenge: bytes, data: bytes, algorithm: Algorithm) -> bytes:
    """What a card or its partner answers, 8 bytes; challenge and data 8 bytes each."""
    return seal(process_key(subkey, challenge, algorithm), data, algorithm)


def city_key(name: KeyName, algorithm: Algorithm, region: str) -> bytes:
    """The key that a PSAM of that city holds: root, province, city."""
    key = diversify(_ROOTS[name, algorithm], province_factor(region), algorithm)
    return diversify(key, city_factor(region), algorithm)


def card_key(name: KeyName, algorithm: Algorithm, region: str, card_factor: bytes) -> bytes:
    """The sub-key in one card; ``card_factor`` is the last 8 bytes of its ATR."""
    return diversify(city_key(name, algorithm, region), card_factor, algorithm)


def card_keys(algorithm: Algorithm, region: str, card_factor: bytes) -> Mapping[KeyName, bytes]:
    """All sub-keys that are loaded into one card at issuance."""
    return {name: card_key(name, algorithm, region, card_factor) for name in KEY_NAMES}


def hsm_cryptogram(
    key_name: KeyName,
    algorithm: Literal["01", "03"],
    card_factor: bytes,
    region: str,
    challenge: bytes,
    data: bytes,
) -> bytes:
    """What the province's 加密机 answers: the card's authenticator, 8 bytes.

    Args:
        algorithm: the flag of the card's FCI, ``01`` 3DES or ``03`` SM4.
        card_factor: last 8 bytes of the ATR.
        region: six-digit division of the card.
        challenge: 8 bytes that make the process key (过程因子): the card's latest challenge for
            EXTERNAL AUTHENTICATE, the first half of the data for INTERNAL AUTHENTICATE.
        data: the 8 bytes to answer for (原始信息).

    Raises:
        ValueError: a length, the region, the key or the algorithm is impossible.
    """
    if key_name not in KEY_NAMES:
        raise ValueError("unknown key")
    if not len(card_factor) == len(challenge) == len(data) == 8:
        raise ValueError("factor, challenge and data are 8 bytes each")
    if len(region) != 6 or not region.isdecimal() or not region.isascii():
        raise ValueError("region is six digits")
    chosen = Algorithm(algorithm)
    return authenticator(card_key(key_name, chosen, region, card_factor), challenge, data, chosen)


def _inverted(data: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in data)


def _ecb(cipher: Cipher[modes.ECB], data: bytes) -> bytes:
    encryptor = cipher.encryptor()
    return encryptor.update(data) + encryptor.finalize()
