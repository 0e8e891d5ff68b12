"""The GM65 driver against a scripted module on a pseudo-terminal."""

import binascii
import logging
import time

import pytest

from drivers.code_scanner import (
    LONGEST_CODE,
    ScanCancelled,
    ScannerGone,
    ScannerReason,
    ScannerStatus,
)
from drivers.gm65.line import Gm65Line
from drivers.gm65.scanner import Gm65Scanner, gm65_facts
from tests.drivers.pad_double import soon
from tests.drivers.scanner_double import (
    ACK,
    CHECK,
    QUICK,
    STOP,
    TRIGGER,
    ScannerDouble,
    Waiting,
)

CODE = b"yikatong:0123456789ABCDEF"
DAMAGED = ACK[:-1] + b"\x32"


def content(data):
    octets = bytes([0, len(data)]) + data
    return b"\x02\x00" + octets + binascii.crc_hqx(octets, 0).to_bytes(2, "big")


def facts(read_seconds=0.1, end_mark="0D"):
    changed = gm65_facts()
    changed["trigger"]["read_seconds"] = read_seconds
    changed["frame"]["end_mark"] = end_mark
    return changed


@pytest.fixture
def module(tmp_path):
    double = ScannerDouble(tmp_path / "scanner")
    yield double
    double.unplug()


@pytest.fixture
def scanner(module):
    made = Waiting(Gm65Scanner(str(module.link), times=QUICK, facts=facts(read_seconds=5)))
    yield made
    made.close()


@pytest.fixture
def impatient(module):
    """A scanner whose module reads for a tenth of a second only."""
    made = Waiting(Gm65Scanner(str(module.link), times=QUICK, facts=facts()))
    yield made
    made.close()


def cancel_when(module, command, scanner, count=1):
    def cancel():
        module.wait_for(command, count)
        scanner.cancel()

    return soon(cancel, 0)


def test_the_bytes_of_one_reading(module, scanner):
    module.show(CODE + b"\r")
    assert scanner.read_code() == CODE
    assert module.commands == [TRIGGER]


def test_a_code_shown_later_and_in_pieces(module, scanner):
    def show():
        module.wait_for(TRIGGER)
        for piece in (b"yika", b"tong", b":1", b"\r"):
            time.sleep(0.02)
            module.send(piece)

    soon(show, 0)
    assert scanner.read_code() == b"yikatong:1"
    assert module.commands == [TRIGGER]


@pytest.mark.parametrize(("mark", "raw"), [("0D", b"\r"), ("0D 0A", b"\r\n"), ("", b"")])
def test_the_end_mark_is_a_setting(module, mark, raw):
    scanner = Waiting(Gm65Scanner(str(module.link), times=QUICK, facts=facts(5, mark)))
    module.show(CODE + raw, b"\x00\x02\x1b" + raw)
    assert scanner.read_code() == CODE
    assert scanner.read_code() == b"\x00\x02\x1b"
    scanner.close()


def test_triggered_again_when_no_code_came(module, impatient):
    module.show(b"", b"", CODE + b"\r")
    assert impatient.read_code() == CODE
    assert module.commands == [TRIGGER] * 3


def test_a_slow_payload_is_not_cut_by_the_reading_time(module, impatient):
    def show():
        module.wait_for(TRIGGER)
        for octet in CODE[1:] + b"\r":
            time.sleep(0.02)
            module.send(bytes([octet]))

    module.show(CODE[:1])
    soon(show, 0)
    assert impatient.read_code() == CODE
    assert module.commands == [TRIGGER]


@pytest.mark.parametrize("late", [CODE + b"\r", b"half a payl", ACK, DAMAGED, b"\x00\xff\x02"])
def test_what_came_before_the_trigger_is_dropped(module, scanner, late):
    assert scanner.status().reason is None
    module.send(late)
    module.show(b"fresh\r")
    assert scanner.read_code() == b"fresh"


@pytest.mark.parametrize("noise", [b"\x00\xff\x55", b"\x02", b"\x02\x00\x00\x01", DAMAGED, ACK])
def test_noise_around_an_answer_is_survived(module, scanner, noise):
    module.answer = lambda command: noise + ACK + CODE + b"\r"
    assert scanner.read_code() == CODE
    assert module.commands == [TRIGGER]


@pytest.mark.parametrize("first", [None, DAMAGED, ACK[:-2], b"\x00" * 7])
def test_one_unreadable_answer_is_asked_for_again(module, scanner, first):
    left = [first]
    module.show(CODE + b"\r")
    module.answer = lambda command: left.pop() if left else module.usual(command)
    assert scanner.read_code() == CODE
    assert module.commands == [TRIGGER, TRIGGER]


@pytest.mark.parametrize("answer", [None, DAMAGED, ACK[:-1]])
def test_never_a_readable_answer(module, scanner, answer):
    module.answer = lambda command: answer
    with pytest.raises(ScannerGone):
        scanner.read_code()
    assert scanner.status() == ScannerStatus(ScannerReason.GONE)
    assert len(module.commands) == 4
    module.answer = module.usual
    assert scanner.status().reason is None


def test_empty_payloads_are_waited_over(module, scanner):
    def show():
        module.wait_for(TRIGGER)
        module.send(b"\r\r")
        time.sleep(0.03)
        module.send(b"\r" + CODE + b"\r")

    soon(show, 0)
    assert scanner.read_code() == CODE
    assert module.commands == [TRIGGER]


