"""Two card services as one: each reader is its own service's, and only readers come and go."""

from __future__ import annotations

from typing import Any

import pytest

from apdu.errors import ReaderGone
from drivers.card_service import ReaderState
from drivers.card_services import CombinedCardServices
from drivers.events import CardTaken, Post, ReaderAttached, ServiceLost, ServiceRestored


class Service:
    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.post: Post = lambda _event: None
        self.asked: list[str] = []
        self.stopped = 0

    def start(self, post: Post) -> None:
        self.post = post

    def stop(self) -> None:
        self.stopped += 1

    def readers(self) -> tuple[ReaderState, ...]:
        return tuple(ReaderState(name, True, False, b"\x3b\x00") for name in self.names)

    def connect(self, reader: str) -> Any:
        self.asked.append(reader)
        return reader

    def answers(self, reader: str, seconds: float) -> bool:
        self.asked.append(reader)
        return False


@pytest.fixture
def one() -> Service:
    return Service("A 1", "A 2")


@pytest.fixture
def two() -> Service:
    return Service("B 1", "A 2")


def test_a_reader_is_of_the_first_that_shows_it(one: Service, two: Service) -> None:
    both = CombinedCardServices(one, two)
    assert [state.name for state in both.readers()] == ["A 1", "A 2", "B 1", "A 2"]
    for name in ("B 1", "A 2"):
        both.connect(name)
        assert not both.answers(name, 0.1)
    assert (one.asked, two.asked) == (["A 2", "A 2"], ["B 1", "B 1"])


def test_a_reader_that_nobody_shows_is_gone_and_holds_nobody(one: Service, two: Service) -> None:
    both = CombinedCardServices(one, two)
    with pytest.raises(ReaderGone):
        both.connect("C")
    assert both.answers("C", 0.1)
    assert one.asked == two.asked == []


def test_one_service_that_is_lost_leaves_the_other(one: Service, two: Service) -> None:
    told: list[Any] = []
    both = CombinedCardServices(one, two)
    both.start(told.append)
    one.post(ReaderAttached("A 1"))
    two.post(ServiceLost())
    two.post(ServiceRestored())
    two.post(CardTaken("B 1"))
    assert told == [ReaderAttached("A 1"), CardTaken("B 1")]
    both.stop()
    assert (one.stopped, two.stopped) == (1, 1)
