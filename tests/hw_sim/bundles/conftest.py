"""A platform for each file of tests, its records as another process has them open, a stick."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.platform.store import Store
from tests.hw_sim.platform_terminal import AS_OF, Stage, Terminal, staged


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("platform")


@pytest.fixture(scope="module")
def stage(place: Path) -> Iterator[Stage]:
    with staged(place) as stage:
        yield stage


@pytest.fixture(scope="module")
def store(stage: Stage, place: Path) -> Iterator[Store]:
    """The same records as another process has them open."""
    assert stage.server.url
    opened = Store.open(place / "platform.sqlite", AS_OF)
    yield opened
    opened.close()


@pytest.fixture
def terminal(stage: Stage) -> Terminal:
    return stage.another_terminal()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    return tmp_path
