"""The platform's gate: every request passes it before the application sees it.

Reads the body within its limit, verifies the signature, clock and nonce, lets the application
answer, signs the answer, and applies the scripted faults at the wire.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio
from anyio import to_thread
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hw_sim.platform.connections import Connections
from hw_sim.platform.databases import claimed
from hw_sim.platform.faults import FaultPlan, Faults
from hw_sim.platform.idempotency import Exchange, fingerprint
from hw_sim.platform.intake import Intake
from hw_sim.platform.model import Nonce, Terminal
from hw_sim.platform.problems import Answer, Problem, ProblemKind, problem_for_status
from hw_sim.platform.signatures import (
    HeaderLines,
    SignedRequest,
    content_digest,
    idempotency_key,
    sign_response,
    verify_request,
)
from hw_sim.platform.store import Store

LOG = logging.getLogger(__name__)
SCOPE_KEY = "yikatong.exchange"
ENROLMENTS = "/v1/enrolments"
VERIFICATION_PAGE = "/v"
OPEN_PATHS = frozenset({"/openapi.json", VERIFICATION_PAGE})
"""Served without any of the contract's headers: the contract itself, and the page for phones."""


@dataclass(frozen=True)
class GateSettings:
    """What the gate holds requests to.

    Attributes:
        clock: the platform's clock, Unix seconds.
        window_s: how far ``created`` may be off, and how long a nonce is remembered.
        body_limit: bytes.
        public_origin: ``https://host`` as terminals see it, where a proxy stands in front; by
            default what the request's Host header says.
    """

    clock: Callable[[], float]
    window_s: int = 300
    body_limit: int = 131_072
    public_origin: str | None = None


class Gate:
    """ASGI middleware."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        store: Store,
        settings: GateSettings,
        intake: Intake,
        faults: FaultPlan,
        connections: Connections,
    ) -> None:
        self._app = app
        self._store = store
        self._settings = settings
        self._intake = intake
        self._faults = faults
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        faults = self._faults.next(scope["path"])
        if faults.delay_ms:
            await anyio.sleep(faults.delay_ms / 1000)
        if faults.drop:
            await self._hang_up(scope, receive)
            return
        headers = HeaderLines(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        )
        answer = await self._answer(scope, receive, headers, faults)
        if faults.drop_after_commit:
            await self._hang_up(scope, receive)
            return
        fields = await to_thread.run_sync(self._fields, headers, answer, faults)
        await _send(send, answer, fields, half=faults.half)
        if faults.half:
            await self._hang_up(scope, receive)

    async def _answer(
        self, scope: Scope, receive: Receive, headers: HeaderLines, faults: Faults
    ) -> Answer:
        now = int(self._settings.clock()) + faults.clock_shift_s
        try:
            with self._intake.under_way():
                body = await _read(receive, self._settings.body_limit)
                exchange = await to_thread.run_sync(self._admit, scope, headers, body, now)
                self._intake.count(exchange.terminal_id)
                if faults.status is not None:
                    raise problem_for_status(faults.status, "scripted")
                return await _call(self._app, {**scope, SCOPE_KEY: exchange}, body)
        except Problem as problem:
            return problem.answer()
        except OperationalError as error:
            # Locked for too long, or the line to it is broken: the same request is good later.
            LOG.error("%s of the database", type(error.orig).__name__)
            return problem_for_status(503, "the database does not answer").answer()
        except Exception as error:
            # Without the exception's own text, which may hold what the resident sent.
            where = "".join(traceback.format_tb(error.__traceback__))
            LOG.error("%s in the platform\n%s", type(error).__name__, where)
            return Problem(ProblemKind.INTERNAL, "see the platform's log").answer()

    def _admit(self, scope: Scope, headers: HeaderLines, body: bytes, now: int) -> Exchange:
        key, _echo = idempotency_key(headers)
        method, path = scope["method"], scope["path"]
        terminal_id = ""
        if path != ENROLMENTS:
            terminal_id = self._authenticate(scope, headers, body, now)
        return Exchange(
            terminal_id=terminal_id,
            key=key,
            operation=f"{method} {path}",
            fingerprint=fingerprint(method, path, body),
            now=now,
        )

    def _authenticate(self, scope: Scope, headers: HeaderLines, body: bytes, now: int) -> str:
        request = SignedRequest(scope["method"], self._target_uri(scope, headers), headers, body)
        verified = verify_request(request, self._public_key)
        if abs(verified.created - now) > self._settings.window_s:
            raise Problem(ProblemKind.CLOCK, "set the terminal's clock", server_time=now)
        keep_until = verified.created + self._settings.window_s
        with self._store.sessions() as session:
            if claimed(session, "old nonces"):
                session.execute(delete(Nonce).where(Nonce.keep_until < now))
            session.add(Nonce(verified.terminal_id, verified.nonce, keep_until))
            try:
                session.commit()
            except IntegrityError as error:
                raise Problem(ProblemKind.REPLAYED, "sign again with a new nonce") from error
        return verified.terminal_id

    def _public_key(self, terminal_id: str) -> bytes | None:
        with self._store.sessions() as session:
            terminal = session.get(Terminal, terminal_id)
        return None if terminal is None else bytes.fromhex(terminal.public_key)

    def _target_uri(self, scope: Scope, headers: HeaderLines) -> str:
        origin = self._settings.public_origin
        if origin is None:
            origin = f"{scope['scheme']}://{''.join(headers.all('host')[:1])}"
        path: bytes = scope["raw_path"]
        query: bytes = scope["query_string"]
        target = path + (b"?" + query if query else b"")
        return origin + target.decode("latin-1")

    def _fields(self, headers: HeaderLines, answer: Answer, faults: Faults) -> Mapping[str, str]:
        """The answer's header fields; signed where the request was signed."""
        fields = {
            "content-type": answer.media_type,
            "content-length": str(len(answer.body)),
            "content-digest": content_digest(answer.body),
            "cache-control": "no-store",
            **answer.headers,
        }
        try:
            _key, echo = idempotency_key(headers)
        except Problem:
            return fields
        fields["idempotency-key"] = echo
        if headers.all("signature-input"):
            sign_response(
                answer.status,
                fields,
                pair=self._store.key,
                created=int(self._settings.clock()) + faults.clock_shift_s,
                nonce=secrets.token_urlsafe(18),
            )
            if faults.bad_signature:
                label, _, value = fields["Signature"].partition(":")
                spoilt = ("B" if value[0] == "A" else "A") + value[1:]
                fields["Signature"] = f"{label}:{spoilt}"
        return fields

    async def _hang_up(self, scope: Scope, receive: Receive) -> None:
        self._connections.close(scope["client"])
        # Until the server knows that the line is gone it would answer 500 by itself.
        while (await receive())["type"] != "http.disconnect":
            pass


async def _read(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(ProblemKind.MALFORMED, "the request broke off")
        body += message.get("body", b"")
        if len(body) > limit:
            raise Problem(ProblemKind.TOO_LARGE, f"the body is over {limit} bytes")
        if not message.get("more_body", False):
            return bytes(body)


async def _call(app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """The application's whole answer."""
    sent: list[Message] = []
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            return {"type": "http.disconnect"}
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent[0]["headers"]}
    media_type = fields.pop("content-type", "application/json")
    fields.pop("content-length", None)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(sent[0]["status"], content, media_type, fields)


async def _send(send: Send, answer: Answer, fields: Mapping[str, str], *, half: bool) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in fields.items()
            ],
        }
    )
    body = answer.body[: len(answer.body) // 2] if half else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": half})
