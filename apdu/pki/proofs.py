"""What a terminal proves to the PKI application, and what it replaces: PINs and master keys.

Every secret becomes an SM4 key of 16 bytes; the proof is that key's encryption of a challenge.
A replacement is encrypted and protected by a MAC under the old one (mark C; block, cipher text
and MAC of a logged session come out the same). What cannot be wiped are the copies that hash and
cipher libraries take.
"""

from __future__ import annotations

from apdu.crypto import sm3, sm4

KEY_SIZE = sm4.KEY_SIZE
BLOCK_SIZE = sm4.BLOCK_SIZE
_MAC_SIZE = 4
_KEY_HEADER = bytes.fromhex("13000000")
"""Length of what follows, and three bytes whose meaning no source tells (mark C)."""
_PADDING = 0x80


def pin_key(packed: bytearray) -> bytearray:
    """CTK: the first 16 bytes of SM3 over the PIN in BCD. As secret as the PIN, which has few
    digits; the caller wipes it."""
    return bytearray(sm3.digest(packed)[:KEY_SIZE])


def check_key(key: bytearray) -> None:
    """Raises ValueError: it does not have the 16 bytes of a master key."""
    if len(key) != KEY_SIZE:
        raise ValueError(f"a master key has {KEY_SIZE} bytes")


def proof(key: bytearray, challenge: bytes) -> bytearray:
    """SM4 of the challenge, filled up with zeros to one block: 16 bytes."""
    return bytearray(sm4.encrypt_ecb(bytes(key), challenge.ljust(BLOCK_SIZE, b"\x00")))


def key_block(key: bytearray) -> bytearray:
    """13 00 00 00, master key, 80 00…: two blocks. The caller wipes it.

    Raises:
        ValueError: the key does not have 16 bytes.
    """
    check_key(key)
    block = bytearray(2 * BLOCK_SIZE)
    end = len(_KEY_HEADER) + KEY_SIZE
    block[: len(_KEY_HEADER)] = _KEY_HEADER
    block[len(_KEY_HEADER) : end] = key
    block[end] = _PADDING
    return block


def protect(key: bytearray, challenge: bytes, header: bytes, block: bytearray) -> bytearray:
    """A protected command's data: encrypted block ‖ MAC (4 bytes).

    The MAC is SM4-CBC from the challenge on, over header, Lc and cipher text with 80 00…; the four
    words of its last block are XORed, and not the first one taken.
    """
    sealed = sm4.encrypt_ecb(bytes(key), bytes(block))
    text = header + bytes((len(sealed) + _MAC_SIZE,)) + sealed + bytes((_PADDING,))
    text += bytes(-len(text) % BLOCK_SIZE)
    last = sm4.cbc_mac(bytes(key), challenge.ljust(BLOCK_SIZE, b"\x00"), text)
    words = (last[at : at + _MAC_SIZE] for at in range(0, len(last), _MAC_SIZE))
    return bytearray(sealed) + bytes(a ^ b ^ c ^ d for a, b, c, d in zip(*words, strict=True))
