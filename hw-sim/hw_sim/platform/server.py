"""The platform as a server in a thread of the calling process, with the dock's levers."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import select, update

from hw_sim.platform.app import Settings, create_app
from hw_sim.platform.connections import Connections
from hw_sim.platform.ecards import CodeState, holder_named, new_code
from hw_sim.platform.events import recorded_events
from hw_sim.platform.faults import FaultPlan
from hw_sim.platform.hsm import DemoHsm, Hsm
from hw_sim.platform.intake import IntakeLimits
from hw_sim.platform.model import Alarm, Card, CatalogueItem, Submission, Terminal
from hw_sim.platform.operations import FIRST_ALARM
from hw_sim.platform.store import Store
from hw_sim.platform.verifications import revoke
from hw_sim.platform.wire_events import EventKind
from hw_sim.population import CardState

_START_S = 20.0
_DRAIN_S = 20
"""How long the end waits for requests under way."""


@dataclass(frozen=True)
class AlarmRecord:
    """An alarm as it arrived."""

    alarm_no: str
    terminal_id: str
    kind: str
    severity: str
    occurred_at: int
    detail: str
    subject: str


@dataclass(frozen=True)
class SubmissionRecord:
    """What was committed under one idempotency key; without the answer itself."""

    terminal_id: str
    key: str
    operation: str
    status: int


class PlatformServerError(Exception):
    """The server did not start."""


class _Server(uvicorn.Server):
    """uvicorn that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.listening.set()


