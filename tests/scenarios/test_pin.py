"""The holder's PIN: shown, refused, blocked, changed, unblocked, reloaded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apdu.card import SocialSecurityCard
from apdu.custodian import FirstThatCan
from apdu.errors import CardError, CardRemoved, PinBlocked, PinRejected, PsamUnavailable
from apdu.pin import IllegalPin
from apdu.profile import Profiles, shipped_profiles
from hw_sim.population import DEMO_PIN
from tests.scenarios.bench import Bench
from tests.scenarios.conftest import BenchCard

WRONG, EVEN, ODD = "939393", "86420864", "7531975"
TRIES = {"v1": 6, "v2": 6, "v3": 3}


def digits(text: str) -> bytearray:
    return bytearray(text.encode())


def shows(card: SocialSecurityCard, pin: str) -> bool:
    """Whether the card takes this PIN."""
    typed = digits(pin)
    try:
        card.verify_pin(typed)
    except PinRejected:
        return False
    finally:
        assert not any(typed)
    return True


def block(bench: Bench) -> SocialSecurityCard:
    card = bench.open()
    while bench.pin_tries:
        with pytest.raises((PinRejected, PinBlocked)):
            card.verify_pin(digits(WRONG))
    return card


def asking(profiles: Profiles) -> Profiles:
    """Profiles of cards that tell the tries left for nothing."""
    return {
        version: replace(profile, pin=replace(profile.pin, status_query=True))
        for version, profile in profiles.items()
    }


@pytest.mark.parametrize("name", TRIES)
def test_tries_are_counted_given_back_and_run_out(bench_card: BenchCard, name: str) -> None:
    bench, most = bench_card(name), TRIES[name]
    card = bench.open()
    with pytest.raises(PinRejected) as rejected:
        card.verify_pin(digits(WRONG))
    assert rejected.value.tries_left == bench.pin_tries == most - 1
    assert shows(card, DEMO_PIN)
    assert bench.pin_tries == most
    for left in reversed(range(most)):
        with pytest.raises((PinRejected, PinBlocked)) as refused:
            card.verify_pin(digits(WRONG))
        assert bench.pin_tries == left
        if isinstance(refused.value, PinRejected):
            assert refused.value.tries_left == left
    for _ in range(2):
        with pytest.raises(PinBlocked):
            card.verify_pin(digits(DEMO_PIN))
        card = bench.again()
    assert bench.pin_tries == 0


def test_what_cannot_be_a_pin_costs_no_try(bench_card: BenchCard) -> None:
    bench = bench_card("v3")
    card = bench.open()
    for pin in ("", "123", "12345a", "1" * 17):
        typed = digits(pin)
        with pytest.raises(IllegalPin):
            card.verify_pin(typed)
        assert not any(typed)
    assert bench.pin_tries == 3


def test_the_tries_left_are_asked_only_where_that_is_free(bench_card: BenchCard) -> None:
    bench = bench_card("v3")
    assert bench.open().pin_tries() is None
    told = SocialSecurityCard.open(bench.transport, profiles=asking(shipped_profiles()))
    assert told.pin_tries() == 3
    assert not shows(told, WRONG)
    assert told.pin_tries() == bench.pin_tries == 2
    block(bench)
    told = SocialSecurityCard.open(bench.transport, profiles=asking(shipped_profiles()))
    assert told.pin_tries() == 0


@pytest.mark.parametrize("name", ["v1", "v3", "v3+odd-pin"])
def test_a_change_from_even_to_odd_and_back(bench_card: BenchCard, name: str) -> None:
    bench = bench_card(name)
    old = "1234567" if "odd" in name else DEMO_PIN
    for new in (ODD, EVEN, "4826"):
        card, pins = bench.again(), (digits(old), digits(new))
        card.change_pin(*pins)
        assert not any(any(each) for each in pins)
        again = bench.again()
        assert not shows(again, old)
        assert shows(again, new)
        old = new
    assert bench.memory()["pin"].hex() == "4826"


def test_a_change_with_a_wrong_pin_costs_a_try_and_changes_nothing(bench_card: BenchCard) -> None:
    bench = bench_card("v3")
    card, before = bench.open(), bench.memory()
    with pytest.raises(PinRejected) as rejected:
        card.change_pin(digits(WRONG), digits(EVEN))
    assert rejected.value.tries_left == bench.pin_tries == 2
    with pytest.raises(IllegalPin):
        card.change_pin(digits(DEMO_PIN), digits("12"))
    assert bench.pin_tries == 2
    assert bench.memory() == before
    assert shows(card, DEMO_PIN)


@pytest.mark.parametrize("name", ["v1", "v2", "v3"])
def test_an_unblocked_pin_is_what_it_was(bench_card: BenchCard, name: str) -> None:
    bench = bench_card(name)
    card, before = block(bench), bench.memory()
    with pytest.raises(PsamUnavailable):
        card.unblock_pin(FirstThatCan([]))
    assert bench.pin_tries == 0
    card.issuer()
    card.unblock_pin(bench.custodian)
    assert (bench.pin_tries, bench.memory()) == (TRIES[name], before)
    assert shows(bench.again(), DEMO_PIN)


@pytest.mark.parametrize("name", ["v1", "v2", "v3"], ids=["3DES-v1", "3DES-v2", "SM4-v3"])
@pytest.mark.parametrize("new", [EVEN, ODD], ids=["even", "odd"])
def test_a_reloaded_pin_opens_a_blocked_card(bench_card: BenchCard, name: str, new: str) -> None:
    bench = bench_card(name)
    card, before = block(bench), bench.memory()
    with pytest.raises(PsamUnavailable):
        card.reload_pin(FirstThatCan([]), digits(new))
    assert (bench.pin_tries, bench.memory()) == (0, before)
    typed = digits(new)
    card.reload_pin(bench.custodian, typed)
    assert not any(typed)
    assert bench.pin_tries == TRIES[name]
    again = bench.again()
    assert not shows(again, DEMO_PIN)
    assert shows(again, new)
    after = bench.memory()
    assert {word for word in after if after[word] != before[word]} == {"pin"}


@pytest.mark.parametrize("fault", ["tear", "tear-after"])
def test_a_torn_verify_costs_its_try_and_no_other(bench_card: BenchCard, fault: str) -> None:
    bench = bench_card("v3")
    card = bench.open()
    bench.faults(f"1:{fault}")
    with pytest.raises(CardRemoved):
        card.verify_pin(digits(WRONG))
    with pytest.raises(CardError):
        card.verify_pin(digits(DEMO_PIN))
    assert bench.pin_tries == 2
    bench.put_in()
    assert bench.pin_tries == 2
    assert shows(bench.open(), DEMO_PIN)
    assert bench.pin_tries == 3
