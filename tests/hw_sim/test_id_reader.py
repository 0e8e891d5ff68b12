"""The simulated ID reader on its wire: what it says of the cards on it, and its own faults."""

import os
import select
import termios
import tty

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.faults import FaultSyntaxError
from hw_sim.id_reader.cards import id_card, names
from hw_sim.id_reader.device import FAULTS, READ_FAULTS, IdReaderDevice
from hw_sim.id_reader.frames import Command, answer, unframe
from hw_sim.serial_device import Illegal

HEAD = "AAAAAA9669"
OK = bytes.fromhex(HEAD + "0004 00 00 90 94")
FOUND = bytes.fromhex(HEAD + "0008 00 00 9F 00 00 00 00 97")
NO_CARD = bytes.fromhex(HEAD + "0004 00 00 80 84")
SELECTED = bytes.fromhex(HEAD + "000C 00 00 90 00 00 00 00 00 00 00 00 9C")
NOT_SELECTED = bytes.fromhex(HEAD + "0004 00 00 81 85")
FAILED = bytes.fromhex(HEAD + "0004 00 00 41 45")
# As printed in makers' documents (domain card.md §6).
SENT = {
    Command.RESET: "00 03 10 FF EC",
    Command.STATUS: "00 03 11 FF ED",
    Command.SAM_ID: "00 03 12 FF EE",
    Command.FIND: "00 03 20 01 22",
    Command.SELECT: "00 03 20 02 21",
    Command.READ_BASE: "00 03 30 01 32",
    Command.READ_NEWEST_ADDRESS: "00 03 30 03 30",
    Command.READ_BASE_FINGERPRINT: "00 03 30 10 23",
}


class Host:
    """The other end of the line."""

    def __init__(self, device, speed=termios.B115200):
        self.port = os.open(device.link, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.port)
        attributes = termios.tcgetattr(self.port)
        attributes[4] = attributes[5] = speed
        termios.tcsetattr(self.port, termios.TCSANOW, attributes)

    def ask(self, command, size=11, seconds=5.0):
        os.write(self.port, bytes.fromhex(HEAD + SENT[command]))
        return self.hear(size, seconds)

    def hear(self, size, seconds=5.0):
        got = b""
        while len(got) < size and select.select([self.port], [], [], seconds)[0]:
            got += os.read(self.port, size - len(got))
        return got

    def close(self):
        os.close(self.port)


@pytest.fixture
def device(tmp_path):
    made = IdReaderDevice(tmp_path / "id-reader")
    made.plug()
    yield made
    made.unplug()


@pytest.fixture
def host(device):
    made = Host(device)
    yield made
    made.close()


def read(host, command=Command.READ_BASE, size=1295):
    assert host.ask(Command.FIND, len(FOUND)) == FOUND
    assert host.ask(Command.SELECT, len(SELECTED)) == SELECTED
    return host.ask(command, size)


def test_the_published_frames(device, host):
    assert set(SENT) == set(Command)
    assert host.ask(Command.STATUS) == OK
    assert host.ask(Command.RESET) == OK
    assert host.ask(Command.FIND) == NO_CARD
    assert host.ask(Command.SELECT) == NOT_SELECTED
    assert len(host.ask(Command.SAM_ID, 27)) == 27
    assert device.illegal == ()


def test_a_card_is_found_and_read_once_until_it_left(device, host):
    device.put(id_card("citizen"))
    frame = read(host)
    assert frame[5:14] == bytes.fromhex("0508 000090 01000400")
    assert frame[14:270].decode("utf-16-le").startswith("王秀芳")
    assert frame[270:1294].startswith(b"SIMULATED WLT")
    assert host.ask(Command.FIND) == NO_CARD
    assert host.ask(Command.SELECT, len(SELECTED)) == SELECTED
    device.take_away()
    assert host.ask(Command.SELECT) == NOT_SELECTED
    device.put(id_card("citizen"))
    assert read(host) == frame
    assert device.cards_read == 2 and device.illegal == ()


@pytest.mark.parametrize("begin_anew", ["reset", "power"])
def test_reset_and_power_forget_that_a_card_was_read(device, host, begin_anew):
    device.put(id_card("citizen"))
    read(host)
    if begin_anew == "reset":
        host.ask(Command.RESET)
    else:
        device.unplug()
        device.plug()
        host = Host(device)
    assert host.ask(Command.FIND, len(FOUND)) == FOUND


def test_fingerprints_come_last(device, host):
    device.put(id_card("citizen"))
    frame = read(host, Command.READ_BASE_FINGERPRINT, 2321)
    assert frame[10:16] == bytes.fromhex("0100 0400 0400")
    assert frame[-1025:-1] == b"\x46" * 1024


