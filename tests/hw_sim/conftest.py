from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from hw_sim.cards.iso7816 import Card
from tests.hw_sim.card_terminal import Ask
from tests.hw_sim.postgres import Postgresql, PostgresqlUnavailable, postgresql

if TYPE_CHECKING:
    # The cards' tests need nothing of the platform.
    from tests.hw_sim.platform_terminal import NewDatabase


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Gives a card one command in hex; its data and status word. The card must have no bug."""
    asked: list[Card] = []

    def give(card: Card, command: str) -> tuple[bytes, int]:
        asked.append(card)
        answer = card.execute(bytes.fromhex(command))
        assert answer is not None
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    yield give
    assert [bug for card in asked for bug in card.bugs] == []


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Postgresql]:
    try:
        with postgresql() as server:
            yield server
    except PostgresqlUnavailable as absent:
        if "CI" in os.environ:
            raise
        pytest.skip(str(absent))


@pytest.fixture(scope="session")
def seeded_postgresql(postgresql_server: Postgresql) -> Callable[[], str]:
    """Makes databases that hold the demo province's records, copied from one that was seeded."""
    from hw_sim.platform.store import Store
    from tests.hw_sim.platform_terminal import AS_OF

    first = postgresql_server.new_database()
    Store.open(first, AS_OF).close()
    name = first.rsplit("/", 1)[1]
    return lambda: postgresql_server.new_database(template=name)


@pytest.fixture
def seeded_postgresql_url(seeded_postgresql: Callable[[], str]) -> str:
    return seeded_postgresql()


@pytest.fixture(
    scope="session",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.peer)],
)
def new_database(request: pytest.FixtureRequest) -> NewDatabase:
    """A place for a platform's records, given a folder: its test runs once on SQLite, and once on
    PostgreSQL."""
    if request.param == "sqlite":
        return lambda folder: folder / "platform.sqlite"
    seeded = request.getfixturevalue("seeded_postgresql")
    return lambda _folder: str(seeded())
