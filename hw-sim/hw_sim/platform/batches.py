"""Batches of events, from a terminal that was offline for days."""

from __future__ import annotations

import json

from hw_sim.platform.idempotency import Exchange, Submissions
from hw_sim.platform.parts import Endpoint, taken_in
from hw_sim.platform.problems import Problem, ProblemKind
from hw_sim.platform.wire_events import BatchAnswer, BatchRequest, BatchResult


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
            answer = taken_in(
                Endpoint.EVENTS,
                item.key,
                item.event.encode(),
                terminal_id=asked.terminal_id,
                now=asked.now,
                submissions=submissions,
            )
            busy = answer.status == ProblemKind.IN_PROGRESS.status
        results.append(
            BatchResult(key=item.key, status=answer.status, response=json.loads(answer.body))
        )
    return BatchAnswer(results=results)
