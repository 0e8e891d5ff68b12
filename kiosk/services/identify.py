"""Who is standing there: genuine card first, then the platform's word on it, then the PIN.

The order is that of S4 (十八): 卡认证 (the card proves itself) before anything on it counts,
and 实名 only with the PIN. Each leg leaves its evidence and an audit line.
"""

from __future__ import annotations

from collections.abc import Callable

from apdu.errors import PinRejected
from apdu.reading import CardReading
from kiosk.failures import Failure, refuse_unless_normal
from kiosk.identity import Leg, Resident
from kiosk.pages import IdentifyPage, PinPage, WorkingPage
from kiosk.platform.models import CardVerdict
from kiosk.session import Session
from kiosk.steps import AwaitAny, Flow, Run, Source, Watch


def prove_card(session: Session) -> Flow[tuple[CardReading, CardVerdict]]:
    """Wait for the card, read it, go on only with one that proved itself; ask the card ledger.

    Raises:
        Failure: not genuine, or nobody could tell.
    """
    station = session.station
    yield from AwaitAny(IdentifyPage(), frozenset({Source.CARD}))
    reading = yield from Run(
        station.cards.read,
        page=WorkingPage("card.reading"),
        deadline=station.limits.card_deadline,
    )
    session.record("card.read", profile=reading.profile)
    if reading.genuine is False or not reading.consistent:
        raise Failure("card-not-genuine")
    if reading.genuine is None:
        raise Failure("card-unproven")
    session.establish(Leg.GENUINE_CARD, "internal-authenticate")
    verdict = yield from Run(
        station.platform.card_verdict,
        (reading.issuer.card_id, reading.issuer.card_number),
        page=WorkingPage("card.reading"),
        deadline=station.limits.platform_deadline,
    )
    return reading, verdict


def identify(session: Session) -> Flow[Resident]:
    """The resident whose genuine card and PIN were shown in this visit (实名 + 实卡).

    Raises:
        Failure: see `prove_card`; also a blocked PIN or a holder that can't be read.
    """
    known = session.identity.resident
    if known is not None and session.identity.has(frozenset({Leg.GENUINE_CARD, Leg.PIN})):
        return known
    station = session.station
    reading, verdict = yield from prove_card(session)
    refuse_unless_normal(verdict)
    tries_left: int | None = None
    while True:
        entry = yield from Watch(
            station.pad.entry(reading.issuer.card_number),
            page=_pin_page(tries_left),
            seconds=station.limits.pin_seconds,
        )
        session.hold(entry.wipe)
        try:
            holder = yield from Run(
                station.cards.verify_pin,
                (entry,),
                page=WorkingPage("pin.checking"),
                deadline=station.limits.card_deadline,
            )
            break
        except PinRejected as rejected:
            tries_left = rejected.tries_left
            session.record("pin.rejected", outcome="refused", tries_left=tries_left)
            if tries_left == 0:
                raise Failure("pin-blocked") from None
    session.establish(Leg.PIN, "verify")
    if holder is None:
        raise Failure("card-unproven")
    resident = Resident(holder.social_security_number, holder.name)
    session.identify(resident)
    session.establish(Leg.REAL_NAME, "card-holder-file")
    return resident


def _pin_page(tries_left: int | None) -> Callable[[int | None], PinPage]:
    return lambda count: PinPage(count or 0, tries_left)
