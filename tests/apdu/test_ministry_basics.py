"""iReadCardBas and its two steps: field by field as callers take them apart."""

import pytest

from apdu.ministry.terminal import Slot
from hw_sim.cards.catalogue import holder
from tests.apdu.counter import (
    SERIAL,
    CallersHsm,
    Counter,
    CounterCard,
    LackingCustodian,
    NoCustodian,
    calls,
    counter_card,
    fails,
    must_equal,
    psam,
)

CARDS = ("v1", "v2", "v3")
VERSIONS = {"v1": "1.00", "v2": "2.0", "v3": "3.00"}


def told(name: str, terminal: str) -> list[str]:
    """The eleven fields as the simulator's own population gives them, and an empty end."""
    resident, card = holder(name), counter_card(name)
    assert resident is not None
    issued = resident.card
    return [
        "429900",
        resident.number,
        issued.card_number,
        issued.card_id.hex().upper(),
        resident.name,
        card.atr[4:].hex().upper(),
        VERSIONS[name],
        issued.issued.strftime("%Y%m%d"),
        issued.expires.strftime("%Y%m%d"),
        terminal,
        SERIAL,
        "",
    ]


@pytest.mark.parametrize("name", CARDS)
def test_eleven_fields(name: str) -> None:
    answer = calls(Counter(counter_card(name))).call("iReadCardBas", "1")
    assert answer.number == 0
    must_equal(answer.output.split("|"), told(name, "429900000123"))


@pytest.mark.parametrize("name", CARDS)
def test_two_steps_give_the_same_fields(name: str) -> None:
    card = counter_card(name)
    desk = calls(Counter(card, NoCustodian()))
    first = desk.call("iReadCardBas_HSM_Step1", "1")
    assert first.number == 0
    results = CallersHsm(card).basics(first.output) if name == "v3" else "no matter what"
    second = desk.call("iReadCardBas_HSM_Step2", results)
    assert second.number == 0
    must_equal(second.output.split("|"), told(name, "000000000000"))


@pytest.mark.parametrize(("name", "algorithm"), [("v1", "01"), ("v2", "01"), ("v3", "03")])
def test_nine_fields(name: str, algorithm: str) -> None:
    card = counter_card(name)
    parts = (
        calls(Counter(card, NoCustodian())).call("iReadCardBas_HSM_Step1", "1").output.split("|")
    )
    whole = told(name, "")
    assert len(parts) == 10
    must_equal(parts[:4], [whole[0], whole[5], algorithm, whole[3]])
    assert parts[8:] == [SERIAL, ""]
    challenges = parts[4:8]
    if name == "v3":
        assert all(len(challenge) == 16 for challenge in challenges)
        assert len(set(challenges)) == 4
    else:
        assert challenges == ["", "", "", ""]


def test_the_card_is_asked_for_both_pairs_before_the_caller_is_told() -> None:
    """Two challenges, the card's proof over them, two more: the latest is the external factor."""
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    parts = desk.call("iReadCardBas_HSM_Step1", "1").output.split("|")
    sent = [command[1] for command in card.commands]
    assert sent[-5:] == [0x84, 0x84, 0x88, 0x84, 0x84]
    (proof,) = [command for command in card.commands if command[1] == 0x88]
    assert proof[5:21].hex().upper() == parts[4] + parts[5]
    before = len(card.commands)
    desk.call("iReadCardBas_HSM_Step2", CallersHsm(card).basics("|".join(parts)))
    # Nothing between the steps: the next command is the external authentication itself.
    assert card.commands[before][:5].hex().upper() == "0082000A10"


def test_another_proof_than_the_hsm_computes_is_no_card_of_ours() -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    first, second, _ = (
        CallersHsm(card).basics(desk.call("iReadCardBas_HSM_Step1", "1").output).split("|")
    )
    changed = f"{int(first[0], 16) ^ 1:X}{first[1:]}"
    sent = len(card.commands)
    assert fails(desk.call("iReadCardBas_HSM_Step2", f"{changed}|{second}|")) == -25
    assert len(card.commands) == sent


def test_a_wrong_result_of_the_hsm_is_the_cards_own_refusal() -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    first, second, _ = (
        CallersHsm(card).basics(desk.call("iReadCardBas_HSM_Step1", "1").output).split("|")
    )
    changed = f"{int(second[0], 16) ^ 1:X}{second[1:]}"
    assert fails(desk.call("iReadCardBas_HSM_Step2", f"{first}|{changed}|")) == -0x63C2


