"""The rows as tests take them, and the halls in which they are walked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.scenarios.fault_rows import PARTS, every_row, telling_rows
from tests.scenarios.faulty_hall import FaultyHall
from tests.scenarios.hand_rows import every_mishap, telling_mishaps
from tests.scenarios.rows import Row, Setup

Open = Callable[[Setup], FaultyHall]

SAMPLE = [
    *(row for part in PARTS if part.sampled for row in telling_rows(part)),
    *telling_mishaps(),
]
WHOLE = [*(row for part in PARTS for row in every_row(part)), *every_mishap()]


def sample(*parts: str) -> list[object]:
    """Every fault of these parts, at the moment that tells most."""
    return _params([row for row in SAMPLE if row.part in parts])


def rest(*parts: str) -> list[object]:
    """Every fault of these parts at every other moment."""
    return _params([row for row in WHOLE if row.part in parts and row not in SAMPLE])


def _params(rows: list[Row]) -> list[object]:
    marks = {Setup.PCSCD: [pytest.mark.pcscd]}
    by_way = sorted(rows, key=lambda row: row.setup.name)
    return [pytest.param(row, marks=marks.get(row.setup, []), id=row.name) for row in by_way]


@pytest.fixture(scope="module")
def hall_of(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Open]:
    """Gives the hall and terminal of a setup, the same for many rows; one at a time."""
    halls: list[FaultyHall] = []

    def opened(setup: Setup) -> FaultyHall:
        if not halls or halls[0].setup is not setup:
            while halls:
                halls.pop().close()
            pcscd = request.getfixturevalue("shared_pcscd") if setup is Setup.PCSCD else None
            halls.append(FaultyHall(tmp_path_factory.mktemp("hall"), setup, pcscd))
            halls[0].open()
        return halls[0]

    yield opened
    for hall in halls:
        hall.close()
