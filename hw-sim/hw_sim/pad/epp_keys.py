"""Keys of the PIN pad and the block that it gives a PIN out in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import Enum

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import ECB

from hw_sim.pad.epp_fields import PadRefused

_ZERO = bytes(8)


class KeyType(Enum):
    """What a key may be used for; the value is its digit on the wire."""

    IMPORT = "1"
    MASTER = "2"
    PIN = "3"


@dataclass(frozen=True)
class PadKey:
    """A key in its slot: 8, 16 or 24 bytes of DES key material."""

    type: KeyType
    value: bytes

    def check_value(self) -> bytes:
        """KCV: the first 4 bytes of 8 zero bytes enciphered."""
        return self.encrypt(_ZERO)[:4]

    def encrypt(self, data: bytes) -> bytes:
        """3DES-ECB of whole 8-byte blocks."""
        enciphering = self._cipher().encryptor()
        return enciphering.update(data) + enciphering.finalize()

    def decrypt(self, data: bytes) -> bytes:
        """The inverse of `encrypt`."""
        deciphering = self._cipher().decryptor()
        return deciphering.update(data) + deciphering.finalize()

    def _cipher(self) -> Cipher[ECB]:
        # K1 K2 K1 for a double-length key, K K K for a single one (ISO/IEC 18033-3).
        return Cipher(TripleDES((self.value * 3)[:24]), ECB())


def key_type(digit: bytes) -> KeyType:
    """The type of a key by its digit."""
    try:
        return KeyType(digit.decode("latin-1"))
    except ValueError:
        raise PadRefused("incorrect-parameter") from None


def pin_block(digits: bytes | bytearray, pan: bytes, form: int = 0) -> bytes:
    """A block of ISO 9564-1, clear, 8 bytes.

    Args:
        digits: 1..12 decimal digits, one a byte, values 0..9.
        pan: 12 hexadecimal digits in ASCII; what stands for the rightmost digits of the
            account number without its check digit. Format 1 leaves it out.
        form: 0, 1 or 3.
    """
    fills = {0: b"\x0f", 1: bytes(range(16)), 3: bytes(range(10, 16))}[form]
    nibbles = [form, len(digits), *digits]
    nibbles += [secrets.choice(fills) for _ in range(16 - len(nibbles))]
    first = bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))
    second = bytes(8) if form == 1 else bytes(2) + bytes.fromhex(pan.decode())
    return bytes(left ^ right for left, right in zip(first, second, strict=True))
