"""E-cards (电子社保卡): codes that their app shows, and the tickets that a verified one gives."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Callable, Mapping
from enum import Enum

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hw_sim.cards.catalogue import UnknownCardError, holder
from hw_sim.platform import wire
from hw_sim.platform.databases import claimed
from hw_sim.platform.idempotency import Exchange
from hw_sim.platform.model import Card, EcardCode, Person, Ticket
from hw_sim.platform.operations import answer
from hw_sim.platform.problems import Answer, Problem, ProblemKind
from hw_sim.platform.residents import facts
from hw_sim.population import DIVISION, CardState, Resident, population

CODE_SECONDS = 60
TICKET_SECONDS = 900
_PREFIX = "SSC1"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_LENGTH = 40
_CHANNEL = "self-service"
_OTHER_CHANNEL = "payment"

_RESULTS: Mapping[CardState, wire.EcardResult] = {
    CardState.NORMAL: "verified",
    CardState.SEALED: "card-locked",
    CardState.LOCKED: "card-locked",
    CardState.LOST: "card-lost",
    CardState.TEMPORARILY_LOST: "card-lost",
    CardState.CANCELLED: "card-cancelled",
}
"""The e-card follows the card."""


class CodeState(Enum):
    """What a code for a test or the dock shall be."""

    FRESH = "fresh"
    EXPIRED = "expired"
    USED = "used"
    WRONG_CHANNEL = "wrong-channel"


def holder_named(name: str) -> Resident:
    """Whose e-card ``name`` means: a name of ``residents.toml``, or the name of a card.

    Raises:
        LookupError: no such name, or a card without a holder.
    """
    index: int | None = facts()["ecard_holders"].get(name)
    if index is not None:
        return population()[index]
    try:
        resident = holder(name)
    except UnknownCardError as error:
        raise LookupError("no card of that name") from error
    if resident is None:
        raise LookupError("the card has no holder")
    return resident


def _digest(secret: str) -> str:
    return hashlib.new("sm3", secret.encode("ascii")).hexdigest()


def new_code(session: Session, resident: Resident, state: CodeState, now: int) -> str:
    """A code of this resident's e-card, ``SSC1`` and 40 characters; only its digest is kept."""
    code = _PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    session.add(
        EcardCode(
            digest=_digest(code),
            card_id=resident.card.card_id.hex().upper(),
            channel=_OTHER_CHANNEL if state is CodeState.WRONG_CHANNEL else _CHANNEL,
            expires_at=now if state is CodeState.EXPIRED else now + CODE_SECONDS,
            used_at=now if state is CodeState.USED else None,
        )
    )
    return code


def verification(request: wire.EcardRequest, exchange: Exchange) -> Callable[[Session], Answer]:
    """Look at a code; the first look at a valid one uses it up, whatever the card's state.

    Raises of the effect:
        Problem: ``forbidden``, the terminal names another division.
    """

    def effect(session: Session) -> Answer:
        if request.aab301 != DIVISION:
            raise Problem(ProblemKind.FORBIDDEN, "the terminal is not of this division")
        digest = _digest(request.code)
        # The write comes first: of two terminals at once only one finds the code unused.
        card_id = session.scalar(
            update(EcardCode)
            .where(
                EcardCode.digest == digest,
                EcardCode.channel == request.channel,
                EcardCode.used_at.is_(None),
                EcardCode.expires_at > exchange.now,
            )
            .values(used_at=exchange.now)
            .returning(EcardCode.card_id)
        )
        if card_id is None:
            return answer(wire.EcardAnswer(result=_why_not(session, digest, request.channel)))
        card = session.get_one(Card, card_id)
        result = _RESULTS[CardState(card.state)]
        if result != "verified":
            return answer(wire.EcardAnswer(result=result))
        person = session.get_one(Person, card.person_id)
        held = wire.EcardHolder(
            aac002=person.number,
            aac003=person.name,
            ticket=_new_ticket(session, exchange, person.id),
        )
        return answer(wire.EcardAnswer(result=result, holder=held))

    return effect


def _why_not(session: Session, digest: str, channel: str) -> wire.EcardResult:
    code = session.get(EcardCode, digest)
    if code is None:
        return "unknown"
    if code.channel != channel:
        return "wrong-channel"
    return "expired" if code.used_at is None else "used"


def _new_ticket(session: Session, exchange: Exchange, person_id: int) -> str:
    if claimed(session, "old tickets"):
        session.execute(delete(Ticket).where(Ticket.expires_at <= exchange.now))
    ticket = secrets.token_hex(16)
    session.add(
        Ticket(_digest(ticket), exchange.terminal_id, person_id, exchange.now + TICKET_SECONDS)
    )
    return ticket


def ticket_is_valid(session: Session, ticket: str, exchange: Exchange, person_id: int) -> bool:
    """Whether this terminal got the ticket, for this person, within the last 900 s."""
    found = session.scalar(
        select(Ticket.digest).where(
            Ticket.digest == _digest(ticket.lower()),
            Ticket.terminal_id == exchange.terminal_id,
            Ticket.person_id == person_id,
            Ticket.expires_at > exchange.now,
        )
    )
    return found is not None
