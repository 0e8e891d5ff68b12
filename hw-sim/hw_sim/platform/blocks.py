"""社保查询一件事: the five blocks of one person's overview, from the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hw_sim.platform import wire
from hw_sim.platform.asking import person_asking
from hw_sim.platform.idempotency import Exchange
from hw_sim.platform.model import BlockGap, Contribution, Employment, PensionAccount, Savings
from hw_sim.platform.operations import answer
from hw_sim.platform.problems import Answer
from hw_sim.platform.seed import RECENT, month_text


def _pension(session: Session, person_id: int, as_of: date) -> wire.Wire:
    account = session.get_one(PensionAccount, person_id)
    paid = session.scalar(
        select(func.count()).where(Contribution.person_id == person_id, Contribution.settled)
    )
    newest = as_of.year * 12 + as_of.month - 1
    months = [month_text(month) for month in range(newest - RECENT + 1, newest + 1)]
    contributions = {
        row.month: row
        for row in session.scalars(
            select(Contribution).where(
                Contribution.person_id == person_id, Contribution.month.in_(months)
            )
        )
    }
    recent = [
        {"month": month, "base_fen": row.base_fen, "settled": row.settled}
        if (row := contributions.get(month))
        else {"month": month, "base_fen": 0, "settled": False}
        for month in months
    ]
    return wire.PensionBlock.model_validate(
        {
            "months": paid or 0,
            "account_fen": account.account_fen,
            "retirement": account.retirement,
            "state": account.state,
            "recent": recent,
        }
    )


def _employment(session: Session, person_id: int) -> tuple[wire.Wire, wire.Wire]:
    row = session.get_one(Employment, person_id)
    return (
        wire.UnemploymentBlock.model_validate(
            {"months": row.unemployment_months, "state": row.unemployment_state}
        ),
        wire.WorkInjuryBlock.model_validate({"state": row.injury_state, "employer": row.employer}),
    )


def _savings(session: Session, person_id: int) -> tuple[wire.Wire, wire.Wire]:
    row = session.get_one(Savings, person_id)
    annuity: wire.Wire = wire.NoAnnuityBlock()
    if row.annuity_fen is not None:
        annuity = wire.AnnuityBlock.model_validate(
            {"balance_fen": row.annuity_fen, "as_of": row.annuity_month}
        )
    personal = wire.PersonalPensionBlock.model_validate(
        {
            "state": row.personal_state,
            "year_paid_fen": row.personal_paid_fen,
            "year_limit_fen": row.personal_limit_fen,
        }
    )
    return annuity, personal


def overview_blocks(
    session: Session,
    person_id: int,
    as_of: date,
    outages: Mapping[wire.BlockName, wire.GapReason],
) -> wire.Blocks:
    """All five blocks; each may be unavailable by itself.

    Args:
        outages: blocks that nobody gets now, before what the person's own records say.
    """
    unemployment, work_injury = _employment(session, person_id)
    annuity, personal_pension = _savings(session, person_id)
    blocks: dict[str, wire.Wire] = {
        "pension": _pension(session, person_id, as_of),
        "unemployment": unemployment,
        "work_injury": work_injury,
        "annuity": annuity,
        "personal_pension": personal_pension,
    }
    gaps: dict[str, Any] = {
        gap.block: gap.reason
        for gap in session.scalars(select(BlockGap).where(BlockGap.person_id == person_id))
    }
    for block, reason in (gaps | {**outages}).items():
        blocks[block] = wire.BlockGapAnswer(reason=reason)
    return wire.Blocks.model_validate(blocks)


def overview(
    request: wire.OverviewRequest,
    exchange: Exchange,
    as_of: date,
    outages: Mapping[wire.BlockName, wire.GapReason],
) -> Callable[[Session], Answer]:
    """The five blocks of the person who asks.

    Raises of the effect:
        Problem: as ``person_asking``.
    """

    def effect(session: Session) -> Answer:
        person = person_asking(session, request, exchange)
        return answer(
            wire.OverviewAnswer(
                aac003=person.name,
                as_of=as_of.isoformat(),
                blocks=overview_blocks(session, person.id, as_of, outages),
            )
        )

    return effect
