"""Our HID driver and the simulated keyboard scanner, each written from linux/input.h alone."""

import threading

import pytest

from drivers.code_scanner import LONGEST_CODE, ScanCancelled, ScannerGone, ScannerStatus
from drivers.hid.bursts import HidTimes
from drivers.hid.scanner import HidScanner
from hw_sim.hid_scanner.device import HidScannerDevice
from tests.drivers.pad_double import soon

CODE = "SSC1+aB0~/?=&c|'\"@x Z"
TIMES = HidTimes(rest=0.25, look=0.01)


@pytest.fixture
def device(tmp_path):
    made = HidScannerDevice(tmp_path / "kbd")
    made.plug()
    yield made
    made.settle()
    made.unplug()


@pytest.fixture
def scanner(device):
    made = HidScanner(str(device.node), times=TIMES)
    rested(device, made)
    yield made
    made.close()


def rested(device, scanner):
    """Open, and past the end of what may have begun before that."""
    assert scanner.status() == ScannerStatus(None)
    device.show("before")
    device.settle()


class Reading:
    """A reading in the background that has dropped what was late."""

    def __init__(self, scanner):
        self.waits, self.cancelled, self.ended = (threading.Event() for _ in range(3))
        self.code = self.error = None
        receive = scanner._receive

        def told(seconds):
            if seconds:
                self.waits.set()
            return receive(seconds)

        scanner._receive = told
        threading.Thread(target=self._read, args=(scanner,), daemon=True).start()
        assert self.waits.wait(5)
        scanner._receive = receive

    def _read(self, scanner):
        try:
            self.code = scanner.read_code(self.cancelled)
        except (ScannerGone, ScanCancelled) as error:
            self.error = error
        self.ended.set()

    def end(self):
        assert self.ended.wait(10)
        return self.code


@pytest.mark.parametrize("text", [CODE, "x", "https://example.org/?q=" + "y" * 300])
def test_a_code_before_the_window(device, scanner, text):
    reading = Reading(scanner)
    device.show(text)
    assert reading.end() == text.encode()


def test_codes_one_after_the_other(device, scanner):
    for number in range(3):
        reading = Reading(scanner)
        device.show(f"code {number}")
        assert reading.end() == b"code %d" % number
        device.settle()


@pytest.mark.parametrize(
    "fault",
    ["corrupt=3", "no-enter", "slow", "stall=150", "syn-dropped", "lost"],
)
def test_a_code_that_is_not_whole_is_dropped_and_the_next_one_read(device, scanner, fault):
    device.set_fault(f"1:{fault}")
    reading = Reading(scanner)
    device.show("12345678")
    device.settle()
    # A scanner takes longer than this to see the next code.
    assert not reading.ended.wait(TIMES.rest)
    device.show(CODE)
    assert reading.end() == CODE.encode()
    assert device.faults_pending == 0


@pytest.mark.parametrize("fault", ["split", "repeat"])
def test_a_code_that_only_looks_odd_is_read(device, scanner, fault):
    device.set_fault(f"1:{fault}")
    reading = Reading(scanner)
    device.show(CODE)
    assert reading.end() == CODE.encode()


def test_a_lost_key_is_seen_by_nobody(device, scanner):
    """No check value tells it; codes have a form and are asked about, so it helps nobody."""
    device.set_fault("1:drop=0")
    reading = Reading(scanner)
    device.show(CODE)
    assert reading.end() == CODE[1:].encode()


def test_chinese_is_no_code_and_no_half_code(device, scanner):
    reading = Reading(scanner)
    device.show("SSC1社保卡")
    device.show(CODE)
    assert reading.end() == CODE.encode()


def test_unplugged_in_the_middle_and_back(device, scanner):
    device.set_fault("1:unplug")
    reading = Reading(scanner)
    device.show(CODE)
    assert reading.end() is None
    assert isinstance(reading.error, ScannerGone)
    device.plug()
    rested(device, scanner)
    reading = Reading(scanner)
    device.show(CODE)
    assert reading.end() == CODE.encode()


def test_cancelled_in_the_middle_of_a_code_the_rest_is_no_code(device, scanner):
    reading = Reading(scanner)
    soon(reading.cancelled.set, 0.05)
    device.show("z" * 60)
    reading.end()
    assert isinstance(reading.error, ScanCancelled)
    reading = Reading(scanner)
    device.settle()
    device.show(CODE)
    assert reading.end() == CODE.encode()


@pytest.mark.slow
def test_the_longest_code(device, scanner):
    reading = Reading(scanner)
    device.show("y" * LONGEST_CODE)
    device.settle()
    assert reading.end() == b"y" * LONGEST_CODE
