"""Chosen cases of the fault matrix with the real driver and the real pcscd, faults at the far end.

In process every fault is tried at every command; here it is seen that PC/SC tells them as it
should, and what only it can do: readers and the daemon that go.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from apdu.errors import CardError, CardRemoved, ReaderGone
from drivers.card_service import find_reader
from hw_sim.cards.catalogue import make_card
from hw_sim.cards.social_security import SocialSecurityCard as SimulatedCard
from hw_sim.pcscd import PcscdWorld
from tests.apdu.workflows import LONG_WORKFLOWS, WORKFLOWS, Workflow
from tests.kiosk.card_backends import CONTACT, PSAM, ThroughPcscd
from tests.scenarios.truth import Truth, issued, kept

pytestmark = pytest.mark.pcscd

BY_NAME = {workflow.name: workflow for workflow in (*WORKFLOWS, *LONG_WORKFLOWS)}
CASES = {
    "read-v3": (
        "1:tear", "3:tear-after", "5:tear", "6:tear-after",
        "2:6F00", "4:6982", "6:6C05", "2:6C05", "2:61-loop", "6:61-loop",
        "1:short", "2:less", "3:less", "4:less", "6:less", "3:more", "4:more", "6:more",
        "2:garbage", "3:garbage", "6:garbage", "3:delay=150", "*:delay=20",
        "2:swap=lost", "3:swap=lost", "5:swap=lost", "6:swap=resident:12",
    ),
    "read-v2": ("2:tear", "2:61-loop", "4:6C05", "7:less", "5:swap=resident:12"),
    "read-v1": ("5:tear-after", "9:less", "12:6F00", "11:swap=resident:12"),
    "read-clone": ("3:tear",),
    "pin-right": ("2:tear", "2:tear-after", "2:6F00", "2:61-loop", "2:short", "2:swap=lost"),
    "pin-wrong": ("2:tear=1", "2:tear", "2:tear-after", "2:6C05", "2:swap=lost"),
    "pin-change": ("2:tear", "2:tear-after", "2:garbage"),
    "pin-reload": ("4:less", "6:tear", "6:tear-after", "6:swap=lost"),
    "lock": ("4:tear", "4:tear-after"),
    "write-item": ("9:tear=1", "9:tear", "9:tear-after"),
    "read-tree": ("63:less", "91:more", "20:less", "30:6C05"),
    "bank-account": ("3:tear", "4:61-loop"),
    "personalise": ("19:tear-after",),
}  # fmt: skip
PSAM_CASES = ("1:tear", "3:6A88", "4:tear-after", "*:garbage")
STUCK = (("read-v3", 1), ("read-v3", 6), ("pin-wrong", 2), ("pin-reload", 6))
GONE = (("read-v3", 4), ("pin-wrong", 2))
PATIENCE_SECONDS = 60


@cache
def truth_of(name: str) -> Truth:
    return Truth.of(BY_NAME[name])


@cache
def counters_of_new(name: str) -> dict[str, int]:
    card = make_card(name)
    assert isinstance(card, SimulatedCard)
    return counters(card.memory.words())


def counters(words: object) -> dict[str, int]:
    assert isinstance(words, dict)
    return {word: value[0] for word, value in words.items() if word.endswith(".tries")}


class Desk:
    """The contact slot and the PSAM's, behind pcscd."""

    def __init__(self, world: PcscdWorld) -> None:
        self.world = world
        self.through = ThroughPcscd(world)
        self._inside: str | None = None

    def put_in(self, name: str) -> None:
        """A card as issued: the one that is inside, where it is still so."""
        untouched = self._inside == name and (
            kept(self.through.memory(name)) == issued(name)
            and counters(self.through.memory(name)) == counters_of_new(name)
        )
        if not untouched:
            self.world.slots.renew()
            self.through.remove()
            self.through.insert(name)
        self._inside = name

    def put_in_again(self) -> None:
        """The same card with all that it remembers."""
        assert self._inside is not None
        self.through.remove()
        self.through.insert(self._inside)

    def run(self, workflow: Workflow) -> object:
        """What came of it; the card is powered off then."""
        service = self.through.service
        card = service.connect(find_reader(service.readers(), CONTACT).name)
        try:
            psam = service.connect(find_reader(service.readers(), PSAM).name)
            try:
                return workflow.run(card, psam)
            except CardError as error:
                return error
            finally:
                psam.close()
        finally:
            card.close()

    def commands(self) -> int:
        """Received by the card since it was put in."""
        return int(self.world.slots.status()["slots"]["contact"]["apdus"])

    def judge(self, workflow: Workflow, outcome: object) -> None:
        truth_of(workflow.name).judge(outcome, kept(self.through.memory(workflow.card)))
        left, new = counters(self.through.memory(workflow.card)), counters_of_new(workflow.card)
        pins = ("pin.tries", "pki.user.tries", "pki.admin.tries")
        assert all(new[word] - left[word] <= workflow.tries for word in pins if word in new)
        assert self.through.bugs() == 0

    def do_again(self, workflow: Workflow) -> None:
        """The next run is as if nothing had happened."""
        left = counters(self.through.memory(workflow.card))["pin.tries"]
        outcome = self.run(workflow)
        assert workflow.again(outcome, truth_of(workflow.name).outcome, left)


