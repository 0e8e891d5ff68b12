"""Whether what was read from a damaged file is what the queue once wrote."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from collections.abc import Callable, Mapping

from offline_queue.chain import Purged
from offline_queue.damage.pages import Value
from offline_queue.errors import KeysWrong, RowForged
from offline_queue.key_ring import KeyRing
from offline_queue.seal import Header

Row = Mapping[str, Value]
"""A row by its columns, each of the schema's type."""

_COLUMNS = tuple("ordering" if field == "order" else field for field in Header._fields)


class Proof:
    """Proves rows by the keys of their file.

    Args:
        connection: a file whose ``key_ring`` was brought over.

    Raises:
        KeysWrong: the keys were wrapped by another device key, or are not all there.
    """

    def __init__(self, connection: sqlite3.Connection, device_key: bytes) -> None:
        if connection.execute("SELECT 1 FROM key_ring").fetchone() is None:
            raise KeysWrong("no key of the damaged file can be read")
        self._connection = connection
        self._ring = KeyRing(connection, device_key, secrets.token_bytes)

    def message(self, row: Row) -> bool:
        """Whether the seal holds; the columns are those of ``message`` and ``body``."""
        header = Header(*(row[name] for name in _COLUMNS))  # type: ignore[arg-type]
        version, sealed = row["key_version"], row["sealed"]
        assert isinstance(version, int)
        assert isinstance(sealed, bytes)
        try:
            self._ring.open(self._connection, header, version, sealed)
        except RowForged:
            return False
        return True

    def purged(self, row: Row) -> bool:
        """Whether the queue itself noted that these rows left."""
        gap = Purged(row["first"], row["last"], row["chain"], row["proof"])  # type: ignore[arg-type]
        return hmac.compare_digest(self._ring.mac(gap.text()), gap.proof)


Keyring = Callable[[sqlite3.Connection], Proof]
"""Makes the proof for a file; what only the queue knows is bound in it."""
