"""Requests that came together, in a batch or a bundle, each taken in as if it had come alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, TypeVar, assert_never

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from hw_sim.platform.events import event
from hw_sim.platform.idempotency import Exchange, Submissions, fingerprint
from hw_sim.platform.operations import alarm
from hw_sim.platform.problems import Answer, Problem, ProblemKind
from hw_sim.platform.validation import invalid
from hw_sim.platform.wire import AlarmRequest
from hw_sim.platform.wire_events import EventRequest, OneEvent

T = TypeVar("T")

_EVENT: TypeAdapter[EventRequest] = TypeAdapter(OneEvent)
_ALARM = TypeAdapter(AlarmRequest)


class Endpoint(Enum):
    """Where a part would have been posted."""

    EVENTS = "/v1/events"
    ALARMS = "/v1/alarms"


def taken_in(
    endpoint: Endpoint,
    key: str,
    body: bytes,
    *,
    terminal_id: str,
    now: int,
    submissions: Submissions,
) -> Answer:
    """The answer that POST would have had, its effect committed under the part's own key.

    Args:
        body: the same bytes that POST would have carried: by them a part is known again, whichever
            way it came first.
    """
    exchange = Exchange(
        terminal_id=terminal_id,
        key=key,
        operation=f"POST {endpoint.value}",
        fingerprint=fingerprint("POST", endpoint.value, body),
        now=now,
    )
    try:
        return submissions.once(exchange, _effect(endpoint, body, exchange))
    except Problem as problem:
        return problem.answer()


def _effect(endpoint: Endpoint, body: bytes, exchange: Exchange) -> Callable[[Session], Answer]:
    match endpoint:
        case Endpoint.EVENTS:
            return event(_read(_EVENT, body), exchange)
        case Endpoint.ALARMS:
            return alarm(_read(_ALARM, body), exchange)
        case _:
            assert_never(endpoint)


def _read(model: TypeAdapter[T], body: bytes) -> T:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(ProblemKind.MALFORMED, "the body is not JSON") from error
    try:
        return model.validate_python(document)
    except ValidationError as error:
        errors: Sequence[Any] = error.errors(include_url=False, include_input=False)
        raise invalid(errors) from error
