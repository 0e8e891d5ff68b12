"""好差评: asked once after a handling, answered only by who wants to (GB/T 39734, S5 7)."""

from __future__ import annotations

import logging

from kiosk.pages import RatingPage, SlipState
from kiosk.services.slip import slip_offer, take_slip
from kiosk.session import Session
from kiosk.slips import Business
from kiosk.steps import Flow, Show
from offline_queue.errors import QueueError

log = logging.getLogger(__name__)

GRADES = {f"grade.{grade}": grade for grade in (5, 4, 3, 2, 1)}
"""Id on the screen -> grade, very satisfied first."""


def rate(session: Session, item: str, business: Business | None = None) -> Flow[None]:
    """Offer the five grades for a while; what is given goes out whether or not the line is up.

    Args:
        business: what a slip would tell of; None where there is nothing to keep.
    """
    station = session.station
    slip = SlipState.NONE if business is None else slip_offer(session)
    while True:
        offered = business is not None and slip is SlipState.OFFERED
        touched = yield from Show(
            RatingPage(slip),
            (*GRADES, "skip", "slip") if offered else (*GRADES, "skip"),
            seconds=station.limits.rating_seconds,
            card_free=True,
        )
        if touched != "slip" or business is None:
            break
        slip = yield from take_slip(session, business)
    if touched not in GRADES:
        return
    outcome = "ok"
    try:
        station.outbox.put_evaluation(item, GRADES[touched])
    except QueueError:
        # A resident who is about to leave can't do anything about a full queue.
        log.exception("an evaluation can't be queued")
        outcome = "fault"
    session.record("evaluation.given", outcome=outcome, item=item, grade=GRADES[touched])
