"""Diversification, authentication results and protected commands, against published and
independent values."""

import subprocess

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from apdu import derivation
from apdu.derivation import Scheme

MASTER = bytes.fromhex("404142434445464748494a4b4c4d4e4f")
FACTOR = bytes.fromhex("0011223344556677")


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        (Scheme.SM4_SIMULATED, "66e9eaf10aa6c0a50229cb6da65c9c64"),
        (Scheme.TDES, "6260e7c6a3e3376e0e8b7d136211dcdb"),
    ],
)
def test_diversification(scheme: Scheme, expected: str) -> None:
    assert derivation.diversify(scheme, MASTER, FACTOR).hex() == expected


def test_factors_are_ascii() -> None:
    assert derivation.province_factor("429900") == b"420000sh"
    assert derivation.city_factor("371700").hex() == "3337313730307378"
    assert derivation.province_factor("439900").hex() == "3433303030307368"


def test_a_card_key_takes_the_factors_one_by_one() -> None:
    factors = (b"420000sh", b"429900sx", FACTOR)
    key = MASTER
    for factor in factors:
        key = derivation.diversify(Scheme.TDES, key, factor)
    assert derivation.card_key(Scheme.TDES, MASTER, *factors) == key
    assert derivation.card_key(Scheme.TDES, MASTER) == MASTER


def test_3des_results_are_single_des_under_the_process_key() -> None:
    challenge, data = bytes(range(8)), bytes(range(8, 16))
    two_key = Cipher(TripleDES(MASTER + MASTER[:8]), modes.ECB()).encryptor()
    process = two_key.update(challenge)
    assert derivation.process_key(Scheme.TDES, MASTER, challenge) == process
    single = Cipher(TripleDES(process * 3), modes.ECB()).encryptor()
    assert derivation.authenticator(Scheme.TDES, MASTER, challenge, data) == single.update(data)


def test_the_simulated_sm4_result_folds_the_block() -> None:
    challenge, data = bytes(range(8)), bytes(range(8, 16))
    inverted = bytes.fromhex("fffefdfcfbfaf9f8")
    process = Cipher(algorithms.SM4(MASTER), modes.ECB()).encryptor().update(challenge + inverted)
    assert derivation.process_key(Scheme.SM4_SIMULATED, MASTER, challenge) == process
    block = Cipher(algorithms.SM4(process), modes.ECB()).encryptor().update(data + bytes(8))
    folded = (int.from_bytes(block[:8], "big") ^ int.from_bytes(block[8:], "big")).to_bytes(
        8, "big"
    )
    result = derivation.authenticator(Scheme.SM4_SIMULATED, MASTER, challenge, data)
    assert result == folded


def test_the_zero_key_gives_the_known_des_block() -> None:
    # DES of a zero block under a zero key; two equal halves make 3DES into DES.
    known = bytes.fromhex("8ca64de9c1b123a7")
    assert derivation.process_key(Scheme.TDES, bytes(16), bytes(8)) == known
    result = derivation.authenticator(Scheme.TDES, bytes(16), bytes(8), bytes(8))
    assert result == bytes.fromhex("0494f89708871d3f")


CHALLENGE = bytes(range(8))
BLOCKS = {
    Scheme.TDES: bytes.fromhex("0312345680000000"),
    Scheme.SM4_SIMULATED: bytes.fromhex("03123456800000000000000000000000"),
}
ENCRYPTED = {
    Scheme.TDES: bytes.fromhex("c2aca9f1c47b64fb"),
    Scheme.SM4_SIMULATED: bytes.fromhex("b35642fbf3c59d29ae4e7bd5af45f6ac"),
}
RELOAD_MACS = {Scheme.TDES: "7a1ffc2d", Scheme.SM4_SIMULATED: "b32eb23b"}
UNBLOCK_MACS = {Scheme.TDES: "21aaef9f", Scheme.SM4_SIMULATED: "cc33d072"}


def macced(scheme: Scheme, encrypted: bytes) -> bytes:
    """What a MAC is taken over: header, Lc, encrypted data, 80 00…"""
    size = 8 if scheme is Scheme.TDES else 16
    header = bytes.fromhex("84240001" if encrypted else "84240000")
    text = header + bytes((len(encrypted) + 4,)) + encrypted + b"\x80"
    return text + bytes(-len(text) % size)


@pytest.mark.parametrize("scheme", Scheme)
def test_known_answers_of_protected_commands(scheme: Scheme) -> None:
    # Pinned by openssl's command line: see the peer below.
    encrypted = derivation.encrypt(scheme, MASTER, CHALLENGE, BLOCKS[scheme])
    assert encrypted == ENCRYPTED[scheme]
    reload = derivation.mac(scheme, MASTER, CHALLENGE, macced(scheme, encrypted))
    assert reload.hex() == RELOAD_MACS[scheme]
    unblock = derivation.mac(scheme, MASTER, CHALLENGE, macced(scheme, b""))
    assert unblock.hex() == UNBLOCK_MACS[scheme]


@pytest.mark.peer
@pytest.mark.parametrize("scheme", Scheme)
def test_peer_openssl_gives_the_same_protected_commands(scheme: Scheme) -> None:
    def openssl(cipher: str, key: bytes, data: bytes, *more: str) -> bytes:
        command = ["openssl", "enc", f"-{cipher}", "-K", key.hex(), "-nopad", *more]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    if scheme is Scheme.TDES:
        # Two equal halves make 3DES single DES, which openssl has set aside.
        key = openssl("des-ede", MASTER, CHALLENGE) * 2
        ecb, cbc, vector = "des-ede", "des-ede-cbc", bytes(8)
    else:
        inverted = bytes(byte ^ 0xFF for byte in CHALLENGE)
        key = openssl("sm4-ecb", MASTER, CHALLENGE + inverted)
        ecb, cbc, vector = "sm4-ecb", "sm4-cbc", bytes(16)
    assert openssl(ecb, key, BLOCKS[scheme]) == ENCRYPTED[scheme]
    for encrypted, mac in ((ENCRYPTED[scheme], RELOAD_MACS), (b"", UNBLOCK_MACS)):
        chain = openssl(cbc, key, macced(scheme, encrypted), "-iv", vector.hex())
        assert chain[-len(vector) :][:4].hex() == mac[scheme]


@pytest.mark.parametrize("scheme", Scheme)
def test_wrong_lengths_are_refused(scheme: Scheme) -> None:
    for call in (
        lambda: derivation.diversify(scheme, MASTER[:8], FACTOR),
        lambda: derivation.diversify(scheme, MASTER, FACTOR[:7]),
        lambda: derivation.authenticator(scheme, MASTER, FACTOR, b""),
        lambda: derivation.process_key(scheme, MASTER, b""),
        lambda: derivation.encrypt(scheme, MASTER, CHALLENGE, bytes(7)),
        lambda: derivation.mac(scheme, MASTER, CHALLENGE, bytes(9)),
        lambda: derivation.mac(scheme, MASTER, CHALLENGE, b""),
        lambda: derivation.city_factor("4299"),
        lambda: derivation.province_factor("４２９９００"),
    ):
        with pytest.raises(ValueError, match=r"bytes|digits"):
            call()
