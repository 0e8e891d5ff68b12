"""Our camera and scanner, and the simulated camera's stream, with every fault of it."""

import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from drivers.camera.live import Camera, CameraTimes
from drivers.camera.scanner import CameraScanner, CameraScannerTimes
from drivers.code_scanner import ScanCancelled, ScannerGone, ScannerReason
from drivers.frames import CameraError, CameraGone, CameraReason, CameraStalled
from hw_sim.camera.device import FAULTS, CameraDevice
from hw_sim.camera.scene import HeldCode
from tests.drivers.pad_double import soon

# The library below keeps to its limits by some tenths of a second only.
TIMES = CameraTimes(
    open=1.0, read=0.6, fresh=0.1, pace=0.005, first_pause=0.05, longest_pause=0.1, status=3.0
)
CODE = b"SSC1:4299A0C3F17D5B2E"
LONG = 8.0


@pytest.fixture
def device():
    made = CameraDevice(rate=50)
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()


@pytest.fixture
def camera(device):
    made = Camera(device.url, TIMES)
    yield made
    made.close()


@pytest.fixture
def scanner(camera):
    return CameraScanner(camera, CameraScannerTimes(look=0.02, pause=0.02, patience=1.5))


def again(camera):
    """A picture after trouble."""
    end = time.monotonic() + LONG
    while True:
        try:
            return camera.newest(0, LONG)
        except CameraError:
            assert time.monotonic() < end


def test_pictures_of_the_hall(device, camera):
    status = camera.status()
    assert (status.reason, status.size) == (None, (1280, 720))
    first = camera.newest(0, LONG)
    later = camera.newest(first.number + 5, LONG)
    assert later.image.shape == (720, 1280, 3)
    assert later.taken_at > first.taken_at


@pytest.mark.parametrize(
    "fault", ["drop", "delay=50", "half", "garbage", "empty", "boundary", "dark", "close"]
)
def test_one_bad_picture_costs_nothing_else(device, camera, fault):
    first = camera.newest(0, LONG)
    device.set_fault(f"1:{fault}")
    frame = camera.newest(first.number + 10, LONG)
    assert device.faults_pending == 0
    assert frame.image.mean() > 60


def test_many_bad_pictures_and_then_a_good_one(device, camera):
    device.set_fault(",".join(f"{n}:{fault}" for n, fault in enumerate(
        ["garbage", "half", "empty", "drop", "boundary", "garbage", "dark", "half"], start=1)
    ))  # fmt: skip
    assert camera.newest(20, LONG).image.mean() > 60


@pytest.mark.parametrize(
    ("fault", "error"), [("stall", CameraStalled), ("unplug", CameraGone)]
)  # fmt: skip
def test_trouble_and_well_again(device, camera, fault, error):
    first = camera.newest(0, LONG)
    device.set_fault(f"1:{fault}")
    with pytest.raises(error):
        camera.newest(first.number + 100, LONG)
    device.unplug()
    device.plug()
    assert again(camera).number > first.number


def test_a_power_failure_is_survived(device, camera):
    first = camera.newest(0, LONG)
    device.set_fault("1:power-cycle")
    with pytest.raises(CameraGone):
        camera.newest(first.number + 1000, LONG)
    assert again(camera)


def test_covered_lens(device, camera):
    device.cover()
    assert camera.status().reason is CameraReason.DARK
    device.clear()
    camera.newest(camera._count + 5, LONG)
    assert camera.status().reason is None


def test_nobody_looks_so_nothing_is_sent(device):
    times = replace(TIMES, idle=0.1)
    camera = Camera(device.url, times)
    camera.newest(0, LONG)
    end = time.monotonic() + LONG
    while device.watchers:
        assert time.monotonic() < end
        time.sleep(0.005)
    assert camera.newest(0, LONG)


def test_a_process_that_looks_ends_well(device):
    looks = f"from drivers.camera.live import Camera; c = Camera({device.url!r}); c.newest(0, 5)"
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", looks], capture_output=True, check=False)
        assert (ended.returncode, ended.stderr) == (0, b"")


# --- as a scanner ---------------------------------------------------------------------------------


def test_every_fault_is_tried_here():
    tried = "drop delay half garbage empty boundary dark close stall unplug power-cycle slow"
    assert set(FAULTS) == set(tried.split())


@pytest.mark.parametrize(
    "payload",
    [CODE, "证明".encode("gb18030"), b"\x00\x02\x1b[A\xff", b"javascript:" + b"A" * 900],
    ids=["e-card", "gb18030", "binary", "long"],
)
def test_a_code_before_the_camera(device, scanner, payload):
    device.show(HeldCode(payload, size=640))
    assert scanner.read_code(threading.Event()) == payload


@pytest.mark.parametrize(
    "held",
    [
        HeldCode(CODE, size=150),
        HeldCode(CODE, turn=37),
        HeldCode(CODE, lean=0.4),
        HeldCode(CODE, blur=2.0),
        HeldCode(CODE, across=0.12, down=0.7),
    ],
    ids=["small", "turned", "tilted", "blurred", "aside"],
)
def test_held_badly(device, scanner, held):
    device.show(held)
    assert scanner.read_code(threading.Event()) == CODE


def test_a_code_shown_later(device, scanner):
    soon(lambda: device.show(HeldCode(CODE)), 0.2)
    assert scanner.read_code(threading.Event()) == CODE


def test_two_codes_are_waited_over_until_one_is_taken_away(device, scanner):
    device.show(HeldCode(CODE, across=0.25), HeldCode(CODE + b"2", across=0.75))
    cancelled = threading.Event()
    soon(cancelled.set, 0.4)
    with pytest.raises(ScanCancelled):
        scanner.read_code(cancelled)
    device.show(HeldCode(CODE, across=0.25))
    assert scanner.read_code(threading.Event()) == CODE


def test_the_same_code_twice_is_read(device, scanner):
    device.show(HeldCode(CODE, across=0.25), HeldCode(CODE, across=0.75))
    assert scanner.read_code(threading.Event()) == CODE


@pytest.mark.parametrize("fault", ["garbage", "half", "dark", "slow=100"])
def test_a_bad_picture_delays_a_code_and_changes_none(device, scanner, fault):
    device.set_fault(f"1:{fault},2:{fault}")
    device.show(HeldCode(CODE))
    assert scanner.read_code(threading.Event()) == CODE


@pytest.mark.parametrize("fault", ["unplug", "stall"])
def test_the_scanner_is_gone_and_back(device, camera, scanner, fault):
    device.set_fault(f"3:{fault}")
    with pytest.raises(ScannerGone):
        scanner.read_code(threading.Event())
    device.unplug()
    # A try that began while it was stalled may still end as that.
    reasons = [scanner.status().reason for _ in range(3)]
    assert reasons[-1] is ScannerReason.GONE
    device.plug()
    device.show(HeldCode(CODE))
    again(camera)
    assert scanner.read_code(threading.Event()) == CODE
