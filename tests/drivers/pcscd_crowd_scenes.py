"""Scenes with as many readers as pcscd can have.

See `pcscd_scenes` for how they are run.
"""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from drivers.events import CardInserted, CardTaken, DeviceEvent
from drivers.pcsc.service import PcscService
from drivers.worker import DeviceStuck, Done, Worker
from tests.drivers.event_box import EventBox
from tests.drivers.pcscd_daemon import COMMAND, readers, slot_names, slot_ports
from tests.drivers.socket_card import ATR, SocketCard

STANZAS = 8
NAMES = slot_names(STANZAS)
ROUNDS, WARM = 60, 5
RESIDENT_BYTES = 512 << 10
"""What allocators may keep of 900 cards more; a context or handle a card would be far beyond."""


@contextlib.contextmanager
def crowd() -> Iterator[tuple[PcscService, EventBox, list[SocketCard]]]:
    """Sixteen readers, and a card for each, not yet inserted."""
    with readers(STANZAS) as (_daemon, service, box):
        cards = [SocketCard(("127.0.0.1", port)) for port in slot_ports(STANZAS)]
        try:
            yield service, box, cards
        finally:
            for card in cards:
                card.remove()


def told(box: EventBox, event: Callable[[str], DeviceEvent], names: list[str]) -> None:
    """Each of these readers tells this once, in whatever order, and nothing else is told."""
    events = Counter(map(repr, box.take(len(names)) + box.rest()))
    wanted = Counter(repr(event(name)) for name in names)
    assert events == wanted, f"too many {events - wanted}, not told {wanted - events}"


def inserted(name: str) -> DeviceEvent:
    return CardInserted(name, ATR)


def one_of_sixteen_is_stuck() -> None:
    with crowd() as (service, box, cards):
        for card in cards:
            card.insert()
        told(box, inserted, NAMES)
        stuck, begun = 5, threading.Event()
        cards[stuck].answer = lambda command: begun.set()
        workers = [Worker(name) for name in NAMES]
        outcomes: queue.Queue[Done[bytes]] = queue.Queue()

        def exchange(name: str) -> bytes:
            with contextlib.closing(service.connect(name)) as connection:
                return connection.transmit(COMMAND)

        def exchange_all() -> None:
            others = [pair for pair in zip(workers, NAMES, strict=True) if pair[1] != NAMES[stuck]]
            for worker, name in others:
                worker.submit(lambda name=name: exchange(name), outcomes.put)  # type: ignore[misc]
            for _ in others:
                assert outcomes.get(timeout=10).result() == b"\x90\x00"

        job = workers[stuck].submit(lambda: exchange(NAMES[stuck]), outcomes.put)
        assert begun.wait(10)
        exchange_all()
        assert job.abandon()
        assert workers[stuck].abandoned
        try:
            workers[stuck].submit(lambda: exchange(NAMES[stuck]), outcomes.put)
            raise AssertionError("a stuck device took work")
        except DeviceStuck:
            pass
        # The monitor goes on beside it, too.
        cards[0].remove()
        assert box.take(1) == [CardTaken(NAMES[0])]
        cards[0].insert()
        assert box.take(1) == [CardInserted(NAMES[0], ATR)]
        exchange_all()
        assert outcomes.empty()
        cards[stuck].remove()
        assert box.take(1) == [CardTaken(NAMES[stuck])]
        for worker in workers:
            worker.close(10)


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def held() -> tuple[int, int]:
    """Threads and open files of this process, its cards' own not counted."""
    gc.collect()
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def cards_come_and_go() -> None:
    with crowd() as (service, box, cards):
        before, memory = held(), resident_bytes()
        for turn in range(ROUNDS):
            if turn == WARM:
                before, memory = held(), resident_bytes()
            for card in cards:
                card.insert()
            told(box, inserted, NAMES)
            for name in NAMES:
                with contextlib.closing(service.connect(name)) as connection:
                    assert connection.transmit(COMMAND) == b"\x90\x00"
            for card in cards:
                card.remove()
            told(box, CardTaken, NAMES)
        assert held() == before
        grown = resident_bytes() - memory
        assert grown < RESIDENT_BYTES, f"{grown} bytes more"


CROWD_SCENES = (one_of_sixteen_is_stuck,)
LONG_SCENES = (cards_come_and_go,)
