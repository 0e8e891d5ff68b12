"""A platform for each file of tests, and a terminal of it with three messages that wait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kiosk.transfer_hall import Hall, Terminal, new_terminal


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    made = Hall(tmp_path_factory.mktemp("platform"))
    made.server.start()
    yield made
    made.close()


@pytest.fixture
def terminal(hall: Hall, tmp_path: Path) -> Iterator[Terminal]:
    made = new_terminal(hall, tmp_path)
    made.fill(3)
    yield made
    made.queue.close()
