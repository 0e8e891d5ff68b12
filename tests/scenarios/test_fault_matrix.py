"""Every fault at every command of every workflow, in process.

Wherever a workflow is hit, it ends: with the true result, an honest lesser one, or a typed error.
It never costs a PIN try twice, leaves no card in a state that it does not tell, and the card is fit
for the next run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import pytest

from apdu.errors import CardError, CardRemoved
from hw_sim.cards.catalogue import make_card
from hw_sim.cards.iso7816 import Card
from hw_sim.cards.social_security import SocialSecurityCard as SimulatedCard
from tests.apdu.card_in_process import DEADLINE_SECONDS, CardInProcess, VirtualTime, insert
from tests.apdu.faults import TEARS, Fault, FaultyCard
from tests.apdu.workflows import LONG_WORKFLOWS, WORKFLOWS, Workflow
from tests.scenarios.truth import Truth, issued, memory_of

Schedule = Mapping[int, Fault]
_NO_FAULT: Schedule = {}
SHOWING_A_PIN = (0x20, 0x5E)
PKI_TRIES = ("pki.user.tries", "pki.admin.tries")
"""Words in the card's memory."""


@dataclass(frozen=True)
class Incident:
    """One run.

    Attributes:
        outcome: what the workflow returned, or the error that it ended with.
        sent: commands to the card and to the PSAM.
        card: the card that was in at first.
        other: the one that took its place; None without a swap.
        seconds: virtual time that passed.
    """

    outcome: object
    sent: tuple[int, int]
    card: CardInProcess
    other: CardInProcess | None
    seconds: float


@cache
def psam() -> Card:
    """One for all runs: it keeps nothing when it is powered anew."""
    return make_card("psam")


def happen(
    workflow: Workflow,
    faults: Schedule = _NO_FAULT,
    psam_faults: Schedule = _NO_FAULT,
    *,
    card: Card | None = None,
) -> Incident:
    time = VirtualTime()
    inserted = insert(workflow.card, time) if card is None else CardInProcess(card, time)
    swapped = Fault.SWAPPED in (*faults.values(), *psam_faults.values())
    other = insert(workflow.other, time) if swapped else None
    to_card = FaultyCard(inserted, faults, other=other)
    to_psam = FaultyCard(CardInProcess(psam(), time), psam_faults, other=other)
    try:
        outcome = workflow.run(to_card, to_psam)
    except CardError as error:
        outcome = error
    return Incident(outcome, (to_card.sent, to_psam.sent), inserted, other, time.seconds)


def singles(length: int) -> Iterator[Schedule]:
    """Every fault at each command."""
    return ({at: fault} for at in range(1, length + 1) for fault in Fault)


def pairs(length: int) -> Iterator[Schedule]:
    """Every fault at each command, with a tear at the command that follows."""
    refusals = [fault for fault in Fault if fault not in TEARS]
    for at in range(1, length + 1):
        yield from ({at: fault, at + 1: tear} for fault in refusals for tear in TEARS)


def counts(card: CardInProcess) -> tuple[int, ...]:
    """The tries that are left of each of its PINs."""
    assert isinstance(card.card, SimulatedCard)
    memory = card.card.memory
    return (card.card.pin_tries, *(memory.count(word) for word in PKI_TRIES if word in memory))


@cache
def full_counts(name: str) -> tuple[int, ...]:
    return counts(insert(name))


def spent(name: str, card: CardInProcess) -> int:
    """Tries that the PIN lost which lost most, since the card of this name was issued."""
    pairs = zip(full_counts(name), counts(card), strict=True)
    return max(full - left for full, left in pairs)


def shown(card: CardInProcess) -> int:
    """How often a PIN was shown to it."""
    return sum(command[1] in SHOWING_A_PIN for command in card.commands)


def check(truth: Truth, incident: Incident) -> None:
    workflow, card, other = truth.workflow, incident.card, incident.other
    cards = [(workflow.card, card)] + ([] if other is None else [(workflow.other, other)])
    for name, each in cards:
        assert spent(name, each) <= workflow.tries
        assert not each.card.bugs
    assert sum(shown(each) for _, each in cards) <= workflow.tries
    assert not psam().bugs
    assert incident.seconds <= DEADLINE_SECONDS * 2
    if other is None or not _took_over(other, card, workflow):
        truth.judge(incident.outcome, memory_of(card.card))
        truth.judge_look(CardInProcess(card.card))
    else:
        truth.judge_other(incident.outcome, memory_of(card.card), CardInProcess(other.card))


def _took_over(other: CardInProcess, card: CardInProcess, workflow: Workflow) -> bool:
    """Whether it was the other card from the beginning, or all that was written went to it."""
    return not card.commands or memory_of(other.card) != issued(workflow.other)


def each(workflows: tuple[Workflow, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("workflow", workflows, ids=[each.name for each in workflows])


@each((*WORKFLOWS, *LONG_WORKFLOWS))
def test_every_fault_at_every_command(workflow: Workflow) -> None:
    clean, truth = happen(workflow), Truth.of(workflow)
    assert workflow.true(clean.outcome)
    to_card, to_psam = clean.sent
    for schedule in singles(to_card):
        check(truth, happen(workflow, schedule))
    for schedule in singles(to_psam):
        check(truth, happen(workflow, psam_faults=schedule))


@each(WORKFLOWS)
def test_every_fault_at_every_command_and_a_tear_at_the_next(workflow: Workflow) -> None:
    truth = Truth.of(workflow)
    for schedule in pairs(happen(workflow).sent[0]):
        check(truth, happen(workflow, schedule))


@each((*WORKFLOWS, *LONG_WORKFLOWS))
def test_the_next_run_is_as_if_nothing_had_happened(workflow: Workflow) -> None:
    clean, truth = happen(workflow), Truth.of(workflow)
    for schedule in singles(clean.sent[0]):
        card = happen(workflow, schedule).card
        left = counts(card)[0]
        outcome = happen(workflow, card=card.card).outcome
        # What a PIN that was right costs in a torn run, the next right one gives back.
        assert workflow.again(outcome, clean.outcome, left)
        if truth.done is not None:
            assert memory_of(card.card) == truth.done


@each((*WORKFLOWS, *LONG_WORKFLOWS))
def test_a_slow_card_gives_the_same_result(workflow: Workflow) -> None:
    clean = happen(workflow)
    for at in range(1, clean.sent[0] + 1):
        assert happen(workflow, {at: Fault.SLOW}).outcome == clean.outcome


@pytest.mark.parametrize("fault", TEARS)
def test_a_tear_costs_the_try_that_the_card_has_counted(fault: Fault) -> None:
    """What the matrix is made of: a card that is torn before, within and after a command."""
    right = next(workflow for workflow in WORKFLOWS if workflow.name == "pin-right")
    incident = happen(right, {2: fault})
    assert isinstance(incident.outcome, CardRemoved)
    assert spent(right.card, incident.card) == (1 if fault is Fault.TEAR_DURING else 0)
    assert shown(incident.card) == (0 if fault is Fault.TEAR_BEFORE else 1)
