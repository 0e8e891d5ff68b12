"""Bodies of ``POST /v1/events`` (*Events* of docs/platform.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hw_sim.platform.wire import ItemCode, UnixSeconds, Wire

Reference = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")]
Sequence = Annotated[int, Field(ge=1, lt=1 << 40)]
EventKind = Literal["evaluation", "audit-range", "print-outcome"]


class Evaluation(Wire):
    item: ItemCode
    grade: Annotated[int, Field(ge=1, le=5)]
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


class EventAnswer(Wire):
    event_no: Annotated[str, Field(pattern=r"^E-[0-9]+$")]
