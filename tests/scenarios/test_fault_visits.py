"""Every fault of every device through the visits of a terminal: what a resident is owed holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from hw_sim.hall.hall import _FAULTY, Hall, HallSettings
from hw_sim.hall.slot import Way
from tests.scenarios.fault_rows import PARTS, every_row, telling_rows
from tests.scenarios.faulty_hall import FaultyHall
from tests.scenarios.hand_rows import MISHAPS, NO_MISHAPS, every_mishap, telling_mishaps
from tests.scenarios.rows import Row
from tests.scenarios.what_is_owed import walk_row

UNUSED = {"hid_scanner"}
"""No visit of these terminals uses it."""

Open = Callable[[Way], FaultyHall]


@pytest.fixture(scope="module")
def hall_of(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Open]:
    """Gives the hall and terminal of a way to cards, the same for many rows; one at a time."""
    halls: list[FaultyHall] = []

    def opened(way: Way) -> FaultyHall:
        if not halls or halls[0].way is not way:
            while halls:
                halls.pop().close()
            pcscd = request.getfixturevalue("shared_pcscd") if way is Way.PCSCD else None
            halls.append(FaultyHall(tmp_path_factory.mktemp("hall"), way, pcscd))
            halls[0].open()
        return halls[0]

    yield opened
    for hall in halls:
        hall.close()


def _params(rows: Iterable[Row]) -> list[object]:
    marks = {Way.PCSCD: [pytest.mark.pcscd]}
    by_way = sorted(rows, key=lambda row: row.way.value)
    return [pytest.param(row, marks=marks.get(row.way, []), id=row.name) for row in by_way]


SAMPLE = [*(row for part in PARTS for row in telling_rows(part)), *telling_mishaps()]
WHOLE = [*(row for part in PARTS for row in every_row(part)), *every_mishap()]
REST = [row for row in WHOLE if row not in SAMPLE]


def test_the_matrix_has_whatever_can_go_wrong_in_a_hall(tmp_path: Path) -> None:
    hall = Hall(HallSettings(tmp_path / "run", tmp_path / "state"))
    assert set(hall._questions) == {mishap.do.do for mishap in MISHAPS} | NO_MISHAPS
    parts = {row.part for row in WHOLE}
    assert parts == {*_FAULTY.split(), *hall._desks, "psam", "reader"} - UNUSED


@pytest.mark.parametrize("row", _params(SAMPLE))
def test_a_fault_at_the_moment_that_tells_most(hall_of: Open, row: Row) -> None:
    walk_row(hall_of(row.way), row)


@pytest.mark.slow
@pytest.mark.parametrize("row", _params(REST))
def test_a_fault_at_every_other_moment(hall_of: Open, row: Row) -> None:
    walk_row(hall_of(row.way), row)
