"""Bodies of ``POST /v1/events`` and ``/v1/event-batches`` (*Events* of docs/platform.md)."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from hw_sim.platform.wire import (
    WHOLE,
    IdempotencyKey,
    ItemCode,
    ProblemDocument,
    UnixSeconds,
    Wire,
)

Reference = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")]
Sequence = Annotated[int, Field(ge=1, lt=1 << 40), WHOLE]
EventKind = Literal["evaluation", "audit-range", "print-outcome"]


class Evaluation(Wire):
    item: ItemCode
    grade: Annotated[int, Field(ge=1, le=5), WHOLE]
    visit: Reference


class EvaluationEvent(Wire):
    kind: Literal["evaluation"]
    occurred_at: UnixSeconds
    body: Evaluation


class AuditRange(Wire):
    first: Sequence
    last: Sequence
    lines: Annotated[
        list[Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,4096}$")]],
        Field(min_length=1, max_length=200),
    ]


class AuditRangeEvent(Wire):
    kind: Literal["audit-range"]
    occurred_at: UnixSeconds
    body: AuditRange


class PrintOutcome(Wire):
    code: Annotated[str, Field(pattern=r"^[2-9A-HJ-NP-Z]{16}$")]
    serial: Reference
    outcome: Literal["done", "failed", "unknown"]
    reason: Annotated[str, Field(pattern=r"^[0-9a-z._-]{0,64}$")]


class PrintOutcomeEvent(Wire):
    kind: Literal["print-outcome"]
    occurred_at: UnixSeconds
    body: PrintOutcome


EventRequest = EvaluationEvent | AuditRangeEvent | PrintOutcomeEvent
OneEvent = Annotated[EventRequest, Field(discriminator="kind")]


class EventAnswer(Wire):
    event_no: Annotated[str, Field(pattern=r"^E-[0-9]{1,19}$")]


# An annotation: what doesn't follow it is refused by itself, and not with its whole batch.
_BODY_OF_AN_EVENT = {
    "contentMediaType": "application/json",
    "contentSchema": {
        "oneOf": [
            {"$ref": f"#/components/schemas/{model.__name__}"} for model in get_args(EventRequest)
        ]
    },
}


class BatchedEvent(Wire):
    """``event`` is what would be the body of ``POST /v1/events``: the same bytes, so that the
    platform knows an event again whichever way it came first."""

    key: IdempotencyKey
    event: Annotated[
        str, Field(min_length=2, max_length=131_072, json_schema_extra=_BODY_OF_AN_EVENT)
    ]


class BatchRequest(Wire):
    events: Annotated[list[BatchedEvent], Field(min_length=1, max_length=100)]


class BatchResult(Wire):
    """What ``POST /v1/events`` would have answered under this key."""

    key: IdempotencyKey
    status: Annotated[int, Field(ge=200, le=599)]
    response: EventAnswer | ProblemDocument


class BatchAnswer(Wire):
    results: Annotated[
        list[BatchResult], Field(min_length=1, max_length=100, description="in the order asked")
    ]
