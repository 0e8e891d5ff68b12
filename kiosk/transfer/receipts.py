"""The file that comes back from the platform: docs/platform.md, USB, has every byte of it."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from apdu.crypto import sm2, sm3
from kiosk.transfer.errors import ReceiptsFault, ReceiptsRefused

MAGIC = b"YKTR"
VERSION = 1
MOST_BYTES = 64 * 1024 * 1024
"""Of a file; 100,000 receipts have a third of it at most."""

_SIGNED_FOR = b"yikatong receipts 1\0"
_HEAD = struct.Struct(">4sH16s32sQI")
_RECORD = struct.Struct(">QB")
_RESULT = struct.Struct(">32sHH")
_SIGNATURE = 64
_KEY = re.compile(rb"[\x21-\x7e]{1,64}")
_WORD = re.compile(rb"[\x21-\x7e]{1,256}")


class Receipt(NamedTuple):
    """What became of one message.

    Attributes:
        seq: its number in the queue.
        key: its idempotency key.
        digest: SM3 of the request's body that the platform has, 32 bytes.
        status: the HTTP status that the line would have answered.
        word: the number that the platform gave it, or the name of the problem.
    """

    seq: int
    key: str
    digest: bytes
    status: int
    word: str


@dataclass(frozen=True)
class Receipts:
    """Receipts of one bundle; the platform's signature over them holds.

    Attributes:
        bundle: the bundle's digest, 32 bytes.
        created: Unix seconds by the platform's clock.
        count: how many there are.
    """

    bundle: bytes
    created: int
    count: int
    _records: bytes = field(repr=False)

    def __iter__(self) -> Iterator[Receipt]:
        """Raises ReceiptsRefused, MALFORMED."""
        records, at = self._records, 0
        try:
            for _ in range(self.count):
                seq, length = _RECORD.unpack_from(records, at)
                at += _RECORD.size
                key = records[at : at + length]
                digest, status, word_length = _RESULT.unpack_from(records, at + length)
                at += length + _RESULT.size
                word = records[at : at + word_length]
                at += word_length
                if not _KEY.fullmatch(key) or not _WORD.fullmatch(word) or at > len(records):
                    raise ReceiptsRefused(ReceiptsFault.MALFORMED)
                yield Receipt(seq, key.decode(), digest, status, word.decode())
        except struct.error:
            raise ReceiptsRefused(ReceiptsFault.MALFORMED) from None
        if at != len(records):
            raise ReceiptsRefused(ReceiptsFault.MALFORMED)


def read_receipts(content: bytes, platform_key: sm2.PublicKey, terminal_id: str) -> Receipts:
    """Check whose receipts these are.

    Raises:
        ReceiptsRefused: see `ReceiptsFault`.
    """
    if len(content) < _HEAD.size + _SIGNATURE or content[:4] != MAGIC:
        raise ReceiptsRefused(ReceiptsFault.NOT_RECEIPTS)
    text, signature = content[:-_SIGNATURE], content[-_SIGNATURE:]
    message = _SIGNED_FOR + sm3.digest(text)
    if not sm2.verify(platform_key, message, signature, encoding=sm2.SignatureEncoding.RAW):
        raise ReceiptsRefused(ReceiptsFault.SIGNATURE)
    _, version, terminal, bundle, created, count = _HEAD.unpack_from(text)
    if version != VERSION:
        raise ReceiptsRefused(ReceiptsFault.NOT_RECEIPTS)
    if terminal != terminal_id.encode("ascii").ljust(16, b"\0"):
        raise ReceiptsRefused(ReceiptsFault.FOREIGN)
    receipts = Receipts(bundle, created, count, text[_HEAD.size :])
    # To the end before the first is used: all of them or none.
    for _ in receipts:
        pass
    return receipts
