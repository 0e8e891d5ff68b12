"""风险提示 and 业务阻断: the platform's word before anything is submitted (S1 (四), S5 5.3.2)."""

from __future__ import annotations

from typing import assert_never

from kiosk.failures import Failure
from kiosk.pages import RiskPage, WorkingPage
from kiosk.platform.models import Risk
from kiosk.session import Session
from kiosk.steps import Flow, Run, Show


def weigh_risk(session: Session, item: str) -> Flow[None]:
    """Go on when the rules allow it, after a confirmed warning, or not at all.

    Raises:
        Failure: blocked, with the platform's code.
    """
    station = session.station
    verdict = yield from Run(
        station.platform.risk,
        (item, session.asker),
        page=WorkingPage("certificate.preparing"),
        deadline=station.limits.platform_deadline,
    )
    match verdict.risk:
        case Risk.ALLOW:
            return
        case Risk.WARN:
            session.record("risk.warned", item=item, code=verdict.code)
            yield from Show(RiskPage(verdict.code), ("confirm",))
            session.record("risk.confirmed", item=item, code=verdict.code)
        case Risk.BLOCK:
            session.record("risk.blocked", outcome="refused", item=item, code=verdict.code)
            raise Failure("risk-blocked", verdict.code)
        case _:
            assert_never(verdict.risk)
