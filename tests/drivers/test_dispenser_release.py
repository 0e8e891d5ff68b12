"""Giving a card back through a dispenser: taken, forgotten, stuck."""

import threading

import pytest

from drivers.crt591.device import Crt591
from drivers.dispenser import CardPlace, CardStuck, DispenserReason, DispenserStatus
from drivers.dispenser_release import Release, ReleaseEnd, ReleaseTimes, give_back
from hw_sim.dispenser.device import DispenserDevice
from tests.drivers.test_crt591_with_dispenser import TIMES

QUICK = ReleaseTimes(patience=0.1, poll=0.01)
LONG = ReleaseTimes(patience=30.0, poll=0.01)


@pytest.fixture
def device(tmp_path):
    made = DispenserDevice(tmp_path / "dispenser", move_seconds=0.0, seed=7)
    made.machine.stack(3)
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()


@pytest.fixture
def dispenser(device):
    made = Crt591(str(device.link), times=TIMES)
    made.dispense_to_ic()
    yield made
    made.close()


def when_offered(device, act):
    """Once the card is at the gate, as a hand would."""
    obey = device.machine.obey
    looks = []

    def watched(command):
        if command.name == "3130" and device.machine.spot.name == "GATE":
            looks.append(command)
            if len(looks) == 3:
                act()
        return obey(command)

    device.machine.obey = watched


def test_taken(device, dispenser):
    when_offered(device, device.machine.take)
    assert give_back(dispenser, LONG) == Release(ReleaseEnd.RELEASED)
    assert device.machine.given == ["blank:1"]
    assert device.machine.bin == []


def test_forgotten_is_captured(device, dispenser):
    assert give_back(dispenser, QUICK) == Release(ReleaseEnd.CAPTURED)
    assert (device.machine.given, device.machine.bin) == ([], ["blank:1"])
    assert dispenser.counters().captured == 1
    assert dispenser.status().place is CardPlace.NONE


def test_it_is_held_while_it_is_offered_and_nobody_can_insert_another(device, dispenser):
    dispenser.allow_insertion(True)
    give_back(dispenser, QUICK)
    assert "3230" in device.commands and "3239" not in device.commands
    assert not device.machine.entry


def test_a_card_that_was_spoken_to_loses_its_power_first(device, dispenser):
    dispenser.connect()
    assert give_back(dispenser, QUICK) == Release(ReleaseEnd.CAPTURED)


def test_there_was_none(device, dispenser):
    dispenser.capture()
    dispenser.allow_insertion(True)
    left = len(device.machine.stacker)
    assert give_back(dispenser, QUICK) == Release(ReleaseEnd.RELEASED)
    assert len(device.machine.stacker) == left
    # The next in the queue may insert his.
    assert device.machine.entry


def test_a_full_bin_takes_none(device, dispenser):
    device.machine.fill_bin()
    found = give_back(dispenser, QUICK)
    assert found == Release(ReleaseEnd.STILL_PRESENT, DispenserReason.ERROR_BIN_FULL)
    assert dispenser.status().place is CardPlace.AT_GATE


def test_a_jam_on_the_way_to_the_gate(device, dispenser):
    # The place is asked, insertion is forbidden, the place is asked again, the card is moved.
    device.set_fault("4:jam")
    assert give_back(dispenser, QUICK) == Release(ReleaseEnd.STILL_PRESENT, DispenserReason.JAM)
    assert device.machine.jammed


def test_a_jam_on_the_way_into_the_bin(device, dispenser):
    dispenser.hold_at_gate()
    # Before it the place is asked four times, and insertion is forbidden.
    device.set_fault("6:jam")
    found = give_back(dispenser, ReleaseTimes(patience=0.0, poll=0.01))
    assert found == Release(ReleaseEnd.STILL_PRESENT, DispenserReason.JAM)
    assert device.machine.bin == []


class Jammed:
    """A dispenser whose card sticks where no sensor sees it."""

    def __init__(self):
        self.places = [CardPlace.INSIDE, CardPlace.NONE]

    def status(self):
        return DispenserStatus(DispenserReason.JAM, frozenset(), self.places.pop(0))

    def allow_insertion(self, allowed):
        assert not allowed

    def hold_at_gate(self):
        raise CardStuck("10: card jam")


def test_a_card_that_is_stuck_between_two_sensors_was_not_taken():
    found = give_back(Jammed(), QUICK)
    assert found == Release(ReleaseEnd.STILL_PRESENT, DispenserReason.JAM)


class TakenAndFollowed:
    """The card is taken, and the next person's comes before anybody has looked."""

    def __init__(self):
        self.places = [CardPlace.INSIDE, CardPlace.AT_GATE, CardPlace.INSIDE]

    def status(self):
        return DispenserStatus(None, frozenset(), self.places.pop(0))

    def allow_insertion(self, allowed):
        assert not allowed

    def hold_at_gate(self):
        pass


def test_the_next_persons_card_is_not_captured_for_the_one_before():
    assert give_back(TakenAndFollowed(), QUICK) == Release(ReleaseEnd.RELEASED)


def test_a_device_that_went_away_empty_holds_nobodys_card(device, dispenser):
    dispenser.hold_at_gate()
    device.machine.take()
    assert dispenser.status().place is CardPlace.NONE
    device.unplug()
    assert give_back(dispenser, QUICK) == Release(ReleaseEnd.RELEASED)


def test_unplugged(device, dispenser):
    device.unplug()
    found = give_back(dispenser, QUICK)
    assert found == Release(ReleaseEnd.STILL_PRESENT, DispenserReason.GONE)


def test_nobody_waits_any_more(device, dispenser):
    stop = threading.Event()
    when_offered(device, stop.set)
    assert give_back(dispenser, LONG, stop=stop) == Release(ReleaseEnd.STILL_PRESENT)
    assert dispenser.status().place is CardPlace.AT_GATE


@pytest.mark.parametrize("fault", ["drop", "nak", "power-moving"])
@pytest.mark.parametrize("turn", range(1, 7))
def test_one_fault_on_the_way_does_not_change_the_end(device, dispenser, fault, turn):
    device.set_fault(f"{turn}:{fault}")
    assert give_back(dispenser, QUICK) == Release(ReleaseEnd.CAPTURED)
    assert device.machine.bin == ["blank:1"]
    assert len(device.machine.stacker) == 2
