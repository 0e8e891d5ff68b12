"""What several rooms' tests share: one pcscd of our own for the whole test process."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from hw_sim.pcscd import PcscdBroken, PcscdUnavailable, PcscdWorld, world_for_this_process

_FIRST = "tests/test_demo_walk.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate",
        action="store_true",
        help="write golden files anew instead of comparing; then read the difference",
    )


@pytest.fixture
def regenerate(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--regenerate"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The walk takes as long as half of the rest and mostly waits: beside the others, not last."""
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))


@pytest.fixture(scope="session")
def shared_pcscd() -> Iterator[PcscdWorld]:
    """One pcscd for the whole session: libpcsclite remembers its first socket."""
    try:
        with world_for_this_process() as world:
            yield world
    except PcscdUnavailable as reason:
        if "CI" in os.environ or isinstance(reason, PcscdBroken):
            raise
        pytest.skip(str(reason))


@pytest.fixture
def pcscd_world(shared_pcscd: PcscdWorld) -> Iterator[PcscdWorld]:
    """The shared world with an empty contact slot and cards fresh from issuance."""
    shared_pcscd.slots.renew()
    yield shared_pcscd
    assert shared_pcscd.slots.status()["bugs"] == 0
    shared_pcscd.slots.renew()