class PlatformServer:
    """A reference platform that terminals reach at ``url``.

    Args:
        database: SQLite file, or URL of a PostgreSQL; a new one is seeded.
        port: 0 takes a free one; it stays the same while the object lives.
        as_of: the day that a new database's records show; today by default.
        clock: the platform's clock, Unix seconds.
        hsm: the card-key HSM; the demo province's by default.
        faults: a first schedule (see ``faults``).
        public_origin: ``scheme://host[:port]`` as terminals see it behind a proxy.
        intake: how much is taken in at once; no limits by default.
    """

    def __init__(
        self,
        database: Path | str,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        as_of: date | None = None,
        clock: Callable[[], float] = time.time,
        hsm: Hsm | None = None,
        faults: str = "",
        public_origin: str | None = None,
        intake: IntakeLimits | None = None,
    ) -> None:
        self.faults = FaultPlan(faults)
        self._clock = clock
        self._host = host
        self._connections = Connections()
        self._store = Store.open(database, date.today() if as_of is None else as_of)
        self.app: FastAPI = create_app(
            Settings(
                store=self._store,
                faults=self.faults,
                connections=self._connections,
                hsm=DemoHsm() if hsm is None else hsm,
                clock=clock,
                public_origin=public_origin,
                intake=IntakeLimits() if intake is None else intake,
            )
        )
        self.enrolment_code = self._store.new_enrolment_code()
        # Bound from now on, so that nobody else gets the port while the platform is down; a
        # bound socket that doesn't listen refuses connections.
        self._socket = self._bind(port)
        self._port: int = self._socket.getsockname()[1]
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def _bind(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # The protocol is named: else asyncio leaves Nagle's algorithm on, 40 ms an answer.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self._host, port))
        return listener

    @property
    def url(self) -> str:
        """``http://host:port``, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def is_down(self) -> bool:
        return self._server is None

    def start(self) -> PlatformServer:
        """Listen; returns when connections are accepted.

        Raises:
            PlatformServerError: it didn't come up.
        """
        if self._server is not None:
            return self
        config = uvicorn.Config(
            self.app,
            http=self._connections.protocol(),
            ws="none",
            lifespan="off",
            # Longer than what stands in front keeps a line that nobody uses, or a terminal waits.
            timeout_keep_alive=75,
            backlog=4096,
            # Who stands in front is no business of the contract's: a signature says who asks.
            proxy_headers=False,
            timeout_graceful_shutdown=_DRAIN_S,
            access_log=False,
            log_level="warning",
            # None: the calling process's logging stays as it is.
            log_config=None,
            server_header=False,
        )
        server = _Server(config)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [self._socket]}, name="platform", daemon=True
        )
        thread.start()
        if not server.listening.wait(_START_S):
            server.should_exit = True
            raise PlatformServerError(f"the platform doesn't listen on port {self._port}")
        self._server, self._thread = server, thread
        return self

    def set_down(self, down: bool) -> None:
        """Cut the line (connections refused, open ones reset) or restore it on the same port.

        What a handler already works on is still committed.
        """
        if not down:
            self.start()
        elif self._server is not None:
            assert self._server.loop is not None
            self._server.loop.call_soon_threadsafe(self._connections.abort_all)
            self._drain()
            self._socket = self._bind(self._port)

    def _drain(self) -> None:
        if self._server is not None and self._thread is not None:
            # Closes the listening socket first, then idle lines, and waits for the busy ones.
            self._server.should_exit = True
            self._thread.join()
            self._server = self._thread = None

    def set_slow(self, slow: bool, delay_ms: int = 4000) -> None:
        """Hold every reply back, until set to False."""
        self.faults.set_delay(delay_ms if slow else 0)

    def stop(self) -> None:
        """End the server and close the database.

        What is under way is answered (for so long as ``_DRAIN_S``), new requests are refused.
        """
        self._drain()
        self._socket.close()
        self._store.close()

    def __enter__(self) -> PlatformServer:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def new_enrolment_code(self) -> str:
        """Another one-time code; also the new value of ``enrolment_code``."""
        self.enrolment_code = self._store.new_enrolment_code()
        return self.enrolment_code

    def set_card_state(self, card_number: str, state: CardState) -> None:
        """Change 卡状态 of a card.

        Raises:
            LookupError: no such card.
        """
        with self._store.sessions.begin() as session:
            changed = session.execute(
                update(Card)
                .where(Card.card_number == card_number)
                .values(state=state.value)
                .returning(Card.card_id)
            ).first()
            if changed is None:
                raise LookupError("no such card")

    def set_catalogue_item(self, code: str, *, available: bool, reason: str = "") -> None:
        """Open or close a service item, adding it when it is new."""
        with self._store.sessions.begin() as session:
            position = len(session.scalars(select(CatalogueItem.code)).all())
            old = session.get(CatalogueItem, code)
            session.merge(CatalogueItem(code, old.position if old else position, available, reason))

    def issue_ecard(self, card: str, state: str = "fresh") -> str:
        """The text of a code that a resident's e-card shows now.

        Args:
            card: a name of ``hw_sim.cards.catalogue`` (``v3``, ``lost``, ``resident:9``), or a
                holder of ``residents.toml`` (``risk-warn``).
            state: value of ``ecards.CodeState``.

        Raises:
            LookupError: no such card, or one without a holder.
            ValueError: no such state.
        """
        kind, resident = CodeState(state), holder_named(card)
        with self._store.sessions.begin() as session:
            return new_code(session, resident, kind, int(self._clock()))

    def revoke_certificate(self, code: str) -> None:
        """Revoke a certificate by its code.

        Raises:
            LookupError: none has this code.
        """
        with self._store.sessions.begin() as session:
            revoke(session, code, int(self._clock()))

    def events(self, kind: EventKind | None = None) -> list[dict[str, Any]]:
        """What terminals reported, in order of arrival: each as it was sent (``kind``,
        ``occurred_at``, ``body``), with its ``event_no`` and ``terminal_id``."""
        with self._store.sessions() as session:
            return recorded_events(session, kind)

    def alarms(self) -> Sequence[AlarmRecord]:
        """All alarms, in order of arrival."""
        with self._store.sessions() as session:
            return [
                AlarmRecord(
                    f"A-{FIRST_ALARM - 1 + row.id}", row.terminal_id, row.kind, row.severity,
                    row.occurred_at, row.detail, row.subject,
                )
                for row in session.scalars(select(Alarm).order_by(Alarm.id))
            ]  # fmt: skip

    def submissions(self) -> Sequence[SubmissionRecord]:
        """Everything committed under an idempotency key, in order."""
        with self._store.sessions() as session:
            return [
                SubmissionRecord(row.terminal_id, row.key, row.operation, row.status)
                for row in session.scalars(select(Submission).order_by(Submission.id))
            ]

    def terminal_ids(self) -> Sequence[str]:
        """Enrolled terminals."""
        with self._store.sessions() as session:
            return list(session.scalars(select(Terminal.id).order_by(Terminal.id)))
