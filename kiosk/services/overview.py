"""社保查询一件事: everything about one person on one screen (S1 (五), S5 5.2.2)."""

from __future__ import annotations

from kiosk.pages import OverviewPage, WorkingPage
from kiosk.platform.models import CardVerdict
from kiosk.services.identify import identify
from kiosk.session import Session
from kiosk.steps import Flow, Run, Show


def overview(session: Session) -> Flow[None]:
    """Identify, ask the platform once, show the five blocks until the resident leaves."""
    station = session.station
    resident = yield from identify(session)
    found = yield from Run(
        station.platform.overview,
        (session.asker,),
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
