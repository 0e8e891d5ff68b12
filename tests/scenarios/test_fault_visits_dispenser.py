"""Visits with every fault of a dispenser that takes residents' cards in."""

from __future__ import annotations

import pytest

from tests.scenarios.fault_matrix import Open, hall_of, rest, sample
from tests.scenarios.rows import Row
from tests.scenarios.what_is_owed import walk_row

__all__ = ["hall_of"]

PARTS = ("dispenser",)


@pytest.mark.parametrize("row", sample(*PARTS))
def test_a_fault_at_the_moment_that_tells_most(hall_of: Open, row: Row) -> None:
    walk_row(hall_of(row.setup), row)


@pytest.mark.slow
@pytest.mark.parametrize("row", rest(*PARTS))
def test_a_fault_at_every_other_moment(hall_of: Open, row: Row) -> None:
    walk_row(hall_of(row.setup), row)
