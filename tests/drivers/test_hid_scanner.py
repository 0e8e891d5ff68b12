"""The HID driver on a FIFO that the test writes: opening, grabbing, waiting, losing the node."""

import fcntl
import logging
import os
import pty
import threading
import time
import tty

import pytest

from drivers.code_scanner import ScanCancelled, ScannerGone, ScannerReason, ScannerStatus
from drivers.hid.bursts import HidTimes
from drivers.hid.scanner import HidScanner
from tests.drivers.hid_events import A_CODE, ENTER, KEYS_OF_A_CODE, Typist
from tests.drivers.pad_double import soon

QUICK = HidTimes(rest=0.15, drain=0.2, look=0.01)
GONE = ScannerStatus(ScannerReason.GONE)
NEVER = threading.Event()


class Node:
    """A FIFO in place of a node, and the keyboard behind it."""

    def __init__(self, path):
        self.path = path
        self.plug()

    def plug(self):
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDWR)

    def unplug(self):
        # Two threads may pull it.
        fd, self.fd = self.fd, None
        if fd is not None:
            self.path.unlink()
            os.close(fd)

    def type(self, events):
        os.write(self.fd, events)


@pytest.fixture
def node(tmp_path):
    made = Node(tmp_path / "kbd")
    yield made
    made.unplug()


@pytest.fixture
def scanner(node):
    made = HidScanner(str(node.path), times=QUICK)
    yield made
    made.close()


def later(seconds=1):
    """Somebody who types by the stamps of a time when the scanner has long been open."""
    return Typist(at=time.monotonic() + seconds)


def read_while(scanner, node, *parts):
    """Read a code while these bytes are typed."""
    assert scanner.status() == ScannerStatus(None)
    reading = threading.Event()
    given_up = threading.Event()
    receive = scanner._receive

    def told(seconds):
        if seconds:
            reading.set()
        return receive(seconds)

    scanner._receive = told
    typist = threading.Thread(
        target=lambda: reading.wait(5) and [node.type(part) for part in parts], daemon=True
    )
    typist.start()
    soon(given_up.set, 5)
    code = scanner.read_code(given_up)
    typist.join(5)
    return code


def test_a_code_that_is_typed_while_it_waits(node, scanner):
    assert read_while(scanner, node, later().code()) == A_CODE


def test_a_code_in_bytes(node, scanner):
    typed = later().code()
    assert read_while(scanner, node, *(typed[at : at + 1] for at in range(len(typed)))) == A_CODE


def test_what_was_typed_while_nobody_waited_is_dropped(node, scanner):
    scanner.status()
    node.type(later().code())
    typist = later(2)
    fresh = typist.keys([(30, False), (48, False)]) + typist.key(ENTER)
    assert read_while(scanner, node, fresh) == b"ab"


def test_what_began_while_nobody_waited_is_dropped_to_its_end(node, scanner):
    scanner.status()
    typist = later()
    node.type(typist.keys(KEYS_OF_A_CODE[:5]))
    rest = typist.keys(KEYS_OF_A_CODE[5:]) + typist.key(ENTER)
    fresh = typist.key(30) + typist.key(ENTER)
    assert read_while(scanner, node, rest, fresh) == b"a"


def test_a_code_that_may_have_begun_before_it_was_opened_is_dropped(node, scanner):
    opened = threading.Event()
    typed = threading.Event()

    def write():
        opened.wait(5)
        typist = later(0)
        node.type(typist.keys(KEYS_OF_A_CODE[5:]) + typist.key(ENTER))
        node.type(typist.code())
        typed.set()

    threading.Thread(target=write, daemon=True).start()
    receive = scanner._receive

    def told(seconds):
        if seconds:
            opened.set()
        return receive(seconds)

    scanner._receive = told
    assert scanner.read_code(NEVER) == A_CODE
    assert typed.wait(5)


def test_cancelled_from_another_thread(node, scanner):
    cancelled = threading.Event()
    soon(cancelled.set, 0.05)
    with pytest.raises(ScanCancelled):
        scanner.read_code(cancelled)
    with pytest.raises(ScanCancelled):
        scanner.read_code(cancelled)


