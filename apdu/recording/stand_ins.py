"""What stands for hidden bytes in a recording: bytes of nobody that are read as the hidden ones
would be.

A value that could be read is replaced by one that can be read, an unreadable one by an unreadable
one, and a blank one stays: so a recording of an odd card is still odd when it is replayed. Computed
results and the card's serial are replaced so that equal ones stay equal, since whether a card is
genuine hangs on that: by an HMAC under a key that is made for the recording and never written.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType

from apdu import formats
from apdu.formats import Unreadable
from apdu.profile import shipped_profiles
from apdu.simple_tlv import Record

_NOBODY: Mapping[str, bytes] = MappingProxyType(
    {
        "card_number": b"A00000000",
        "social_security_number": b"429900190001010012",
        "name": "某某".encode(formats.ENCODING),
        "name_extension": "某某".encode(formats.ENCODING),
        "sex": b"9",
        "nation": bytes.fromhex("01"),
        "birthplace": bytes.fromhex("429900"),
        "birth_date": bytes.fromhex("19000101"),
    }
)
"""Stored values by field. The division code is unassigned: the number can be nobody's."""
_UNREADABLE = (b"\x80", b"\xee")
"""Fillers that are no character of GB 18030, and no digits."""
_PADDING = b"\x00 \xff"
_SERIAL = slice(8, 12)
"""The serial number within the card identification code (卡识别码)."""


class StandIns:
    """Stand-ins for one recording, or for several that belong together (a card's and a PSAM's).

    Args:
        key: 16 bytes or more that nobody knows; always the same ones only in a test.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or os.urandom(32)

    def equal(self, secret: bytes) -> bytes:
        """As many bytes as `secret` has: the same for the same secret, others for another."""
        out, block = b"", 0
        while len(out) < len(secret):
            message = block.to_bytes(2, "big") + secret
            out += hmac.digest(self._key, message, hashlib.sha256)
            block += 1
        return out[: len(secret)]

    def opaque(self, size: int) -> bytes:
        """Bytes for what is of no known kind."""
        return bytes(size)

    def card_id(self, value: bytes) -> bytes:
        """For what follows region and RID in a card identification code: serial, and check."""
        return self.equal(value[_SERIAL]) + b"\xff" * len(value[_SERIAL.stop :])

    def item(self, record: Record) -> bytes | None:
        """For an item's value; None when it is blank, and may be shown as it is."""
        size = len(record.value)
        if not record.value.strip(_PADDING):
            return None
        known = _fields().get(record.tag)
        if known is None:
            return self.opaque(size)
        field, decode = known
        if isinstance(decode(record.value), Unreadable):
            return _unreadable(decode, size)
        last = record.value[-1:]
        padding = last if last in (b"\x00", b" ", b"\xff") else b"\x00"
        return _NOBODY.get(field, b"")[:size].ljust(size, padding)


Decode = Callable[[bytes], object]
"""Reads a stored value; see `apdu.formats.decode`."""


@functools.cache
def _fields() -> Mapping[int, tuple[str, Decode]]:
    """Name and format of the items of EF05 and EF06, by tag, which means the same in each
    generation."""
    return {
        item.tag: (item.field, item.decode)
        for profile in shipped_profiles().values()
        for file in (profile.issuer_file, profile.holder_file)
        for item in file.items
        if item.tag is not None
    }


def _unreadable(decode: Decode, size: int) -> bytes:
    for filler in _UNREADABLE:
        if isinstance(decode(filler * size), Unreadable):
            return filler * size
    return bytes(size)
