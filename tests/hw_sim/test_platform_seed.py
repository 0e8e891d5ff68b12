"""The demo province's records: the same everywhere, and every one a good overview."""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from hw_sim.platform.blocks import overview_blocks
from hw_sim.platform.model import (
    Contribution,
    EarlierUnit,
    Employment,
    PensionAccount,
    Person,
)
from hw_sim.platform.residents import unit_numbers
from hw_sim.platform.seed import month_count, month_text
from hw_sim.platform.store import Store
from hw_sim.population import population

AS_OF = date(2026, 11, 21)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store.open(tmp_path_factory.mktemp("seed") / "platform.sqlite", AS_OF)


def _dump(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    own = ("platform_key", "encryption_key")
    lines = [line for line in connection.iterdump() if not any(name in line for name in own)]
    connection.close()
    return lines


@pytest.fixture(scope="module")
def everybody(store: Store) -> list[dict[str, Any]]:
    """The blocks of all residents."""
    with store.sessions() as session:
        return [
            overview_blocks(session, resident.index + 1, store.as_of, {}).model_dump()
            for resident in population()
        ]


def test_two_databases_hold_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        Store.open(tmp_path / name, AS_OF).close()
    first = _dump(tmp_path / "one")
    assert len(first) > 30_000
    assert first == _dump(tmp_path / "two")


def test_two_platforms_have_different_keys(tmp_path: Path) -> None:
    keys = {Store.open(tmp_path / name, AS_OF).key.public for name in ("one", "two")}
    assert len(keys) == 2


def test_every_resident_has_a_good_overview(everybody: list[dict[str, Any]]) -> None:
    # The wire models check the forms; here: the sums.
    for blocks in everybody:
        pension = blocks["pension"]
        assert [month["month"] for month in pension["recent"]] == [
            month_text(month) for month in range(month_count("2025-12"), month_count("2026-11") + 1)
        ]
        if blocks["unemployment"]["available"]:
            assert blocks["unemployment"]["months"] <= pension["months"]


def test_pensioners_receive_and_no_longer_pay(everybody: list[dict[str, Any]]) -> None:
    seen = Counter(blocks["pension"]["state"] for blocks in everybody)
    assert min(seen["paying"], seen["paused"], seen["receiving"]) >= 5
    for blocks in everybody:
        pension = blocks["pension"]
        if pension["state"] == "receiving":
            assert pension["retirement"] <= "2026-11"
            assert not any(
                month["base_fen"]
                for month in pension["recent"]
                if month["month"] >= pension["retirement"]
            )
        elif pension["retirement"] is not None:
            assert pension["retirement"] > "2026-11"


def test_some_residents_lack_a_single_block(everybody: list[dict[str, Any]]) -> None:
    gaps = [
        [block["reason"] for block in blocks.values() if not block["available"]]
        for blocks in everybody
    ]
    assert gaps[0] == []
    assert {len(reasons) for reasons in gaps} == {0, 1}
    assert {reason for reasons in gaps for reason in reasons} == {
        "maintenance",
        "not-connected",
        "no-record",
    }


def test_some_changed_their_employer(store: Store) -> None:
    newest, oldest = "2024-09", "2021-09"
    with store.sessions() as session:
        changed = {row.person_id: row for row in session.scalars(select(EarlierUnit))}
        assert 40 < len(changed) < 100
        for person_id, row in changed.items():
            present = session.get_one(Employment, person_id).employer
            assert row.employer != present
            assert {row.employer, present} <= unit_numbers().keys()
            first = session.scalar(
                select(func.min(Contribution.month)).where(Contribution.person_id == person_id)
            )
            assert first is not None
            assert first <= row.until <= newest
            if session.get_one(PensionAccount, person_id).state == "paying":
                # Nobody's newest contribution is more than a few months old.
                assert row.until >= oldest


def test_every_employer_has_a_number(store: Store) -> None:
    with store.sessions() as session:
        employers = set(session.scalars(select(Employment.employer)))
    assert employers == unit_numbers().keys()
    assert len(set(unit_numbers().values())) == len(employers)


def test_few_residents_are_a_seed_too(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "platform.sqlite", AS_OF, population()[1:3])
    with store.sessions() as session:
        assert len(session.scalars(select(Person)).all()) == 2


def test_the_first_person_moves_with_the_date(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "platform.sqlite", date(2027, 1, 31))
    with store.sessions() as session:
        blocks = overview_blocks(session, 1, store.as_of, {}).model_dump()
    assert blocks["pension"]["months"] == 186
    recent = blocks["pension"]["recent"]
    assert (recent[0]["month"], recent[-1]["month"]) == ("2026-02", "2027-01")
    assert [month["settled"] for month in recent] == [True] * 10 + [False] * 2
    assert blocks["annuity"]["as_of"] == "2026-12"


def test_an_existing_database_is_not_seeded_again(tmp_path: Path) -> None:
    Store.open(tmp_path / "platform.sqlite", AS_OF).close()
    store = Store.open(tmp_path / "platform.sqlite", date(2030, 1, 1))
    assert store.as_of == AS_OF


@given(st.integers(min_value=0, max_value=9999 * 12 + 11))
def test_months_as_text_and_back(month: int) -> None:
    text = month_text(month)
    assert month_count(text) == month
    assert len(text) == 7