@pytest.mark.parametrize(
    "results", ["", "|", "no matter what", "00" * 32, "00" * 16 + "|", "0" * 100_000]
)
def test_what_is_no_result_never_reaches_the_card(results: str) -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    desk.call("iReadCardBas_HSM_Step1", "1")
    sent = len(card.commands)
    assert fails(desk.call("iReadCardBas_HSM_Step2", results)) in (-23, -42)
    assert len(card.commands) == sent
    assert fails(desk.call("iReadCardBas_HSM_Step2", results)) == -12


@pytest.mark.parametrize(
    ("name", "lacking", "number"),
    [
        ("v3", "IRK_SSSE", -2202),
        ("v3", "RK_SSSE", -2203),
        ("v1", "IRK_SSSE", -27272),
        ("v2", "IRK_SSSE", -27272),
    ],
)
def test_callers_know_by_the_number_to_go_on_with_the_hsm(
    name: str, lacking: str, number: int
) -> None:
    custodian = LackingCustodian(psam(), frozenset({lacking}))
    counter = Counter(counter_card(name), custodian)
    assert fails(calls(counter).call("iReadCardBas", "1")) == number


@pytest.mark.parametrize("name", CARDS)
def test_no_psam(name: str) -> None:
    counter = Counter(counter_card(name), NoCustodian())
    assert fails(calls(counter).call("iReadCardBas", "1")) == -2201


def test_a_clone_is_not_genuine() -> None:
    assert fails(calls(Counter(counter_card("clone"))).call("iReadCardBas", "1")) == -21


@pytest.mark.parametrize(
    ("name", "number"),
    [("blocked", -25219), ("locked", -27265), ("dead", -37635), ("unknown", -1), ("silent", -4)],
)
def test_cards_that_cannot_be_read(name: str, number: int) -> None:
    assert fails(calls(Counter(counter_card(name))).call("iReadCardBas", "1")) == number


def test_a_reader_without_a_card_and_no_reader() -> None:
    desk = calls(Counter(None, has_contactless=False))
    assert fails(desk.call("iReadCardBas", "1")) == -2
    assert fails(desk.call("iReadCardBas", "2")) == -11


@pytest.mark.parametrize(
    ("kind", "slots"),
    [
        ("1", [Slot.CONTACT]),
        ("2", [Slot.CONTACTLESS]),
        ("3", [Slot.CONTACT, Slot.CONTACTLESS]),
        ("4", [Slot.CONTACTLESS, Slot.CONTACT]),
    ],
)
def test_where_the_card_is_looked_for(kind: str, slots: list[Slot]) -> None:
    counter = Counter(None)
    assert fails(calls(counter).call("iReadCardBas", kind)) == -2
    assert counter.powered == slots


def test_the_second_slot_when_the_first_is_empty() -> None:
    counter = Counter(counter_card("v3"))
    assert calls(counter).call("iReadCardBas", "4").number == 0
    counter = Counter(counter_card("v2"), contactless=counter_card("v3"))
    whole = calls(counter).call("iReadCardBas", "4").output
    must_equal(whole.split("|"), told("v3", "429900000123"))


def test_a_reader_that_is_not_there_is_passed_over() -> None:
    counter = Counter(counter_card("v3"), has_contactless=False)
    assert calls(counter).call("iReadCardBas", "4").number == 0


@pytest.mark.parametrize("name", CARDS)
def test_files_of_another_chip(name: str) -> None:
    class OtherChip(CounterCard):
        @property
        def atr(self) -> bytes:
            return super().atr[:-1] + bytes((super().atr[-1] ^ 1,))

    card = OtherChip(counter_card(name).card)
    # Nobody is asked for keys, and nothing is read of the holder.
    for function in ("iReadCardBas", "iReadCardBas_HSM_Step1"):
        assert fails(calls(Counter(card, NoCustodian())).call(function, "1")) == -21


@pytest.mark.parametrize("kind", ["", "0", "5", "11", "一", "1 ", "\0", "1" * 100_000])
def test_no_such_kind_of_card(kind: str) -> None:
    assert fails(calls(Counter(counter_card("v3"))).call("iReadCardBas", kind)) == -14
