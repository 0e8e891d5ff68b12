"""Batches of events, from a terminal that was offline for days or from its USB export."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hw_sim.platform.events import event
from hw_sim.platform.idempotency import Exchange, Submissions, fingerprint
from hw_sim.platform.problems import Answer, Problem, ProblemKind
from hw_sim.platform.validation import invalid
from hw_sim.platform.wire_events import (
    BatchAnswer,
    BatchedEvent,
    BatchRequest,
    BatchResult,
    EventRequest,
    OneEvent,
)

EVENTS = "/v1/events"
_EVENT: TypeAdapter[EventRequest] = TypeAdapter(OneEvent)


def batch(request: BatchRequest, asked: Exchange, submissions: Submissions) -> BatchAnswer:
    """Take each event in, in order, as if it had come by itself.

    Every event is committed by itself under its own key, so that it has its effect once whether it
    comes singly, in a batch or in both, and a batch that broke off is simply sent again. Nothing is
    kept under the batch's own key.

    A problem of one event is its result, and the next one is taken in. Only behind an event that is
    being worked on elsewhere the batch ends: what follows could depend on it, as a range of the
    audit log does on the range before.
    """
    results: list[BatchResult] = []
    busy = False
    for item in request.events:
        if busy:
            answer = Problem(
                ProblemKind.IN_PROGRESS, "an event before it in the batch is being worked on"
            ).answer()
        else:
            answer = _taken_in(item, asked, submissions)
            busy = answer.status == ProblemKind.IN_PROGRESS.status
        results.append(
            BatchResult(key=item.key, status=answer.status, response=json.loads(answer.body))
        )
    return BatchAnswer(results=results)


def _taken_in(item: BatchedEvent, asked: Exchange, submissions: Submissions) -> Answer:
    body = item.event.encode()
    exchange = Exchange(
        terminal_id=asked.terminal_id,
        key=item.key,
        operation=f"POST {EVENTS}",
        fingerprint=fingerprint("POST", EVENTS, body),
        now=asked.now,
    )
    try:
        return submissions.once(exchange, event(_read(body), exchange))
    except Problem as problem:
        return problem.answer()


def _read(body: bytes) -> EventRequest:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(ProblemKind.MALFORMED, "the body is not JSON") from error
    try:
        return _EVENT.validate_python(document)
    except ValidationError as error:
        errors: Sequence[Any] = error.errors(include_url=False, include_input=False)
        raise invalid(errors) from error
