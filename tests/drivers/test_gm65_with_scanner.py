"""Our scanner driver and the simulated scanner, each written from the wire's description alone."""

import time

import pytest

from drivers.code_scanner import ScanCancelled, ScannerGone, ScannerReason
from drivers.gm65.scanner import Gm65Scanner, Gm65Times, gm65_facts
from hw_sim.scanner.device import ScannerDevice
from tests.drivers.pad_double import soon
from tests.drivers.scanner_double import Waiting

CODE = b"yikatong:0123456789ABCDEF"


@pytest.fixture
def device(tmp_path):
    made = ScannerDevice(tmp_path / "scanner", decode_seconds=0.02)
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()


@pytest.fixture
def scanner(device):
    # 0.4 s: the simulated scanner forgets an unfinished command after 0.3 s.
    times = Gm65Times(answer=0.4, damaged=0.1, look=0.01, margin=0.1, piece=0.2, quiet=0.1)
    facts = gm65_facts()
    facts["trigger"]["read_seconds"] = 0.5
    made = Waiting(Gm65Scanner(str(device.link), times=times, facts=facts))
    yield made
    made.close()


def when_triggered(device, action):
    def act():
        for _ in range(5000):
            if device.triggered:
                action()
                return
            time.sleep(0.002)

    soon(act, 0)


@pytest.mark.parametrize(
    "payload", [CODE, "证明".encode("gb18030"), b"\x00\x02\x1b[A", b"x" * 1000]
)
def test_a_code_in_front_of_the_window(device, scanner, payload):
    device.show(payload)
    assert scanner.read_code() == payload
    assert not device.triggered


def test_a_code_shown_while_it_reads(device, scanner):
    when_triggered(device, lambda: device.show(CODE))
    assert scanner.read_code() == CODE


def test_codes_one_after_the_other(device, scanner):
    for number in range(5):
        device.show(b"code %d" % number)
        assert scanner.read_code() == b"code %d" % number


def test_cancelled_puts_the_light_out(device, scanner):
    for _ in range(3):
        when_triggered(device, lambda: scanner.cancel())
        with pytest.raises(ScanCancelled):
            scanner.read_code()
        assert not device.triggered
    device.show(CODE)
    assert scanner.read_code() == CODE


def test_status(device, scanner):
    assert scanner.status().reason is None
    assert not device.triggered


@pytest.mark.parametrize(
    "fault", ["drop", "delay=50", "bad-check", "truncate=3", "truncate=0", "corrupt=0", "corrupt=3",
              "corrupt=4", "corrupt=6", "noise", "nak", "busy", "split", "power-cycle",
              "code-truncate", "code-drop", "code-delay=50", "code-split"]
)  # fmt: skip
def test_one_fault_on_the_line_is_survived(device, scanner, fault):
    assert scanner.status().reason is None
    device.set_fault(f"1:{fault}")
    device.show(CODE, hold=True)
    assert scanner.read_code() == CODE
    assert device.faults_pending == 0


def test_noise_before_a_code_is_handed_on_with_it(device, scanner):
    """No check value tells a code's bytes from noise; what it means is decided elsewhere."""
    device.set_fault("1:garble")
    device.show(CODE)
    assert scanner.read_code().endswith(CODE)


@pytest.mark.parametrize("fault", ["unplug", "stuck"])
def test_gone_and_back(device, scanner, fault):
    device.set_fault(f"1:{fault}")
    with pytest.raises(ScannerGone):
        scanner.read_code()
    assert scanner.status().reason is ScannerReason.GONE
    device.unplug()
    device.plug()
    device.show(CODE)
    assert scanner.read_code() == CODE


def test_unplugged_while_it_reads(device, scanner):
    when_triggered(device, device.unplug)
    with pytest.raises(ScannerGone):
        scanner.read_code()
    device.plug()
    assert scanner.status().reason is None
