"""Scenes in which something goes wrong: cards torn, swapped, mute or stuck; pcscd or a reader gone.

See `pcscd_scenes` for how they are run.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import Any

from apdu.errors import CardError, CardMute, CardRemoved, ReaderGone
from drivers.events import (
    CardInserted,
    CardMuted,
    CardTaken,
    ReaderAttached,
    ReaderDetached,
    ServiceLost,
    ServiceRestored,
)
from drivers.worker import DeviceStuck, Done, Worker
from tests.drivers.pcscd_daemon import (
    COMMAND,
    CONTACT,
    PORT,
    SECOND,
    hall,
    raises,
    readers,
    slot_names,
    slot_ports,
)
from tests.drivers.socket_card import ATR, OTHER_ATR, SocketCard


def torn_in_a_command() -> None:
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        connection = service.connect(CONTACT)
        card.answer = lambda command: card.remove()
        raises(CardRemoved, lambda: connection.transmit(COMMAND))
        raises(CardRemoved, lambda: connection.transmit(COMMAND))
        connection.close()
        assert box.take(1) == [CardTaken(CONTACT)]


def swapped() -> None:
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        connection = service.connect(CONTACT)
        card.remove()
        card.atr = OTHER_ATR
        card.insert()
        assert box.take(2) == [CardTaken(CONTACT), CardInserted(CONTACT, OTHER_ATR)]
        raises(CardRemoved, connection.reset)
        raises(CardRemoved, lambda: connection.transmit(COMMAND))
        connection.close()


def swapped_between_two_polls() -> None:
    """pcscd never notices: no event, and its handle would go on to the other card."""
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        connection = service.connect(CONTACT)
        assert connection.transmit(COMMAND) == b"\x90\x00"
        card.remove()
        reached: list[bytes] = []

        def reach(command: bytes) -> bytes:
            reached.append(command)
            return b"\x90\x00"

        other = SocketCard(("127.0.0.1", PORT), OTHER_ATR, reach).insert()
        raises(CardError, lambda: connection.transmit(COMMAND))
        raises(CardError, lambda: connection.transmit(COMMAND))
        raises(CardError, connection.reset)
        connection.close()
        assert reached == []
        other.remove()


def killed_in_a_command() -> None:
    with hall() as (daemon, service, box, card):
        card.insert()
        box.take(1)
        begun = threading.Event()
        card.answer = lambda command: begun.set()
        outcomes: queue.Queue[Done[bytes]] = queue.Queue()
        worker = Worker("contact")

        def exchange() -> bytes:
            with contextlib.closing(service.connect(CONTACT)) as connection:
                return connection.transmit(COMMAND)

        worker.submit(exchange, outcomes.put)
        assert begun.wait(10)
        daemon.kill()
        raises(ReaderGone, outcomes.get(timeout=10).result)
        assert box.take(3) == [ReaderDetached(CONTACT), ReaderDetached(SECOND), ServiceLost()]
        card.remove()
        daemon.start()
        assert box.take(3) == [ServiceRestored(), ReaderAttached(CONTACT), ReaderAttached(SECOND)]
        card.answer = lambda command: b"\x90\x00"
        card.insert()
        assert box.take(1) == [CardInserted(CONTACT, ATR)]
        # The same thread: the context that it keeps died with the daemon.
        worker.submit(exchange, outcomes.put)
        assert outcomes.get(timeout=10).result() == b"\x90\x00"
        worker.close()


def a_reader_goes_and_comes_back() -> None:
    """vpcd cannot take one reader away, so that the daemon restarts without it."""
    both, one = slot_names(2), slot_names(1)
    with readers(2) as (daemon, service, box):
        card = SocketCard(("127.0.0.1", slot_ports(2)[2])).insert()
        assert box.take(1) == [CardInserted(both[2], ATR)]
        connection = service.connect(both[2])
        for names in (one, both):
            daemon.stop()
            daemon.configure(len(names) // 2)
            daemon.start()
            gone = [ReaderDetached(name) for name in (one if names == both else both)]
            assert box.take(len(gone) + 1) == [*gone, ServiceLost()]
            there = [ReaderAttached(name) for name in names]
            assert box.take(len(there) + 1) == [ServiceRestored(), *there]
            assert [reader.name for reader in service.readers()] == names
            raises(ReaderGone, lambda: connection.transmit(COMMAND))
            if names == one:
                raises(ReaderGone, lambda: service.connect(both[2]))
        connection.close()
        card.remove()
        card.insert()
        assert box.take(1) == [CardInserted(both[2], ATR)]
        connection = service.connect(both[2])
        assert connection.transmit(COMMAND) == b"\x90\x00"
        connection.close()
        card.remove()
        assert box.take(1) == [CardTaken(both[2])]


def mute() -> None:
    with hall() as (_daemon, service, box, card):
        card.atr = b"\xff"
        card.insert()
        assert box.take(1) == [CardMuted(CONTACT)]
        raises(CardMute, lambda: service.connect(CONTACT))
        card.remove()
        assert box.take(1) == [CardTaken(CONTACT)]


def pcscd_restarts() -> None:
    with hall() as (daemon, service, box, card):
        card.insert()
        box.take(1)
        connection = service.connect(CONTACT)
        daemon.stop()
        card.remove()
        lost = box.take(3)
        assert lost == [ReaderDetached(CONTACT), ReaderDetached(SECOND), ServiceLost()]
        raises(ReaderGone, lambda: connection.transmit(COMMAND))
        raises(ReaderGone, lambda: service.connect(CONTACT))
        connection.close()
        daemon.start()
        assert box.take(3) == [ServiceRestored(), ReaderAttached(CONTACT), ReaderAttached(SECOND)]
        card.insert()
        assert box.take(1) == [CardInserted(CONTACT, ATR)]
        connection = service.connect(CONTACT)
        assert connection.transmit(COMMAND) == b"\x90\x00"
        connection.close()


def a_stuck_card_hangs_alone() -> None:
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        outcomes: queue.Queue[Any] = queue.Queue()
        worker = Worker("contact")
        begun = threading.Event()
        card.answer = lambda command: begun.set()

        def read() -> bytes:
            with contextlib.closing(service.connect(CONTACT)) as connection:
                return connection.transmit(COMMAND)

        job = worker.submit(read, outcomes.put)
        assert begun.wait(10)
        assert job.abandon()
        assert worker.abandoned
        try:
            worker.submit(read, outcomes.put)
            raise AssertionError("a stuck device took work")
        except DeviceStuck:
            pass
        assert service.answers(SECOND, 10)
        assert not service.answers(CONTACT, 0.2)
        # Nothing but the card's leaving ends the call; then the device is in service again.
        card.remove()
        assert box.take(1) == [CardTaken(CONTACT)]
        while worker.busy:
            time.sleep(0.01)
        assert outcomes.empty()
        assert service.answers(CONTACT, 10)
        card.answer = lambda command: b"\x90\x00"
        card.insert()
        box.take(1)
        worker.submit(read, outcomes.put)
        assert outcomes.get(timeout=10).result() == b"\x90\x00"
        worker.close()


def stuck_in_a_transaction() -> None:
    """pcscd keeps those who come waiting elsewhere then: before the driver is asked."""
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        begun = threading.Event()
        card.answer = lambda command: begun.set()
        connection = service.connect(CONTACT)

        def step() -> None:
            with connection.transaction():
                raises(CardRemoved, lambda: connection.transmit(COMMAND))

        stuck = threading.Thread(target=step)
        stuck.start()
        assert begun.wait(10)
        assert not service.answers(CONTACT, 0.2)
        assert service.answers(SECOND, 10)
        card.remove()
        stuck.join(10)
        assert box.take(1) == [CardTaken(CONTACT)]
        assert service.answers(CONTACT, 10)
        connection.close()


def a_frozen_service_holds_up_nobody() -> None:
    with hall() as (daemon, service, box, card):
        card.insert()
        box.take(1)
        daemon.freeze()
        try:
            assert not service.answers(CONTACT, 0.2)
            service.stop()
        finally:
            daemon.thaw()


FAULT_SCENES = (
    torn_in_a_command,
    swapped,
    swapped_between_two_polls,
    mute,
    pcscd_restarts,
    killed_in_a_command,
    a_reader_goes_and_comes_back,
    a_stuck_card_hangs_alone,
    stuck_in_a_transaction,
    a_frozen_service_holds_up_nobody,
)
