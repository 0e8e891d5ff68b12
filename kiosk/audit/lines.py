"""One audit line: canonical JSON that carries the SM3 of the line before it (DESIGN §4.6)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from apdu.crypto import sm3

FIELDS = {
    "actor": str,
    "boot": str,
    "detail": dict,
    "event": str,
    "mono": int,
    "outcome": str,
    "prev": str,
    "seq": int,
    "terminal": str,
    "time": str,
}
"""Fields of every line and their types; ``visit`` is a number or null.

``time`` is the wall clock in UTC and may jump; order is ``seq``. ``mono`` counts milliseconds and
compares only between lines of one ``boot``.
"""


class MalformedLine(ValueError):
    """The bytes are no audit line in canonical form."""


@dataclass(frozen=True)
class Line:
    """A parsed line.

    Attributes:
        seq: 1 for the first line of a log.
        prev: hex SM3 of the line before, or of the terminal's genesis text.
        digest: hex SM3 of this line's bytes, without the newline.
    """

    seq: int
    prev: str
    digest: str
    terminal: str
    record: dict[str, Any]


def genesis(terminal_id: str) -> str:
    """What the first line carries instead of a previous line's SM3."""
    return digest(b"yikatong audit 1 " + terminal_id.encode("ascii"))


def digest(raw: bytes) -> str:
    """Hex SM3 of a line's bytes without its newline."""
    return sm3.digest(raw).hex()


def encode(record: dict[str, Any]) -> bytes:
    """Canonical JSON: sorted keys, no spaces, ASCII only; without a newline."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def decode(raw: bytes) -> Line:
    """Parse one line without its newline. Raises MalformedLine."""
    try:
        record = json.loads(raw)
    except ValueError:
        raise MalformedLine("is no JSON") from None
    if not isinstance(record, dict) or record.keys() != FIELDS.keys() | {"visit"}:
        raise MalformedLine("has other fields than an audit line")
    visit = record["visit"]
    if not (visit is None or type(visit) is int) or not all(
        type(record[name]) is kind for name, kind in FIELDS.items()
    ):
        raise MalformedLine("has a field of another type")
    if encode(record) != raw:
        raise MalformedLine("is not in canonical form")
    return Line(record["seq"], record["prev"], digest(raw), record["terminal"], record)
