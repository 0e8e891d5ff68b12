"""What a simulated terminal has to report: events of all kinds, and an audit log chained by SM3."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kiosk.audit import lines

LINES_A_RANGE = 10
"""What a terminal in use writes between two looks of its shipper (docs/fleet.md, mark I)."""


@dataclass(frozen=True)
class Event:
    """One event: its idempotency key, and the body of ``POST /v1/events``."""

    key: str
    body: bytes


def events(terminal_id: str) -> Iterator[Event]:
    """Without end; of five, three are ranges of the audit log, one an evaluation, one a print."""
    ranges = _audit_ranges(terminal_id)
    for number in itertools.count(1):
        yield next(ranges)
        yield _evaluation(f"{terminal_id}-e-{number}")
        yield next(ranges)
        yield _print_outcome(f"{terminal_id}-p-{number}")
        yield next(ranges)


def _event(key: str, kind: str, body: Mapping[str, object]) -> Event:
    document = {"kind": kind, "occurred_at": int(time.time()), "body": body}
    return Event(key, json.dumps(document).encode())


def _evaluation(key: str) -> Event:
    return _event(key, "evaluation", {"item": "query.overview", "grade": 5, "visit": key})


def _print_outcome(key: str) -> Event:
    body = {"code": "7F3K92MDQ4TXB8AT", "serial": key, "outcome": "done", "reason": ""}
    return _event(key, "print-outcome", body)


def _audit_ranges(terminal_id: str) -> Iterator[Event]:
    before = lines.genesis(terminal_id)
    for first in itertools.count(1, LINES_A_RANGE):
        texts = []
        for seq in range(first, first + LINES_A_RANGE):
            raw = _audit_line(terminal_id, seq, before)
            before = lines.digest(raw)
            texts.append(raw.decode("ascii"))
        last = first + LINES_A_RANGE - 1
        key = f"{terminal_id}-audit-{first}-{last}"
        yield _event(key, "audit-range", {"first": first, "last": last, "lines": texts})


def _audit_line(terminal_id: str, seq: int, before: str) -> bytes:
    record = {
        "actor": "resident",
        "boot": "4dbdcf02-e64e-4df3-ac46-add78f873bae",
        "detail": {"leg": "card", "evidence": "card-genuine"},
        "event": "identity.leg",
        "mono": 18_338_583 + seq,
        "outcome": "ok",
        "prev": before,
        "seq": seq,
        "terminal": terminal_id,
        "time": "2026-11-22T01:44:52.925Z",
        "visit": seq // LINES_A_RANGE,
    }
    return lines.encode(record)
