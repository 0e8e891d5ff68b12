"""Sealing of a row's body by SM4-GCM.

The columns that never change are the associated data, so a body opens only in the row that it was
sealed for. What changes with delivery (state, attempts, lease) is not covered.
"""

from __future__ import annotations

from typing import NamedTuple

from cryptography.exceptions import InvalidTag

from offline_queue.errors import RowForged
from offline_queue.sm4_gcm import NONCE_SIZE, TAG_SIZE, Sm4Gcm

SEAL_BROKEN = "seal-broken"
KEY_UNKNOWN = "key-unknown"


class Header(NamedTuple):
    """The columns of a row that never change and stand in clear.

    Attributes:
        order: the tag of the ordering key (`KeyRing.order_tag`), or empty.
        created: milliseconds of the file's time.
        boot: which start of the machine made it.
        monotonic: milliseconds of that start's monotonic clock.
        wall: milliseconds of the wall clock, right or wrong.
        trust: value of `offline_queue.message.Trust` at that moment.
        expires: milliseconds of the file's time, or None.
        replaces: the dead row that this one repeats under a new key, or None.
    """

    seq: int
    kind: str
    key: str
    lane: str
    order: str
    priority: int
    created: int
    boot: str
    monotonic: int
    wall: int
    trust: str
    expires: int | None
    replaces: int | None

    def associated_data(self, key_version: int) -> bytes:
        """All fields in one text. Each word has its length before it, so that none can lend
        characters to its neighbour."""
        (
            seq, kind, key, lane, order, priority, created, boot, monotonic, wall, trust, expires,
            replaces,
        ) = self  # fmt: skip
        return (
            f"offline_queue row 2 {key_version} {seq} {priority} {created}"
            f" {monotonic} {wall} {expires} {replaces}"
            f" {len(kind)}:{kind}{len(key)}:{key}{len(lane)}:{lane}{len(order)}:{order}"
            f"{len(boot)}:{boot}{len(trust)}:{trust}"
        ).encode()


def seal(key: Sm4Gcm, data: bytes, body: bytes, nonce: bytes) -> bytes:
    """Nonce (12 bytes), ciphertext and tag (16 bytes).

    Args:
        data: associated data, bound but not stored.
        nonce: 12 random bytes, fresh for every call.
    """
    return nonce + key.encrypt(nonce, data, body)


def open_sealed(key: Sm4Gcm, data: bytes, sealed: bytes) -> bytes:
    """The body that `seal` was given.

    Raises:
        RowForged: the associated data or the sealed bytes are not as they were.
    """
    if len(sealed) < NONCE_SIZE + TAG_SIZE:
        raise RowForged(SEAL_BROKEN)
    try:
        return key.decrypt(sealed[:NONCE_SIZE], data, sealed[NONCE_SIZE:])
    except InvalidTag:
        raise RowForged(SEAL_BROKEN) from None