def test_the_newest_address(device, host):
    device.put(id_card("moved"))
    read(host)
    frame = host.ask(Command.READ_NEWEST_ADDRESS, 81)
    assert frame[10:-1].decode("utf-16-le").rstrip() == "江城市新区样本路9号"
    device.put(id_card("citizen"))
    assert host.ask(Command.READ_NEWEST_ADDRESS)[9] == 0x91


def test_what_is_no_id_card_can_be_selected_and_not_read(device, host):
    device.put(id_card("other"))
    assert read(host, size=11)[9] == 0x40


@pytest.mark.parametrize("name", [*names(), "resident:199"])
def test_every_card_has_its_length(name):
    card = id_card(name)
    assert len(card.text) == (0 if name == "other" else 256) and len(card.photo) == 1024


@pytest.mark.parametrize("name", ["", "nobody", "resident:", "resident:200", "resident:-1"])
def test_no_such_card(name):
    with pytest.raises(LookupError):
        id_card(name)


def test_nobody_real_has_these_cards():
    for index in range(200):
        text = id_card(f"resident:{index}").text.decode("utf-16-le")
        assert text[61:67] == "429900"
    assert "4299" not in repr(id_card("citizen"))


def test_another_speed_is_not_heard(device):
    deaf = Host(device, termios.B9600)
    assert deaf.ask(Command.STATUS, seconds=0.2) == b""
    assert device.illegal == ()
    deaf.close()
    assert Host(device).ask(Command.STATUS) == OK


def test_reading_what_was_not_selected_is_illegal(device, host):
    assert host.ask(Command.SELECT) == NOT_SELECTED
    assert host.ask(Command.READ_BASE, seconds=0.2) == b""
    assert host.ask(Command.READ_NEWEST_ADDRESS, seconds=0.2) == b""
    assert len(device.illegal) == 2


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("00 01 02", "no command"),
        (HEAD + "00 04 11 FF 00 EA", "wrong length"),
        (HEAD + "FF FF 11 FF ED", "wrong length"),
        (HEAD + "00 03 11 FF EC", "wrong check sum"),
        (HEAD + "00 03 12 34 25", "unknown command"),
        (HEAD + "00 03", "unfinished"),
    ],
)
def test_what_is_no_command_is_recorded_and_costs_no_good_one(device, host, octets, reason):
    os.write(host.port, bytes.fromhex(octets))
    if reason == "unfinished":
        assert host.hear(1, seconds=0.5) == b""
    assert host.ask(Command.STATUS) == OK
    assert len(device.illegal) == 1 and reason in device.illegal[0]


@given(st.lists(st.sampled_from(Command), max_size=5), st.integers(1, 60))
def test_every_split_of_commands(commands, size):
    stream = b"".join(bytes.fromhex(HEAD + SENT[command]) for command in commands)
    held, found = bytearray(), []
    for start in range(0, len(stream), size):
        held += stream[start : start + size]
        found += unframe(held)
    assert found == commands and not held


@given(st.binary(max_size=60))
def test_garbage_never_sticks(garbage):
    held = bytearray(garbage)
    assert all(isinstance(each, Command | Illegal) for each in unframe(held))
    assert len(held) < 10


@pytest.mark.parametrize(
    ("fault", "word"), [("unlicensed", 0x66), ("self-test", 0x60), ("word=31", 0x31)]
)
def test_faults_of_the_module(device, host, fault, word):
    device.set_fault(f"2:{fault}")
    assert host.ask(Command.STATUS) == OK
    assert host.ask(Command.STATUS) == answer(word)
    assert host.ask(Command.STATUS) == OK
    assert device.faults_pending == 0


def test_faults_of_reading_count_what_is_read(device, host):
    device.put(id_card("citizen"))
    device.set_fault("1:read-failed,2:read-damaged,3:read-drop,4:read-taken")
    assert host.ask(Command.STATUS) == OK
    assert read(host, size=11) == FAILED
    damaged = read(host)
    assert host.ask(Command.SELECT, len(SELECTED)) == SELECTED
    assert host.ask(Command.READ_BASE, seconds=0.2) == b""
    assert host.ask(Command.SELECT, len(SELECTED)) == SELECTED
    assert host.ask(Command.READ_BASE) == FAILED
    assert device.lying == "" and device.faults_pending == 0
    device.put(id_card("citizen"))
    good = read(host)
    assert damaged[:-1] == good[:-1] and damaged[-1] != good[-1]


def test_faults_of_both_kinds_at_once_and_none(device):
    device.set_fault("1:drop,1:read-failed,5:delay=3")
    assert device.faults_pending == 3
    device.set_fault("none")
    assert device.faults_pending == 0
    assert not set(FAULTS) & set(READ_FAULTS)
    for wrong in ("1:nonsense", "read-failed", "1:read-failed=3", "0:drop", "1:delay=x"):
        with pytest.raises(FaultSyntaxError):
            device.set_fault(wrong)
    assert device.faults_pending == 0
