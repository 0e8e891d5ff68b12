"""Carries the queue to the platform: one thread that sends what is due and sleeps otherwise."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from typing import Any, assert_never

from kiosk.alarms import SEVERITY
from kiosk.audit.recorder import Recorder
from kiosk.audit.shipper import AuditShipper
from kiosk.events import QueueSeen
from kiosk.limits import Limits
from kiosk.outbox import MessageKind
from kiosk.platform.client import PlatformClient
from kiosk.platform.errors import FailureKind, PlatformError, PlatformRefused
from kiosk.platform.models import AlarmKind
from offline_queue.errors import LeaseLost, QueueError
from offline_queue.message import Claim
from offline_queue.queue import Queue

log = logging.getLogger(__name__)

_LEAST_PAUSE = 0.05
_CODE = re.compile(r"[A-Za-z0-9._-]{1,12}")
"""A code of business; anything longer could be somebody's number."""


class Courier:
    """Sends the queue's messages, each until the platform has confirmed it.

    Every attempt carries the message's own Idempotency-Key, so the platform gives the first answer
    again to what it already has. What may have arrived is asked for by its key before it is sent
    again: a dropped reply costs an exchange and doubles nothing.

    Args:
        errand: what else is to be asked of the platform at the start and when the line is back;
            it raises `PlatformError` when that is to be tried again.
        post: told how the queue stands, whenever that changed.
    """

    def __init__(
        self,
        queue: Queue,
        client: PlatformClient,
        shipper: AuditShipper,
        *,
        record: Recorder,
        limits: Limits,
        errand: Callable[[], object],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._client = client
        self._shipper = shipper
        self._record = record
        self._limits = limits
        self._monotonic = monotonic
        self._owner = f"courier-{os.getpid()}"
        self._wake = threading.Event()
        self._hurried = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._ship_at = 0.0
        self._told: QueueSeen | None = None
        self._errand = errand
        self._errand_open = True
        self.post: Callable[[QueueSeen], None] = lambda _news: None

    def start(self) -> None:
        """Send from now on, in the background."""
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Send no more; a request under way is left to end by itself."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def wake(self) -> None:
        """There is something new; from any thread."""
        self._wake.set()

    def hurry(self) -> None:
        """The line is back: what waits for its next try waits no longer; from any thread."""
        self._hurried.set()
        self._wake.set()

    def run_once(self) -> float:
        """Queue new audit lines when it is time, send what is due; returns seconds to sleep."""
        if self._hurried.is_set():
            self._hurried.clear()
            self._queue.hurry()
            self._errand_open = True
        now = self._monotonic()
        if now >= self._ship_at:
            self._ship_at = now + self._limits.ship_seconds
            self._shipper.ship()
            self._queue.purge()
        if self._errand_open:
            self._run_errand()
        while not self._stopping:
            claim = self._queue.claim(self._owner)
            if claim is None:
                break
            going_on = self._deliver(claim)
            if self._client.clock_offset is not None:
                self._queue.learn_time(self._client.clock_offset)
            if not going_on:
                break
        self._tell()
        due = self._queue.next_due()
        rest = max(0.0, self._ship_at - self._monotonic())
        return rest if due is None else min(rest, due)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                pause = self.run_once()
            except (QueueError, OSError, ValueError):
                # A full disk or a damaged row: said once a pause, tried again after it.
                log.exception("the queue can't be carried")
                pause = self._limits.ship_seconds
            self._wake.wait(max(pause, _LEAST_PAUSE))

    def _run_errand(self) -> None:
        try:
            self._errand()
        except PlatformError as error:
            log.info("open submissions wait: %s", type(error).__name__)
        else:
            self._errand_open = False

    def _deliver(self, claim: Claim) -> bool:
        """Send one message; returns whether the next may follow at once."""
        try:
            receipt = self._receipt_before(claim) if claim.unsure else None
            if receipt is None:
                receipt = self._send(claim)
        except PlatformError as error:
            return self._failed(claim, error)
        try:
            self._queue.confirm(claim, receipt)
        except LeaseLost:
            # It took longer than the lease; who has it now gets the same answer.
            log.warning("a lease ran out while its message was sent")
            return True
        if claim.kind == MessageKind.ALARM.value:
            detail: dict[str, str | int] = {"kind": _alarm(claim)["kind"], "alarm_no": receipt}
            self._record("alarm.delivered", outcome="ok", detail=detail)
        return True

    def _failed(self, claim: Claim, error: PlatformError) -> bool:
        """Decide what becomes of a message that was not taken; as `_deliver`."""
        if isinstance(error, PlatformRefused) and error.final:
            self._bury(claim, error)
            return True
        match error.kind:
            case FailureKind.REFUSED:
                # Every other message would fare the same: this one has not failed.
                self._queue.release(claim)
                self._queue.pause(claim.lane, error.reason, self._limits.refused_seconds)
            case FailureKind.OVERLOADED:
                self._queue.retry(claim, error.reason, after=error.retry_after, lane_failed=True)
            case FailureKind.UNREACHABLE | FailureKind.INCOMPATIBLE:
                self._queue.retry(
                    claim, error.reason, after=error.retry_after, unsure=True, lane_failed=True
                )
            case FailureKind.REJECTED:
                self._bury(claim, error)
                return True
            case _:
                assert_never(error.kind)
        return False

    def _bury(self, claim: Claim, error: PlatformError) -> None:
        """For staff the province's own code stands behind our word, where it has one."""
        code = error.code if isinstance(error, PlatformRefused) else ""
        reason = f"{error.reason}:{code}" if _CODE.fullmatch(code) else error.reason
        self._queue.bury(claim, reason)
        detail: dict[str, str | int] = {"kind": claim.kind, "reason": error.reason}
        self._record("message.refused", outcome="fault", detail=detail)

    def _receipt_before(self, claim: Claim) -> str | None:
        """The receipt of an earlier delivery of which nobody heard; None when there was none.

        Raises:
            PlatformError: as sending it would have.
        """
        earlier = self._client.submission(claim.key)
        # What was refused before is refused again in the same words when it is sent.
        if earlier is None or earlier.status >= 300:
            return None
        alarm = claim.kind == MessageKind.ALARM.value
        receipt = earlier.response.get("alarm_no" if alarm else "event_no")
        return receipt if isinstance(receipt, str) and receipt else None

    def _send(self, claim: Claim) -> str:
        message = json.loads(claim.body)
        if claim.kind == MessageKind.ALARM.value:
            alarm, kind = message["body"], AlarmKind(message["body"]["kind"])
            return self._client.raise_alarm(
                kind,
                SEVERITY[kind],
                alarm["event"],
                alarm["subject"],
                message["occurred_at"],
                key=claim.key,
            ).alarm_no
        return self._client.send_event(
            claim.kind, message["occurred_at"], message["body"], key=claim.key
        )

    def _tell(self) -> None:
        seen = QueueSeen(self._queue.metrics().open, self._queue.room().level)
        if seen != self._told:
            self._told = seen
            self.post(seen)


def _alarm(claim: Claim) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(claim.body)["body"]
    return body
