"""SM4 (GB/T 32907-2016) single blocks, CBC-MAC, CMAC, and SM4-GCM sealing, through
`cryptography`."""

from __future__ import annotations

from apdu.crypto.errors import NotAuthentic

BLOCK_SIZE = 16
KEY_SIZE = 16
NONCE_SIZE = 12
TAG_SIZE = 16


def _check_key(key: bytes) -> None:
    if len(key) != KEY_SIZE:
        raise ValueError(f"an SM4 key has {KEY_SIZE} bytes, not {len(key)}")


def _check_blocks(data: bytes) -> None:
    if len(data) % BLOCK_SIZE:
        raise ValueError(f"SM4 works on whole blocks of {BLOCK_SIZE}, not {len(data)} bytes")


def encrypt_ecb(key: bytes, data: bytes) -> bytes:
    """Encrypt whole 16-byte blocks one by one, without padding.

    Raises:
        ValueError: key not 16 bytes, or data no multiple of 16.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    _check_key(key)
    _check_blocks(data)
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt_ecb(key: bytes, data: bytes) -> bytes:
    """Undo `encrypt_ecb`; the same errors."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    _check_key(key)
    _check_blocks(data)
    decryptor = Cipher(algorithms.SM4(key), modes.ECB()).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def cbc_mac(key: bytes, iv: bytes, data: bytes) -> bytes:
    """The last block of SM4-CBC from `iv` on, 16 bytes; how cards shorten it is theirs to say.

    Only for commands whose length the key's holder fixes: alone, it does not bind a length.

    Raises:
        ValueError: key or `iv` not 16 bytes, or data empty or no multiple of 16.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    _check_key(key)
    _check_blocks(data)
    if not data or len(iv) != BLOCK_SIZE:
        raise ValueError("a CBC-MAC takes 16 bytes to begin with and at least one block")
    encryptor = Cipher(algorithms.SM4(key), modes.CBC(iv)).encryptor()
    return (encryptor.update(data) + encryptor.finalize())[-BLOCK_SIZE:]


def cmac(key: bytes, message: bytes) -> bytes:
    """CMAC (NIST SP 800-38B) over SM4, 16 bytes."""
    from cryptography.hazmat.primitives import cmac as cmac_module
    from cryptography.hazmat.primitives.ciphers import algorithms

    _check_key(key)
    mac = cmac_module.CMAC(algorithms.SM4(key))
    mac.update(message)
    return mac.finalize()


def seal_gcm(key: bytes, nonce: bytes, plaintext: bytes, context: bytes = b"") -> bytes:
    """SM4-GCM (RFC 8998): ciphertext followed by the 16-byte tag.

    Args:
        key: 16 bytes.
        nonce: 12 bytes, never used twice under one key.
        plaintext: what is hidden.
        context: additional data that is authenticated but not hidden or stored.

    Raises:
        ValueError: key or nonce of another length.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    _check_key(key)
    _check_nonce(nonce)
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(context)
    ciphertext = encryptor.update(plaintext) + encryptor.finalize()
    return ciphertext + encryptor.tag


def open_gcm(key: bytes, nonce: bytes, sealed: bytes, context: bytes = b"") -> bytes:
    """Undo `seal_gcm` and return the plaintext.

    Raises:
        NotAuthentic: `sealed` or `context` was changed, or the key or nonce is another one.
        ValueError: key or nonce of another length.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    _check_key(key)
    _check_nonce(nonce)
    if len(sealed) < TAG_SIZE:
        raise NotAuthentic("sealed data is shorter than its tag")
    ciphertext, tag = sealed[:-TAG_SIZE], sealed[-TAG_SIZE:]
    decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(context)
    try:
        return decryptor.update(ciphertext) + decryptor.finalize()
    except InvalidTag:
        raise NotAuthentic("the tag does not fit") from None


def _check_nonce(nonce: bytes) -> None:
    if len(nonce) != NONCE_SIZE:
        raise ValueError(f"an SM4-GCM nonce has {NONCE_SIZE} bytes, not {len(nonce)}")
