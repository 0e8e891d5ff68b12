"""One effect an idempotency key: the first answer is committed together with the effect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from hw_sim.platform.databases import claimed
from hw_sim.platform.model import Submission
from hw_sim.platform.problems import Answer, Problem, ProblemKind

_KEPT_REFUSALS = frozenset({ProblemKind.FORBIDDEN, ProblemKind.NOT_FOUND})
"""Refusals that are the operation's outcome. The others (not understood, later, broken) commit
nothing, so that the terminal may send the same key again."""


@dataclass(frozen=True)
class Exchange:
    """One authenticated request: who asks, under which key, and the platform's time (Unix s)."""

    terminal_id: str
    key: str
    operation: str
    fingerprint: str
    now: int


def fingerprint(method: str, path: str, body: bytes) -> str:
    """SM3 over method, path and body, in hex: equal for a repetition, else a conflicting reuse."""
    return hashlib.new("sm3", b"\0".join((method.encode(), path.encode(), body))).hexdigest()


class Submissions:
    """Runs effects at most once a key and terminal, also where several processes serve them."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._lock = Lock()
        self._running: set[tuple[str, str]] = set()

    def once(self, exchange: Exchange, effect: Callable[[Session], Answer]) -> Answer:
        """The stored answer of this key, or the answer of ``effect``, stored with its effect.

        ``effect`` gets the session that commits; what it raises rolls back. A ``forbidden`` or
        ``not-found`` is an outcome and is stored too.

        Raises:
            Problem: ``in-progress``, ``conflicting-reuse``, or the effect's own.
        """
        claim = (exchange.terminal_id, exchange.key)
        with self._lock:
            if claim in self._running:
                raise Problem(ProblemKind.IN_PROGRESS, "ask for this submission later")
            self._running.add(claim)
        try:
            with self._sessions() as session:
                if not claimed(session, f"submission {exchange.terminal_id} {exchange.key}"):
                    raise Problem(ProblemKind.IN_PROGRESS, "ask for this submission later")
                return self._committed(session, exchange, effect)
        finally:
            with self._lock:
                self._running.discard(claim)

    def _committed(
        self, session: Session, exchange: Exchange, effect: Callable[[Session], Answer]
    ) -> Answer:
        first = self._first(session, exchange)
        if first is not None:
            return first
        try:
            answer = effect(session)
        except Problem as problem:
            if problem.kind not in _KEPT_REFUSALS:
                raise
            session.rollback()
            answer = problem.answer()
        session.add(
            Submission(
                terminal_id=exchange.terminal_id,
                key=exchange.key,
                operation=exchange.operation,
                fingerprint=exchange.fingerprint,
                status=answer.status,
                media_type=answer.media_type,
                response=answer.body,
                committed_at=exchange.now,
            )
        )
        try:
            session.commit()
        except IntegrityError:
            # Another process was first with this key: what was done here is undone.
            session.rollback()
            first = self._first(session, exchange)
            if first is None:
                raise
            return first
        return answer

    def _first(self, session: Session, exchange: Exchange) -> Answer | None:
        """The answer that is stored already.

        Raises:
            Problem: ``conflicting-reuse``.
        """
        stored = self._find(session, exchange.terminal_id, exchange.key)
        if stored is None:
            return None
        if stored.fingerprint != exchange.fingerprint:
            raise Problem(ProblemKind.CONFLICTING_REUSE, "take a new key for a new body")
        return Answer(stored.status, stored.response, stored.media_type)

    def find(self, terminal_id: str, key: str) -> Answer | None:
        """The answer that was committed under this terminal's key."""
        with self._sessions() as session:
            stored = self._find(session, terminal_id, key)
        if stored is None:
            return None
        return Answer(stored.status, stored.response, stored.media_type)

    @staticmethod
    def _find(session: Session, terminal_id: str, key: str) -> Submission | None:
        return session.scalar(
            select(Submission).where(Submission.terminal_id == terminal_id, Submission.key == key)
        )
