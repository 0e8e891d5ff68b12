"""The reader monitor against the service double."""

import threading
import time
from dataclasses import replace

import pytest

from drivers.events import (
    CardInserted,
    CardMuted,
    CardTaken,
    ReaderAttached,
    ReaderDetached,
    ServiceLost,
    ServiceRestored,
)
from drivers.pcsc.monitor import MonitorTimes
from drivers.pcsc.service import PcscService
from tests.drivers.event_box import EventBox
from tests.drivers.scard_double import ATR, OTHER_ATR, TIMEOUT, ScardDouble

A, B = "Contact 00 00", "PSAM 00 00"
TIMES = MonitorTimes(look=30, retry_first=0.01, retry_last=0.02, quiet=0.01, settle=30, stop=5)


@pytest.fixture
def scard():
    return ScardDouble()


@pytest.fixture
def box():
    return EventBox()


@pytest.fixture
def start(scard, box):
    services = []

    def begin(times=TIMES):
        service = PcscService(scard, times)
        service.start(box)
        services.append(service)
        return service

    yield begin
    for service in services:
        service.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "pcsc-monitor"]
    assert not scard.contexts


def test_the_first_look_reports_what_is_there(scard, box, start):
    scard.plug(A, B)
    scard.insert(B)
    service = start()
    assert box.take(3) == [ReaderAttached(A), ReaderAttached(B), CardInserted(B, ATR)]
    states = {state.name: state for state in service.readers()}
    assert states[B].present and states[B].atr == ATR and not states[A].present


def test_cards_come_and_go(scard, box, start):
    scard.plug(A)
    service = start()
    box.take(1)
    scard.insert(A)
    assert box.take(1) == [CardInserted(A, ATR)]
    scard.remove(A)
    assert box.take(1) == [CardTaken(A)]
    assert service.readers()[0].atr == b""


@pytest.mark.parametrize("atr", [ATR, OTHER_ATR])
def test_a_swap_between_two_looks_is_two_events(scard, box, start, atr):
    scard.plug(A)
    scard.insert(A)
    start()
    box.take(2)
    scard.swap(A, atr)
    assert box.take(2) == [CardTaken(A), CardInserted(A, atr)]


def test_a_mute_card_is_told_once_and_again_when_it_answers(scard, box, start):
    scard.plug(A)
    start()
    box.take(1)
    scard.insert(A, mute=True)
    assert box.take(1) == [CardMuted(A)]
    scard.slots[A].counter -= 1
    scard.insert(A)
    assert box.take(1) == [CardInserted(A, ATR)]
    scard.remove(A)
    assert box.take(1) == [CardTaken(A)]


def looked_again(scard):
    """The monitor asks for the state three times more, as what it was told is half a change."""
    wanted, end = scard.waits + 3, time.monotonic() + 5
    while scard.waits < wanted:
        assert time.monotonic() < end, "it believes what it was told"
        time.sleep(0.001)


def test_a_card_that_comes_before_it_is_counted_comes_once(scard, box, start):
    scard.plug(A)
    start()
    box.take(1)
    scard.insert(A, counted=False)
    looked_again(scard)
    assert box.nothing_more()
    scard.count(A)
    assert box.take(1) == [CardInserted(A, ATR)]
    scard.remove(A)
    assert box.take(1) == [CardTaken(A)]
    assert box.nothing_more()


def test_a_swap_of_which_half_is_counted_is_still_a_swap(scard, box, start):
    scard.plug(A)
    scard.insert(A)
    start()
    box.take(2)
    with scard.changed:
        scard.remove(A, counted=False)
        scard.insert(A, OTHER_ATR)
    looked_again(scard)
    assert box.nothing_more()
    scard.count(A)
    assert box.take(2) == [CardTaken(A), CardInserted(A, OTHER_ATR)]


def test_a_card_that_is_counted_after_the_first_look_is_no_other_card(scard, box, start):
    scard.plug(A)
    scard.insert(A, counted=False)
    start(replace(TIMES, settle=0.05))
    assert box.take(2) == [ReaderAttached(A), CardInserted(A, ATR)]
    scard.count(A)
    seen = -1
    while scard.waits != seen:
        seen = scard.waits
        time.sleep(0.2)
    assert box.nothing_more()
    scard.remove(A)
    assert box.take(1) == [CardTaken(A)]


def test_what_is_never_counted_is_believed_when_it_stays(scard, box, start):
    scard.plug(A)
    start(replace(TIMES, settle=0.05))
    box.take(1)
    scard.insert(A, counted=False)
    assert box.take(1) == [CardInserted(A, ATR)]
    scard.remove(A, counted=False)
    assert box.take(1) == [CardTaken(A)]


def test_one_byte_is_no_answer_to_reset(scard, box, start):
    scard.plug(A)
    scard.insert(A, atr=b"\xff")
    start()
    assert box.take(2) == [ReaderAttached(A), CardMuted(A)]


def test_readers_are_plugged_and_unplugged(scard, box, start):
    start()
    scard.plug(A)
    scard.insert(A)
    assert box.take(2) == [ReaderAttached(A), CardInserted(A, ATR)]
    scard.plug(B)
    assert box.take(1) == [ReaderAttached(B)]
    scard.unplug(A)
    assert box.take(1) == [ReaderDetached(A)]
    scard.plug(A)
    assert box.take(1) == [ReaderAttached(A)]


