"""How endpoints are declared: the contract's headers and refusals, and who asks them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Response

from hw_sim.platform import operations, wire
from hw_sim.platform.gate import SCOPE_KEY
from hw_sim.platform.idempotency import Exchange
from hw_sim.platform.problems import DOCUMENT_SCHEMA, MEDIA_TYPE, Answer


def _exchange(request: Request) -> Exchange:
    exchange = request.scope[SCOPE_KEY]
    assert isinstance(exchange, Exchange)
    return exchange


Asked = Annotated[Exchange, Depends(_exchange)]

_HEADERS = [
    {"name": name, "in": "header", "required": required, "schema": {"type": "string"}}
    for name, required in (
        ("Idempotency-Key", True),
        ("Content-Digest", True),
        ("Signature-Input", True),
        ("Signature", True),
    )
]
SIGNED: dict[str, Any] = {"parameters": _HEADERS}
SUBMISSION: dict[str, Any] = {
    "parameters": [
        {
            "name": "idempotency_key",
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
        },
        *_HEADERS,
    ]
}
UNSIGNED: dict[str, Any] = {"parameters": _HEADERS[:1]}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an endpoint answers with, besides those of every one."""
    return {
        status: {"description": "problem", "content": {MEDIA_TYPE: {"schema": DOCUMENT_SCHEMA}}}
        for status in sorted({400, 429, 500, 503, *statuses})
    }


def response(answer: Answer) -> Response:
    """The answer as the framework sends it."""
    return Response(
        answer.body, answer.status, headers=dict(answer.headers), media_type=answer.media_type
    )


def ok(body: wire.Wire) -> Response:
    """200 with this body."""
    return response(operations.answer(body))