def test_cancelled_before_it_began_nothing_is_opened(node, scanner):
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(ScanCancelled):
        scanner.read_code(cancelled)
    assert scanner._node is None


def test_a_line_that_is_never_silent_is_cancelled_too(node, scanner):
    cancelled = threading.Event()
    flooding = threading.Event()
    flooding.set()

    def flood():
        typist = Typist()
        while flooding.is_set():
            node.type(typist.key(30))

    flooder = threading.Thread(target=flood, daemon=True)
    flooder.start()
    soon(cancelled.set, 0.3)
    with pytest.raises(ScanCancelled):
        scanner.read_code(cancelled)
    flooding.clear()
    scanner._receive(0)
    flooder.join(5)


def test_unplugged_while_it_waits_and_plugged_again(node, scanner):
    soon(node.unplug, 0.05)
    with pytest.raises(ScannerGone):
        scanner.read_code(NEVER)
    assert scanner.status() == GONE
    with pytest.raises(ScannerGone):
        scanner.read_code(NEVER)
    node.plug()
    assert read_while(scanner, node, later().code()) == A_CODE


def test_unplugged_while_nobody_waits_is_seen_by_its_status(node, scanner):
    assert scanner.status() == ScannerStatus(None)
    node.unplug()
    assert scanner.status() == GONE
    node.plug()
    assert scanner.status() == ScannerStatus(None)


def test_an_error_of_the_node_is_the_end_of_it(node, scanner, monkeypatch):
    scanner.status()
    node.type(b"x")

    def lost(_node, _size):
        raise OSError(19, "No such device")

    monkeypatch.setattr("drivers.hid.scanner.os.read", lost)
    with pytest.raises(ScannerGone):
        scanner.read_code(NEVER)
    assert scanner._node is None


@pytest.mark.parametrize("path", ["/dev/null", "{tmp}/file", "{tmp}", "{tmp}/nothing"])
def test_what_is_no_keyboard_is_refused(tmp_path, path):
    (tmp_path / "file").write_bytes(Typist().code())
    scanner = HidScanner(path.format(tmp=tmp_path), times=QUICK)
    assert scanner.status() == GONE
    with pytest.raises(ScannerGone):
        scanner.read_code(NEVER)
    scanner.close()
    scanner.close()


def test_a_node_is_grabbed_and_told_which_clock_counts(monkeypatch):
    """A pseudo-terminal in place of the node, and our own ioctl in place of evdev's."""
    asked = []
    monkeypatch.setattr(fcntl, "ioctl", lambda node, *what: asked.append(what))
    master, slave = pty.openpty()
    tty.setraw(slave)
    scanner = HidScanner(os.ttyname(slave), times=QUICK)
    assert scanner.status() == ScannerStatus(None)
    # linux/input.h: EVIOCGRAB with 1, EVIOCSCLOCKID with CLOCK_MONOTONIC.
    assert asked == [(0x40044590, 1), (0x400445A0, (1).to_bytes(4, "little"))]
    scanner.status()
    assert len(asked) == 2
    scanner.close()
    os.close(master)
    os.close(slave)


def test_a_node_that_another_program_holds_is_refused_and_not_kept_open(monkeypatch):
    def busy(node, *_what):
        held.append(node)
        raise OSError(16, "Device or resource busy")

    held = []
    monkeypatch.setattr(fcntl, "ioctl", busy)
    scanner = HidScanner("/dev/null", times=QUICK)
    assert scanner.status() == GONE
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(held[0])


def test_codes_are_in_no_log_or_error(node, scanner, caplog):
    caplog.set_level(logging.DEBUG)
    scanner.status()
    soon(lambda: (node.type(later().keys(KEYS_OF_A_CODE)), node.unplug()), 0.05)
    with pytest.raises(ScannerGone) as caught:
        scanner.read_code(NEVER)
    told = caplog.text + repr(caught.value) + repr(vars(scanner))
    assert "SSC1" not in told and "code scanner lost" in told
