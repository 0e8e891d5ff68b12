"""What the endpoints do: one function an effect, on the session that commits it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from hw_sim.platform import wire
from hw_sim.platform.databases import alone
from hw_sim.platform.idempotency import Exchange
from hw_sim.platform.model import Alarm, Card, CatalogueItem, EnrolmentCode, Terminal
from hw_sim.platform.problems import Answer, Problem, ProblemKind
from hw_sim.platform.signatures import public_key_is_on_curve
from hw_sim.platform.store import Store, code_digest
from hw_sim.population import DIVISION, CardState

FIRST_ALARM = 2031
"""Alarm numbers go on from the hall's paper ledger."""

_VERDICTS: Mapping[CardState, wire.VerdictState] = {
    CardState.SEALED: "sealed",
    CardState.NORMAL: "normal",
    CardState.LOST: "lost",
    CardState.LOCKED: "locked",
    CardState.TEMPORARILY_LOST: "temporarily-lost",
    CardState.CANCELLED: "cancelled",
}


def answer(body: wire.Wire, status: int = 200) -> Answer:
    return Answer(status, body.model_dump_json().encode())


def enrol(session: Session, store: Store, request: wire.EnrolmentRequest, now: int) -> Answer:
    """Bind a terminal's key to an id with a one-time code.

    The same code with the same key and serial gets the first answer again.

    Raises:
        Problem: ``forbidden`` (code, division) or ``invalid`` (key not on the curve).
    """
    refused = Problem(ProblemKind.FORBIDDEN, "the code is wrong, used, or of another division")
    public_key = request.public_key.upper()
    if request.aab301 != DIVISION:
        raise refused
    if not public_key_is_on_curve(bytes.fromhex(public_key)):
        raise Problem(ProblemKind.INVALID, "public_key is not a point of SM2's curve")
    digest = code_digest(request.code)
    # The write comes first: it takes the database's lock before anything is decided.
    claimed = session.execute(
        update(EnrolmentCode)
        .where(EnrolmentCode.digest == digest, EnrolmentCode.serial.is_(None))
        .values(serial=request.terminal, public_key=public_key)
        .returning(EnrolmentCode.digest)
    ).first()
    code = session.get(EnrolmentCode, digest)
    if code is None:
        raise refused
    if claimed is None:
        if (code.serial, code.public_key) != (request.terminal, public_key) or not code.response:
            raise refused
        return Answer(201, code.response)
    alone(session, "enrolment")
    terminal = session.scalar(select(Terminal).where(Terminal.serial == request.terminal))
    if terminal is None:
        number = session.scalar(select(func.count()).select_from(Terminal)) or 0
        terminal = Terminal(
            id=f"T{DIVISION}-{number + 1:04d}",
            serial=request.terminal,
            public_key=public_key,
            enrolled_at=now,
        )
        session.add(terminal)
    # Enrolled again after a repair: the id stays, the key is replaced.
    terminal.public_key, terminal.enrolled_at = public_key, now
    result = answer(
        wire.EnrolmentAnswer(
            terminal_id=terminal.id,
            platform_public_key=store.key.public.hex().upper(),
            platform_encryption_key=store.encryption_key.public.hex().upper(),
            server_time=now,
        ),
        201,
    )
    code.response = result.body
    return result


def catalogue(session: Session, store: Store) -> wire.CatalogueAnswer:
    items = session.scalars(select(CatalogueItem).order_by(CatalogueItem.position))
    return wire.CatalogueAnswer(
        version=store.catalogue_version,
        items=[
            wire.CatalogueEntry(code=item.code, available=item.available, reason=item.reason)
            for item in items
        ],
    )


def verdict(request: wire.VerdictRequest) -> Callable[[Session], Answer]:
    """The card's state; a card that isn't ours, or whose numbers don't belong together: unknown."""

    def effect(session: Session) -> Answer:
        card = session.get(Card, request.aaz501.upper())
        if card is None or card.card_number != request.aaz500:
            return answer(wire.VerdictAnswer(state="unknown"))
        return answer(wire.VerdictAnswer(state=_VERDICTS[CardState(card.state)]))

    return effect


def alarm(request: wire.AlarmRequest, exchange: Exchange) -> Callable[[Session], Answer]:
    """Record an alarm and number it."""

    def effect(session: Session) -> Answer:
        row = Alarm(
            terminal_id=exchange.terminal_id,
            kind=request.kind,
            severity=request.severity,
            occurred_at=request.occurred_at,
            detail=request.detail,
            subject=request.subject.upper(),
        )
        session.add(row)
        session.flush()
        return answer(wire.AlarmAnswer(alarm_no=f"A-{FIRST_ALARM - 1 + row.id}"), 201)

    return effect
