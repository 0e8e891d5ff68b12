"""Fill an empty platform database with the demo province's records.

The same population and date give the same rows on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from hw_sim.platform.model import (
    Base,
    BlockGap,
    Card,
    CatalogueItem,
    Contribution,
    EarlierUnit,
    Employment,
    PensionAccount,
    Person,
    Savings,
    Setting,
)
from hw_sim.platform.residents import facts as residents_facts
from hw_sim.population import Resident, Sex

Row = dict[str, Any]
RECENT = 12


def month_text(months: int) -> str:
    """``YYYY-MM`` of a count of months since year 0."""
    return f"{months // 12:04d}-{months % 12 + 1:02d}"


def month_count(text: str) -> int:
    """Months since year 0 of ``YYYY-MM``."""
    year, month = text.split("-")
    return int(year) * 12 + int(month) - 1


@dataclass(frozen=True)
class _Career:
    """A person's pension contributions: months since year 0, newest last."""

    months: Sequence[int]
    base_fen: Sequence[int]
    pending: int
    retirement: int | None
    state: str


def _retirement(resident: Resident, rule: Mapping[str, Any], rng: random.Random) -> int:
    group = "men"
    if resident.sex is Sex.FEMALE:
        group = rng.choice(("women_55", "women_50"))
    step = rule[group]
    birth = resident.born.year * 12 + resident.born.month - 1
    later = birth - month_count(step["first_birth"]) + 1
    delay = min(step["cap"], -(-later // step["per"])) if later > 0 else 0
    return int(birth + step["age"] * 12 + delay)


def _career(
    resident: Resident, today: int, facts: Mapping[str, Any], rng: random.Random
) -> _Career:
    pension = facts["pension"]
    retirement = _retirement(resident, facts["retirement"], rng)
    birth = resident.born.year * 12 + resident.born.month - 1
    start = max(birth + rng.randint(19 * 12, 27 * 12), month_count(pension["first_month"]))
    state, end, pending = "paying", today, rng.choice((0, 1, 1, 2))
    if retirement <= today:
        state, end, pending = "receiving", retirement - 1, 0
    elif rng.random() < 0.12:
        state, end, pending = "paused", today - rng.randint(2, 60), 0
    months = [month for month in range(start, end + 1) if rng.random() > 0.02]
    base = rng.randint(pension["base_fen_low"], pension["base_fen_high"])
    bases = []
    for at in range(len(months)):
        if at % 6 == 5:
            base += base * pension["base_step_percent"] // 100
        bases.append(base // 100 * 100)
    # Special work and disability are out of the formula: no month can be promised.
    promised = None if state != "receiving" and rng.random() < 0.04 else retirement
    return _Career(months, bases, min(pending, len(months)), promised, state)


def _known_career(known: Mapping[str, Any], today: int) -> _Career:
    recent: Sequence[int] = known["recent_base_fen"]
    count = known["months"] + known["pending"]
    months = range(today - count + 1, today + 1)
    earlier = [
        recent[0] * (count - at) // count // 100 * 100 for at in range(count - RECENT, 0, -1)
    ]
    return _Career(
        months,
        [*earlier, *recent],
        known["pending"],
        month_count(known["retirement"]),
        known["state"],
    )


def _gaps(index: int, known: bool, rng: random.Random) -> list[Row]:
    """Every eighth person lacks one block."""
    if known or index % 8 != 7:
        return []
    block, reason = rng.choice(
        (
            ("unemployment", "no-record"),
            ("work_injury", "no-record"),
            ("annuity", "maintenance"),
            ("annuity", "not-connected"),
            ("personal_pension", "maintenance"),
            ("personal_pension", "not-connected"),
        )
    )
    return [{"person_id": index + 1, "block": block, "reason": reason}]


def _savings(
    index: int, known: Mapping[str, Any] | None, today: int, limit: int, rng: random.Random
) -> Row:
    annuity = rng.randrange(200_000, 9_000_000, 10) if rng.random() < 0.4 else None
    personal, paid = "none", 0
    if rng.random() < 0.3:
        personal, paid = "open", rng.randrange(0, limit + 1, 10_000)
    if known is not None:
        annuity, personal, paid = known["annuity_fen"], known["personal_pension"], 0
    return {
        "person_id": index + 1,
        "annuity_fen": annuity,
        "annuity_month": None if annuity is None else month_text(today - 1),
        "personal_state": personal,
        "personal_paid_fen": paid,
        "personal_limit_fen": limit,
    }


def _employment(
    index: int,
    career: _Career,
    known: Mapping[str, Any] | None,
    employers: Sequence[str],
    rng: random.Random,
) -> Row:
    paid = len(career.months) - career.pending
    months, employer = paid * rng.randint(60, 100) // 100, rng.choice(employers)
    if known is not None:
        months, employer = known["unemployment_months"], known["employer"]
    # Neither insurance outlives the employment: a pensioner isn't paying, and receives neither.
    state = "paying" if career.state == "paying" else "paused"
    return {
        "person_id": index + 1,
        "unemployment_months": months,
        "unemployment_state": state,
        "injury_state": state,
        "employer": employer,
    }


def _earlier_units(
    resident: Resident,
    career: _Career,
    known: Mapping[str, Any] | None,
    present: str,
    facts: Mapping[str, Any],
) -> list[Row]:
    # A generator of its own: what is drawn here moves nothing else of the person.
    rng = random.Random(f"units {resident.index} {resident.born:%Y%m%d}")
    others = [unit["name"] for unit in facts["units"] if unit["name"] != present]
    ago, employer = rng.randint(*facts["changed_months"]), rng.choice(others)
    changed = rng.randrange(100) < facts["changed_percent"]
    if known is not None:
        changed, ago, employer = True, known["earlier_until_months"], known["earlier_employer"]
    if not changed or not career.months or career.months[-1] - ago < career.months[0]:
        return []
    until = month_text(career.months[-1] - ago)
    return [{"person_id": resident.index + 1, "until": until, "employer": employer}]


def _rows(residents: Sequence[Resident], as_of: date) -> dict[type[Base], list[Row]]:
    facts = residents_facts()
    employers = [unit["name"] for unit in facts["employers"]["units"]]
    known_people = {known["index"]: known for known in facts["known"]}
    today = as_of.year * 12 + as_of.month - 1
    rows: dict[type[Base], list[Row]] = {
        table: []
        for table in (
            Person,
            Card,
            Contribution,
            PensionAccount,
            Employment,
            EarlierUnit,
            Savings,
            BlockGap,
        )
    }
    for resident in residents:
        index, card = resident.index, resident.card
        rng = random.Random(f"platform {index} {resident.born:%Y%m%d}")
        known = known_people.get(index)
        career = (
            _career(resident, today, facts, rng) if known is None else _known_career(known, today)
        )
        settled = len(career.months) - career.pending
        pension = facts["pension"]
        saved = sum(career.base_fen[:settled]) * pension["account_percent"] // 100
        account = saved * (100 + pension["growth_percent"]) // 100
        rows[Person].append(
            {
                "id": index + 1,
                "number": resident.number,
                "name": resident.name,
                "born": resident.born,
                "sex": resident.sex.value,
            }
        )
        rows[Card].append(
            {
                "card_id": card.card_id.hex().upper(),
                "card_number": card.card_number,
                "person_id": index + 1,
                "version": card.version,
                "issued": card.issued,
                "expires": card.expires,
                "state": card.state.value,
            }
        )
        rows[Contribution] += [
            {
                "person_id": index + 1,
                "month": month_text(month),
                "base_fen": base,
                "settled": at < settled,
            }
            for at, (month, base) in enumerate(zip(career.months, career.base_fen, strict=True))
        ]
        rows[PensionAccount].append(
            {
                "person_id": index + 1,
                "account_fen": account if known is None else known["account_fen"],
                "retirement": None if career.retirement is None else month_text(career.retirement),
                "state": career.state,
            }
        )
        employment = _employment(index, career, known, employers, rng)
        rows[Employment].append(employment)
        rows[EarlierUnit] += _earlier_units(
            resident, career, known, employment["employer"], facts["employers"]
        )
        limit = facts["personal_pension"]["year_limit_fen"]
        rows[Savings].append(_savings(index, known, today, limit, rng))
        rows[BlockGap] += _gaps(index, known is not None, rng)
    catalogue = facts["catalogue"]
    rows[CatalogueItem] = [
        {**item, "position": position} for position, item in enumerate(catalogue["items"])
    ]
    rows[Setting] = [
        {"name": "as_of", "value": as_of.isoformat()},
        {"name": "catalogue_version", "value": catalogue["version"]},
    ]
    return rows


def seed(session: Session, residents: Sequence[Resident], as_of: date) -> None:
    """Insert everybody's records into empty tables; the caller commits.

    Args:
        as_of: the day the records show; the newest contribution month is this day's month.
    """
    for table, rows in _rows(residents, as_of).items():
        if rows:
            # Through the table, not the mapper: 40,000 rows in a fraction of a second.
            session.execute(insert(table.__table__), rows)  # type: ignore[arg-type]
