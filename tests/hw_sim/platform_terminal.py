"""A terminal for tests of the platform: signs and verifies by hand with gmalg.

It shares no code with the platform, neither for RFC 9421 nor for SM2, so that both directions of
the wire are cross-checked.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gmalg
from sqlalchemy import text

from hw_sim.platform.databases import engine_for
from hw_sim.platform.server import PlatformServer
from hw_sim.population import population

USER_ID = b"1234567812345678"
NOW = 1_795_226_520
AS_OF = date(2026, 11, 21)
COMPONENTS = ("@method", "@target-uri", "content-digest", "idempotency-key")
NewDatabase = Callable[[Path], Path | str]
"""A place for a platform's records, given a folder."""
_nonces = itertools.count(1)
_keys = itertools.count(1)


def new_key() -> tuple[bytes, bytes]:
    """d (32 bytes) and X‖Y (64 bytes)."""
    private, public = gmalg.SM2().generate_keypair()
    return private.rjust(32, b"\0"), public[1:]


def sign(private: bytes, public: bytes, message: bytes) -> bytes:
    r, s = gmalg.SM2(private, USER_ID, b"\x04" + public).sign(message)
    return r.rjust(32, b"\0") + s.rjust(32, b"\0")


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    assert len(signature) == 64
    checker = gmalg.SM2(None, USER_ID, b"\x04" + public)
    return bool(checker.verify(message, signature[:32], signature[32:]))


def digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """Name of the problem; "" for anything else."""
        if self.headers["content-type"] != "application/problem+json":
            return ""
        assert self.document["status"] == self.status
        return str(self.document["type"]).removeprefix("urn:yikatong:problem:")

    def is_signed_by(self, public: bytes, key: str, now: int = NOW) -> bool:
        """The contract's response signature, and nothing looser."""
        value = self.headers.get("signature-input", "")
        match = re.fullmatch(r'sig1=(\("@status" "content-digest" "idempotency-key"\);.*)', value)
        signature = re.fullmatch(r"sig1=:([A-Za-z0-9+/=]+):", self.headers.get("signature", ""))
        if match is None or signature is None:
            return False
        parameters = dict(item.split("=", 1) for item in match[1].split(";")[1:])
        base = (
            f'"@status": {self.status}\n'
            f'"content-digest": {self.headers["content-digest"]}\n'
            f'"idempotency-key": {self.headers["idempotency-key"]}\n'
            f'"@signature-params": {match[1]}'
        )
        return (
            parameters.keys() >= {"created", "nonce", "keyid"}
            and parameters["keyid"] == '"platform"'
            and parameters.get("alg", '"sm2-sm3"') == '"sm2-sm3"'
            and abs(int(parameters["created"]) - now) <= 300
            and self.headers["content-digest"] == digest(self.body)
            and self.headers["idempotency-key"] == f'"{key}"'
            and verify(public, base.encode(), base64.b64decode(signature[1]))
        )


@dataclass
class Terminal:
    """One terminal; ``call`` sends what the contract wants, unless told otherwise.

    Attributes:
        now: its clock; ``right_now`` is the platform's.
    """

    url: str
    private: bytes = field(repr=False)
    public: bytes
    terminal_id: str = ""
    platform_key: bytes = b""
    encryption_key: bytes = b""
    now: int = NOW
    right_now: int = NOW
    connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        if self.connection is None:
            parts = urlsplit(self.url)
            assert parts.hostname is not None
            self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        try:
            self.connection.request(method, path, body or None, headers)
            response = self.connection.getresponse()
            content = response.read()
        except Exception:
            self.connection.close()
            raise
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, fields, content)

    def enrol(self, code: str, serial: str = "SN-0001", **changes: Any) -> Reply:
        document = {
            "code": code,
            "terminal": serial,
            "aab301": "429900",
            "public_key": self.public.hex(),
        } | changes
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f'"enrol-{next(_keys)}"',
        }
        reply = self.send("POST", "/v1/enrolments", json.dumps(document).encode(), headers)
        if reply.status == 201:
            self.terminal_id = reply.document["terminal_id"]
            self.platform_key = bytes.fromhex(reply.document["platform_public_key"])
            self.encryption_key = bytes.fromhex(reply.document["platform_encryption_key"])
        return reply

    def signed(
        self,
        method: str,
        path: str,
        body: bytes,
        key: str,
        *,
        nonce: str | None = None,
        private: bytes | None = None,
        components: tuple[str, ...] = COMPONENTS,
        label: str = "sig1",
        extra: str = ';alg="sm2-sm3"',
    ) -> dict[str, str]:
        """The headers of a signed request."""
        headers = {
            "Content-Digest": digest(body),
            "Idempotency-Key": f'"{key}"',
        }
        if body:
            headers["Content-Type"] = "application/json"
        values = {
            "@method": method,
            "@target-uri": self.url + path,
            "@path": path,
            "content-digest": headers["Content-Digest"],
            "idempotency-key": headers["Idempotency-Key"],
        }
        covered = " ".join(f'"{name}"' for name in components)
        parameters = (
            f'({covered});created={self.now};nonce="{nonce or f"n{next(_nonces)}"}"'
            f';keyid="{self.terminal_id}"{extra}'
        )
        lines = [f'"{name}": {values[name]}' for name in components]
        base = "\n".join([*lines, f'"@signature-params": {parameters}'])
        signature = sign(private or self.private, self.public, base.encode())
        headers["Signature-Input"] = f"{label}={parameters}"
        headers["Signature"] = f"{label}=:{base64.b64encode(signature).decode()}:"
        return headers

    def call(
        self,
        method: str,
        path: str,
        document: object = None,
        *,
        key: str | None = None,
        raw: bytes | None = None,
        **changes: Any,
    ) -> Reply:
        """Send a signed request; the reply's signature is checked."""
        body = (
            raw if raw is not None else b"" if document is None else json.dumps(document).encode()
        )
        key = key or new_idempotency_key()
        reply = self.send(method, path, body, self.signed(method, path, body, key, **changes))
        assert reply.is_signed_by(self.platform_key, key, self.right_now)
        return reply


