"""Keys of the simulated cards and PSAM, and what they are used for (domain facts §4.3).

The root keys are constants of the simulator and protect nothing. The 3DES forms follow the
published example; how a real SM4 card reduces 16 bytes to 8 is not public, so the SM4 form is
the simulator's own profile and no statement about real cards.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, assert_never, get_args

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


class Algorithm(Enum):
    """算法标识 in tag 9F0C of the FCI (domain facts §1.2)."""

    TRIPLE_DES = "01"
    SM4 = "03"


# A/B §4.2; the numbering of the DF07 keys is ours (I), the table there gives no names.
KeyName = Literal[
    "IRK_SSSE", "RK_SSSE", "UK_SSSE", "PUK", "STK_SSSE",
    "RK1_DF01", "UK1_DF01", "UK2_DF01", "UK3_DF01", "UK4_DF01", "UK5_DF01", "UK6_DF01",
    "RK1_DF02", "UK2_DF02", "UK3_DF02", "UK4_DF02", "UK5_DF02", "UK6_DF02",
    "RK1_DF03", "RK2_DF03", "UK1_DF03", "UK2_DF03", "UK3_DF03", "UK4_DF03", "UK5_DF03",
    "UK6_DF03", "UK7_DF03", "UK8_DF03",
    "RK1_DF04", "UK1_DF04", "UK2_DF04",
    "RK1_DF07", "RK2_DF07", "RK3_DF07",
]  # fmt: skip
KEY_NAMES: tuple[KeyName, ...] = get_args(KeyName)


def root_key(name: KeyName, algorithm: Algorithm) -> bytes:
    """The simulated national root of a key, 16 bytes: its own name in ASCII, shortened."""
    family, _, application = name.partition("_")
    if application.startswith("DF"):
        short = family[0] + family[2] + application[-1]
    else:
        short = (family + "S")[:3]
    return f"SIMULATED-{short}-{algorithm.value}".encode("ascii")


def des3_encrypt(key: bytes, data: bytes) -> bytes:
    """Two-key 3DES, ECB; key 16 bytes, data a multiple of 8."""
    return _ecb(Cipher(TripleDES(key + key[:8]), modes.ECB()), data)


def des_encrypt(key: bytes, data: bytes) -> bytes:
    """Single DES, ECB; key 8 bytes, data a multiple of 8."""
    return _ecb(_des(key), data)


def sm4_encrypt(key: bytes, data: bytes) -> bytes:
    """SM4, ECB; key 16 bytes, data a multiple of 16."""
    return _ecb(_sm4(key), data)


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


def block_size(algorithm: Algorithm) -> int:
    """Bytes of one block: 8 or 16."""
    match algorithm:
        case Algorithm.TRIPLE_DES:
            return 8
        case Algorithm.SM4:
            return 16
        case _:
            assert_never(algorithm)


def encrypt(process: bytes, block: bytes, algorithm: Algorithm) -> bytes:
    """Enciphers data of secure messaging under a process key (§3.2): ECB of whole blocks."""
    return _ecb(_process_cipher(process, algorithm), block)


def decrypt(process: bytes, block: bytes, algorithm: Algorithm) -> bytes:
    """Takes ``encrypt`` back."""
    decryptor = _process_cipher(process, algorithm).decryptor()
    return decryptor.update(block) + decryptor.finalize()


def mac(process: bytes, iv: bytes, data: bytes, algorithm: Algorithm) -> bytes:
    """The 4 bytes that end a command of secure messaging.

    3DES cards: single DES in CBC [C §3.2]. SM4 cards: SM4 in CBC, the simulator's profile [I].

    Args:
        process: process key, 8 bytes (3DES) or 16 (SM4).
        iv: one block; zero for the social security application.
        data: CLA INS P1 P2 Lc and the enciphered data; padded here by 80 00...
    """
    size = block_size(algorithm)
    padded = data + b"\x80"
    padded += bytes(-len(padded) % size)
    chain = iv
    for start in range(0, len(padded), size):
        block = padded[start : start + size]
        mixed = bytes(a ^ b for a, b in zip(chain, block, strict=True))
        chain = encrypt(process, mixed, algorithm)
    return chain[:4]


def city_key(name: KeyName, algorithm: Algorithm, region: str) -> bytes:
    """The key that a PSAM of that city holds: root, province, city."""
    key = diversify(root_key(name, algorithm), province_factor(region), algorithm)
    return diversify(key, city_factor(region), algorithm)


def card_key(name: KeyName, algorithm: Algorithm, region: str, card_factor: bytes) -> bytes:
    """The sub-key in one card; ``card_factor`` is the last 8 bytes of its ATR."""
    return diversify(city_key(name, algorithm, region), card_factor, algorithm)


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


def _des(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(TripleDES(key * 3), modes.ECB())


def _sm4(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.SM4(key), modes.ECB())


def _process_cipher(process: bytes, algorithm: Algorithm) -> Cipher[modes.ECB]:
    match algorithm:
        case Algorithm.TRIPLE_DES:
            return _des(process)
        case Algorithm.SM4:
            return _sm4(process)
        case _:
            assert_never(algorithm)


def _ecb(cipher: Cipher[modes.ECB], data: bytes) -> bytes:
    encryptor = cipher.encryptor()
    return encryptor.update(data) + encryptor.finalize()
