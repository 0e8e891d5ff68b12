"""The chain over all rows: whoever takes one away or puts one in breaks it.

Each row holds SM3 (GB/T 32905-2016) over the chain value before it, its own associated data, and
nonce and tag of its sealed body, which stand for the body. Rows that left after their confirmation
are ranges with the chain value of their last one; any other gap in the sequence is a loss.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import pairwise
from typing import NamedTuple, assert_never

from offline_queue.errors import RowForged
from offline_queue.key_ring import KeyRing
from offline_queue.seal import Header
from offline_queue.sm4_gcm import NONCE_SIZE, TAG_SIZE

_SM3 = hashlib.new("sm3")
"""Looked up once: that takes as long as the digest of a row."""

START = bytes(32)
"""Before the first row."""

_ROWS = """
    SELECT message.seq, kind, key, lane, ordering, priority, created, boot, monotonic, wall, trust,
        expires, replaces, key_version, chain, sealed
    FROM message LEFT JOIN body ON body.seq = message.seq
    WHERE message.seq > ? ORDER BY message.seq LIMIT 500
"""
_HEADER = len(Header._fields)
_BEFORE = "SELECT first FROM purged WHERE last = ? AND chain <> x''"
_AFTER = "SELECT last, chain FROM purged WHERE first = ? AND chain <> x''"


class _Row(NamedTuple):
    header: Header
    version: int
    chain: bytes | None
    sealed: bytes | None


class Purged(NamedTuple):
    """Rows ``first`` to ``last``, the chain value of the last one, and the proof of all that.
    An empty chain value: rows that were lost, and somebody was told."""

    first: int
    last: int
    chain: bytes
    proof: bytes = b""

    def text(self) -> bytes:
        """What proves the range when the index key has tagged it."""
        return b"purged %d %d %s" % (self.first, self.last, self.chain)


@dataclass(frozen=True)
class ChainReport:
    """What a walk over the whole chain found.

    Attributes:
        rows: how many are there.
        purged: how many left after their confirmation.
        told: how many were lost to a salvage, which was told.
        lost: first and last sequence of every other gap.
        broken: rows whose seal or link does not hold, and ranges (by their first) without proof.
        last: the newest sequence; 0 for an empty file.
    """

    rows: int
    purged: int
    told: int
    lost: tuple[tuple[int, int], ...]
    broken: tuple[int, ...]
    last: int

    @property
    def whole(self) -> bool:
        return not self.lost and not self.broken

    def as_json(self) -> dict[str, object]:
        """The same in plain values."""
        return {
            "rows": self.rows,
            "purged": self.purged,
            "told": self.told,
            "lost": [list(gap) for gap in self.lost],
            "broken": list(self.broken),
            "last": self.last,
        }


def link(previous: bytes, data: bytes, sealed: bytes) -> bytes:
    """The chain value of a row, 32 bytes.

    Args:
        data: the associated data of its header.
    """
    digest = _SM3.copy()
    digest.update(b"".join((previous, data, sealed[:NONCE_SIZE], sealed[-TAG_SIZE:])))
    return digest.digest()


def ranges(connection: sqlite3.Connection) -> list[Purged]:
    """All purged ranges, in order."""
    found = connection.execute("SELECT first, last, chain, proof FROM purged ORDER BY first")
    return [Purged(*row) for row in found]


def add_ranges(connection: sqlite3.Connection, ring: KeyRing, left: dict[int, bytes]) -> None:
    """Note rows that leave in this transaction: their chain values by sequence. Neighbouring
    ranges become one."""
    if not left:
        return
    sequences = sorted(left)
    starts = [sequences[0], *(b for a, b in pairwise(sequences) if b != a + 1)]
    ends = [*(a for a, b in pairwise(sequences) if b != a + 1), sequences[-1]]
    for first, last in zip(starts, ends, strict=True):
        chain = left[last]
        before = connection.execute(_BEFORE, (first - 1,))
        if (row := before.fetchone()) is not None:
            first = row[0]
        after = connection.execute(_AFTER, (last + 1,))
        if (row := after.fetchone()) is not None:
            last, chain = row
        connection.execute("DELETE FROM purged WHERE first BETWEEN ? AND ?", (first, last))
        _add(connection, ring, Purged(first, last, chain))


def add_losses(
    connection: sqlite3.Connection, ring: KeyRing, losses: Iterable[tuple[int, int]]
) -> None:
    """Note rows that a salvage could not bring over, by first and last sequence. Their numbers are
    never given again."""
    for first, last in losses:
        _add(connection, ring, Purged(first, last, b""))


def _add(connection: sqlite3.Connection, ring: KeyRing, whole: Purged) -> None:
    proven = whole._replace(proof=ring.mac(whole.text()))
    connection.execute("INSERT OR IGNORE INTO purged VALUES (?, ?, ?, ?)", proven)


def verify(
    connection: sqlite3.Connection,
    ring: KeyRing,
    progress: Callable[[int], None] = lambda _seq: None,
) -> ChainReport:
    """Walk the whole chain, body by body; the caller holds one read transaction.

    Args:
        progress: told the sequence up to which it was walked, row by row.
    """
    broken: list[int] = []
    lost: list[tuple[int, int]] = []
    rows = purged = told = 0
    expected, before = 1, START
    known = True
    pieces: Iterator[_Row | Purged] = merge(_rows(connection), ranges(connection), key=_first)
    for piece in pieces:
        first = last = _first(piece)
        if first > expected:
            lost.append((expected, first - 1))
            known = False
        match piece:
            case _Row(header, version, chain, sealed):
                rows += 1
                chain, sealed = chain or b"", sealed or b""
                linked = link(before, header.associated_data(version), sealed) == chain
                if (
                    first < expected
                    or not _opens(connection, ring, piece)
                    or (known and not linked)
                ):
                    broken.append(first)
            case Purged(_, last, chain, proof):
                if chain:
                    purged += last - first + 1
                else:
                    told += last - first + 1
                if first < expected or not hmac.compare_digest(ring.mac(piece.text()), proof):
                    broken.append(first)
            case _:
                assert_never(piece)
        expected, before, known = max(expected, last + 1), chain, bool(chain)
        progress(expected - 1)
    return ChainReport(rows, purged, told, tuple(lost), tuple(broken), expected - 1)


def _first(piece: _Row | Purged) -> int:
    return piece.header.seq if isinstance(piece, _Row) else piece.first


def _opens(connection: sqlite3.Connection, ring: KeyRing, row: _Row) -> bool:
    try:
        ring.open(connection, row.header, row.version, row.sealed or b"")
    except RowForged:
        return False
    return True


def _rows(connection: sqlite3.Connection) -> Iterator[_Row]:
    seq = 0
    while found := connection.execute(_ROWS, (seq,)).fetchall():
        for row in found:
            yield _Row(Header(*row[:_HEADER]), *row[_HEADER:])
        seq = found[-1][0]
