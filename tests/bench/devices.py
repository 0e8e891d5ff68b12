"""What all drivers together cost while nothing happens: each device is looked at on its lane as the
terminal does it, and nobody comes.

The devices are simulated in another process, the drivers run in one that does nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from drivers.camera.live import Camera
from drivers.crt591.device import Crt591
from drivers.device import Device, DeviceKind
from drivers.escpos.printer import EscposPrinter
from drivers.gm65.scanner import Gm65Scanner
from drivers.hid.scanner import HidScanner
from drivers.ipp.printer import IppPrinter
from drivers.sam_v.reader import SamVReader
from drivers.sensor_board.board import SensorBoard
from drivers.szzt.pad import SzztPinPad
from kiosk.assembly import _CAMERA_SECONDS
from kiosk.clock import SystemClock
from kiosk.device_watch import DeviceLane, DeviceSeen, DeviceWatch
from kiosk.executor import ThreadedExecutor
from tests.bench.figure import Figure

SETTLE, WINDOW = 6.0, _CAMERA_SECONDS
"""Seconds; in each window the camera is looked through once."""
LIMIT = 2.0
"""Per cent of a core."""
_CAMERA, _HID = "camera", "hid"


def figures() -> Iterator[Figure]:
    """All devices of a terminal (its card readers: ``card.monitor_idle``), then with a camera."""
    with _far_ends() as addresses:
        camera = addresses.pop(_CAMERA)
        peer = f"limit, of a core; {len(addresses)} devices, each looked at every 3 s"
        yield Figure.of("devices.idle", _measured(addresses), "%", LIMIT, peer)
        with_camera = {**addresses, _CAMERA: camera}
        peer = f"limit, of a core; and a camera, 1280x720, every {_CAMERA_SECONDS:.0f} s"
        yield Figure.of("devices.idle_camera", _measured(with_camera), "%", LIMIT, peer)


def _measured(addresses: Mapping[str, str]) -> float:
    done = subprocess.run(
        [sys.executable, "-m", __name__, json.dumps(addresses)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return float(done.stdout)


# --- the process that is measured -----------------------------------------------------------------


def idle_percent(addresses: Mapping[str, str]) -> float:
    """CPU time of this process, in per cent of a core: the drivers, their lanes and the watch."""
    lanes = {kind: _lane(kind, device) for kind, device in _drivers(addresses)}
    executor, mail = ThreadedExecutor(), Queue[DeviceSeen]()
    watch = DeviceWatch(lanes, SystemClock(), seldom={DeviceKind.CAMERA: _CAMERA_SECONDS})

    def run(seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            watch.look(executor, mail.put)
            due = watch.next_look()
            try:
                watch.seen(mail.get(timeout=left if due is None else min(due, left)))
            except Empty:
                continue

    run(SETTLE)
    began = time.process_time()
    run(WINDOW)
    spent = time.process_time() - began
    for kind, health in watch.healths().items():
        if health is None or health.reason is not None:
            raise AssertionError(f"the {kind.value} does not serve: {health}")
    return 100 * spent / WINDOW


def _lane(kind: DeviceKind, device: Device) -> DeviceLane[Device]:
    return DeviceLane(kind, lambda: device)


def _drivers(addresses: Mapping[str, str]) -> Iterator[tuple[DeviceKind, Device]]:
    yield DeviceKind.PAD, SzztPinPad(addresses["pad"])
    yield DeviceKind.SCANNER, Gm65Scanner(addresses["scanner"])
    yield DeviceKind.ID_READER, SamVReader(addresses["id-reader"])
    yield DeviceKind.DISPENSER, Crt591(addresses["dispenser"])
    yield DeviceKind.RECEIPT, EscposPrinter(addresses["receipt"])
    yield DeviceKind.SENSORS, SensorBoard(addresses["sensors"])
    yield DeviceKind.PRINTER, IppPrinter(addresses["printer"])
    # A terminal has one scanner; the other kind takes the place of a slot's reader here.
    yield DeviceKind.READER, HidScanner(addresses[_HID])
    if _CAMERA in addresses:
        yield DeviceKind.CAMERA, Camera(addresses[_CAMERA])


# --- the process of the devices -------------------------------------------------------------------


@contextmanager
def _far_ends() -> Iterator[dict[str, str]]:
    """The devices, plugged in, by their names; where each is."""
    with tempfile.TemporaryDirectory(prefix="yikatong-bench-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, "--devices", folder],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            with closing(process.stdout), closing(process.stdin):
                yield json.loads(process.stdout.readline())
        finally:
            process.wait(20)


def _be_devices(folder: Path) -> None:
    """Plug all in, say where they are, and stay until nobody listens any more."""
    from hw_sim.camera.device import CameraDevice
    from hw_sim.dispenser.device import DispenserDevice
    from hw_sim.hid_scanner.device import HidScannerDevice
    from hw_sim.id_reader.device import IdReaderDevice
    from hw_sim.pad.device import PadDevice
    from hw_sim.printer.device import PrinterDevice
    from hw_sim.receipt.device import ReceiptDevice
    from hw_sim.scanner.device import ScannerDevice
    from hw_sim.sensors import SensorDevice
    from hw_sim.serial_device import SerialDevice

    pad, dispenser = PadDevice(folder / "pad"), DispenserDevice(folder / "dispenser")
    pad.preload(0, bytes(range(1, 17)))
    dispenser.machine.stack(10)
    lines: dict[str, SerialDevice[Any]] = {
        "pad": pad,
        "scanner": ScannerDevice(folder / "scanner"),
        "id-reader": IdReaderDevice(folder / "id-reader"),
        "dispenser": dispenser,
        "receipt": ReceiptDevice(folder / "receipt", folder / "slips"),
        "sensors": SensorDevice(folder / "sensors"),
    }
    for line in lines.values():
        line.plug()
    printer = PrinterDevice(folder / "prints").start()
    camera, keyboard = CameraDevice(), HidScannerDevice(folder / "hid")
    camera.plug()
    keyboard.plug()
    addresses = {name: str(line.link) for name, line in lines.items()}
    addresses |= {"printer": printer.url, _CAMERA: camera.url, _HID: str(keyboard.node)}
    sys.stdout.write(json.dumps(addresses) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    if sys.argv[1] == "--devices":
        _be_devices(Path(sys.argv[2]))
    else:
        sys.stdout.write(f"{idle_percent(json.loads(sys.argv[1]))}\n")
