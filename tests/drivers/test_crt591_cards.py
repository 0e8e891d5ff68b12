"""The dispenser as a card service: who comes, who goes, and what it says of each."""

import threading

import pytest

from apdu.errors import (
    CardAbsent,
    CardMute,
    ReaderGone,
)
from drivers.crt591.cards import ANTENNA, CONTACT, SAM, Crt591Cards, Crt591CardTimes
from drivers.crt591.device import Crt591
from drivers.events import CardInserted, CardMuted, CardTaken, ReaderAttached, ReaderDetached
from tests.drivers.dispenser_cards import CHALLENGE, eventually, lay_in, plugged, put
from tests.drivers.event_box import EventBox
from tests.drivers.test_crt591_with_dispenser import TIMES


@pytest.fixture
def device(tmp_path):
    with plugged(tmp_path, cards=3) as made:
        yield made


@pytest.fixture
def dispenser(device):
    made = Crt591(str(device.link), times=TIMES)
    yield made
    made.close()


@pytest.fixture
def box():
    return EventBox()


@pytest.fixture
def service(dispenser, box):
    made = Crt591Cards(dispenser, Crt591CardTimes(poll=0.01, misses=2, stop=5), antenna=True)
    made.start(box)
    names = [CONTACT, f"{SAM} 1", ANTENNA]
    assert box.take(3) == [ReaderAttached(name) for name in names]
    yield made
    made.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "card dispenser"]


def test_inserted_used_offered_and_taken(device, dispenser, service, box):
    with pytest.raises(CardAbsent):
        service.connect(CONTACT)
    put(device, "v3")
    atr = device.machine.made("v3").atr
    assert box.take(1) == [CardInserted(CONTACT, atr)]
    assert not device.machine.contacts.powered
    connection = service.connect(CONTACT)
    assert (connection.reader, connection.atr) == (CONTACT, atr)
    with connection.transaction():
        assert connection.transmit(CHALLENGE)[-2:] == b"\x90\x00"
    connection.close()
    dispenser.allow_insertion(False)
    dispenser.hold_at_gate()
    # It is still somebody's card, and nobody else's turn.
    looks = device.commands.count("3130")
    eventually(lambda: device.commands.count("3130") >= looks + 3)
    assert service.readers()[0].present and not service.readers()[0].mute
    with pytest.raises(CardAbsent):
        service.connect(CONTACT)
    assert box.nothing_more()
    with device.lock:
        device.machine.take()
    assert box.take(1) == [CardTaken(CONTACT)]
    put(device, "v2")
    assert box.take(1) == [CardInserted(CONTACT, device.machine.made("v2").atr)]


def test_a_mute_card(device, service, box):
    put(device, "mute")
    assert box.take(1) == [CardMuted(CONTACT)]
    with pytest.raises(CardMute):
        service.connect(CONTACT)


def test_a_card_that_stood_at_the_gate_before(device, dispenser, box):
    dispenser.dispense_to_gate()
    service = Crt591Cards(dispenser, Crt591CardTimes(poll=0.01, stop=5))
    service.start(box)
    assert box.take(3)[2] == CardMuted(CONTACT, found=True)
    with device.lock:
        device.machine.take()
    assert box.take(1) == [CardTaken(CONTACT)]
    service.stop()
    service.stop()


def test_who_only_issues_takes_no_card_in(device, dispenser, box):
    service = Crt591Cards(dispenser, Crt591CardTimes(poll=0.01, stop=5), takes_in=False)
    service.start(box)
    box.take(2)
    dispenser.dispense_to_ic()
    assert isinstance(box.take(1)[0], CardInserted)
    dispenser.capture()
    assert box.take(1) == [CardTaken(CONTACT, kept=True)]
    service.stop()
    assert not device.machine.entry
    assert "3330" not in device.commands


def test_what_was_inserted_stands_at_the_gate_when_the_service_ends(device, dispenser, box):
    service = Crt591Cards(dispenser, Crt591CardTimes(poll=0.01, stop=5))
    service.start(box)
    put(device, "v3")
    service.stop()
    assert device.machine.spot.name == "GATE"
    assert not device.machine.entry


def test_sams_that_are_not_used_are_not_shown(dispenser):
    assert list(Crt591Cards(dispenser, sams=False)._contacts) == [CONTACT]


def test_a_card_that_was_taken_after_one_that_was_kept_was_taken(device, dispenser, service, box):
    put(device, "v3")
    box.take(1)
    dispenser.capture()
    assert box.take(1) == [CardTaken(CONTACT, kept=True)]
    put(device, "v2")
    box.take(1)
    dispenser.hold_at_gate()
    with device.lock:
        device.machine.take()
    assert box.take(1) == [CardTaken(CONTACT)]


def test_insertion_ends_with_the_service(device, dispenser, box):
    service = Crt591Cards(dispenser, Crt591CardTimes(poll=0.01, stop=5))
    service.start(box)
    eventually(lambda: device.machine.entry)
    service.stop()
    assert not device.machine.entry


def test_a_card_that_somebody_speaks_to_is_not_reset_by_the_look_at_it(device, dispenser, box):
    connection = lay_in(device, dispenser, "v3")
    service = Crt591Cards(dispenser, Crt591CardTimes(poll=0.01, stop=5))
    service.start(box)
    assert box.take(3)[2] == CardInserted(CONTACT, connection.atr, found=True)
    assert connection.transmit(CHALLENGE)[-2:] == b"\x90\x00"
    service.stop()


def test_unplugged_is_believed_after_some_misses(device, service, box):
    device.unplug()
    gone = box.take(3)
    assert set(gone) == {ReaderDetached(name) for name in (CONTACT, f"{SAM} 1", ANTENNA)}
    assert service.readers() == ()
    with pytest.raises(ReaderGone):
        service.connect(CONTACT)
    device.plug()
    assert {type(each) for each in box.take(3)} == {ReaderAttached}


def test_a_reader_that_is_not_there(service):
    with pytest.raises(ReaderGone, match="no reader"):
        service.connect("Another")
    assert service.answers("Another", 0.01)


def test_a_slot_is_free_but_for_the_time_of_a_call(dispenser, service):
    assert service.answers(CONTACT, 5)
    begun, over = threading.Event(), threading.Event()

    def hold():
        with dispenser.held():
            begun.set()
            over.wait(5)

    threading.Thread(target=hold, daemon=True).start()
    assert begun.wait(5)
    assert not service.answers(CONTACT, 0.01)
    over.set()
    assert service.answers(CONTACT, 5)


def test_a_card_at_the_antenna(device, dispenser, service):
    put(device, "v3")
    connection = service.connect(ANTENNA)
    contact = device.machine.made("v3").atr
    assert connection.atr[4:-1] == contact[-13:]
    assert connection.transmit(CHALLENGE)[-2:] == b"\x90\x00"
    assert connection.reset() == connection.atr
    connection.close()
    assert "6034" in device.commands
