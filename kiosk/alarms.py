"""Alarms (报警) to the platform's staff: written down before they are sent (`kiosk.courier`)."""

from __future__ import annotations

import logging

from kiosk.audit.recorder import Recorder
from kiosk.outbox import Outbox
from kiosk.platform.models import AlarmKind, AlarmSeverity
from offline_queue.damage.losses import size
from offline_queue.errors import QueueError
from offline_queue.queue import Queue

log = logging.getLogger(__name__)

SEVERITY = {
    AlarmKind.CARD_NOT_GENUINE: AlarmSeverity.SECURITY,
    AlarmKind.TAMPER: AlarmSeverity.SECURITY,
    AlarmKind.DEVICE_FAULT: AlarmSeverity.FAULT,
}


class Alarms:
    """Raises alarms; on the disk when `raise_alarm` returns, as far as there is one."""

    def __init__(self, outbox: Outbox, record: Recorder) -> None:
        self._outbox = outbox
        self._record = record

    def raise_alarm(self, kind: AlarmKind, event: str, visit: int | None) -> None:
        """Queue an alarm and leave its audit line.

        A queue that is full or has no disk costs the message, not the service: the audit line
        says so with the outcome ``fault``.

        Args:
            event: what happened, a word such as ``card-not-genuine``; nothing of a person.
        """
        outcome = "ok"
        try:
            self._outbox.put_alarm(kind, event)
        except QueueError:
            log.exception("an alarm can't be queued")
            outcome = "fault"
        self._record(
            "alarm.raised",
            outcome=outcome,
            visit=visit,
            detail={"kind": kind.value, "severity": SEVERITY[kind].value, "reason": event},
        )

    def tell_of_salvage(self, queue: Queue) -> None:
        """Nobody may learn by chance that a damaged queue was made anew (`Queue.salvage`).

        Raises:
            OSError: the disk; it is told again at the next start.
        """
        salvage = queue.salvage
        if salvage is None:
            return
        lost = size(salvage.lost) + size(salvage.unprovable)
        self._record(
            "queue.recovered", outcome="fault", detail={"kept": salvage.rows, "lost": lost}
        )
        self.raise_alarm(AlarmKind.DEVICE_FAULT, "queue-salvaged", None)
        queue.salvage_told()
