"""社保卡状态: what the card says of itself and what the card ledger says of it.

Needs a genuine card but no PIN, and therefore shows nothing of the person.
"""

from __future__ import annotations

from kiosk.masking import tail
from kiosk.pages import CardStatusPage
from kiosk.services.identify import prove_card
from kiosk.session import Session
from kiosk.steps import Flow, Show


def card_status(session: Session) -> Flow[None]:
    """Prove the card, then show its version, dates and state until the resident leaves."""
    reading, verdict = yield from prove_card(session)
    issuer = reading.issuer
    session.record("query.shown", item="card-status")
    yield from Show(
        CardStatusPage(
            card_number_tail=tail(issuer.card_number),
            version=issuer.version,
            issued=issuer.issued.isoformat() if issuer.issued else "",
            expires=issuer.expires.isoformat() if issuer.expires else "",
            verdict=verdict,
        ),
        (),
    )
