"""SM3, SM4 and DES against their published vectors."""

from typing import Any

import pytest

from apdu.crypto import sm3, sm4, tdes
from apdu.crypto.errors import NotAuthentic

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3(message: bytes, digest: str) -> None:
    assert sm3.digest(message).hex() == digest


def test_hmac_sm3_follows_its_definition() -> None:
    key, message = b"k" * 20, b"message"
    inner = sm3.digest(bytes(b ^ 0x36 for b in key.ljust(64, b"\0")) + message)
    outer = sm3.digest(bytes(b ^ 0x5C for b in key.ljust(64, b"\0")) + inner)
    assert sm3.hmac_digest(key, message) == outer


def test_the_key_derivation_function_counts_blocks_from_one() -> None:
    stream = sm3.digest(b"z\0\0\0\x01") + sm3.digest(b"z\0\0\0\x02")
    assert [sm3.kdf(b"z", n) for n in (0, 1, 32, 33)] == [stream[:n] for n in (0, 1, 32, 33)]


def test_sm4_block() -> None:
    cipher = sm4.encrypt_ecb(KEY, KEY)
    assert cipher.hex() == "681edf34d206965e86b3e94f536e4246"
    assert sm4.decrypt_ecb(KEY, cipher) == KEY


def test_sm4_a_million_times() -> None:
    # One encryptor in ECB mode: the same million iterations without a million set-ups.
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    encryptor, block = Cipher(algorithms.SM4(KEY), modes.ECB()).encryptor(), KEY
    for _ in range(1_000_000):
        block = encryptor.update(block)
    assert block.hex() == "595298c7c6fd271f0402f804c33d3f66"


def test_sm4_gcm() -> None:
    nonce = bytes.fromhex("00001234567800000000ABCD")
    context = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plaintext = b"".join(bytes((b,)) * 8 for b in bytes.fromhex("AABBCCDDEEFFEEAA"))
    sealed = sm4.seal_gcm(KEY, nonce, plaintext, context)
    assert sealed.hex().upper() == (
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )
    assert sm4.open_gcm(KEY, nonce, sealed, context) == plaintext
    for spoiled, about in (
        (sealed[:-1] + b"\0", context),
        (b"\0" + sealed[1:], context),
        (sealed, context + b"\0"),
        (sealed[:15], context),
    ):
        with pytest.raises(NotAuthentic):
            sm4.open_gcm(KEY, nonce, spoiled, about)


def test_sm4_cmac_of_one_block_by_hand() -> None:
    # NIST SP 800-38B §6.1: a whole last block is masked with subkey K1.
    zero = int.from_bytes(sm4.encrypt_ecb(KEY, bytes(16)), "big")
    k1 = zero << 1 & (1 << 128) - 1 ^ (0x87 if zero >> 127 else 0)
    masked = (int.from_bytes(b"sixteen bytes ok", "big") ^ k1).to_bytes(16, "big")
    assert sm4.cmac(KEY, b"sixteen bytes ok") == sm4.encrypt_ecb(KEY, masked)


def test_sm4_cbc_mac_follows_its_definition() -> None:
    iv, data, block = bytes(range(16)), bytes(range(48)), bytes(range(16))
    for at in range(0, len(data), 16):
        mixed = bytes(a ^ b for a, b in zip(block, data[at : at + 16], strict=True))
        block = sm4.encrypt_ecb(KEY, mixed)
    assert sm4.cbc_mac(KEY, iv, data) == block


def test_des_with_the_key_and_block_of_the_classic_example() -> None:
    key, block = bytes.fromhex("133457799BBCDFF1"), bytes.fromhex("0123456789ABCDEF")
    cipher = tdes.encrypt_ecb(key, block)
    assert cipher.hex().upper() == "85E813540F0AB405"
    assert tdes.decrypt_ecb(key, cipher) == block
    assert tdes.encrypt_ecb(key * 2, block) == cipher


def test_two_key_3des_goes_there_and_back() -> None:
    data = bytes(range(16))
    assert tdes.decrypt_ecb(KEY, tdes.encrypt_ecb(KEY, data)) == data
    left, right = KEY[:8], KEY[8:]
    by_hand = tdes.encrypt_ecb(left, tdes.decrypt_ecb(right, tdes.encrypt_ecb(left, data)))
    assert tdes.encrypt_ecb(KEY, data) == by_hand


@pytest.mark.parametrize(
    "call",
    [
        lambda: sm4.encrypt_ecb(KEY[:15], KEY),
        lambda: sm4.decrypt_ecb(KEY, KEY[:15]),
        lambda: sm4.cbc_mac(KEY, bytes(15), bytes(16)),
        lambda: sm4.cbc_mac(KEY, bytes(16), bytes(17)),
        lambda: sm4.cbc_mac(KEY, bytes(16), b""),
        lambda: sm4.seal_gcm(KEY, bytes(11), b""),
        lambda: sm4.open_gcm(KEY, bytes(11), bytes(16)),
        lambda: tdes.encrypt_ecb(bytes(24), bytes(8)),
        lambda: tdes.decrypt_ecb(KEY, bytes(7)),
    ],
)
def test_wrong_lengths_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match=r"bytes|block"):
        call()