def test_without_pnp_readers_are_found_by_listing(scard, box, start):
    scard.pnp = False
    start(MonitorTimes(look=0.02, retry_first=0.01, retry_last=0.02, quiet=0.01, stop=5))
    scard.plug(A)
    assert box.take(1) == [ReaderAttached(A)]
    scard.plug(B)
    assert box.take(1) == [ReaderAttached(B)]


@pytest.mark.parametrize(("pnp", "readers"), [(True, (A, B)), (True, ()), (False, ())])
def test_without_news_the_monitor_sleeps(scard, start, pnp, readers):
    scard.pnp = pnp
    scard.plug(*readers)
    start()
    counts = [0]
    while not counts[-1] or counts[-1] != counts[-2]:
        time.sleep(0.1)
        counts.append(scard.waits)
        assert len(counts) < 50, "the monitor wakes again and again"


class IdleDay(ScardDouble):
    """A day on which nothing happens, over as soon as everybody only waits."""

    def __post_init__(self):
        super().__post_init__()
        self.left = 86_400.0
        self.over = threading.Event()
        self.lists = 0

    def SCardGetStatusChange(self, context, timeout_ms, states):
        wait_ms = timeout_ms if self.over.is_set() else 0
        code, seen = super().SCardGetStatusChange(context, wait_ms, states)
        if code == TIMEOUT:
            self.left -= timeout_ms / 1000
            if self.left <= 0:
                self.over.set()
        return code, seen

    def SCardListReaders(self, context, groups):
        self.lists += 1
        return super().SCardListReaders(context, groups)


@pytest.mark.parametrize("count", [1, 16])
def test_an_idle_day_is_a_few_calls_a_minute(count):
    day = IdleDay()
    day.plug(*[f"Slot {number:02}" for number in range(count)])
    day.insert("Slot 00")
    service = PcscService(day)
    service.start(lambda event: None)
    try:
        assert day.over.wait(30)
    finally:
        service.stop()
    minutes = 24 * 60
    assert day.waits <= 15 * minutes
    assert day.lists <= 15 * minutes
    assert day.calls.count("establish") == 1


def test_as_many_readers_as_the_service_can_have(scard, box, start):
    names = [f"Slot {number:02} 00 00" for number in range(16)]
    scard.plug(*names)
    service = start()
    assert box.take(16) == [ReaderAttached(name) for name in names]
    for name in names:
        scard.insert(name)
        assert box.take(1) == [CardInserted(name, ATR)]
    # The pseudo-reader that tells of readers is one too many now: each tells of itself.
    scard.unplug(names[3])
    assert box.take(1) == [ReaderDetached(names[3])]
    scard.plug(names[3])
    assert box.take(1) == [ReaderAttached(names[3])]
    assert len(service.readers()) == 16
    assert box.nothing_more()


def test_a_restart_of_the_service_is_survived(scard, box, start):
    scard.plug(A)
    scard.insert(A)
    start()
    box.take(2)
    for _ in range(2):
        scard.die()
        assert box.take(2) == [ReaderDetached(A), ServiceLost()]
        scard.live()
        assert box.take(3) == [ServiceRestored(), ReaderAttached(A), CardInserted(A, ATR)]
    scard.remove(A)
    assert box.take(1) == [CardTaken(A)]


def test_a_service_that_never_ran_is_reported_once(scard, box, start):
    scard.die()
    start()
    assert box.take(1) == [ServiceLost()]
    seen = scard.calls.count("establish")
    while scard.calls.count("establish") < seen + 3:
        time.sleep(0.001)
    assert box.nothing_more()
    scard.live()
    assert box.take(1) == [ServiceRestored()]


def test_an_error_that_stays_makes_no_spin(scard, box, start):
    scard.plug(A)
    scard.wait_code = 0x8010001F
    start(MonitorTimes(look=30, retry_first=3600, retry_last=3600, stop=5))
    assert box.take(3) == [ReaderAttached(A), ReaderDetached(A), ServiceLost()]
    assert scard.waits == 1


def test_a_receiver_that_fails_does_not_end_the_monitor(scard, box, caplog):
    scard.plug(A)
    broken = [True]

    def post(event):
        box(event)
        if broken and isinstance(event, CardInserted):
            broken.clear()
            raise ZeroDivisionError

    service = PcscService(scard, TIMES)
    service.start(post)
    try:
        box.take(1)
        scard.insert(A)
        assert box.take(3) == [CardInserted(A, ATR), ReaderDetached(A), ServiceLost()]
        assert box.take(3) == [ServiceRestored(), ReaderAttached(A), CardInserted(A, ATR)]
    finally:
        service.stop()
    assert "ZeroDivisionError" in caplog.text


def test_stopping_twice_and_never_started(scard):
    service = PcscService(scard, TIMES)
    service.stop()
    assert service.readers() == ()
    service.start(lambda event: None)
    with pytest.raises(RuntimeError):
        service.start(lambda event: None)
    service.stop()
    service.stop()


def test_a_service_that_hangs_does_not_hold_up_the_stop(scard, box, caplog):
    asked, go_on = threading.Event(), threading.Event()

    def hanging(context, real=scard.SCardCancel):
        asked.set()
        assert go_on.wait(10)
        return real(context)

    scard.SCardCancel = hanging
    scard.plug(A)
    service = PcscService(scard, MonitorTimes(look=30, stop=0.05))
    service.start(box)
    box.take(1)
    service.stop()
    assert "holds the monitor" in caplog.text
    assert asked.wait(10)
    go_on.set()
    for thread in threading.enumerate():
        if thread.name.startswith("pcsc-"):
            thread.join(10)
    assert not scard.contexts
