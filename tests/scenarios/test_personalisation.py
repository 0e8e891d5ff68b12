"""A blank card becomes somebody's, torn on the way or not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from apdu.errors import CardError, CardRemoved, PersonalisationFailed, WrongCard
from apdu.personalisation import GoodCard, Journal, personalise, read_back
from apdu.personalisation_plan import Plan, make_plan
from apdu.reading import read_card
from tests.apdu.person import PHOTO, content_for
from tests.scenarios.bench import Bench
from tests.scenarios.conftest import BenchCard

BLANK = "blank:7"
PHOTO_WORD = "SSSE.EF08.bytes"
TEARS = ("3:tear", "7:tear", "14:tear-after", "18:tear", "19:tear-after", "28:tear", "53:tear")
"""In opening, holder, issuer, photo, further items and the read-back."""


@dataclass
class Desk:
    """Whoever keeps the plan and its journal."""

    bench: Bench
    plan: Plan
    journal: Journal | None = None

    @classmethod
    def with_blank(cls, bench: Bench) -> Desk:
        atr = bench.transport.atr
        return cls(bench, make_plan(atr, content_for(atr)))

    def run(self) -> GoodCard:
        bench = self.bench
        return personalise(
            bench.transport, self.plan, bench.custodian, self.keep, journal=self.journal
        )

    def keep(self, journal: Journal) -> None:
        self.journal = journal

    def is_good(self) -> bool:
        """Whether the card itself says so, after a power cycle."""
        self.bench.power_off()
        try:
            read_back(self.bench.transport, self.plan, self.bench.custodian)
        except CardError:
            return False
        return True


def check_person(desk: Desk) -> None:
    """The card names whom the plan names, and holds the photo byte for byte."""
    desk.bench.power_off()
    reading = read_card(desk.bench.transport, desk.bench.custodian)
    assert reading.genuine and reading.consistent
    content = desk.plan.content
    assert (reading.holder == content.holder, reading.issuer == content.issuer) == (True, True)
    held = desk.bench.memory()[PHOTO_WORD]
    assert held[: len(PHOTO)] == PHOTO and not any(held[len(PHOTO) :])


def test_a_blank_becomes_somebodys_with_photo(bench_card: BenchCard) -> None:
    desk = Desk.with_blank(bench_card(BLANK))
    assert not desk.is_good()
    assert desk.run() == GoodCard(desk.plan.plan_id, len(desk.plan.steps))
    assert desk.is_good()
    check_person(desk)


@pytest.mark.parametrize("fault", TEARS)
def test_torn_it_is_not_good_and_resumed_it_is(bench_card: BenchCard, fault: str) -> None:
    desk = Desk.with_blank(bench_card(BLANK, faults=fault))
    with pytest.raises(CardRemoved):
        desk.run()
    desk.bench.put_in()
    unfinished = desk.journal is None or desk.journal.confirmed < len(desk.plan.steps)
    if unfinished:
        with pytest.raises((PersonalisationFailed, CardError)):
            read_back(desk.bench.transport, desk.plan, desk.bench.custodian)
        desk.bench.power_off()
    assert desk.run() == GoodCard(desk.plan.plan_id, len(desk.plan.steps))
    check_person(desk)


@pytest.mark.parametrize("fault", ["7:9000", "15:9000", "19:9000", "24:9000"])
def test_what_the_card_says_is_written_and_is_not_spoils_it(
    bench_card: BenchCard, fault: str
) -> None:
    desk = Desk.with_blank(bench_card(BLANK, faults=fault))
    with pytest.raises(PersonalisationFailed) as spoiled:
        desk.run()
    assert len(spoiled.value.items) <= 2
    assert not desk.is_good()


def test_another_blank_between_two_attempts_is_not_touched(bench_card: BenchCard) -> None:
    desk = Desk.with_blank(bench_card(BLANK, faults="25:tear"))
    with pytest.raises(CardRemoved):
        desk.run()
    desk.bench.put_in("blank:8")
    before = desk.bench.memory()
    with pytest.raises(WrongCard):
        desk.run()
    assert desk.bench.memory() == before
    desk.bench.put_in(BLANK)
    desk.run()
    check_person(desk)