def new_idempotency_key() -> str:
    return f"key-{next(_keys)}"


@contextmanager
def running(place: Path | str, **options: Any) -> Iterator[tuple[PlatformServer, Terminal]]:
    """A platform with a stopped clock and one enrolled terminal.

    Args:
        place: a folder for its file, or a database (see ``PlatformServer``).
    """
    options.setdefault("clock", lambda: float(NOW))
    database = place / "platform.sqlite" if isinstance(place, Path) and place.is_dir() else place
    with PlatformServer(database, as_of=AS_OF, **options) as server:
        terminal = Terminal(server.url, *new_key())
        assert terminal.enrol(server.enrolment_code).status == 201
        yield server, terminal


def rows(database: Path | str, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a platform's database says, asked beside the platform."""
    engine = engine_for(database)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]
    finally:
        engine.dispose()


@dataclass
class Stage:
    """A platform, terminals in it, and the one clock of all."""

    server: PlatformServer
    terminals: list[Terminal]
    clock: list[int]

    @property
    def terminal(self) -> Terminal:
        return self.terminals[0]

    def pass_time(self, seconds: int) -> None:
        self.clock[0] += seconds
        for terminal in self.terminals:
            terminal.now += seconds
            terminal.right_now += seconds

    def another_terminal(self) -> Terminal:
        now = self.clock[0]
        new = Terminal(self.server.url, *new_key(), now=now, right_now=now)
        serial = f"SN-{len(self.terminals) + 1:04d}"
        assert new.enrol(self.server.new_enrolment_code(), serial).status == 201
        self.terminals.append(new)
        return new

    def verify(self, code: str, *, by: Terminal | None = None, **changes: Any) -> Reply:
        """Look at an e-card's code."""
        request = {"code": code, "channel": "self-service", "aab301": "429900"}
        return (by or self.terminal).call("POST", "/v1/ecard-verifications", request | changes)

    def by_ecard(self, card: str) -> dict[str, Any]:
        """How the holder of this card is named after their e-card was verified."""
        holder = self.verify(self.server.issue_ecard(card)).document["holder"]
        return {
            "aac002": holder["aac002"],
            "ticket": holder["ticket"],
            "evidence": ["ecard-verified"],
        }


@contextmanager
def staged(place: Path | str, **options: Any) -> Iterator[Stage]:
    clock = [NOW]
    with running(place, clock=lambda: float(clock[0]), **options) as (server, terminal):
        yield Stage(server, [terminal], clock)


def by_card(index: int) -> dict[str, Any]:
    """How a resident is named after their card was proven genuine."""
    resident = population()[index]
    return {
        "aac002": resident.number,
        "aaz501": resident.card.card_id.hex(),
        "evidence": ["card-genuine", "pin-verified"],
    }


def alarm(detail: str = "device.printer.jam") -> dict[str, object]:
    return {
        "kind": "device-fault",
        "severity": "fault",
        "occurred_at": NOW,
        "detail": detail,
        "subject": "",
    }
