"""Encrypted PIN blocks (ISO 9564-1 formats 0, 1 and 3 under 3DES) and the keys they travel under.

Key and PIN buffers are bytearrays of the caller's, zeroed with `wipe`. The copies that OpenSSL
makes of a key are freed, and zeroed, by OpenSSL when the cipher object goes.
"""

from __future__ import annotations

from enum import Enum
from typing import cast

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

BLOCK = 8
SHORTEST_PIN = 4
LONGEST_PIN = 12
PIN_KEY_LENGTH = 16
_HEX_DIGITS = b"0123456789ABCDEF"


class PinFormat(Enum):
    """Formats of ISO 9564-1 in 8 bytes, by the names that a pad's data uses."""

    ISO_0 = "iso-0"
    """Filled with F, bound to the account."""
    ISO_1 = "iso-1"
    """Filled at random, bound to nothing."""
    ISO_3 = "iso-3"
    """Filled with A to F at random, bound to the account."""

    @property
    def control(self) -> int:
        """The block's first nibble."""
        return int(self.value[-1])

    @property
    def fill(self) -> frozenset[int]:
        """Nibbles that may stand behind the digits."""
        return frozenset({0: range(15, 16), 1: range(16), 3: range(10, 16)}[self.control])


class MalformedPinBlock(Exception):
    """The block opens to nothing that its format allows: wrong key, wrong account, or damage.

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


def open_pin_block(
    block: bytes, pin_key: bytearray, pan12: bytes, form: PinFormat = PinFormat.ISO_0
) -> bytearray:
    """Take the PIN out of an encrypted block.

    Args:
        block: 8 bytes from the pad.
        pin_key: 16 or 24 bytes.
        pan12: as `pan_for_card_number` gives it and as the pad was told.
        form: of the block.

    Returns:
        4 to 12 ASCII digits, for the caller to wipe.

    Raises:
        MalformedPinBlock: the block is not of this key and account.
        ValueError: `pan12` or the key has a wrong length.
    """
    account = _account(pan12) if form is not PinFormat.ISO_1 else bytes(BLOCK)
    if len(block) != BLOCK:
        raise MalformedPinBlock("a PIN block has 8 bytes")
    clear = _tdes(pin_key, block, encrypt=False)
    nibbles = bytearray(2 * BLOCK)
    try:
        for index in range(BLOCK):
            octet = clear[index] ^ account[index]
            nibbles[2 * index] = octet >> 4
            nibbles[2 * index + 1] = octet & 0x0F
        length = nibbles[1]
        sound = nibbles[0] == form.control and SHORTEST_PIN <= length <= LONGEST_PIN
        for index in range(2, 2 * BLOCK):
            digit = index - 2 < length
            sound &= nibbles[index] < 10 if digit else nibbles[index] in form.fill
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


def is_single_des(key: bytearray) -> bool:
    """Whether 3DES under this key is no more than DES: its first two halves, or the last two, are
    equal."""
    with memoryview(key) as view:
        return view[:8] == view[8:16] or (len(key) == 24 and view[8:16] == view[16:])


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
    with memoryview(key) as view:
        three[:16] = view[:16]
        three[16:] = view[-8:] if len(key) == 24 else view[:8]
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
