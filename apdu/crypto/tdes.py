"""Two-key 3DES and single DES in ECB mode, as the older cards speak them.

Only for what leaves the card world never: new data is sealed with SM4 (`apdu.crypto.sm4`).
"""

from __future__ import annotations

BLOCK_SIZE = 8


def encrypt_ecb(key: bytes, data: bytes) -> bytes:
    """Encrypt whole 8-byte blocks; a 16-byte key is two-key 3DES, an 8-byte key single DES.

    Raises:
        ValueError: key neither 8 nor 16 bytes, or data no multiple of 8.
    """
    return _run(key, data, decrypt=False)


def decrypt_ecb(key: bytes, data: bytes) -> bytes:
    """Undo `encrypt_ecb`; the same errors."""
    return _run(key, data, decrypt=True)


def _run(key: bytes, data: bytes, *, decrypt: bool) -> bytes:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    if len(data) % BLOCK_SIZE:
        raise ValueError(f"DES ECB works on whole blocks of {BLOCK_SIZE}, not {len(data)} bytes")
    cipher = Cipher(TripleDES(_three_keys(key)), modes.ECB())
    context = cipher.decryptor() if decrypt else cipher.encryptor()
    return context.update(data) + context.finalize()


def _three_keys(key: bytes) -> bytes:
    """K1‖K2‖K1 or K1‖K1‖K1: the library takes 24 bytes only; the latter is single DES."""
    match len(key):
        case 8:
            return key * 3
        case 16:
            return key + key[:8]
        case other:
            raise ValueError(f"a DES key has 8 or 16 bytes, not {other}")
