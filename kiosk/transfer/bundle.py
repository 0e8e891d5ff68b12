"""The file that carries messages to the platform: docs/platform.md, USB, has every byte of it.

Written from the first byte to the last, a chunk at a time, so that its length costs no memory. The
body is SM4-GCM under a key of its own; that key is encrypted by SM2 to the platform, and the whole
file is signed by the terminal.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

from apdu.crypto import sm2, sm3, sm4
from kiosk.keys import TerminalKeys
from kiosk.transfer.requests import Request

MAGIC = b"YKTB"
VERSION = 1
ID_SIZE = 16
"""Bytes of a bundle's own id."""

_SIGNED_FOR = b"yikatong bundle 1\0"
_HEAD = struct.Struct(">4sH16s16sQ8s113s")
_RECORD = struct.Struct(">QBB")
_LENGTH = struct.Struct(">I")
_CLOSING = struct.Struct(">QQII")
_END = b"end"
_CHUNK = 64 * 1024
"""Bytes of records after which a chunk is closed; one record may alone be longer."""


@dataclass(frozen=True)
class Sealed:
    """A bundle that was written to its end.

    Attributes:
        digest: SM3 of everything before the signature, 32 bytes; receipts name it.
        first, last: sequence of the first and the last message.
        messages: how many.
        size: bytes.
    """

    digest: bytes
    first: int
    last: int
    messages: int
    size: int


class BundleWriter:
    """Writes one bundle.

    Args:
        write: takes the file's bytes one part after the other.
        encryption_key: the platform's.
        bundle_id: 16 random bytes.
        created: Unix seconds by the terminal's clock, right or wrong.
        sm4_key: 16 random bytes, used for this bundle alone.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        keys: TerminalKeys,
        encryption_key: sm2.PublicKey,
        *,
        bundle_id: bytes,
        created: int,
        sm4_key: bytes,
    ) -> None:
        self._write = write
        self._signer = keys.private_key
        self._key = sm4_key
        self._hash = hashlib.new("sm3")
        self._size = 0
        self._records = bytearray()
        self._chunks = 0
        self._first = self._last = self._messages = 0
        head = _HEAD.pack(
            MAGIC,
            VERSION,
            keys.terminal_id.encode("ascii"),
            bundle_id,
            created,
            sm3.digest(encryption_key.xy)[:8],
            sm2.encrypt(encryption_key, sm4_key, encoding=sm2.CiphertextEncoding.RAW_PREFIXED),
        )
        self._context = sm3.digest(head)
        self._put(head)

    def add(self, seq: int, key: str, request: Request) -> None:
        """Put a message behind the others; its sequence is greater than theirs."""
        assert seq > self._last
        word = key.encode("ascii")
        self._records += _RECORD.pack(seq, request.endpoint, len(word)) + word
        self._records += _LENGTH.pack(len(request.body)) + request.body
        self._first = self._first or seq
        self._last = seq
        self._messages += 1
        if len(self._records) >= _CHUNK:
            self._put_chunk()

    def close(self) -> Sealed:
        """Write the end and the signature."""
        if self._records:
            self._put_chunk()
        closing = _CLOSING.pack(self._first, self._last, self._messages, self._chunks)
        self._put(_LENGTH.pack(0) + self._seal(closing, _END))
        digest = self._hash.digest()
        signature = sm2.sign(self._signer, _SIGNED_FOR + digest, encoding=sm2.SignatureEncoding.RAW)
        self._put(signature)
        return Sealed(digest, self._first, self._last, self._messages, self._size)

    def _put_chunk(self) -> None:
        sealed = self._seal(bytes(self._records))
        self._put(_LENGTH.pack(len(sealed)) + sealed)
        self._chunks += 1
        self._records.clear()

    def _seal(self, text: bytes, what: bytes = b"") -> bytes:
        # A key of its own for each bundle: the number of the chunk never comes twice under it.
        number = _LENGTH.pack(self._chunks)
        return sm4.seal_gcm(self._key, bytes(8) + number, text, self._context + number + what)

    def _put(self, part: bytes) -> None:
        self._hash.update(part)
        self._size += len(part)
        self._write(part)
