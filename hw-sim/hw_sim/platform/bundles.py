"""Bundles: what a terminal could not send for days, on a stick. docs/platform.md, USB.

Every byte of a bundle is the terminal's or is refused. Nothing of its claims is believed for how
much to read: a chunk and a message have their limits, and the file has its length.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from collections.abc import Callable, Iterator
from enum import Enum
from typing import BinaryIO, NamedTuple

import gmssl_pyx
from http_message_signatures import InvalidSignature

from hw_sim.platform.encryption import SEALED_MORE, NotOpened, opened
from hw_sim.platform.parts import Endpoint
from hw_sim.platform.signatures import Sm2Key, Sm2Sm3

_SIGNED_FOR = b"yikatong bundle 1\0"
_HEAD = struct.Struct(f">4sH16s16sQ8s{SEALED_MORE + 16}s")
_LENGTH = struct.Struct(">I")
_RECORD = struct.Struct(">QBB")
_CLOSING = struct.Struct(">QQII")
_TAG = 16
_SEALED_END = _CLOSING.size + _TAG
_SIGNATURE = 64
_PIECE = 1 << 20
_CHUNK_MOST = 1 << 18
_BODY_MOST = 131_072
_TERMINAL = re.compile(rb"(T[0-9]{6}-[0-9]{4,6})\0*")
_KEY = re.compile(rb"[\x21-\x7e]{1,64}")
_ENDPOINTS = {1: Endpoint.EVENTS, 2: Endpoint.ALARMS}


class Fault(Enum):
    """Why a bundle is refused."""

    NOT_A_BUNDLE = "not a bundle, or not a whole one"
    UNKNOWN_TERMINAL = "no such terminal is enrolled"
    SIGNATURE = "not signed by the terminal that it names, or changed since"
    ANOTHER_KEY = "encrypted to another platform's key, or to an older one"
    MALFORMED = "signed, but not what the format says"


class BundleRefused(Exception):
    """See ``fault``."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class Message(NamedTuple):
    """One request of a bundle.

    Attributes:
        seq: its number in the terminal's queue.
        key: its idempotency key.
    """

    seq: int
    endpoint: Endpoint
    key: str
    body: bytes


class Bundle:
    """An open bundle whose signature holds.

    Attributes:
        terminal_id: who made it.
        digest: SM3 of everything before the signature, 32 bytes.
        created: Unix seconds by the terminal's clock.

    Raises:
        BundleRefused: see ``Fault``.
    """

    def __init__(
        self,
        stream: BinaryIO,
        public_key_of: Callable[[str], bytes | None],
        encryption_key: Sm2Key,
    ) -> None:
        self._stream = stream
        self._end = stream.seek(0, os.SEEK_END) - _SIGNATURE
        if self._end < _HEAD.size + _LENGTH.size + _SEALED_END:
            raise BundleRefused(Fault.NOT_A_BUNDLE)
        stream.seek(0)
        head = self._read(_HEAD.size)
        magic, version, name, _id, self.created, key_id, wrapped = _HEAD.unpack(head)
        terminal = _TERMINAL.fullmatch(name)
        if (magic, version) != (b"YKTB", 1) or terminal is None:
            raise BundleRefused(Fault.NOT_A_BUNDLE)
        self.terminal_id = terminal[1].decode()
        public_key = public_key_of(self.terminal_id)
        if public_key is None:
            raise BundleRefused(Fault.UNKNOWN_TERMINAL)
        self.digest = self._verified(head, public_key)
        if key_id != hashlib.new("sm3", encryption_key.public).digest()[:8]:
            raise BundleRefused(Fault.ANOTHER_KEY)
        try:
            self._key = opened(encryption_key, wrapped)
        except NotOpened:
            raise BundleRefused(Fault.ANOTHER_KEY) from None
        self._context = hashlib.new("sm3", head).digest()

    def messages(self) -> Iterator[Message]:
        """The messages in their order, one chunk in memory at a time.

        The chunks are opened by the key that stood in the verified head, so that a device which
        gives other bytes when it is read again gives none that are believed.

        Raises:
            BundleRefused: ``MALFORMED``, after what was given out already.
        """
        self._stream.seek(_HEAD.size)
        first = last = count = chunks = 0
        while length := _LENGTH.unpack(self._read(_LENGTH.size))[0]:
            if not _TAG < length <= _CHUNK_MOST:
                raise BundleRefused(Fault.MALFORMED)
            for message in _records(self._open(chunks, self._read(length))):
                if message.seq <= last:
                    raise BundleRefused(Fault.MALFORMED)
                first, last, count = first or message.seq, message.seq, count + 1
                yield message
            chunks += 1
        closing = self._open(chunks, self._read(_SEALED_END), b"end")
        if closing != _CLOSING.pack(first, last, count, chunks) or self._stream.tell() != self._end:
            raise BundleRefused(Fault.MALFORMED)

    def _verified(self, head: bytes, public_key: bytes) -> bytes:
        found = hashlib.new("sm3", head)
        left = self._end - len(head)
        while left:
            piece = self._read(min(left, _PIECE))
            found.update(piece)
            left -= len(piece)
        try:
            Sm2Sm3(public_key).verify(self._read(_SIGNATURE), _SIGNED_FOR + found.digest())
        except InvalidSignature:
            raise BundleRefused(Fault.SIGNATURE) from None
        return found.digest()

    def _read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        if len(piece) != size:
            raise BundleRefused(Fault.NOT_A_BUNDLE)
        return piece

    def _open(self, number: int, sealed: bytes, what: bytes = b"") -> bytes:
        counted = _LENGTH.pack(number)
        context = self._context + counted + what
        try:
            return bytes(
                gmssl_pyx.sm4_gcm_decrypt(
                    self._key, bytes(8) + counted, context, sealed[:-_TAG], sealed[-_TAG:]
                )
            )
        except (gmssl_pyx.InvalidValueError, gmssl_pyx.GmsslInnerError):
            raise BundleRefused(Fault.MALFORMED) from None


def _records(text: bytes) -> Iterator[Message]:
    at = 0
    try:
        while at < len(text):
            seq, endpoint, key_length = _RECORD.unpack_from(text, at)
            at += _RECORD.size
            key = text[at : at + key_length]
            (length,) = _LENGTH.unpack_from(text, at + key_length)
            at += key_length + _LENGTH.size
            body = text[at : at + length]
            at += length
            if not _KEY.fullmatch(key) or length > _BODY_MOST or at > len(text):
                raise BundleRefused(Fault.MALFORMED)
            yield Message(seq, _ENDPOINTS[endpoint], key.decode(), body)
    except (struct.error, KeyError):
        raise BundleRefused(Fault.MALFORMED) from None
