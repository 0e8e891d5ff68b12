"""A platform for tests: http.server, its own signature base, and gmalg instead of our SM2.

Built from docs/platform.md alone; nothing of kiosk/ or of http-message-signatures is used, so
that a mistake of ours cannot hide on both sides.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import gmalg

USER_ID = b"1234567812345678"
TERMINAL = "T429900-0003"


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    """Content-Length where it differs from the body."""
    before: Callable[[], object] = lambda: None
    drop: bool = False


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    problem: str
    """Why the request's signature does not hold; empty when it does."""
    parameters: dict[str, str]

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"].strip('"')


Change = Callable[[Reply], Reply]


def problem(name: str, status: int, **extra: object) -> tuple[int, dict[str, object]]:
    document = {
        "type": f"urn:yikatong:problem:{name}",
        "title": name,
        "status": status,
        "detail": "",
    }
    return status, {**document, **extra}


def digest_of(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


Answer = tuple[int, dict[str, Any]]


class PlatformDouble:
    """Answers what `answers` holds for ``METHOD path``; `changes` are applied one a request.

    Of a list of answers each question takes the next. A POST that comes again with its key gets
    its first answer again, or `conflicting-reuse` when its body is another.

    Args:
        tls: speak HTTPS as this says.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.private, self.public = b"", b""
        # gmalg leaves leading zero bytes away.
        while len(self.public) != 65:
            self.private, self.public = gmalg.SM2().generate_keypair()
        self.terminal_public: bytes | None = None
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.stored: dict[str, tuple[bytes, Answer]] = {}
        self.changes: list[Change] = []
        self.seen: list[Seen] = []
        self.clock: Callable[[], float] = time.time
        self.nonce: Callable[[], str] = lambda: secrets.token_hex(16)
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def _answer(self) -> None:
                reply = double.reply(self)
                reply.before()
                if reply.drop:
                    self.close_connection = True
                    return
                try:
                    self.send_response_only(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    length = len(reply.body) if reply.announced is None else reply.announced
                    self.send_header("Content-Length", str(length))
                    self.end_headers()
                    self.wfile.write(reply.body)
                except OSError:
                    self.close_connection = True
                if reply.announced is not None:
                    self.close_connection = True

            def log_message(self, *_args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_args: object) -> None:
                """The client hangs up on what is too long; nothing to say about it."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def public_xy(self) -> bytes:
        return self.public[1:]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reply(self, handler: BaseHTTPRequestHandler) -> Reply:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        problem_found, parameters = self._check(handler, headers, body)
        self.seen.append(
            Seen(handler.command, handler.path, headers, body, problem_found, parameters)
        )
        status, document = self._answer(f"{handler.command} {handler.path}", headers, body)
        reply = Reply(
            status,
            json.dumps(document, ensure_ascii=False).encode(),
            {"Content-Type": "application/json" if status < 400 else "application/problem+json"},
        )
        if "signature" in headers:
            reply = self.signed(reply, headers["idempotency-key"])
        return self.changes.pop(0)(reply) if self.changes else reply

    def _answer(self, question: str, headers: dict[str, str], body: bytes) -> Answer:
        key = headers.get("idempotency-key", "")
        if question.startswith("POST") and key in self.stored:
            first_body, answer = self.stored[key]
            return answer if first_body == body else problem("conflicting-reuse", 422)
        held = self.answers.get(question, problem("not-found", 404))
        answer = held.pop(0) if isinstance(held, list) else held
        if answer[0] < 300 or answer[0] in (403, 404):
            self.stored[key] = (body, answer)
        return answer

    def signed(
        self,
        reply: Reply,
        echo: str,
        *,
        label: str = "sig1",
        components: tuple[str, ...] = ("@status", "content-digest", "idempotency-key"),
        key_id: str = "platform",
        private: bytes | None = None,
        created: int | None = None,
    ) -> Reply:
        headers = {
            **reply.headers,
            "Content-Digest": digest_of(reply.body),
            "Idempotency-Key": echo,
        }
        values = {"@status": str(reply.status)}
        values.update({name.lower(): value for name, value in headers.items()})
        when = int(self.clock()) if created is None else created
        listed = " ".join(f'"{name}"' for name in components)
        parameters = f'({listed});created={when};nonce="{self.nonce()}";keyid="{key_id}"'
        lines = [f'"{name}": {values[name]}' for name in components]
        base = "\n".join([*lines, f'"@signature-params": {parameters}']).encode()
        key = self.private if private is None else private
        signer = gmalg.SM2(sk=key, uid=USER_ID, pk=gmalg.SM2().generate_pk(key))
        # gmalg leaves leading zero bytes away.
        raw = b"".join(part.rjust(32, b"\0") for part in signer.sign(base))
        headers["Signature-Input"] = f"{label}={parameters}"
        headers["Signature"] = f"{label}=:{base64.b64encode(raw).decode()}:"
        return replace(reply, headers=headers)

    def _check(
        self, handler: BaseHTTPRequestHandler, headers: dict[str, str], body: bytes
    ) -> tuple[str, dict[str, str]]:
        if "signature" not in headers:
            return "unsigned", {}
        if headers.get("content-digest") != digest_of(body):
            return "digest", {}
        found = re.fullmatch(r"sig1=(\(([^)]*)\)(.*))", headers["signature-input"])
        signature = re.fullmatch(r"sig1=:([A-Za-z0-9+/=]+):", headers["signature"])
        if not found or not signature:
            return "form", {}
        components = found[2].split()
        expected = ['"@method"', '"@target-uri"', '"content-digest"', '"idempotency-key"']
        if components != expected:
            return "coverage", {}
        parameters = {
            name: value.strip('"')
            for name, value in re.findall(r';([a-z]+)=("[^"]*"|\d+)', found[3])
        }
        values = {
            "@method": handler.command,
            "@target-uri": self.url + handler.path,
            **headers,
        }
        lines = [f"{name}: {values[name.strip(chr(34))]}" for name in components]
        base = "\n".join([*lines, f'"@signature-params": {found[1]}']).encode()
        raw = base64.b64decode(signature[1])
        if len(raw) != 64 or self.terminal_public is None:
            return "length", parameters
        verifier = gmalg.SM2(uid=USER_ID, pk=b"\x04" + self.terminal_public)
        return "" if verifier.verify(base, raw[:32], raw[32:]) else "signature", parameters
