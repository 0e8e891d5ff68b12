"""The account number of the bank application, on cards of every form of it."""

from __future__ import annotations

import pytest

from apdu.bank.account import NumberSource, read_account
from apdu.channel import Channel
from apdu.errors import ApplicationBlocked, UnexpectedStatus
from apdu.reading import read_card
from hw_sim.cards.bank_image import load_bank_image
from hw_sim.cards.catalogue import holder
from tests.scenarios.conftest import BenchCard
from tests.scenarios.test_reading import names_its_holder

BASE = "bank"
TRAPS = ("", "+bank-aid-only", "+bank-options-77", "+bank-track-2")


@pytest.mark.parametrize("traps", TRAPS)
def test_the_account_number_is_found_and_the_card_reads_after_it(
    bench_card: BenchCard, traps: str
) -> None:
    resident = holder(BASE)
    assert resident is not None
    truth = load_bank_image({}).account(resident).number
    bench = bench_card(BASE + traps)
    account = read_account(Channel(bench.transport))
    assert account is not None
    assert account.number == truth, "another number"
    assert account.source in NumberSource
    assert names_its_holder(read_card(bench.transport, bench.custodian), BASE)


@pytest.mark.parametrize("name", ["v1", "v3", "blank"])
def test_a_card_without_bank_application_has_no_account(bench_card: BenchCard, name: str) -> None:
    assert read_account(Channel(bench_card(name).transport)) is None


@pytest.mark.parametrize(
    ("name", "error"), [("unknown", UnexpectedStatus), ("locked", ApplicationBlocked)]
)
def test_a_bank_application_that_does_not_serve_says_so(
    bench_card: BenchCard, name: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        read_account(Channel(bench_card(name).transport))
