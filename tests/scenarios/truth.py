"""What a workflow is to bring and to leave on its card, and the verdict on one that met faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from apdu.errors import CardError
from hw_sim.cards.catalogue import make_card
from hw_sim.cards.iso7816 import Card
from hw_sim.cards.social_security import SocialSecurityCard as SimulatedCard
from tests.apdu.card_in_process import CardInProcess, insert
from tests.apdu.workflows import Workflow

Memory = Mapping[str, bytes]
_COUNTERS = ".tries"


def kept(words: Mapping[str, bytes]) -> Memory:
    """A card's memory without its counters of tries."""
    return {word: value for word, value in words.items() if not word.endswith(_COUNTERS)}


def memory_of(card: Card) -> Memory:
    assert isinstance(card, SimulatedCard)
    return kept(card.memory.words())


@cache
def issued(name: str) -> Memory:
    """What a card holds when it is new."""
    return memory_of(make_card(name))


@dataclass(frozen=True)
class Truth:
    """One run without faults.

    Attributes:
        outcome: what it returned.
        done: the card's memory after it; None where that is another in each run.
    """

    workflow: Workflow
    outcome: object
    done: Memory | None

    @classmethod
    def of(cls, workflow: Workflow) -> Truth:
        (outcome, first), (_, second) = (_clean(workflow), _clean(workflow))
        return cls(workflow, outcome, first if first == second else None)

    @property
    def writes(self) -> bool:
        return self.done != issued(self.workflow.card)

    def judge(self, outcome: object, memory: Memory) -> None:
        """No wrong data is accepted, no half-written card is reported good.

        Args:
            outcome: what a run with faults returned, or the error that it raised.
            memory: of the card afterwards.
        """
        failed = isinstance(outcome, CardError)
        assert failed or self.workflow.honest(outcome, self.outcome), "wrong data"
        if self.done is None:
            return
        if outcome == self.outcome:
            assert memory == self.done, "reported as done, and is not"
        if not self.workflow.pieces:
            assert memory in (issued(self.workflow.card), self.done), "a part was written"

    def judge_other(self, outcome: object, memory: Memory, other: CardInProcess) -> None:
        """Another card took this one's place, and nobody could know: nothing of it may be on this
        one, and what is said to be done is done on the other."""
        assert isinstance(outcome, CardError) or self.workflow.honest(outcome, self.outcome)
        assert memory == issued(self.workflow.card), "a part on each of two cards"
        if outcome == self.outcome:
            assert _looks_done(self.workflow, other), "reported as done, and is not"

    def judge_look(self, card: CardInProcess) -> None:
        """Whoever looks at the card afterwards finds out whether it is done. The look itself may
        cost tries."""
        if self.done is not None and self.writes:
            assert _looks_done(self.workflow, card) == (memory_of(card.card) == self.done)


def _looks_done(workflow: Workflow, card: CardInProcess) -> bool:
    try:
        return workflow.done(card)
    except CardError:
        return False


def _clean(workflow: Workflow) -> tuple[object, Memory]:
    card = insert(workflow.card)
    outcome = workflow.run(card, insert("psam"))
    return outcome, memory_of(card.card)
