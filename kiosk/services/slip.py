"""凭条: offered where the machine prints slips, on a page that is there anyway."""

from __future__ import annotations

from drivers.document_printer import PrintEnd
from kiosk.failures import LaneBusy, NoAnswer
from kiosk.pages import SlipState, WorkingPage
from kiosk.session import Session
from kiosk.slips import Business
from kiosk.steps import Flow, Run


def slip_offer(session: Session) -> SlipState:
    """Whether a slip can be had now."""
    receipt = session.station.receipt
    return SlipState.NONE if receipt is None or receipt.failed else SlipState.OFFERED


def take_slip(session: Session, business: Business) -> Flow[SlipState]:
    """Print it once. What was done needs no slip, so that none is a reason to end the visit."""
    receipt = session.station.receipt
    if receipt is None:
        return SlipState.NONE
    try:
        outcome = yield from Run(
            receipt.print_slip,
            (business,),
            page=WorkingPage("slip.printing"),
            deadline=session.station.limits.slip_deadline,
            card_free=True,
        )
    except (NoAnswer, LaneBusy):
        return SlipState.MISSED
    return SlipState.OUT if outcome.end is PrintEnd.DONE else SlipState.MISSED
