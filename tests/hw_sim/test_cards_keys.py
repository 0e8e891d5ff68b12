from __future__ import annotations

import subprocess
from typing import Literal

import pytest

from hw_sim.cards import keys
from hw_sim.cards.keys import Algorithm

MASTER = bytes.fromhex("404142434445464748494a4b4c4d4e4f")
FACTOR = bytes.fromhex("0011223344556677")
CARD_FACTOR = bytes.fromhex("8631429901020304")


@pytest.mark.parametrize(
    ("algorithm", "subkey"),
    [
        (Algorithm.SM4, "66e9eaf10aa6c0a50229cb6da65c9c64"),
        (Algorithm.TRIPLE_DES, "6260e7c6a3e3376e0e8b7d136211dcdb"),
    ],
)
def test_diversification_gives_the_published_subkeys(algorithm: Algorithm, subkey: str) -> None:
    assert keys.diversify(MASTER, FACTOR, algorithm).hex() == subkey


def test_sm4_gives_the_vector_of_its_standard() -> None:
    block = bytes.fromhex("0123456789abcdeffedcba9876543210")
    assert keys.sm4_encrypt(block, block).hex() == "681edf34d206965e86b3e94f536e4246"


def test_single_des_gives_its_classic_vector() -> None:
    key, data = bytes.fromhex("133457799bbcdff1"), bytes.fromhex("0123456789abcdef")
    assert keys.des_encrypt(key, data).hex() == "85e813540f0ab405"


def test_3des_process_key_is_half_a_key_and_the_authenticator_single_des() -> None:
    challenge, data = bytes(range(8)), bytes(range(8, 16))
    process = keys.process_key(MASTER, challenge, Algorithm.TRIPLE_DES)
    assert process == keys.des3_encrypt(MASTER, challenge)
    answer = keys.authenticator(MASTER, challenge, data, Algorithm.TRIPLE_DES)
    assert answer == keys.des_encrypt(process, data)


def test_sm4_authenticator_folds_the_block_of_the_simulated_profile() -> None:
    challenge, data = bytes(range(8)), bytes(range(8, 16))
    process = keys.sm4_encrypt(MASTER, bytes.fromhex("0001020304050607fffefdfcfbfaf9f8"))
    block = keys.sm4_encrypt(process, data + bytes(8))
    folded = bytes(block[i] ^ block[i + 8] for i in range(8))
    assert keys.authenticator(MASTER, challenge, data, Algorithm.SM4) == folded


ROOTS = {
    ("IRK_SSSE", "01"): b"SIMULATED-IRK-01",
    ("RK_SSSE", "03"): b"SIMULATED-RKS-03",
    ("UK_SSSE", "01"): b"SIMULATED-UKS-01",
    ("STK_SSSE", "03"): b"SIMULATED-STK-03",
    ("PUK", "01"): b"SIMULATED-PUK-01",
    ("UK4_DF01", "03"): b"SIMULATED-U41-03",
}


@pytest.mark.parametrize(("name", "flag"), ROOTS)
def test_roots_say_whose_they_are(name: keys.KeyName, flag: str) -> None:
    assert keys.root_key(name, Algorithm(flag)) == ROOTS[name, flag]


def test_no_two_keys_share_a_root() -> None:
    roots = {keys.root_key(name, algorithm) for name in keys.KEY_NAMES for algorithm in Algorithm}
    assert len(roots) == 2 * len(keys.KEY_NAMES)
    assert {len(root) for root in roots} == {16}


def openssl(cipher: str, key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
    """What openssl's command line makes of whole blocks."""
    command = ["openssl", "enc", f"-{cipher}", "-K", key.hex(), "-nopad"]
    vector = [] if iv is None else ["-iv", iv.hex()]
    done = subprocess.run([*command, *vector], input=data, capture_output=True, check=True)
    return done.stdout


@pytest.mark.parametrize("length", [4, 8, 13, 16, 21])
def test_mac_of_a_3des_card_is_single_des_in_cbc(length: int) -> None:
    process, data = bytes(range(1, 9)), bytes(range(100, 100 + length))
    padded = (data + b"\x80").ljust((length // 8 + 1) * 8, b"\0")
    chained = openssl("des-ede-cbc", process * 2, padded, bytes(8))
    assert keys.mac(process, bytes(8), data, Algorithm.TRIPLE_DES) == chained[-8:-4]


@pytest.mark.parametrize("length", [4, 15, 16, 21])
def test_mac_of_an_sm4_card_is_sm4_in_cbc(length: int) -> None:
    data, iv = bytes(range(100, 100 + length)), bytes(range(16))
    padded = (data + b"\x80").ljust((length // 16 + 1) * 16, b"\0")
    chained = openssl("sm4-cbc", MASTER, padded, iv)
    assert keys.mac(MASTER, iv, data, Algorithm.SM4) == chained[-16:-12]


@pytest.mark.parametrize(
    ("algorithm", "process"), [(Algorithm.TRIPLE_DES, MASTER[:8]), (Algorithm.SM4, MASTER)]
)
def test_data_of_secure_messaging_is_enciphered_block_by_block(
    algorithm: Algorithm, process: bytes
) -> None:
    size = keys.block_size(algorithm)
    cipher, key = ("sm4-ecb", process) if algorithm is Algorithm.SM4 else ("des-ede", process * 2)
    blocks = bytes(range(2 * size))
    enciphered = keys.encrypt(process, blocks, algorithm)
    assert enciphered == openssl(cipher, key, blocks)
    assert keys.decrypt(process, enciphered, algorithm) == blocks


def test_factors_are_those_of_the_domain_facts() -> None:
    assert keys.province_factor("430299").hex() == "3433303030307368"
    assert keys.city_factor("371700").hex() == "3337313730307378"


@pytest.mark.parametrize("flag", ["01", "03"])
@pytest.mark.parametrize("name", keys.KEY_NAMES)
def test_card_key_is_root_province_city_card(name: keys.KeyName, flag: Literal["01", "03"]) -> None:
    algorithm = Algorithm(flag)
    city = keys.city_key(name, algorithm, "429900")
    card = keys.card_key(name, algorithm, "429900", CARD_FACTOR)
    assert card == keys.diversify(city, CARD_FACTOR, algorithm)
    assert city != keys.city_key(name, algorithm, "429901")
    expected = keys.authenticator(card, bytes(8), FACTOR, algorithm)
    assert keys.hsm_cryptogram(name, flag, CARD_FACTOR, "429900", bytes(8), FACTOR) == expected


@pytest.mark.parametrize(
    ("factor", "region", "challenge"),
    [
        (bytes(7), "429900", bytes(8)),
        (bytes(8), "42990", bytes(8)),
        (bytes(8), "42990x", bytes(8)),
        (bytes(8), "429900", bytes(16)),
    ],
)
def test_hsm_refuses_impossible_input(factor: bytes, region: str, challenge: bytes) -> None:
    with pytest.raises(ValueError, match=r"8 bytes|six digits"):
        keys.hsm_cryptogram("IRK_SSSE", "03", factor, region, challenge, bytes(8))
