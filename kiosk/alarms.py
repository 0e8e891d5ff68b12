"""Alarms to the platform's staff: written down before they are sent, sent until they arrive.

An alarm is a submission: its intent is durable before the first attempt, every attempt carries
the same key, and after a crash or a dropped reply the platform is asked by that key first.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.audit.recorder import Recorder
from kiosk.clock import Clock
from kiosk.intents import Intent, IntentKind, IntentOutcome, Intents, new_key
from kiosk.platform.client import PlatformClient
from kiosk.platform.errors import PlatformError, PlatformRefused
from kiosk.platform.models import AlarmKind, AlarmSeverity

log = logging.getLogger(__name__)

_SEVERITY = {
    AlarmKind.CARD_NOT_GENUINE: AlarmSeverity.SECURITY,
    AlarmKind.TAMPER: AlarmSeverity.SECURITY,
    AlarmKind.DEVICE_FAULT: AlarmSeverity.FAULT,
}


@dataclass(frozen=True)
class Alarm:
    """What an alarm says; nothing of a person but an HMAC tag."""

    kind: AlarmKind
    event: str
    occurred_at: int
    subject: str = ""

    def encode(self) -> bytes:
        fields = {
            "kind": self.kind.value,
            "event": self.event,
            "occurred_at": self.occurred_at,
            "subject": self.subject,
        }
        return json.dumps(fields, sort_keys=True).encode()

    @classmethod
    def decode(cls, payload: bytes) -> Alarm:
        fields = json.loads(payload)
        return cls(
            AlarmKind(fields["kind"]), fields["event"], fields["occurred_at"], fields["subject"]
        )


class Alarms:
    """Raises alarms at once and delivers them when the line is up.

    `raise_alarm` belongs to the runner's thread, `deliver` to the worker of the lane.
    """

    lane = "background"

    def __init__(
        self,
        intents: Intents,
        client: PlatformClient,
        terminal_id: str,
        clock: Clock,
        record: Recorder,
        random: Callable[[int], bytes],
    ) -> None:
        self._intents = intents
        self._client = client
        self._terminal_id = terminal_id
        self._clock = clock
        self._record = record
        self._random = random

    def raise_alarm(self, kind: AlarmKind, event: str, visit: int | None) -> None:
        """Write the alarm down; on the disk when it returns."""
        alarm = Alarm(kind, event, int(self._clock.time()))
        key = new_key(self._terminal_id, self._clock, self._random)
        self._intents.open(IntentKind.SUBMISSION, key, alarm.encode())
        self._record(
            "alarm.raised",
            outcome="ok",
            visit=visit,
            detail={"kind": kind.value, "severity": _SEVERITY[kind].value, "reason": event},
        )

    def deliver(self) -> int:
        """Send what is open, oldest first; returns how many are still open.

        An alarm that may have been sent before is asked for by its key first.
        """
        waiting = self._intents.unsettled()
        for delivered, intent in enumerate(waiting):
            try:
                self._deliver(intent)
            except PlatformRefused as refused:
                self._settle(intent, IntentOutcome.FAILED)
                self._record(
                    "alarm.failed",
                    outcome="fault",
                    detail={"kind": _kind(intent), "reason": refused.problem.value},
                )
            except PlatformError as error:
                log.info("alarms wait: %s", type(error).__name__)
                return len(waiting) - delivered
        return 0

    def _deliver(self, intent: Intent) -> None:
        known = self._client.submission(intent.key)
        if known is None:
            alarm = Alarm.decode(intent.payload)
            receipt = self._client.raise_alarm(
                alarm.kind,
                _SEVERITY[alarm.kind],
                alarm.event,
                alarm.subject,
                alarm.occurred_at,
                key=intent.key,
            )
            number = receipt.alarm_no
        else:
            number = str(known.response.get("alarm_no", ""))
        self._settle(intent, IntentOutcome.DONE)
        self._record(
            "alarm.delivered",
            outcome="ok",
            detail={"kind": _kind(intent), "alarm_no": number},
        )

    def _settle(self, intent: Intent, outcome: IntentOutcome) -> None:
        self._intents.settle(intent.key, outcome)
        self._record(
            "intent.settled",
            outcome="ok",
            detail={"kind": intent.kind.value, "result": outcome.value},
        )


def _kind(intent: Intent) -> str:
    return Alarm.decode(intent.payload).kind.value
