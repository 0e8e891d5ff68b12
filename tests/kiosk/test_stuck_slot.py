"""A card that stops in the middle of a call holds its own slot and no other: over sockets of our
own, and through pcscd."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue

import pytest

from drivers.card_service import CardService, find_reader
from drivers.direct.service import DirectService
from drivers.pcsc.service import PcscService
from hw_sim.cards.host import SlotsClient
from hw_sim.cards.slots import CONTACT, PSAM, Slots
from hw_sim.pcscd import PcscdWorld
from kiosk.card_station import CardStation, HeldSlot, PsamInReader, SlotKind
from kiosk.executor import Job, Result, ThreadedExecutor
from tests.kiosk.terminal_double import TerminalDouble

PATIENCE = 10.0
PARTS = {CONTACT: "Contact Reader", PSAM: "PSAM Slot"}
COMMAND = bytes.fromhex("0084000008")


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@dataclass
class Hall:
    """A card service, and its slots at their far end."""

    service: CardService
    slots: Slots | SlotsClient
    fault: Callable[[str, str], None]

    def reader(self, slot: str) -> str:
        return find_reader(self.service.readers(), PARTS[slot]).name

    def present(self, slot: str) -> bool:
        return find_reader(self.service.readers(), PARTS[slot]).present

    def insert(self, card: str, slot: str) -> None:
        self.slots.insert(card, slot)
        wait_for(lambda: self.slots.status()["slots"][slot]["noticed"] and self.present(slot))

    def remove(self, slot: str) -> None:
        self.slots.remove(slot)
        wait_for(lambda: not self.present(slot))

    def sent(self, slot: str) -> int:
        return int(self.slots.status()["slots"][slot]["apdus"])


def on_sockets() -> Iterator[Hall]:
    service = DirectService(dict.fromkeys(PARTS.values(), ("127.0.0.1", 0)))
    service.start(lambda event: None)
    slots = Slots({slot: service.addresses[part] for slot, part in PARTS.items()})
    hall = Hall(service, slots, slots.set_faults)
    hall.insert("psam", PSAM)
    yield hall
    slots.close()
    service.stop()


def through_pcscd(world: PcscdWorld) -> Iterator[Hall]:
    service = PcscService()
    service.start(lambda event: None)
    wait_for(lambda: bool(service.readers()))
    hall = Hall(service, world.slots, world.slots.fault)
    # pcscd may not have noticed yet that the slot was emptied before this test.
    wait_for(lambda: hall.present(PSAM) and not hall.present(CONTACT))
    yield hall
    service.stop()


@pytest.fixture(params=["sockets", pytest.param("pcscd", marks=pytest.mark.pcscd)])
def hall(request: pytest.FixtureRequest) -> Iterator[Hall]:
    if request.param == "sockets":
        yield from on_sockets()
    else:
        yield from through_pcscd(request.getfixturevalue("pcscd_world"))


@pytest.fixture
def executor() -> Iterator[ThreadedExecutor]:
    made = ThreadedExecutor()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("slot", "kind", "card"),
    [(CONTACT, SlotKind.READER, "v3"), (PSAM, SlotKind.PSAM, "psam")],
)
def test_one_slot_is_held_the_other_goes_on(
    hall: Hall, executor: ThreadedExecutor, slot: str, kind: SlotKind, card: str
) -> None:
    psam = PsamInReader(hall.service, PARTS[PSAM])
    station = CardStation(hall.service, PARTS[CONTACT], (psam,), random=os.urandom)
    results: SimpleQueue[Result] = SimpleQueue()

    def read() -> Job:
        return executor.start("card", lambda _report: station.read(), print, results.put)

    hall.insert("v3", CONTACT)
    before = hall.sent(slot)
    hall.fault("2:silent", slot)
    job = read()
    wait_for(lambda: hall.sent(slot) == before + 2)
    job.abandon()
    assert executor.stuck("card")
    assert station.held == HeldSlot(kind, PARTS[slot])
    assert not hall.service.answers(hall.reader(slot), 0.05)
    if slot == CONTACT:
        assert hall.service.answers(hall.reader(PSAM), PATIENCE)
        connection = hall.service.connect(hall.reader(PSAM))
        assert len(connection.transmit(COMMAND)) >= 2
        connection.close()
    # Only the card can end the call: taken out, the slot is well again.
    hall.fault("", slot)
    hall.remove(slot)
    wait_for(lambda: not executor.stuck("card"))
    assert results.empty()
    hall.insert(card, slot)
    assert hall.service.answers(hall.reader(slot), PATIENCE)
    read()
    assert results.get(timeout=PATIENCE).value.genuine is True
    station.release()
    psam.close()


def test_the_end_of_the_process_is_not_held_up(hall: Hall, executor: ThreadedExecutor) -> None:
    """What `kiosk.main` does at the end returns while the card still holds its slot."""
    station = CardStation(hall.service, PARTS[CONTACT], (), random=os.urandom)
    hall.insert("v3", CONTACT)
    hall.fault("1:silent", CONTACT)
    executor.start("card", lambda _report: station.read(), print, print)
    wait_for(lambda: hall.sent(CONTACT) == 1)
    executor.close()
    terminal = TerminalDouble()
    terminal.station.cards = station
    terminal.station.put_card_down()
    assert executor.stuck("card")
    hall.remove(CONTACT)
    wait_for(lambda: not executor.stuck("card"))
