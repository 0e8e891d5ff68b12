"""The file's own keys, each wrapped by the device key that is handed in.

Every version seals the rows of its time; the newest one seals new rows. The index key, version 0,
stays as long as the file: it tags ordering keys and proves ranges of purged rows.
"""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Callable, Iterable

from offline_queue.errors import KeysWrong, RowForged
from offline_queue.seal import KEY_UNKNOWN, Header, open_sealed, seal
from offline_queue.sm4_gcm import KEY_SIZE, NONCE_SIZE, Sm4Gcm, sm4_gcm

RandomBytes = Callable[[int], bytes]

_INDEX = 0
_TAG_SIZE = 16
_WRAPPED = "SELECT version, wrapped FROM key_ring"


class KeyRing:
    """The keys of one open file. What changes the table is called within a write transaction.

    Args:
        device_key: `KEY_SIZE` bytes; never stored.
        random_bytes: gives keys and nonces.

    Raises:
        KeysWrong: the file's keys were wrapped by another device key, or are not all there.
        ValueError: a device key of another length.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        device_key: bytes,
        random_bytes: RandomBytes,
    ) -> None:
        self._device = _device(device_key)
        self._random = random_bytes
        self._ciphers: dict[int, Sm4Gcm] = {}
        self._index = b""
        if not _rows(connection):
            self._keep(connection, _INDEX, random_bytes(KEY_SIZE))
            self._keep(connection, 1, random_bytes(KEY_SIZE))
        self._load(connection)
        if not self._index or not self._ciphers:
            raise KeysWrong("a key of the file is missing")
        self.current = max(self._ciphers)

    def __repr__(self) -> str:
        return f"KeyRing(versions={sorted(self._ciphers)}, current={self.current})"

    def seal(self, header: Header, body: bytes) -> tuple[bytes, bytes]:
        """The associated data of a new row, and its body sealed by the current key."""
        data = header.associated_data(self.current)
        return data, seal(self._ciphers[self.current], data, body, self._random(NONCE_SIZE))

    def open(
        self, connection: sqlite3.Connection, header: Header, version: int, sealed: bytes
    ) -> bytes:
        """The body that `seal` was given; a key that another process added is fetched.

        Raises:
            RowForged: the header, the version or the sealed bytes are not as they were.
        """
        if version not in self._ciphers:
            self._load(connection)
        cipher = self._ciphers.get(version)
        if cipher is None:
            raise RowForged(KEY_UNKNOWN)
        return open_sealed(cipher, header.associated_data(version), sealed)

    def order_tag(self, order: str) -> str:
        """32 hex digits that stand for an ordering key: HMAC-SM3 under the index key, so that
        nobody finds whose messages these are by trying all numbers."""
        return self.mac(order.encode()).hex()

    def mac(self, text: bytes) -> bytes:
        """16 bytes: the first half of an HMAC-SM3 (GB/T 32905-2016) under the index key."""
        return hmac.digest(self._index, text, "sm3")[:_TAG_SIZE]

    def rotate(self, connection: sqlite3.Connection) -> int:
        """Store a key of the next version; what was sealed before stays readable. Its number, for
        `follow` once the transaction is committed."""
        (newest,) = connection.execute("SELECT max(version) FROM key_ring").fetchone()
        version = int(newest) + 1
        self._keep(connection, version, self._random(KEY_SIZE))
        return version

    def follow(self, connection: sqlite3.Connection, newest: int) -> None:
        """Seal by the newest key that any process has made, of this version."""
        if newest != self.current:
            self._load(connection)
            self.current = max(self._ciphers)

    def drop(self, connection: sqlite3.Connection, versions: Iterable[int]) -> None:
        """Destroy keys that no row needs."""
        for version in versions:
            connection.execute("DELETE FROM key_ring WHERE version = ?", (version,))
            self._ciphers.pop(version, None)

    def rewrapped(self, connection: sqlite3.Connection, device_key: bytes) -> KeyRing:
        """Wrap every key by another device key; the ring to go on with once the transaction is
        committed.

        Raises:
            ValueError: it has another length.
        """
        device = _device(device_key)
        for version, wrapped in _rows(connection):
            again = self._wrap(device, version, self._unwrap(version, wrapped))
            connection.execute(
                "UPDATE key_ring SET wrapped = ? WHERE version = ?", (again, version)
            )
        return KeyRing(connection, device_key, self._random)

    def _keep(self, connection: sqlite3.Connection, version: int, key: bytes) -> None:
        row = (version, self._wrap(self._device, version, key))
        connection.execute("INSERT INTO key_ring VALUES (?, ?)", row)

    def _hold(self, version: int, key: bytes) -> None:
        if version == _INDEX:
            self._index = key
        else:
            self._ciphers[version] = sm4_gcm(key)

    def _load(self, connection: sqlite3.Connection) -> None:
        for version, wrapped in _rows(connection):
            if version == _INDEX or version not in self._ciphers:
                self._hold(version, self._unwrap(version, wrapped))

    def _wrap(self, device: Sm4Gcm, version: int, key: bytes) -> bytes:
        return seal(device, _purpose(version), key, self._random(NONCE_SIZE))

    def _unwrap(self, version: int, wrapped: bytes) -> bytes:
        try:
            return open_sealed(self._device, _purpose(version), wrapped)
        except RowForged as forged:
            raise KeysWrong(f"key {version} of the file: {forged.reason}") from None


def _device(key: bytes) -> Sm4Gcm:
    if len(key) != KEY_SIZE:
        raise ValueError(f"a device key has {KEY_SIZE} bytes")
    return sm4_gcm(key)


def _rows(connection: sqlite3.Connection) -> list[tuple[int, bytes]]:
    return connection.execute(_WRAPPED).fetchall()


def _purpose(version: int) -> bytes:
    return b"offline_queue key %d" % version