@pytest.fixture(scope="module")
def one_desk(shared_pcscd: PcscdWorld) -> Iterator[Desk]:
    shared_pcscd.slots.renew()
    desk = Desk(shared_pcscd)
    yield desk
    desk.through.service.stop()
    shared_pcscd.slots.renew()


@pytest.fixture
def desk(one_desk: Desk) -> Iterator[Desk]:
    # No signal reaches a transmit that waits for its card: the card is pulled then.
    watchdog = threading.Timer(PATIENCE_SECONDS, one_desk.world.slots.renew)
    watchdog.start()
    yield one_desk
    watchdog.cancel()


def meet(desk: Desk, name: str, faults: str = "", psam_faults: str = "") -> object:
    """Run a workflow on a new card under faults; without them afterwards."""
    workflow = BY_NAME[name]
    desk.put_in(workflow.card)
    desk.through.fault(faults)
    desk.through.fault(psam_faults, PSAM)
    try:
        return desk.run(workflow)
    finally:
        desk.through.fault("")
        desk.through.fault("", PSAM)


@pytest.mark.parametrize(
    ("name", "faults"), [(name, faults) for name, cases in CASES.items() for faults in cases]
)
def test_a_fault_at_the_far_end(desk: Desk, name: str, faults: str) -> None:
    workflow = BY_NAME[name]
    outcome = meet(desk, name, faults)
    desk.judge(workflow, outcome)
    if "tear" in faults:
        assert isinstance(outcome, CardRemoved)
    if "delay" in faults:
        assert outcome == truth_of(name).outcome
    if "tear" in faults or "swap" in faults:
        desk.put_in_again()
    desk.do_again(workflow)


@pytest.mark.parametrize("faults", PSAM_CASES)
def test_a_fault_of_the_psam(desk: Desk, faults: str) -> None:
    workflow = BY_NAME["read-v3"]
    outcome = meet(desk, workflow.name, psam_faults=faults)
    desk.judge(workflow, outcome)
    if "tear" in faults:
        desk.through.remove(PSAM)
        desk.through.insert("psam", PSAM)
    desk.do_again(workflow)


def when_it_is_stuck(desk: Desk, at: int, act: Callable[[], object]) -> threading.Thread:
    """Does this as soon as the card has got its command number `at` from now on."""
    awaited = desk.commands() + at

    def watch() -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while desk.commands() < awaited and time.monotonic() < deadline:
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(("name", "at"), STUCK)
def test_a_stuck_card_is_over_when_it_is_pulled(desk: Desk, name: str, at: int) -> None:
    workflow = BY_NAME[name]
    desk.put_in(workflow.card)
    desk.through.fault(f"{at}:silent")
    hand = when_it_is_stuck(desk, at, desk.world.slots.remove)
    outcome = desk.run(workflow)
    hand.join()
    desk.through.fault("")
    assert isinstance(outcome, CardRemoved)
    desk.judge(workflow, outcome)
    desk.put_in_again()
    desk.do_again(workflow)


@pytest.mark.parametrize("what", ["reader", "pcscd"])
@pytest.mark.parametrize(("name", "at"), GONE)
def test_a_reader_or_the_service_goes_in_a_command(
    desk: Desk, name: str, at: int, what: str
) -> None:
    workflow, world = BY_NAME[name], desk.world
    desk.put_in(workflow.card)
    desk.through.fault(f"{at}:silent")
    hand = when_it_is_stuck(
        desk, at, world.unplug_reader if what == "reader" else world.restart_daemon
    )
    outcome = desk.run(workflow)
    hand.join()
    desk.through.fault("")
    assert isinstance(outcome, ReaderGone)
    desk.judge(workflow, outcome)
    if what == "reader":
        world.plug_reader()
    desk.through.await_card(CONTACT)
    desk.through.await_card(PSAM)
    desk.do_again(workflow)
