"""A card step that comes back after its deadline, over the terminal's real stack to the card."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from apdu.errors import CardAbsent
from drivers.card_service import CardConnection, ReaderState
from drivers.pcsc.connection import PcscConnection
from drivers.pcsc.context import Contexts
from drivers.worker import Worker
from hw_sim.population import DEMO_PIN
from kiosk.card_station import CardStation
from tests.apdu.card_in_process import CardInProcess, insert
from tests.drivers.scard_double import SUCCESS, ScardDouble

READER = "Contact"
COMMANDS_OF_A_READ = 6
"""Of this card, when there is no custodian to prove it."""


class Typed:
    """A PIN as the pad station gives it."""

    def __init__(self) -> None:
        self.wiped = False

    def digits(self) -> bytearray:
        return bytearray(DEMO_PIN.encode())

    def wipe(self) -> None:
        self.wiped = True


class Slot:
    """A card in a reader of the double, that can hang in a command."""

    def __init__(self) -> None:
        self.card = insert("v2")
        self.hang_at: int | None = None
        self.hangs = threading.Event()
        self.go_on = threading.Event()
        self.scard = ScardDouble(answer=self._answer)
        self.scard.plug(READER)
        self.scard.insert(READER, self.card.atr)
        self._contexts = Contexts(self.scard)

    def _answer(self, command: bytes) -> tuple[int, list[int]]:
        answer = self.card.transmit(command)
        if len(self.card.commands) == self.hang_at:
            self.hangs.set()
            assert self.go_on.wait(10)
        return SUCCESS, list(answer)

    def readers(self) -> tuple[ReaderState, ...]:
        return (ReaderState(READER, True, False, self.card.atr),)

    def connect(self, reader: str) -> CardConnection:
        return PcscConnection(reader, self.scard, self._contexts)


@pytest.fixture
def slot() -> Slot:
    return Slot()


@pytest.fixture
def station(slot: Slot) -> CardStation:
    service: Any = slot
    return CardStation(service, READER, (), random=os.urandom)


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("card")
    yield made
    made.close(5)


def given_up(worker: Worker, slot: Slot, step: Any) -> None:
    """Run the step until the card hangs, give it up, and wait until it is back."""
    told: queue.Queue[object] = queue.Queue()
    job = worker.submit(step, told.put)
    assert slot.hangs.wait(10)
    job.abandon()
    slot.go_on.set()
    while worker.busy:
        threading.Event().wait(0.001)
    assert told.empty()


def sent(card: CardInProcess) -> int:
    return len(card.commands)


@pytest.mark.parametrize("turn", range(1, COMMANDS_OF_A_READ + 1))
def test_a_late_read_sends_nothing_more_and_gives_the_card_back(
    worker: Worker, slot: Slot, station: CardStation, turn: int
) -> None:
    slot.hang_at = turn
    given_up(worker, slot, station.read)
    assert sent(slot.card) == turn
    assert (slot.scard.disposition, slot.scard.handles) == (2, {})
    with pytest.raises(CardAbsent):
        _ = station.card_id


def test_a_read_has_so_many_commands(slot: Slot, station: CardStation) -> None:
    station.read()
    assert sent(slot.card) == COMMANDS_OF_A_READ
    assert slot.scard.handles
    station.release()


def test_a_late_step_never_shows_the_pin(worker: Worker, slot: Slot, station: CardStation) -> None:
    reading: queue.Queue[Any] = queue.Queue()
    worker.submit(station.read, reading.put)
    reading.get(timeout=10).result()
    typed: Any = Typed()
    slot.hang_at = sent(slot.card) + 1
    given_up(worker, slot, lambda: station.verify_pin(typed))
    assert not any(command[1] == 0x20 for command in slot.card.commands)
    assert typed.wiped
    assert not slot.scard.handles


def test_two_who_give_the_card_back_at_once_do_it_once(slot: Slot, station: CardStation) -> None:
    """A late call and the end of the process, while the reader still takes its time."""
    station.read()
    connection = station._connection
    assert connection is not None
    closings: list[CardConnection] = []

    def close(real: Any = connection.close) -> None:
        closings.append(connection)
        station.release()
        real()

    connection.close = close  # type: ignore[method-assign]
    station.release()
    assert closings == [connection]
    assert not slot.scard.handles
