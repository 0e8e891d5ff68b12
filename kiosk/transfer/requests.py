"""A message of the queue as the request that would carry it on the line, to the byte.

The platform knows a request again by its bytes under its key: a message that goes both ways has
one effect only if both ways carry the same.
"""

from __future__ import annotations

import json
from enum import IntEnum
from typing import NamedTuple

from apdu.crypto import sm3
from kiosk.alarms import SEVERITY
from kiosk.outbox import MessageKind
from kiosk.platform import questions, wire
from kiosk.platform.limits import REQUEST_BYTES
from kiosk.platform.models import AlarmKind


class Endpoint(IntEnum):
    """Where a request would go; the numbers stand in bundles."""

    EVENTS = 1
    """POST /v1/events."""
    ALARMS = 2
    """POST /v1/alarms."""


class Request(NamedTuple):
    """One request; ``body`` is JSON as docs/platform.md says."""

    endpoint: Endpoint
    body: bytes

    @property
    def digest(self) -> bytes:
        """SM3 of the body, 32 bytes."""
        return sm3.digest(self.body)


def request_of(kind: str, stored: bytes) -> Request | None:
    """The request for a message of `kiosk.outbox`; None when it is none that this program makes.

    Args:
        stored: the message's body as it stands in the queue.
    """
    try:
        message = json.loads(stored)
        at, body = message["occurred_at"], message["body"]
        if kind == MessageKind.ALARM.value:
            endpoint, alarm = Endpoint.ALARMS, AlarmKind(body["kind"])
            document = questions.for_alarm(
                alarm, SEVERITY[alarm], body["event"], body["subject"], at
            )
        else:
            endpoint, document = Endpoint.EVENTS, questions.for_event(kind, at, body)
        encoded = wire.encode(document)
    except (ValueError, KeyError, TypeError):
        return None
    return Request(endpoint, encoded) if len(encoded) <= REQUEST_BYTES else None
