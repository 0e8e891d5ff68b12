"""社保查询一件事: everything about one person on one screen (S1 (五), S5 5.2.2)."""

from __future__ import annotations

from kiosk.identity import Leg
from kiosk.pages import OverviewPage, WorkingPage
from kiosk.platform.models import CardVerdict, Evidence
from kiosk.services.identify import identify
from kiosk.session import Session
from kiosk.steps import Flow, Run, Show

_EVIDENCE = {Leg.GENUINE_CARD: Evidence.CARD_GENUINE, Leg.PIN: Evidence.PIN_VERIFIED}


def overview(session: Session) -> Flow[None]:
    """Identify, ask the platform once, show the five blocks until the resident leaves."""
    station = session.station
    resident = yield from identify(session)
    found = yield from Run(
        station.platform.overview,
        (resident.number, station.cards.card_id, _evidence(session)),
        page=WorkingPage("overview.loading"),
        deadline=station.limits.platform_deadline,
    )
    subject = station.subject_tag(resident.number)
    session.record("query.shown", item="overview", subject=subject)
    revealed = False
    while True:
        page = OverviewPage(resident.name, resident.number, CardVerdict.NORMAL, found, revealed)
        seconds = station.limits.reveal_seconds if revealed else None
        yield from Show(page, ("reveal",), sensitive=True, seconds=seconds)
        revealed = not revealed
        event = "information.revealed" if revealed else "information.hidden"
        session.record(event, item="overview", subject=subject)


def _evidence(session: Session) -> frozenset[Evidence]:
    return frozenset(_EVIDENCE[leg] for leg in session.identity.legs if leg in _EVIDENCE)
