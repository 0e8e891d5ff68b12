"""Whatever callers pass in and cards answer: a number, never an exception, nothing left taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apdu.custodian import Custodian
from apdu.errors import CardError, CardMute, CardRemoved, CardReset, MalformedAnswer, ReaderGone
from apdu.ministry.calls import NAMES, Answer, MinistryCalls
from apdu.ministry.terminal import PinCall, PinPrompt, Slot
from hw_sim.cards.social_security import SocialSecurityCard as SimulatedCard
from hw_sim.population import DEMO_PIN
from tests.apdu.card_in_process import CountingRandom
from tests.apdu.conftest import ATR, SoftwareCustodian
from tests.apdu.counter import (
    CallersHsm,
    Counter,
    CounterCard,
    calls,
    card_info,
    counter_card,
    must_equal,
    psam,
)
from tests.apdu.faults import Fault, FaultyCard

ALL = frozenset(PinCall)
ADDRESS = "SSSEEF05|07|$SSSEEF06|09|$DF01EF06|28|$"
WORDS = st.sampled_from(
    ["1", "2", "3", "", "429900D15600000500000A17FFFFFFFF|A99000017|", ADDRESS, "00" * 16]
) | st.text(max_size=30)


@dataclass
class HostileCard:
    """Answers what it was told, then nothing."""

    answers: list[bytes | CardError]
    taken: int = 0
    atr: bytes = ATR
    closed: int = 0

    def transmit(self, command: bytes | bytearray) -> bytes:
        answer = self.answers.pop(0) if self.answers else CardMute()
        if isinstance(answer, CardError):
            raise answer
        return answer

    def reset(self) -> bytes:
        return self.atr

    def begin(self) -> None:
        self.taken += 1

    def end(self) -> None:
        self.taken = 0

    def close(self) -> None:
        self.closed += 1


@dataclass
class HostileTerminal:
    """One card that may do anything, and a holder who always types the same."""

    card: HostileCard | FaultyCounterCard
    custodian: Custodian = field(default_factory=lambda: SoftwareCustodian({}))
    reader_serial: str = ""
    typed: bytes = b"271828"

    def power(self, slot: Slot) -> HostileCard | FaultyCounterCard:
        return self.card

    def terminal_number(self) -> str | None:
        return None

    def ask_pin(self, prompt: PinPrompt, card_number: str) -> bytearray:
        assert not self.card.taken
        return bytearray(self.typed)


good = counter_card("v3")
GOOD_ANSWERS = [
    good.transmit(bytes.fromhex(command))
    for command in ("00A404000F7378312E73682EC9E7BBE1B1A3D5CF00", "00B2012D00", "0084000008")
]
answers = st.one_of(
    st.sampled_from(GOOD_ANSWERS),
    st.binary(max_size=40),
    st.binary(max_size=40).map(lambda data: data + b"\x90\x00"),
    st.sampled_from([b"\x63\xc2", b"\x69\x82", b"\x6a\x82", b"\x61\x10", b"\x6c\x08"]),
    st.sampled_from([CardRemoved(), CardReset(), CardMute(), ReaderGone(), MalformedAnswer()]),
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.lists(WORDS, max_size=5),
    st.lists(answers, max_size=12),
)
def test_no_caller_and_no_card_breaks_a_call(
    name: str, arguments: list[str], told: list[bytes | CardError]
) -> None:
    card = HostileCard(list(told))
    desk = MinistryCalls(HostileTerminal(card), allowed=ALL)
    first = desk.call(name, *arguments)
    assert first.number <= 0
    assert desk.call(name.replace("Step1", "Step2"), *arguments[:1]).number <= 0
    desk.close()
    assert not card.taken


@dataclass
class FaultyCounterCard:
    """A good card behind a schedule of faults."""

    faulty: FaultyCard
    taken: int = 0

    @property
    def atr(self) -> bytes:
        return self.faulty.atr

    def transmit(self, command: bytes | bytearray) -> bytes:
        return self.faulty.transmit(command)

    def reset(self) -> bytes:
        return self.faulty.reset()

    def begin(self) -> None:
        self.taken += 1

    def end(self) -> None:
        self.taken = 0

    def close(self) -> None:
        pass


def basics(desk: MinistryCalls, _info: str, _hsm: CallersHsm) -> Answer:
    return desk.call("iReadCardBas", "1")


def basics_by_hsm(desk: MinistryCalls, _info: str, hsm: CallersHsm) -> Answer:
    first = desk.call("iReadCardBas_HSM_Step1", "1")
    if first.number:
        return first
    return desk.call("iReadCardBas_HSM_Step2", hsm.basics(first.output))


def reading(desk: MinistryCalls, info: str, _hsm: CallersHsm) -> Answer:
    return desk.call("iReadCard", "1", "2", info, ADDRESS)


def writing(desk: MinistryCalls, info: str, _hsm: CallersHsm) -> Answer:
    return desk.call("iWriteCard", "1", info, "SSSEEF06|0A|0B|$", "SSSEEF06|9|20|$")


def verifying(desk: MinistryCalls, _info: str, _hsm: CallersHsm) -> Answer:
    return desk.call("iVerifyPIN", "1")


def reading_back(inner: CounterCard) -> Answer:
    card = CounterCard(inner.card)
    arguments = (card_info(card), "SSSEEF06|0A|0B|$")
    return calls(Counter(card)).call("iReadCard", "1", "2", *arguments)


WORK = (basics, basics_by_hsm, reading, writing, verifying)


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_every_fault_ends_in_a_number_or_in_the_truth(
    work: Callable[[MinistryCalls, str, CallersHsm], Answer],
) -> None:
    """A swap that the reader misses is left out: PC/SC ends a connection whose card goes."""
    keys = psam()

    def done(schedule: dict[int, Fault]) -> tuple[Answer, int, CounterCard]:
        inner = counter_card("v3")
        card = FaultyCounterCard(FaultyCard(inner, schedule))
        terminal = HostileTerminal(card, custodian=keys, typed=DEMO_PIN.encode())
        desk = MinistryCalls(terminal, random=CountingRandom())
        answer = work(desk, card_info(inner), CallersHsm(inner))
        desk.close()
        assert not card.taken
        return answer, card.faulty.sent, inner

    truth, sent, _ = done({})
    assert truth.number == 0
    for at in range(1, sent + 1):
        for fault in Fault:
            if fault is Fault.SWAPPED:
                continue
            answer, _, inner = done({at: fault})
            if answer.number == 0:
                must_equal([answer.output], [truth.output])
            assert isinstance(inner.card, SimulatedCard)
            # A tear while the card compares may cost one try, and never a second.
            assert inner.card.pin_tries >= 2
            if work is writing and answer.number == 0:
                told = reading_back(inner)
                must_equal([told.output], ["SSSEEF06|9|20|$"])


def test_answers_show_nothing_in_a_repr() -> None:
    answer = calls(Counter(counter_card("v3"))).call("iReadCardBas", "1")
    assert repr(answer) == "Answer(0)"
