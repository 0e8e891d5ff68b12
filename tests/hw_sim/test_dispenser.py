"""The simulated card dispenser on its line, byte for byte, and its machine."""

import os
import select
import time
from functools import reduce
from operator import xor

import pytest

from hw_sim.cards.catalogue import UnknownCardError
from hw_sim.dispenser.device import DISPENSER_FAULTS, DispenserDevice
from hw_sim.dispenser.frames import Bare, Command, check, framed, unframe
from hw_sim.dispenser.machine import LOW, STACKER_ROOM, CannotDo, DispenserMachine, Spot
from hw_sim.faults import FaultSyntaxError
from hw_sim.serial_device import Illegal

# Whole frames that public sources print.
INIT = bytes.fromhex("F200000343303303B2")
STATUS = bytes.fromhex("F200000343313003B0")
TO_IC = bytes.fromhex("F200000343323103B2")
HOLD = bytes.fromhex("F200000343323003B3")
TO_BIN = bytes.fromhex("F200000343323303B0")
EJECT = bytes.fromhex("F200000343323903BA")
ALLOW = bytes.fromhex("F200000343333003B2")
POWER = bytes.fromhex("F20000044351303303E4")
WARM = bytes.fromhex("F200000343513803D8")
SENSORS = bytes.fromhex("F200000343313103B1")
ACK, NAK, EOT = b"\x06", b"\x15", b"\x04"


class Host:
    """Writes bytes to the line and reads what comes."""

    def __init__(self, device):
        self.device = device
        self.port = os.open(device.link, os.O_RDWR | os.O_NOCTTY)

    def hear(self, seconds=0.15):
        heard = b""
        while select.select([self.port], [], [], seconds)[0]:
            heard += os.read(self.port, 4096)
            seconds = 0.05
        return heard

    def say(self, octets):
        os.write(self.port, octets)
        return self.hear()

    def ask(self, frame):
        """The text of the answer to a command that is acknowledged and answered."""
        os.write(self.port, frame)
        heard, end = b"", time.monotonic() + 5
        while len(heard) < 5 or len(heard) < 7 + int.from_bytes(heard[3:5], "big"):
            assert time.monotonic() < end
            if select.select([self.port], [], [], 0.05)[0]:
                heard += os.read(self.port, 4096)
        assert heard[:1] == ACK
        assert reduce(xor, heard[1:]) == 0
        os.write(self.port, ACK)
        assert self.hear(0.05) == b""
        return heard[5:-2]

    def close(self):
        os.close(self.port)


@pytest.fixture
def device(tmp_path):
    made = DispenserDevice(tmp_path / "dispenser", move_seconds=0.0, seed=7)
    made.plug()
    yield made
    made.unplug()


@pytest.fixture
def host(device):
    made = Host(device)
    yield made
    made.close()


def command(name, data=b""):
    return framed(0, b"\x43" + bytes.fromhex(name) + data)


# --- frames --------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [INIT, STATUS, TO_IC, HOLD, TO_BIN, EJECT, ALLOW, POWER, WARM])
def test_public_frames_are_read(frame):
    assert check(frame) == 0
    buffer = bytearray(ACK + frame + EOT)
    first, read, last = unframe(buffer, 0)
    assert (first, last) == (Bare(ACK), Bare(EOT))
    assert isinstance(read, Command) and read.name == frame[5:7].hex().upper()
    assert buffer == b""


def test_what_is_not_whole_waits():
    for end in range(1, len(STATUS)):
        buffer = bytearray(STATUS[:end])
        assert list(unframe(buffer, 0)) == []
        buffer += STATUS[end:]
        assert [read.name for read in unframe(buffer, 0)] == ["3130"]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\xa5", "neither"),
        (STATUS[:-1] + b"\x00", "check"),
        (bytes.fromhex("F200FFFF"), "length"),
        (framed(0, b"\x50\x31\x30000"), "no command"),
    ],
)
def test_what_is_no_command(octets, reason):
    (read,) = unframe(bytearray(octets), 0)
    assert isinstance(read, Illegal) and reason in read.reason


def test_another_address_is_passed_over():
    assert list(unframe(bytearray(framed(3, b"\x43\x31\x30")), 0)) == []


# --- the line ------------------------------------------------------------------------------------


def test_nothing_before_an_initialisation(host):
    assert host.ask(STATUS) == b"N10B0"
    assert host.ask(INIT) == b"P03000CRT-591-M001"
    assert host.ask(STATUS) == b"P10000"


def test_a_card_from_stacker_to_bin(device, host):
    device.machine.stack(LOW + 1)
    host.ask(INIT)
    assert host.ask(TO_IC) == b"P21220"
    assert host.ask(SENSORS) == b"P11220" + b"00010000"
    assert host.ask(HOLD) == b"P20120"
    assert host.ask(TO_BIN) == b"P23020"
    assert device.machine.bin == ["blank:1"]
    assert host.ask(TO_BIN) == b"N2302"
    assert device.commands == ["3033", "3231", "3131", "3230", "3233", "3233"]


def test_a_careless_movement_dispenses(device, host):
    device.machine.stack(1)
    host.ask(INIT)
    assert host.ask(HOLD) == b"P20100"
    assert device.machine.take() == "blank:1"
    assert host.ask(EJECT) == b"N29A0"


def test_power_and_commands(device, host):
    device.machine.stack(1, "v3")
    host.ask(INIT)
    assert host.ask(POWER)[:5] == b"N\x51\x3061"
    host.ask(TO_IC)
    assert host.ask(POWER) == b"P\x51\x302000" + device.machine.made("v3").atr
    assert host.ask(HOLD) == b"N2005"
    answer = host.ask(command("5139", bytes.fromhex("0084000008")))
    assert answer[:6] == b"P\x51\x39200" and answer[-2:] == b"\x90\x00" and len(answer) == 16
    assert host.ask(command("5134", bytes.fromhex("0084000008"))) == b"N\x51\x3462"
    host.ask(command("5131"))
    assert host.ask(command("5139", bytes.fromhex("0084000008"))) == b"N\x51\x3965"
    assert host.ask(HOLD) == b"P20100"