def test_a_payload_too_long_is_dropped_and_the_module_triggered_again(module, scanner):
    module.show(b"x" * (LONGEST_CODE + 1) + b"\r", b"y" * LONGEST_CODE + b"\r")
    assert scanner.read_code() == b"y" * LONGEST_CODE
    assert module.commands == [TRIGGER, TRIGGER]


def test_a_payload_that_breaks_off_is_not_handed_on(module, scanner):
    module.show(b"half a co", CODE + b"\r")
    assert scanner.read_code() == CODE
    assert module.commands == [TRIGGER, TRIGGER]


def test_the_terminal_cancels_from_another_thread(module, scanner):
    cancel_when(module, TRIGGER, scanner)
    with pytest.raises(ScanCancelled):
        scanner.read_code()
    assert module.commands == [TRIGGER, STOP]
    module.show(CODE + b"\r")
    assert scanner.read_code() == CODE


@pytest.mark.parametrize("answer", [None, b"\x00"])
def test_cancelled_while_the_module_is_silent(module, scanner, answer):
    module.answer = lambda command: answer
    cancel_when(module, TRIGGER, scanner)
    with pytest.raises(ScanCancelled):
        scanner.read_code()
    module.wait_for(STOP)


def test_cancelled_while_the_line_is_never_silent(module, scanner):
    def flood():
        module.wait_for(TRIGGER)
        module.send(b"x" * 20_000)
        scanner.cancel()
        module.send(b"x" * 20_000)

    thread = soon(flood, 0)
    with pytest.raises(ScanCancelled):
        scanner.read_code()
    scanner.close()
    module.unplug()
    thread.join(10)


def test_cancelled_over_and_over(module, scanner):
    for count in range(1, 6):
        cancel_when(module, TRIGGER, scanner, count)
        with pytest.raises(ScanCancelled):
            scanner.read_code()
    module.wait_for(STOP, 5)


def test_the_answer_to_a_stop_is_no_part_of_the_next_code(module, scanner):
    module.answer = lambda command: None if command == STOP else module.usual(command)
    cancel_when(module, TRIGGER, scanner)
    with pytest.raises(ScanCancelled):
        scanner.read_code()
    module.answer = lambda command: ACK + module.usual(command)
    module.show(CODE + b"\r")
    assert scanner.read_code() == CODE


def test_cancelled_before_it_began_nothing_is_triggered(module, scanner):
    scanner.cancel()
    with pytest.raises(ScanCancelled):
        scanner.scanner.read_code(scanner.cancelled)
    assert TRIGGER not in module.commands
    module.show(CODE + b"\r")
    assert scanner.read_code() == CODE


def test_unplugged_within_a_reading_then_plugged_again(module, scanner):
    def pull():
        module.wait_for(TRIGGER)
        module.unplug()

    soon(pull, 0)
    with pytest.raises(ScannerGone):
        scanner.read_code()
    assert scanner.status().reason is ScannerReason.GONE
    module.plug()
    module.show(CODE + b"\r")
    assert scanner.read_code() == CODE


def test_unplugged_between_readings(module, scanner):
    assert scanner.status().reason is None
    module.unplug()
    with pytest.raises(ScannerGone):
        scanner.read_code()
    module.plug()
    assert scanner.status().reason is None


def test_a_status_reads_a_register(module, scanner):
    assert scanner.status().reason is None
    assert module.commands == [CHECK]


def test_a_late_answer_is_no_answer_to_the_next_command(module):
    """An answer does not say which register it is of."""
    line = Gm65Line(str(module.link), 9600, QUICK)
    seen = []
    late = []

    def answer(command):
        seen.append(command)
        if len(seen) == 2:
            late.append(soon(lambda: module.send(content(b"\x11")), QUICK.answer / 2))
        if len(seen) == 3:
            late[0].join()
        return [None, content(b"\x11"), content(b"\x22")][len(seen) - 1]

    module.answer = answer
    assert line.read(0x0000) == b"\x11"
    assert line.read(0x0003) == b"\x22"
    assert [command[4:6] for command in seen] == [b"\0\0", b"\0\0", b"\0\3"]
    line.close()


def test_a_device_without_a_module_behind_it(module, scanner):
    """Another program's port, or another device: bytes, but no answer."""
    module.answer = lambda command: b"hello\r\n" * 100
    assert scanner.status().reason is ScannerReason.GONE


def test_the_port_is_ours_alone(module, scanner):
    assert scanner.status().reason is None
    other = Waiting(Gm65Scanner(str(module.link), times=QUICK))
    assert other.status().reason is ScannerReason.GONE
    scanner.close()
    assert other.status().reason is None
    other.close()


def test_no_port(tmp_path):
    scanner = Waiting(Gm65Scanner(str(tmp_path / "none"), times=QUICK))
    assert scanner.status().reason is ScannerReason.GONE
    with pytest.raises(ScannerGone):
        scanner.read_code()
    scanner.close()
    scanner.close()


def test_payloads_are_in_no_log_or_error(module, scanner, caplog):
    caplog.set_level(logging.DEBUG)
    module.show(CODE + b"\r")
    scanner.read_code()
    module.show(CODE[:20])

    def pull():
        module.wait_for(TRIGGER, 2)
        module.unplug()

    soon(pull, 0)
    with pytest.raises(ScannerGone) as caught:
        scanner.read_code()
    told = caplog.text + repr(caught.value) + repr(caught.value.__cause__) + repr(scanner)
    assert "0123456789" not in told and "code scanner lost" in told
