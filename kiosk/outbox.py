"""What must reach the platform, now or when the line is back: put on the disk, then sent.

The queue (`offline_queue`) knows nothing of what it holds; here its messages get their kinds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from kiosk.clock import Clock
from kiosk.intents import new_key
from kiosk.platform.models import AlarmKind
from offline_queue.errors import KeyConflict
from offline_queue.message import Priority
from offline_queue.queue import Queue
from offline_queue.room import Admission


class MessageKind(Enum):
    """Kinds of messages; the values stand in the queue and, but for alarms, on the wire."""

    ALARM = "alarm"
    AUDIT_RANGE = "audit-range"
    EVALUATION = "evaluation"
    PRINT_OUTCOME = "print-outcome"


class Lane(Enum):
    """By which way a message goes: what fails in one stops no other."""

    ALARMS = "alarms"
    AUDIT = "audit"
    EVENTS = "events"


@dataclass(frozen=True)
class _Handling:
    """How the queue treats a kind of message."""

    lane: Lane
    priority: Priority
    admission: Admission
    expires_after: float | None = None


_DAY = 86_400.0

_HANDLING = {
    MessageKind.ALARM: _Handling(Lane.ALARMS, Priority.URGENT, Admission.CRITICAL),
    # The audit log keeps its room when everything else is refused: it says what was refused.
    MessageKind.AUDIT_RANGE: _Handling(Lane.AUDIT, Priority.BULK, Admission.RESERVED),
    # After a quarter nobody counts it any more (mark I).
    MessageKind.EVALUATION: _Handling(
        Lane.EVENTS, Priority.NORMAL, Admission.ORDINARY, expires_after=90 * _DAY
    ),
    MessageKind.PRINT_OUTCOME: _Handling(Lane.EVENTS, Priority.NORMAL, Admission.CRITICAL),
}

AUDIT_MARK = "audit"
"""Name of the queue's cursor: the last line of the audit log that was put into it."""


class Outbox:
    """Puts messages into the queue. Thread-safe; on the disk when a method returns.

    All methods raise `QueueUnavailable` and `QueueFull` of `offline_queue.errors`.

    Attributes:
        changed: told that there is something new to send, in any thread.
    """

    def __init__(
        self,
        queue: Queue,
        terminal_id: str,
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        self._queue = queue
        self._terminal_id = terminal_id
        self._clock = clock
        self._random = random
        self.changed: Callable[[], None] = lambda: None

    def put_alarm(self, kind: AlarmKind, event: str, subject: str = "") -> None:
        """报警: something that staff must see to."""
        self._put(
            MessageKind.ALARM,
            {"kind": kind.value, "event": event, "subject": subject},
            self._new_key(),
        )

    def put_evaluation(self, item: str, grade: int) -> None:
        """好差评 of one handling, 1..5; it says nothing of who gave it."""
        key = self._new_key()
        self._put(MessageKind.EVALUATION, {"item": item, "grade": grade, "visit": key}, key)

    def put_print_outcome(self, serial: str, code: str, outcome: str, reason: str) -> None:
        """How a print ended; what was reported first for a serial stands."""
        body = {"serial": serial, "code": code, "outcome": outcome, "reason": reason}
        try:
            self._put(MessageKind.PRINT_OUTCOME, body, f"{serial}-outcome")
        except KeyConflict:
            return

    def put_audit_range(self, first: int, last: int, lines: list[str]) -> None:
        """Lines ``first..last`` of the audit log; moves the cursor `AUDIT_MARK` with them."""
        self._put(
            MessageKind.AUDIT_RANGE,
            {"first": first, "last": last, "lines": lines},
            f"{self._terminal_id}-audit-{first}-{last}",
            order="audit",
            mark=(AUDIT_MARK, last),
        )

    @property
    def audit_mark(self) -> int:
        """The last line of the audit log that is in the queue or was sent."""
        return self._queue.mark(AUDIT_MARK) or 0

    def _new_key(self) -> str:
        return new_key(self._terminal_id, self._clock, self._random)

    def _put(
        self,
        kind: MessageKind,
        body: Mapping[str, object],
        key: str,
        *,
        order: str = "",
        mark: tuple[str, int] | None = None,
    ) -> None:
        message = {"occurred_at": int(self._clock.time()), "body": body}
        encoded = json.dumps(message, ensure_ascii=False, sort_keys=True).encode()
        handling = _HANDLING[kind]
        self._queue.enqueue(
            kind.value,
            encoded,
            key=key,
            lane=handling.lane.value,
            order=order,
            priority=handling.priority,
            admission=handling.admission,
            expires_after=handling.expires_after,
            mark=mark,
        )
        self.changed()
