"""The simulated camera against a client written here from the wire's description alone."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray

from hw_sim.camera.device import FAULTS, CameraDevice
from hw_sim.camera.scene import COLUMNS, LONGEST_CODE, ROWS, HeldCode, HeldPicture

CODE = b"SSC1:4299A0C3F17D5B2E"


class Host:
    """Reads the stream part by part."""

    def __init__(self, url: str, request: bytes | None = None) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        self.line = socket.create_connection((parts.hostname, parts.port), timeout=5)
        self.line.sendall(request or f"GET {parts.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self.stream = self.line.makefile("rb")
        self.head = self._lines()

    def close(self) -> None:
        self.stream.close()
        self.line.close()

    def part(self) -> tuple[str, bytes] | None:
        """The boundary and the body of the next part; None at the end."""
        try:
            boundary = self.stream.readline().strip().decode()
        except ConnectionResetError:
            return None
        if not boundary:
            return None
        fields = dict(line.split(": ", 1) for line in self._lines())
        assert fields["Content-Type"] == "image/jpeg"
        body = self.stream.read(int(fields["Content-Length"]))
        assert self.stream.read(2) == b"\r\n"
        return boundary, body

    def picture(self) -> NDArray[np.uint8]:
        part = self.part()
        assert part is not None
        image = cv2.imdecode(np.frombuffer(part[1], np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        return image.astype(np.uint8)

    def _lines(self) -> list[str]:
        lines = []
        while line := self.stream.readline().strip().decode():
            lines.append(line)
        return lines


@pytest.fixture
def camera() -> Iterator[CameraDevice]:
    device = CameraDevice(rate=200)
    device.plug()
    yield device
    device.unplug()


@pytest.fixture
def host(camera: CameraDevice) -> Iterator[Host]:
    made = Host(camera.url)
    yield made
    made.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def codes(image: NDArray[np.uint8]) -> list[bytes]:
    only_qr = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return sorted(each.bytes for each in zxingcpp.read_barcodes(image, formats=only_qr))


def test_its_head_announces_what_follows(host: Host) -> None:
    assert host.head[0].endswith("200 OK")
    assert "Content-Type: multipart/x-mixed-replace; boundary=yikatong-frame" in host.head
    part = host.part()
    assert part is not None
    assert part[0] == "--yikatong-frame"
    assert (part[1][:2], part[1][-2:]) == (b"\xff\xd8", b"\xff\xd9")


def test_an_empty_hall_with_noise(host: Host) -> None:
    first, second = host.picture(), host.picture()
    assert first.shape == (ROWS, COLUMNS, 3)
    assert codes(first) == []
    difference = float(np.abs(first.astype(int) - second.astype(int)).mean())
    assert 0.5 < difference < 10


@pytest.mark.parametrize("payload", [CODE, bytes(range(256)), "社保卡".encode("gb18030"), b"\0"])
def test_a_code_says_what_was_held_up(camera: CameraDevice, host: Host, payload: bytes) -> None:
    camera.show(HeldCode(payload, size=600))
    until(lambda: codes(host.picture()) == [payload])


def test_the_largest_code_fits_before_it(camera: CameraDevice) -> None:
    camera.show(HeldCode(b"\xfe" * LONGEST_CODE, size=700))
    with pytest.raises(ValueError, match="2953"):
        camera.show(HeldCode(b"x" * (LONGEST_CODE + 1)))
    with pytest.raises(ValueError, match="1 to"):
        camera.show(HeldCode(b""))


def test_two_codes(camera: CameraDevice, host: Host) -> None:
    camera.show(HeldCode(b"one", across=0.25), HeldCode(b"two", across=0.75))
    until(lambda: codes(host.picture()) == [b"one", b"two"])


@pytest.mark.parametrize("held", [{"turn": 45.0}, {"lean": 0.4}, {"size": 120}, {"blur": 2.0}])
def test_held_badly_and_still_there(
    camera: CameraDevice, host: Host, held: dict[str, float]
) -> None:
    camera.show(HeldCode(CODE, **held))  # type: ignore[arg-type]
    until(lambda: codes(host.picture()) == [CODE])


@pytest.mark.parametrize("blur", [12.0])
def test_blurred_beyond_reading(camera: CameraDevice, host: Host, blur: float) -> None:
    camera.show(HeldCode(CODE, blur=blur))
    until(lambda: bool(host.picture()[ROWS // 2, COLUMNS // 2].mean() > 100))
    assert codes(host.picture()) == []


@pytest.mark.parametrize("across", [0.0, 0.5, 1.0])
def test_a_picture_is_held_up_also_half_outside(
    camera: CameraDevice, host: Host, across: float
) -> None:
    red = np.zeros((300, 200, 3), np.uint8)
    red[:, :, 2] = 255
    camera.show(HeldPicture(red, width=400, across=across))
    column = min(COLUMNS - 1, round(across * COLUMNS))

    def seen() -> bool:
        blue, green, red = host.picture()[ROWS // 2, column]
        return bool(red > 200 and blue < 60 and green < 60)

    until(seen)


def test_it_is_taken_away_after_its_time() -> None:
    now = [0.0]
    camera = CameraDevice(rate=200, clock=lambda: now[0])
    camera.plug()
    host = Host(camera.url)
    camera.show(HeldCode(CODE), seconds=8)
    until(lambda: codes(host.picture()) == [CODE])
    now[0] = 7.9
    assert camera.shows
    now[0] = 8.1
    assert not camera.shows
    until(lambda: codes(host.picture()) == [])
    host.close()
    camera.unplug()


def test_covered_and_cleared(camera: CameraDevice, host: Host) -> None:
    camera.cover()
    until(lambda: bool(host.picture().mean() < 10))
    assert camera.covered
    camera.clear()
    until(lambda: bool(host.picture().mean() > 60))
    assert not camera.covered


def test_slower_from_then_on(camera: CameraDevice, host: Host) -> None:
    camera.set_fault("1:slow=60000")
    until(lambda: camera.faults_pending == 0)
    host.line.settimeout(0.1)
    with pytest.raises(TimeoutError):
        while True:
            host.part()
    camera.unplug()
    camera.plug()
    again = Host(camera.url)
    assert again.picture() is not None
    again.close()


# --- faults ---


def struck(camera: CameraDevice, host: Host, fault: str) -> tuple[str, bytes] | None:
    """The part that a fault strikes: the first other one after it was scheduled."""
    camera.set_fault(f"1:{fault}")
    for _ in range(50):
        part = host.part()
        if part is None or part[0] != "--yikatong-frame" or not part[1].endswith(b"\xff\xd9"):
            return part
        image = cv2.imdecode(np.frombuffer(part[1], np.uint8), cv2.IMREAD_COLOR)
        if image is not None and image.mean() < 10:
            return part
    raise AssertionError("nothing happened")


def test_half_a_picture(camera: CameraDevice, host: Host) -> None:
    part = struck(camera, host, "half")
    assert part is not None
    assert part[1].startswith(b"\xff\xd8")
    assert host.picture() is not None


def test_garbage_in_its_place(camera: CameraDevice, host: Host) -> None:
    part = struck(camera, host, "garbage")
    assert part is not None
    assert cv2.imdecode(np.frombuffer(part[1], np.uint8), cv2.IMREAD_COLOR) is None
    assert host.picture() is not None


def test_a_part_without_a_picture(camera: CameraDevice, host: Host) -> None:
    assert struck(camera, host, "empty") == ("--yikatong-frame", b"")
    assert host.picture() is not None


def test_a_boundary_that_was_not_announced(camera: CameraDevice, host: Host) -> None:
    part = struck(camera, host, "boundary")
    assert part is not None
    assert part[0] == "--another"
    assert host.picture() is not None


def test_one_black_picture(camera: CameraDevice, host: Host) -> None:
    assert struck(camera, host, "dark") is not None
    assert host.picture().mean() > 60


@pytest.mark.parametrize("fault", ["close", "unplug", "power-cycle"])
def test_the_line_is_closed(camera: CameraDevice, host: Host, fault: str) -> None:
    url = camera.url
    assert struck(camera, host, fault) is None
    if fault == "unplug":
        assert not camera.plugged
        with pytest.raises(ConnectionRefusedError):
            Host(url)
        camera.plug()
    until(lambda: camera.plugged)
    assert camera.url == url
    again = Host(url)
    assert again.picture() is not None
    again.close()


def test_stalled_until_it_is_powered_anew(camera: CameraDevice, host: Host) -> None:
    camera.set_fault("1:stall")
    until(lambda: camera.faults_pending == 0)
    host.line.settimeout(0.2)
    with pytest.raises(TimeoutError):
        while True:
            host.part()
    other = Host(camera.url)
    other.line.settimeout(0.2)
    with pytest.raises(TimeoutError):
        other.part()
    other.close()
    camera.unplug()
    camera.plug()
    fresh = Host(camera.url)
    assert fresh.picture() is not None
    fresh.close()


def test_faults_count_pictures_and_strike_once(camera: CameraDevice, host: Host) -> None:
    camera.set_fault("2:drop,3:delay=30")
    assert camera.faults_pending == 2
    for _ in range(12):
        host.picture()
    assert camera.faults_pending == 0


@pytest.mark.parametrize(
    "schedule", ["drop", "0:drop", "1:fire", "1:delay", "1:delay=x", "1:drop=1", ""]
)
def test_schedule_that_can_not_be_read_adds_nothing(camera: CameraDevice, schedule: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        camera.set_fault(f"9:drop,{schedule}")
    assert camera.faults_pending == 0


def test_none_forgets_all(camera: CameraDevice) -> None:
    camera.set_fault(",".join(f"{n + 99}:{name}" for n, name in enumerate(FAULTS)
                              if not FAULTS[name]))  # fmt: skip
    assert camera.faults_pending == sum(not value for value in FAULTS.values())
    camera.set_fault("none")
    assert camera.faults_pending == 0


# --- the wire ---


@pytest.mark.parametrize(
    "request_", [b"POST / HTTP/1.1\r\n\r\n", b"\0\xff\r\n\r\n", b"GET /\r\n\r\n", b"A" * 5000]
)
def test_what_is_no_request_is_refused_and_recorded(camera: CameraDevice, request_: bytes) -> None:
    # A long request is hung up on before all of it was read.
    with contextlib.suppress(ConnectionError):
        assert "400" in Host(camera.url, request_).head[0]
    until(lambda: len(camera.illegal) == 1)


def test_who_leaves_in_the_middle_is_forgotten(camera: CameraDevice) -> None:
    hosts = [Host(camera.url) for _ in range(3)]
    assert camera.watchers == 3
    for each in hosts:
        each.close()
    until(lambda: camera.watchers == 0)
    assert camera.illegal == ()


def test_plug_and_unplug_twice(camera: CameraDevice) -> None:
    url = camera.url
    camera.plug()
    camera.unplug()
    camera.unplug()
    assert not camera.plugged
    camera.plug()
    assert camera.url == url
