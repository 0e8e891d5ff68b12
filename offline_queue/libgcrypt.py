"""SM4-GCM by the system's libgcrypt, through ctypes (docs/decisions/0025).

Functions and numbers are those of gcrypt.h, stable since version 1.6; SM4 came with 1.9.
"""

from __future__ import annotations

import ctypes
import threading
import weakref

from cryptography.exceptions import InvalidTag

_NAME = "libgcrypt.so.20"
_SM4, _GCM = 318, 9
_DISABLE_SECMEM, _INITIALIZATION_FINISHED, _INITIALIZATION_FINISHED_P = 37, 38, 39
_TAG_SIZE = 16
_ROOM = 4096
"""Bytes that a cipher's buffer begins with."""

_HANDLE, _SIZE, _BYTES = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
_INPUT = [_HANDLE, _BYTES, _SIZE]
_IN_AND_OUT = [_HANDLE, ctypes.c_void_p, _SIZE, _BYTES, _SIZE]
_FUNCTIONS = {
    "gcry_cipher_open": [ctypes.POINTER(_HANDLE), ctypes.c_int, ctypes.c_int, ctypes.c_uint],
    "gcry_cipher_close": [_HANDLE],
    "gcry_cipher_setkey": _INPUT,
    "gcry_cipher_setiv": _INPUT,
    "gcry_cipher_authenticate": _INPUT,
    "gcry_cipher_encrypt": _IN_AND_OUT,
    "gcry_cipher_decrypt": _IN_AND_OUT,
    "gcry_cipher_gettag": [_HANDLE, ctypes.c_void_p, _SIZE],
    "gcry_cipher_checktag": _INPUT,
}


def load() -> ctypes.PyDLL:
    """The library, ready for use. Its calls keep the interpreter's lock: they take microseconds,
    and taking the lock again may take milliseconds.

    Raises:
        OSError: it is not there.
        AttributeError: it lacks a function.
    """
    library = ctypes.PyDLL(_NAME)
    for name, arguments in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = ctypes.c_uint, arguments
    library.gcry_cipher_close.restype = None
    # This call initialises; whoever was first in this process has chosen the rest.
    library.gcry_check_version(None)
    if not library.gcry_control(_INITIALIZATION_FINISHED_P):
        library.gcry_control(_DISABLE_SECMEM, 0)
        library.gcry_control(_INITIALIZATION_FINISHED, 0)
    return library


class Libgcrypt:
    """`offline_queue.sm4_gcm.Sm4Gcm` by libgcrypt.

    Raises:
        ValueError: the library does not take the key, or does not know SM4 or GCM; so does every
            method for what it does not take.
    """

    def __init__(self, library: ctypes.PyDLL, key: bytes) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._cipher = _HANDLE()
        _check(library.gcry_cipher_open(ctypes.byref(self._cipher), _SM4, _GCM, 0))
        # Overwrites the key.
        weakref.finalize(self, library.gcry_cipher_close, self._cipher)
        _check(library.gcry_cipher_setkey(self._cipher, key, len(key)))
        self._make_room(_ROOM)

    def encrypt(self, nonce: bytes, data: bytes, text: bytes) -> bytes:
        """See `Sm4Gcm`."""
        library, cipher, size = self._library, self._cipher, len(text)
        with self._lock:
            out = self._buffer(size + _TAG_SIZE)
            _check(
                library.gcry_cipher_setiv(cipher, nonce, len(nonce))
                or library.gcry_cipher_authenticate(cipher, data, len(data))
                or library.gcry_cipher_encrypt(cipher, out, size, text, size)
                or library.gcry_cipher_gettag(cipher, out + size, _TAG_SIZE)
            )
            return ctypes.string_at(out, size + _TAG_SIZE)

    def decrypt(self, nonce: bytes, data: bytes, sealed: bytes) -> bytes:
        """See `Sm4Gcm`."""
        library, cipher, size = self._library, self._cipher, len(sealed) - _TAG_SIZE
        if size < 0:
            # To C, which takes sizes without a sign, it would be the whole memory.
            raise InvalidTag
        with self._lock:
            out = self._buffer(size)
            try:
                _check(
                    library.gcry_cipher_setiv(cipher, nonce, len(nonce))
                    or library.gcry_cipher_authenticate(cipher, data, len(data))
                    or library.gcry_cipher_decrypt(cipher, out, size, sealed, size)
                )
                if library.gcry_cipher_checktag(cipher, sealed[size:], _TAG_SIZE):
                    raise InvalidTag
                return ctypes.string_at(out, size)
            finally:
                ctypes.memset(out, 0, size)

    def _buffer(self, size: int) -> int:
        """Address of at least so many bytes, used under the lock."""
        if size > len(self._room):
            self._make_room(2 * size)
        return self._address

    def _make_room(self, size: int) -> None:
        self._room = ctypes.create_string_buffer(size)
        self._address = ctypes.addressof(self._room)


def _check(error: int) -> None:
    if error:
        raise ValueError(f"libgcrypt: error {error & 0xFFFF}")
