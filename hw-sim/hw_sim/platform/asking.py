"""Who asks: the person whom a request names, by a card, a verified e-card or an ID card."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hw_sim.platform.ecards import ticket_is_valid
from hw_sim.platform.idempotency import Exchange
from hw_sim.platform.model import Card, Person
from hw_sim.platform.problems import Problem, ProblemKind
from hw_sim.platform.wire import PersonRequest


def person_asking(session: Session, request: PersonRequest, exchange: Exchange) -> Person:
    """The person, when the card or the ticket is theirs; an ID card names its holder itself.

    Raises:
        Problem: ``invalid`` (card and ticket, or nothing at all), ``forbidden`` (not proven, or
            not this person's) or ``not-found``.
    """
    if request.aaz501 and request.ticket:
        raise Problem(ProblemKind.INVALID, "exactly one of aaz501 and ticket")
    if not (request.aaz501 or request.ticket or "id-card" in request.evidence):
        raise Problem(ProblemKind.INVALID, "aaz501, ticket or an ID card")
    # A number read from an unproven card identifies nobody.
    if request.aaz501 and "card-genuine" not in request.evidence:
        raise Problem(ProblemKind.FORBIDDEN, "aaz501 needs a card proven genuine")
    if request.ticket and "ecard-verified" not in request.evidence:
        raise Problem(ProblemKind.FORBIDDEN, "a ticket needs an e-card verified")
    person = session.scalar(select(Person).where(Person.number == request.aac002))
    if person is None:
        raise Problem(ProblemKind.NOT_FOUND, "no such person")
    if request.ticket:
        if not ticket_is_valid(session, request.ticket, exchange, person.id):
            raise Problem(ProblemKind.FORBIDDEN, "the ticket is over, or not this person's")
        return person
    if not request.aaz501:
        return person
    card = session.get(Card, request.aaz501.upper())
    if card is None or card.person_id != person.id:
        raise Problem(ProblemKind.FORBIDDEN, "the card is not this person's")
    return person
