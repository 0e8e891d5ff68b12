"""One whole read of every kind of card."""

from __future__ import annotations

import pytest

from apdu.errors import ApplicationBlocked, CardError, CardMute, MalformedAnswer, UnknownCard
from apdu.reading import CardReading, HolderUnavailable, read_card
from hw_sim.cards.catalogue import holder
from tests.scenarios.conftest import BenchCard

COMMANDS = {"v1": 16, "v2": 8, "v3": 6}
"""On the card; what T=0 makes wait counts, too."""


def names_its_holder(reading: CardReading, card: str) -> bool:
    """Whether it says what the population says; no value gets into a test's output."""
    resident, found, issuer = holder(card), reading.holder, reading.issuer
    return (
        resident is not None
        and found is not None
        and (found.social_security_number, found.name) == (resident.number, resident.name)
        and (found.birth_date, found.birthplace) == (resident.born, resident.birthplace)
        and (issuer.card_number, issuer.card_id)
        == (resident.card.card_number, resident.card.card_id)
        and (issuer.issued, issuer.expires) == (resident.card.issued, resident.card.expires)
    )


@pytest.mark.parametrize("name", ["v1", "v2", "v3", "bank", "pki", "expired", "pin-locked", "lost"])
def test_a_good_card_proves_itself_and_names_its_holder(bench_card: BenchCard, name: str) -> None:
    bench = bench_card(name)
    tries, before = bench.pin_tries, bench.memory()
    reading = read_card(bench.transport, bench.custodian)
    assert reading.genuine and reading.consistent
    assert names_its_holder(reading, name)
    assert reading.apdus == COMMANDS.get(name, reading.apdus)
    assert (bench.pin_tries, bench.memory()) == (tries, before)


def test_a_card_reads_the_same_again_with_and_without_a_power_cycle(bench_card: BenchCard) -> None:
    bench = bench_card("v3")
    first = read_card(bench.transport, bench.custodian)
    assert read_card(bench.transport, bench.custodian) == first
    bench.power_off()
    assert read_card(bench.transport, bench.custodian) == first


def test_a_damaged_card_names_its_holder_and_what_is_unreadable(bench_card: BenchCard) -> None:
    bench = bench_card("damaged")
    reading = read_card(bench.transport, bench.custodian)
    resident, found = holder("damaged"), reading.holder
    assert reading.genuine and resident is not None and found is not None
    assert found.social_security_number == resident.number
    assert (reading.issuer.unreadable, found.unreadable) == (
        ("organisation", "issued"),
        ("birth_date",),
    )


def test_a_clone_names_nobody(bench_card: BenchCard) -> None:
    bench = bench_card("clone")
    reading = read_card(bench.transport, bench.custodian)
    assert (reading.genuine, reading.holder) == (False, None)
    assert reading.holder_unavailable is HolderUnavailable.NOT_GENUINE


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("blocked", ApplicationBlocked),
        ("dead", ApplicationBlocked),
        ("locked", ApplicationBlocked),
        ("blank", MalformedAnswer),
        ("unknown", UnknownCard),
        ("mute", CardMute),
    ],
)
def test_a_card_that_serves_nobody_says_why(
    bench_card: BenchCard, name: str, error: type[CardError]
) -> None:
    bench = bench_card(name)
    with pytest.raises(error):
        read_card(bench.transport, bench.custodian)


def test_another_card_in_the_slot_is_another_reading(bench_card: BenchCard) -> None:
    bench = bench_card("v3")
    assert names_its_holder(read_card(bench.transport, bench.custodian), "v3")
    bench.put_in("resident:12")
    assert names_its_holder(read_card(bench.transport, bench.custodian), "resident:12")