def test_it_repeats_what_was_not_heard_and_clears_the_line(host):
    answer = host.say(INIT)
    assert host.say(NAK) == answer[1:]
    assert host.say(EOT) == EOT


def test_a_command_that_cannot_be_read(device, host):
    assert host.say(STATUS[:-1] + b"\x00") == NAK
    assert len(device.illegal) == 1


@pytest.mark.parametrize(
    "octets",
    [command("3130", b"x"), command("3299"), command("5130", b"\x39"), command("5240", b"\x50"),
     command("A531", b"12"), command("6030", b"CD")],
)  # fmt: skip
def test_what_makes_no_sense_is_recorded(device, host, octets):
    host.ask(INIT)
    host.ask(octets)
    assert len(device.illegal) == 1


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        ("lost", b""),
        ("swallowed", ACK),
        ("drop", ACK),
        ("nak", NAK),
        ("error=51", ACK + framed(0, b"N1051")),
        ("no-ack", framed(0, b"P10000")),
        ("bad-ack", b"\xa5" + framed(0, b"P10000")),
        ("double-ack", ACK + ACK + framed(0, b"P10000")),
    ],
)
def test_faults_of_its_own(device, host, fault, heard):
    host.ask(INIT)
    device.set_fault(f"1:{fault}")
    assert host.say(STATUS) == heard
    assert host.ask(STATUS) == b"P10000"


def test_a_card_sticks_until_it_is_pulled_out(device, host):
    device.machine.stack(2)
    host.ask(INIT)
    device.set_fault("1:jam")
    assert host.ask(TO_IC) == b"N2110"
    assert host.ask(TO_IC) == b"N2110"
    assert host.ask(INIT) == b"N0310"
    assert device.machine.tear_out() == "blank:1"
    assert host.ask(INIT)[:1] == b"P"
    assert host.ask(TO_IC) == b"P21200"


def test_power_fails_while_a_card_moves(device, host):
    device.machine.stack(1)
    host.ask(INIT)
    device.set_fault("1:power-moving")
    assert host.say(TO_IC) == ACK
    assert host.ask(STATUS) == b"N10B0"
    host.ask(INIT)
    assert host.ask(STATUS) == b"P10200"
    assert host.ask(POWER) == b"N\x51\x3061"
    host.ask(TO_IC)
    assert host.ask(POWER)[:1] == b"P"


def test_a_card_torn_out(device, host):
    device.machine.stack(3)
    host.ask(INIT)
    host.ask(TO_IC)
    host.ask(POWER)
    device.set_fault("1:torn")
    assert host.ask(command("5139", bytes.fromhex("0084000008"))) == b"N\x51\x3965"
    host.ask(TO_IC)
    device.set_fault("1:torn")
    assert host.ask(HOLD) == b"N2045"
    assert len(device.machine.stacker) == 1


def test_a_fault_that_cannot_be_read(device):
    for text in ("1:error=1", "1:error", "1:what"):
        with pytest.raises(FaultSyntaxError):
            device.set_fault(text)
    assert device.faults_pending == 0
    assert set(DISPENSER_FAULTS) >= {"lost", "jam"}


# --- people --------------------------------------------------------------------------------------


@pytest.fixture
def machine():
    return DispenserMachine(seed=7, bin_room=2)


def obey(machine, name, data=b""):
    return machine.obey(Command(*bytes.fromhex(name), data))


def test_the_gate_is_closed_at_first(machine):
    with pytest.raises(CannotDo, match="closed"):
        machine.put("v3")
    obey(machine, "3033")
    with pytest.raises(CannotDo, match="closed"):
        machine.put("v3")
    obey(machine, "3330")
    with pytest.raises(UnknownCardError):
        machine.put("no card")
    machine.put("v3")
    assert machine.spot is Spot.INSIDE
    with pytest.raises(CannotDo, match="already"):
        machine.put("v2")
    with pytest.raises(CannotDo, match="gate"):
        machine.take()
    obey(machine, "3033")
    assert not machine.entry


def test_the_same_plastic_comes_back(machine):
    obey(machine, "3033")
    obey(machine, "3330")
    machine.put("v3")
    first = machine.made("v3")
    obey(machine, "3230")
    machine.take()
    machine.put("resident:0")
    assert machine.contacts.card is first


def test_room(machine):
    machine.stack(STACKER_ROOM)
    with pytest.raises(CannotDo, match=str(STACKER_ROOM)):
        machine.stack(1)
    assert machine.digits == b"020"
    del machine.stacker[LOW - 1 :]
    assert machine.digits == b"010"
    machine.stacker.clear()
    machine.fill_bin()
    assert machine.digits == b"001"
    machine.empty_bin()
    assert machine.digits == b"000"


def test_captured_cards_are_counted_where_that_was_asked_for(machine):
    machine.stack(3)
    obey(machine, "3033")
    obey(machine, "3230")
    obey(machine, "3233")
    assert obey(machine, "A530") == b"000"
    obey(machine, "3037")
    obey(machine, "3230")
    obey(machine, "3233")
    assert obey(machine, "A530") == b"001"
    obey(machine, "3230")
    assert obey(machine, "3233") == "A1"
    assert machine.card is not None
    machine.empty_bin()
    obey(machine, "A531", b"999")
    assert obey(machine, "3233") == "50"
