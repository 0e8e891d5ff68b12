"""What endpoints share: who asks them, and how their answers are sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from hw_sim.platform import operations, wire
from hw_sim.platform.gate import SCOPE_KEY
from hw_sim.platform.idempotency import Exchange
from hw_sim.platform.problems import Answer


def _exchange(request: Request) -> Exchange:
    exchange = request.scope[SCOPE_KEY]
    assert isinstance(exchange, Exchange)
    return exchange


Asked = Annotated[Exchange, Depends(_exchange)]


def response(answer: Answer) -> Response:
    """The answer as the framework sends it."""
    return Response(
        answer.body, answer.status, headers=dict(answer.headers), media_type=answer.media_type
    )


def ok(body: wire.Wire) -> Response:
    """200 with this body."""
    return response(operations.answer(body))
