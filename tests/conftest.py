"""What several rooms' tests share: one pcscd of our own for the whole test process."""

from __future__ import annotations

import logging
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


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture(autouse=True)
def card_bugs() -> Iterator[list[str]]:
    """What broke inside simulated cards of this process: such a card answers 6F00 and goes on, and
    its test fails, unless it wanted that and clears the list."""
    kept, log = _Kept(), logging.getLogger("hw_sim.cards.iso7816")
    log.addHandler(kept)
    yield kept.messages
    log.removeHandler(kept)
    assert kept.messages == []


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
    slots = shared_pcscd.slots
    slots.renew()
    before = slots.status()["bugs"]
    yield shared_pcscd
    # They are in another process, so that `card_bugs` does not see them.
    found = slots.status()["bugs"] - before
    slots.renew()
    assert found == 0, "bugs of simulated cards"
