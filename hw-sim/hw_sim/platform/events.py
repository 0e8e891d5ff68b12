"""Events of terminals: evaluations (好差评), ranges of the audit log, outcomes of prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, assert_never

from sqlalchemy import select
from sqlalchemy.orm import Session

from hw_sim.platform import audit_ranges
from hw_sim.platform.databases import insert_new
from hw_sim.platform.idempotency import Exchange
from hw_sim.platform.model import AuditLine, Evaluation, Event
from hw_sim.platform.operations import answer
from hw_sim.platform.problems import Answer, Problem, ProblemKind
from hw_sim.platform.wire_events import (
    AuditRange,
    AuditRangeEvent,
    EvaluationEvent,
    EventAnswer,
    EventKind,
    EventRequest,
    PrintOutcomeEvent,
)


def event(request: EventRequest, exchange: Exchange) -> Callable[[Session], Answer]:
    """Record an event and number it.

    Raises of the effect:
        Problem: ``forbidden`` (a visit evaluated before; a range that doesn't fit), or ``invalid``
            (a range under another key than its own).
    """

    def effect(session: Session) -> Answer:
        # The lines of a range have a table of their own.
        body = request.body.model_dump_json(exclude={"lines"})
        row = Event(exchange.terminal_id, request.kind, request.occurred_at, exchange.now, body)
        # The write comes first: it takes the database's lock before anything is decided.
        session.add(row)
        session.flush()
        match request:
            case EvaluationEvent():
                _evaluate_once(session, exchange, request.body.visit, row.id)
            case AuditRangeEvent():
                _keep_range(session, exchange, request.body)
            case PrintOutcomeEvent():
                pass
            case _:
                assert_never(request)
        return answer(EventAnswer(event_no=f"E-{row.id}"), 201)

    return effect


def _evaluate_once(session: Session, exchange: Exchange, visit: str, event_id: int) -> None:
    row = {"terminal_id": exchange.terminal_id, "visit": visit, "event_id": event_id}
    if not insert_new(session, Evaluation, **row):
        raise Problem(ProblemKind.FORBIDDEN, "this visit was evaluated before")


def _keep_range(session: Session, exchange: Exchange, body: AuditRange) -> None:
    if exchange.key != audit_ranges.range_key(exchange.terminal_id, body.first, body.last):
        raise Problem(ProblemKind.INVALID, "the key of a range is <terminal>-audit-<first>-<last>")
    if body.last - body.first + 1 != len(body.lines):
        raise Problem(ProblemKind.FORBIDDEN, "gap: not as many lines as numbers")
    audit_ranges.accept(session, exchange.terminal_id, body.first, body.lines)


def recorded_events(session: Session, kind: EventKind | None = None) -> list[dict[str, Any]]:
    """Events in order of arrival, as on the wire, with ``event_no`` and ``terminal_id``."""
    wanted = select(Event).order_by(Event.id)
    if kind is not None:
        wanted = wanted.where(Event.kind == kind)
    return [
        {
            "event_no": f"E-{row.id}",
            "terminal_id": row.terminal_id,
            "kind": row.kind,
            "occurred_at": row.occurred_at,
            "body": _body(session, row),
        }
        for row in session.scalars(wanted)
    ]


def _body(session: Session, row: Event) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(row.body)
    if row.kind == "audit-range":
        lines = (
            select(AuditLine.line)
            .where(
                AuditLine.terminal_id == row.terminal_id,
                AuditLine.seq.between(body["first"], body["last"]),
            )
            .order_by(AuditLine.seq)
        )
        body["lines"] = list(session.scalars(lines))
    return body
