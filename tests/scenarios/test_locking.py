"""应用锁定, 应用解锁, 卡片锁定: the named card, for good or until it is unlocked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apdu.card import SocialSecurityCard
from apdu.custodian import Custodian
from apdu.errors import ApplicationBlocked, WrongCard
from apdu.identity import CardId
from apdu.locking import (
    block_application,
    block_application_for_ever,
    block_card,
    unblock_application,
)
from apdu.reading import read_card
from hw_sim.cards.catalogue import holder
from tests.scenarios.conftest import BenchCard
from tests.scenarios.test_reading import names_its_holder

Lock = Callable[[SocialSecurityCard, Custodian, CardId], None]
STATE, CARD = "ssse.state", "card.blocked"


def card_id(name: str) -> CardId:
    resident = holder(name)
    assert resident is not None
    return CardId.parse(resident.card.card_id)


@pytest.mark.parametrize("name", ["v1", "v2", "v3"])
def test_an_application_is_locked_and_unlocked(bench_card: BenchCard, name: str) -> None:
    bench, named = bench_card(name), card_id(name)
    before = bench.memory()
    assert unblock_application(bench.transport, bench.custodian, named) is False
    block_application(bench.again(), bench.custodian, named)
    with pytest.raises(ApplicationBlocked):
        bench.again()
    with pytest.raises(ApplicationBlocked):
        read_card(bench.transport, bench.custodian)
    assert {word for word, value in bench.memory().items() if value != before[word]} == {STATE}
    bench.power_off()
    assert unblock_application(bench.transport, bench.custodian, named) is True
    assert bench.memory() == before
    assert names_its_holder(read_card(bench.transport, bench.custodian), name)


def test_the_card_that_came_locked_is_unlocked(bench_card: BenchCard) -> None:
    bench = bench_card("blocked")
    assert unblock_application(bench.transport, bench.custodian, card_id("blocked")) is True
    assert names_its_holder(read_card(bench.transport, bench.custodian), "blocked")


@pytest.mark.parametrize(
    ("lock", "word"), [(block_application_for_ever, STATE), (block_card, CARD)]
)
def test_for_ever_is_for_ever(bench_card: BenchCard, lock: Lock, word: str) -> None:
    bench, named = bench_card("v3"), card_id("v3")
    before = bench.memory()
    lock(bench.open(), bench.custodian, named)
    assert {each for each, value in bench.memory().items() if value != before[each]} == {word}
    with pytest.raises(ApplicationBlocked):
        bench.again()
    with pytest.raises(ApplicationBlocked):
        unblock_application(bench.transport, bench.custodian, named)


def test_another_card_than_the_named_one_is_left_alone(bench_card: BenchCard) -> None:
    bench, other = bench_card("v3"), card_id("resident:12")
    before = bench.memory()
    for lock in (block_application, block_application_for_ever, block_card):
        with pytest.raises(WrongCard):
            lock(bench.again(), bench.custodian, other)
    bench.power_off()
    with pytest.raises(WrongCard):
        unblock_application(bench.transport, bench.custodian, other)
    assert bench.memory() == before
