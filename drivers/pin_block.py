"""Encrypted PIN blocks (ISO 9564-1 format 0 under 3DES) and the keys they travel under.

Key and PIN buffers are bytearrays of the caller's, zeroed with `wipe`. The copies that OpenSSL
makes of a key are freed, and zeroed, by OpenSSL when the cipher object goes.
"""

from __future__ import annotations

from typing import cast

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

BLOCK = 8
SHORTEST_PIN = 4
LONGEST_PIN = 12
PIN_KEY_LENGTH = 16
_HEX_DIGITS = b"0123456789ABCDEF"


class MalformedPinBlock(Exception):
    """The block opens to nothing that format 0 allows: wrong key, wrong account, or damage.

    The message never says which byte was wrong: that would tell about the PIN.
    """


class UnusableCardNumber(ValueError):
    """No account digits for a PIN block can be taken from this card number."""


def wipe(buffer: bytearray) -> None:
    """Zero a buffer in place."""
    buffer[:] = bytes(len(buffer))


def pan_for_card_number(card_number: str) -> bytes:
    """The 12 account digits that go into a PIN block, as ASCII hex digits.

    The last 13 characters of the number but the last one. A number shorter than 13 is first
    written as the hex codes of its characters (domain card.md §7, source C 17482502257).

    Raises:
        UnusableCardNumber: too short, not ASCII, or other than hex digits remain.
    """
    if not card_number.isascii():
        raise UnusableCardNumber("a card number is ASCII")
    text = card_number.encode()
    if len(text) < 13:
        text = text.hex().encode()
    pan = text[-13:-1].upper()
    if len(text) < 13 or any(digit not in _HEX_DIGITS for digit in pan):
        raise UnusableCardNumber("no 12 account digits in this card number")
    return pan


def fresh_pin_key() -> bytearray:
    """A new two-key 3DES key, 16 bytes of odd parity (pads refuse others with E6)."""
    key = bytearray(PIN_KEY_LENGTH)
    # Straight into the buffer: `os.urandom` would leave an immutable copy.
    with open("/dev/urandom", "rb", buffering=0) as source:  # noqa: PTH123 - unbuffered
        if source.readinto(key) != PIN_KEY_LENGTH:
            raise OSError("the system's random source gave too little")
    for index, octet in enumerate(key):
        key[index] = octet ^ (1 ^ octet.bit_count() & 1)
    return key


def wrap_pin_key(pin_key: bytearray, master_key: bytearray) -> bytes:
    """The PIN key under the pad's master key, 3DES-ECB, as `PinPad.load_pin_key` takes it."""
    return bytes(_tdes(master_key, pin_key, encrypt=True))


def key_check_value(key: bytearray) -> bytes:
    """8 zero bytes under the key; pads show the first bytes of this."""
    return bytes(_tdes(key, bytes(BLOCK), encrypt=True))


def open_pin_block(block: bytes, pin_key: bytearray, pan12: bytes) -> bytearray:
    """Take the PIN out of an encrypted block (ISO 9564-1 format 0).

    Args:
        block: 8 bytes from the pad.
        pin_key: 16 or 24 bytes.
        pan12: as `pan_for_card_number` gives it and as the pad was told.

    Returns:
        4 to 12 ASCII digits, for the caller to wipe.

    Raises:
        MalformedPinBlock: the block is not of this key and account.
        ValueError: `pan12` or the key has a wrong length.
    """
    account = _account(pan12)
    if len(block) != BLOCK:
        raise MalformedPinBlock("a PIN block has 8 bytes")
    clear = _tdes(pin_key, block, encrypt=False)
    nibbles = bytearray(2 * BLOCK)
    pin = bytearray()
    try:
        for index in range(BLOCK):
            octet = clear[index] ^ account[index]
            nibbles[2 * index] = octet >> 4
            nibbles[2 * index + 1] = octet & 0x0F
        length = nibbles[1]
        sound = nibbles[0] == 0 and SHORTEST_PIN <= length <= LONGEST_PIN
        for index, nibble in enumerate(nibbles[2:]):
            sound &= nibble < 10 if index < length else nibble == 0x0F
        if not sound:
            raise MalformedPinBlock("the PIN block is not of this key and account")
        # Of its full size at once: a bytearray that grows leaves its old memory behind.
        pin = bytearray(length)
        for index in range(length):
            pin[index] = 0x30 + nibbles[2 + index]
        return pin
    finally:
        wipe(clear)
        wipe(nibbles)


def _account(pan12: bytes) -> bytes:
    """The account block: 0000 and the 12 digits, packed to 8 bytes."""
    if len(pan12) != 12 or any(digit not in _HEX_DIGITS for digit in pan12):
        raise ValueError("the account part of a PIN block is 12 upper-case hex digits")
    return bytes.fromhex("0000" + pan12.decode())


def _tdes(key: bytearray, data: bytes | bytearray, *, encrypt: bool) -> bytearray:
    """3DES-ECB over whole blocks, into a fresh buffer of the same length."""
    if len(key) not in (16, 24):
        raise ValueError(f"a 3DES key has 16 or 24 bytes, not {len(key)}")
    if not data or len(data) % BLOCK:
        raise ValueError(f"3DES works on blocks of {BLOCK} bytes, not on {len(data)}")
    # The library wants three keys; two-key 3DES is K1 K2 K1.
    three = bytearray(24)
    three[:16] = key[:16]
    three[16:] = key[16:] if len(key) == 24 else key[:8]
    # `update_into` asks for this much room and writes only len(data).
    room = bytearray(len(data) + BLOCK - 1)
    result = bytearray(len(data))
    try:
        cipher = Cipher(TripleDES(cast(bytes, three)), modes.ECB())
        context = cipher.encryptor() if encrypt else cipher.decryptor()
        context.update_into(data, room)
        context.finalize()
        result[:] = memoryview(room)[: len(data)]
        return result
    finally:
        wipe(three)
        wipe(room)
