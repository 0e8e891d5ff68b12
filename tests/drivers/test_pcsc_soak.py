"""Cards that come and go all day: each is told once, and nothing of it is left behind."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.events import CardInserted, CardTaken, ReaderAttached, ServiceLost, ServiceRestored
from drivers.pcsc.monitor import MonitorTimes
from drivers.pcsc.service import PcscService
from tests.drivers.event_box import EventBox
from tests.drivers.scard_double import ATR, ScardDouble

READERS = tuple(f"Slot {number:02} 00 00" for number in range(16))
TIMES = MonitorTimes(look=30, retry_first=0.001, retry_last=0.002, quiet=0.001, stop=5)
CYCLES = [200, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
WARM = 100
"""Cycles after which every cache and free list has what it keeps."""
NOISE = 4096
"""Bytes, however many cycles: one byte kept of each shows in the long run."""


class Held:
    """What this process holds now."""

    def __init__(self) -> None:
        gc.collect()
        self.threads = threading.active_count()
        self.files = len(list(Path("/proc/self/fd").iterdir()))
        self.bytes = tracemalloc.get_traced_memory()[0]


@pytest.fixture
def scard() -> ScardDouble:
    double = ScardDouble()
    double.plug(*READERS)
    return double


@pytest.fixture
def box() -> EventBox:
    return EventBox()


@pytest.fixture
def service(scard: ScardDouble, box: EventBox) -> Iterator[PcscService]:
    tracemalloc.start()
    made = PcscService(scard, TIMES)
    made.start(box)
    assert box.take(16) == [ReaderAttached(name) for name in READERS]
    yield made
    made.stop()
    tracemalloc.stop()


def forget(scard: ScardDouble) -> None:
    """The double's own notes are no leak of ours."""
    scard.calls.clear()
    scard.commands.clear()


@pytest.mark.parametrize("count", CYCLES)
def test_cards_come_and_go(
    scard: ScardDouble, box: EventBox, service: PcscService, count: int
) -> None:
    before = Held()
    for cycle in range(count):
        if cycle == WARM:
            before = Held()
        name = READERS[cycle % len(READERS)]
        scard.insert(name)
        assert box.take(1) == [CardInserted(name, ATR)]
        connection = service.connect(name)
        with connection.transaction():
            assert connection.transmit(b"\x00\x84\x00\x00\x08") == b"\x90\x00"
        connection.close()
        scard.remove(name)
        assert box.take(1) == [CardTaken(name)]
        forget(scard)
    after = Held()
    assert box.nothing_more()
    assert (after.threads, after.files) == (before.threads, before.files)
    assert after.bytes - before.bytes < NOISE
    assert not scard.handles
    # The monitor's, and that of the thread which connects.
    assert len(scard.contexts) == 2


@pytest.mark.parametrize("count", CYCLES)
def test_the_service_comes_and_goes(
    scard: ScardDouble, box: EventBox, service: PcscService, count: int
) -> None:
    before = Held()
    for cycle in range(count // 10):
        if cycle == WARM // 10:
            before = Held()
        scard.die()
        assert box.take(len(READERS) + 1)[-1] == ServiceLost()
        scard.live()
        assert box.take(len(READERS) + 1)[0] == ServiceRestored()
        forget(scard)
    after = Held()
    assert box.nothing_more()
    assert (after.threads, after.files) == (before.threads, before.files)
    assert after.bytes - before.bytes < NOISE
    assert len(scard.contexts) == 1
