"""What SQL cannot do when schema version 1 becomes 2: seal the rows anew and link the chain.

Version 1 sealed by the key that is the device key now, over fewer columns, and kept ordering keys
in clear. Runs in one transaction; after a kill it is done at the next opening.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from offline_queue.chain import START, link
from offline_queue.errors import KeysWrong, RowForged
from offline_queue.key_ring import KeyRing
from offline_queue.message import Trust
from offline_queue.seal import Header, open_sealed
from offline_queue.sm4_gcm import sm4_gcm

_BEFORE = "before version 2"
"""In the place of a boot id."""

_ROWS = """
    SELECT message.seq, kind, key, ordering, priority, created, key_version, sealed
    FROM message LEFT JOIN body ON body.seq = message.seq
    WHERE boot = '' AND message.seq > ? ORDER BY message.seq LIMIT 500
"""


def is_open(connection: sqlite3.Connection) -> bool:
    """Whether version 1 left something to do."""
    return (
        connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'seal_key'").fetchone()
        is not None
    )


def prove_key(connection: sqlite3.Connection, key: bytes) -> None:
    """Open what version 1's key sealed when it was new.

    Raises:
        KeysWrong: the key is another one.
    """
    proof = connection.execute("SELECT proof FROM seal_key WHERE version = 1").fetchone()
    if proof is None:
        return
    try:
        open_sealed(sm4_gcm(key), _data(1, 0, "key-proof", "", "", 0, 0), proof[0])
    except RowForged as forged:
        raise KeysWrong(f"key 1 of the file: {forged.reason}") from None


def finish(connection: sqlite3.Connection, ring: KeyRing, key: bytes) -> None:
    """Seal and link every row, and forget what only version 1 needs.

    A row whose old seal does not hold keeps its bytes: it is noticed when it is claimed.
    """
    cipher, chain = sm4_gcm(key), START
    for seq, kind, name, order, priority, created, version, old in _rows(connection):
        tag = ring.order_tag(order) if order else ""
        header = Header(
            seq, kind, name, "main", tag, priority, created,
            _BEFORE, 0, created, Trust.UNKNOWN.value, None, None,
        )  # fmt: skip
        try:
            body = open_sealed(
                cipher, _data(version, seq, kind, name, order, priority, created), old or b""
            )
            data, sealed = ring.seal(header, body)
        except RowForged:
            data, sealed = header.associated_data(ring.current), old or b""
        chain = link(chain, data, sealed)
        connection.execute(
            "UPDATE message SET boot = ?, ordering = ?, key_version = ? WHERE seq = ?",
            (_BEFORE, tag, ring.current, seq),
        )
        connection.execute("INSERT OR REPLACE INTO body VALUES (?, ?, ?)", (seq, chain, sealed))
    connection.execute("DROP TABLE seal_key")


def _rows(
    connection: sqlite3.Connection,
) -> Iterator[tuple[int, str, str, str, int, int, int, bytes | None]]:
    seq = 0
    while found := connection.execute(_ROWS, (seq,)).fetchall():
        yield from found
        seq = found[-1][0]


def _data(
    version: int, seq: int, kind: str, key: str, order: str, priority: int, created: int
) -> bytes:
    """Version 1's associated data: every field with its length before it, 4 bytes."""
    numbers = (b"%d" % version, b"%d" % seq)
    words = (kind.encode(), key.encode(), order.encode())
    fields = (b"offline_queue row 1", *numbers, *words, b"%d" % priority, b"%d" % created)
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)
