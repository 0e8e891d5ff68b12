"""What a participation certificate (参保证明) says, from the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hw_sim.platform.masking import masked_number
from hw_sim.platform.model import (
    BlockGap,
    Contribution,
    EarlierUnit,
    Employment,
    PensionAccount,
    Person,
)
from hw_sim.platform.residents import facts, unit_numbers
from hw_sim.platform.seed import month_text
from hw_sim.population import Sex

PENSION, UNEMPLOYMENT, WORK_INJURY = "110", "210", "410"
"""aae140: 企业职工基本养老, 失业, 工伤 (national values)."""

_SEX = {Sex.MALE.value: "男", Sex.FEMALE.value: "女"}


def canonical(content: Mapping[str, Any]) -> str:
    """JSON with sorted keys, no spaces, non-ASCII characters as they are."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def holder(person: Person) -> Mapping[str, str]:
    return {
        "aac003": person.name,
        "number": masked_number(person.number),
        "sex": _SEX[person.sex],
    }


def participation(session: Session, person: Person, as_of: date, months: int) -> Mapping[str, Any]:
    """Period, insurances, units and rows.

    Args:
        months: length of the period, which ends with the month of ``as_of``.
    """
    newest = as_of.year * 12 + as_of.month - 1
    period = {"from": month_text(newest - months + 1), "to": month_text(newest)}
    paid = session.scalars(
        select(Contribution).where(Contribution.person_id == person.id).order_by(Contribution.month)
    ).all()
    unemployed = _insured_for_unemployment(session, person, paid)
    covered = {contribution.month for contribution in unemployed}
    rows = [
        _row(contribution, unit, insured=contribution.month in covered)
        for contribution, unit in _at_units(session, person, paid)
        if period["from"] <= contribution.month <= period["to"]
    ]
    numbers = {number: name for name, number in unit_numbers().items()}
    units = dict.fromkeys(row["aab001"] for row in rows)
    return {
        "period": period,
        "insurances": _insurances(session, person, paid, unemployed),
        "units": [{"aab001": number, "aab004": numbers[number]} for number in units],
        "rows": rows,
    }


def _missing(session: Session, person: Person) -> set[str]:
    gaps = select(BlockGap.block).where(
        BlockGap.person_id == person.id, BlockGap.reason == "no-record"
    )
    return set(session.scalars(gaps))


def _insured_for_unemployment(
    session: Session, person: Person, paid: Sequence[Contribution]
) -> Sequence[Contribution]:
    """The newest contributions: the tables know only how many of those settled count."""
    if "unemployment" in _missing(session, person):
        return []
    months = session.get_one(Employment, person.id).unemployment_months
    settled = sum(contribution.settled for contribution in paid)
    return paid[max(0, settled - months) :]


def _at_units(
    session: Session, person: Person, paid: Sequence[Contribution]
) -> list[tuple[Contribution, str]]:
    """Each contribution with the number of the unit that made it."""
    earlier = session.get(EarlierUnit, person.id)
    until = "" if earlier is None else earlier.until
    present = unit_numbers()[session.get_one(Employment, person.id).employer]
    former = present if earlier is None else unit_numbers()[earlier.employer]
    return [
        (contribution, former if contribution.month <= until else present) for contribution in paid
    ]


def _row(contribution: Contribution, unit: str, *, insured: bool) -> dict[str, Any]:
    base = contribution.base_fen
    percent = facts()["pension"]["account_percent"]
    permille = facts()["unemployment"]["personal_permille"]
    return {
        "month": contribution.month,
        "aab001": unit,
        "base_fen": base,
        "pension_fen": (base * percent + 50) // 100,
        "unemployment_fen": (base * permille + 500) // 1000 if insured else 0,
        "settled": contribution.settled,
    }


def _insurances(
    session: Session,
    person: Person,
    paid: Sequence[Contribution],
    unemployed: Sequence[Contribution],
) -> list[dict[str, Any]]:
    """Of who never paid: none."""
    employment = session.get_one(Employment, person.id)
    pension = session.get_one(PensionAccount, person.id)
    injured = [] if "work_injury" in _missing(session, person) else paid
    settled = sum(contribution.settled for contribution in paid)
    return [
        {
            "aae140": kind,
            "state": state,
            "from": insured[0].month,
            "to": insured[-1].month,
            "months": months,
        }
        for kind, state, insured, months in (
            (PENSION, pension.state, paid, settled),
            (
                UNEMPLOYMENT,
                employment.unemployment_state,
                unemployed,
                employment.unemployment_months,
            ),
            (WORK_INJURY, employment.injury_state, injured, None),
        )
        if insured
    ]
