"""Puts the audit log's lines into the queue, range by range, from where it last was.

The cursor moves in the same transaction that makes a range durable, so a line is sent once
whatever happens in between (DESIGN §4.6).
"""

from __future__ import annotations

from pathlib import Path

from kiosk.audit import lines
from kiosk.outbox import Outbox

MOST_LINES = 200
"""Lines of one range (docs/platform.md, Events)."""
MOST_BYTES = 64 * 1024


class AuditShipper:
    """Follows one log; belongs to one thread.

    Args:
        log: the file that `kiosk.audit.log.AuditLog` writes.
    """

    def __init__(self, log: Path, outbox: Outbox) -> None:
        self._log = log
        self._outbox = outbox
        self._offset = 0

    def ship(self) -> int:
        """Queue every whole line that is not queued yet; returns how many.

        Raises:
            OSError: the log can't be read.
            kiosk.audit.lines.MalformedLine: it holds something else; nothing behind that is sent.
            offline_queue.errors.QueueUnavailable, QueueFull: see there; what was queued stays.
        """
        mark = self._outbox.audit_mark
        shipped = 0
        batch: list[str] = []
        size = 0
        with self._log.open("rb") as log:
            log.seek(self._offset)
            try:
                for raw in log:
                    if not raw.endswith(b"\n"):
                        break
                    if lines.decode(raw[:-1]).seq <= mark:
                        self._offset += len(raw)
                        continue
                    if len(batch) == MOST_LINES or (batch and size + len(raw) > MOST_BYTES):
                        self._put(mark + shipped + 1, batch, size)
                        shipped, batch, size = shipped + len(batch), [], 0
                    batch.append(raw[:-1].decode("ascii"))
                    size += len(raw)
            finally:
                if batch:
                    self._put(mark + shipped + 1, batch, size)
        return shipped + len(batch)

    def _put(self, first: int, batch: list[str], size: int) -> None:
        self._outbox.put_audit_range(first, first + len(batch) - 1, batch)
        self._offset += size
