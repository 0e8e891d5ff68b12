"""The receipt printer on its line, against bytes written here from the makers' command lists."""

import os
import select
import socket
import time

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hw_sim.faults import FaultSyntaxError
from hw_sim.receipt.commands import Word, take_command
from hw_sim.receipt.device import ReceiptDevice
from hw_sim.receipt.machine import BUFFER, LOW_LINES, ROLL_LINES, ReceiptMachine
from hw_sim.receipt.paper import DOTS

ASK = b"\x1d\x72\x01"
FORGET = bytes.fromhex("10140801031401060208")
CUT = b"\x1bd\x06\x1dV\x00"
CHINESE = b"\x1c&" + "社会保障".encode("gb18030") + b"\x1c.\n"


class Host:
    """The near end of the serial line."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def close(self):
        os.close(self.fd)

    def send(self, data):
        os.write(self.fd, data)

    def read(self, count, within=3.0):
        got = b""
        end = time.monotonic() + within
        while len(got) < count and (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                got += os.read(self.fd, count - len(got))
        return got

    def quiet(self):
        return not select.select([self.fd], [], [], 0.08)[0]

    def ask(self, data, count=1):
        self.send(data)
        return self.read(count)

    def status(self):
        return [self.ask(bytes([0x10, 4, n]))[0] for n in (1, 2, 3, 4)]

    def all_done(self):
        """Everything before is worked off."""
        return self.ask(ASK) == b"\x00"


@pytest.fixture
def device(tmp_path):
    made = ReceiptDevice(tmp_path / "receipt", tmp_path / "slips", boot_seconds=0)
    made.plug()
    yield made
    made.unplug()


@pytest.fixture
def host(device):
    made = Host(device.link)
    yield made
    made.close()


def lines(device):
    return [line for line in device.slips[-1].text if line]


def test_idle(device, host):
    assert host.status() == [0x12] * 4


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (lambda m: m.load(0), [0x1A, 0x32, 0x12, 0x7E]),
        (lambda m: m.load(LOW_LINES), [0x12, 0x12, 0x12, 0x1E]),
        (lambda m: m.set_cover(is_open=True), [0x1A, 0x16, 0x12, 0x12]),
        (lambda m: m.set_broken(broken=True), [0x1A, 0x52, 0x32, 0x12]),
        (lambda m: m.set_hot(hot=True), [0x1A, 0x52, 0x52, 0x12]),
    ],
)
def test_the_bits_of_what_is_wrong(device, host, wrong, expected):
    wrong(device.machine)
    assert host.status() == expected
    assert device.machine.offline == (expected[0] == 0x1A)


def test_text_and_its_picture(device, host):
    host.send(b"\x1b@\x1ba\x01" + CHINESE + b"\x1ba\x02\x1d!\x11No. 7\n\x1d!\x00" + CUT)
    assert host.all_done()
    (slip,) = device.slips
    assert lines(device) == ["社会保障", "No. 7"]
    with Image.open(slip.file) as picture:
        assert picture.width == DOTS
        box = picture.point(lambda grey: 255 - grey).getbbox()
        assert box is not None
        # The first line is in the middle, the second one at the right edge.
        assert box[2] > DOTS - 24
        first = picture.crop((0, 0, DOTS, box[1] + 24)).point(lambda grey: 255 - grey).getbbox()
        assert abs(first[0] - (DOTS - first[2])) < 12
    assert device.illegal == ()


def test_bold_underlined_and_large_is_darker(device, host):
    darkness = []
    for style in (b"", b"\x1bE\x01", b"\x1b-\x01", b"\x1b!\x30", b"\x1c!\x0c", b"\x1b3\x60"):
        host.send(b"\x1b@" + style + CHINESE + CUT)
        assert host.all_done()
        with Image.open(device.slips[-1].file) as picture:
            counts = picture.histogram()
            darkness.append((counts[0], picture.height))
    plain = darkness[0]
    assert all(dark > plain[0] for dark, _ in darkness[1:5])
    assert darkness[5] == (plain[0], plain[1] + (0x60 - 34) * 7)
    assert device.illegal == ()


def test_a_line_that_is_too_long_goes_on_below(device, host):
    host.send(b"x" * 50 + b"\n" + CUT)
    assert host.all_done()
    assert lines(device) == ["x" * 48, "xx"]


def test_a_native_code_is_readable(device, host):
    payload = "https://jc.example/社".encode()
    store = bytes([len(payload) + 3, 0])
    host.send(
        b"\x1ba\x01\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x04\x1d(k\x03\x001E1"
        b"\x1bJ\x20\x1d(k" + store + b"1P0" + payload + b"\x1d(k\x03\x001Q0\x1bJ\x20" + CUT
    )
    assert host.all_done()
    (found,) = zxingcpp.read_barcodes(Image.open(device.slips[0].file))
    assert found.bytes == payload
    assert device.illegal == ()


def test_a_picture(device, host):
    host.send(b"\x1dv0\x03\x02\x00\x03\x00" + b"\xff\x00" * 3 + CUT)
    assert host.all_done()
    with Image.open(device.slips[0].file) as picture:
        assert picture.point(lambda grey: 255 - grey).getbbox()[2] == 16
        assert picture.histogram()[0] == 16 * 6


def test_real_time_questions_are_answered_in_the_middle_of_a_picture(device, host):
    """As real printers do: the dots stay dots."""
    assert host.ask(b"\x1dv0\x00\x03\x00\x02\x00\x00\x10\x04\x04\x00\x00") == b"\x12"
    host.send(CUT)
    assert host.all_done()
    assert device.illegal == ()


def test_the_answer_in_its_turn_waits_for_paper(device, host):
    device.machine.load(2)
    host.send(b"one\ntwo\nthree\n" + CUT + ASK)
    assert host.quiet()
    assert host.status() == [0x1A, 0x32, 0x12, 0x7E]
    device.machine.load(ROLL_LINES)
    assert host.read(1) == b"\x00"
    assert lines(device) == ["one", "two", "three"]


def test_what_waits_is_forgotten_on_demand(device, host):
    device.machine.load(1)
    host.send(b"one\ntwo\nthree\n" + CUT)
    assert host.status()[0] == 0x1A
    assert host.ask(FORGET, 3) == b"\x37\x25\x00"
    device.machine.load(ROLL_LINES)
    host.send(CUT)
    assert host.all_done()
    assert lines(device) == ["one"]


def test_its_buffer_has_an_end(device, host):
    device.machine.set_cover(is_open=True)
    host.send(b"x\n" * (BUFFER // 2))
    host.send(b"lost\n")
    assert host.status()[1] == 0x16
    device.machine.set_cover(is_open=False)
    host.send(CUT)
    assert host.all_done()
    assert lines(device) == ["x"] * (BUFFER // 2)


def test_a_blocked_cutter(device, host):
    device.machine.set_jam(jammed=True)
    host.send(b"one\n" + CUT + ASK)
    assert host.quiet()
    assert host.status() == [0x1A, 0x52, 0x1A, 0x12]
    host.send(b"\x10\x05\x02")
    assert host.status()[2] == 0x1A
    device.machine.set_jam(jammed=False)
    assert host.status()[2] == 0x1A
    host.send(b"\x10\x05\x02")
    assert host.status() == [0x12] * 4
    assert device.slips == ()


def test_the_cover_comes_open(device, host):
    device.machine.open_cover_after(2)
    host.send(b"one\ntwo\nthree\n" + ASK)
    assert host.quiet()
    assert host.status()[1] == 0x16


def test_what_was_not_fed_past_the_cutter_is_on_the_next_piece(device, host):
    host.send(b"one\n\x1dV\x00")
    assert host.all_done()
    assert device.slips[0].text == ()
    assert device.machine.hanging
    host.send(b"two\n" + CUT)
    assert host.all_done()
    assert lines(device) == ["one", "two"]
    assert not device.machine.hanging


def test_power_on_forgets_all_but_the_paper(device, host):
    host.send(b"one\n\x1d!\x11\x1c&tw")
    assert host.all_done()
    host.close()
    device.unplug()
    device.plug()
    host.fd = os.open(device.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    host.send(b"three\n" + CUT)
    assert host.all_done()
    assert lines(device) == ["one", "three"]
    assert device.illegal == ()


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x1b#", b"\x1d#", b"\x1c#", b"\x00", b"\x07", b"\x10\x04\x09", b"\x10\x11", b"\x1ba\x05",
        b"\x1d(L", b"\x1dv0\x09\x01\x00\x01\x00", b"\x1dv0\x00\x00\x00\x01\x00", b"\x1dV\x09",
        b"\x1d(k\x03\x001C\x00", b"\x1d(k\x03\x001Q0", b"\x1d(k\x03\x002Q0", b"x\x1ba\x01",
        b"x\x1dV\x00", b"\x1c&\xff", b"\x1c&\x81\x20", b"\x1c&\x82\x30\x81\x30", b"\x1dr\x07",
    ],
)  # fmt: skip
def test_what_is_no_command_is_kept_as_illegal(device, host, wrong):
    host.send(wrong)
    assert host.read(1, 0.02) == b""
    host.send(b"\x1b@\n")
    assert host.all_done()
    assert device.illegal


def test_a_command_that_never_ends_is_illegal(tmp_path):
    now = 0.0
    machine = ReceiptMachine(lambda _cut: None, boot_seconds=0, clock=lambda: now)
    assert list(machine.take(bytearray(b"\x1d(k\x10\x00"))) == []
    now = 2.0
    machine.tick()
    (illegal,) = machine.take(bytearray())
    assert str(illegal) == "unfinished: 1D 28 6B 10 00"


def test_after_power_on_it_is_deaf(tmp_path):
    now = 0.0
    machine = ReceiptMachine(lambda _cut: None, boot_seconds=1, clock=lambda: now)
    assert list(machine.take(bytearray(ASK))) == []
    now = 1.5
    assert len(list(machine.take(bytearray(ASK)))) == 1


@given(st.binary(max_size=200), st.integers(1, 7))
def test_any_stream_in_any_pieces_is_the_same(stream, size):
    def printed(pieces):
        cut = []
        machine = ReceiptMachine(cut.append, boot_seconds=0, clock=lambda: 0.0)
        heard = [str(each) for piece in pieces for each in machine.take(bytearray(piece))]
        return [piece.text for piece in cut], sorted(heard)

    split = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert printed(split)[0] == printed([stream])[0]


@given(st.binary(min_size=1, max_size=60), st.booleans())
def test_a_command_takes_bytes_or_waits(stream, chinese):
    queue = bytearray(stream)
    command = take_command(queue, chinese=chinese)
    if command is None:
        assert bytes(queue) == stream
    else:
        assert isinstance(command.word, Word)
        assert len(queue) < len(stream)


def test_faults_of_its_own(device, host):
    with pytest.raises(FaultSyntaxError):
        device.set_fault("1:jam")
    device.set_fault("2:paper-out")
    assert host.ask(b"\x10\x04\x04") == b"\x12"
    assert host.ask(b"\x10\x04\x04") == b"\x7e"
    device.set_fault("1:cover")
    assert host.ask(b"\x10\x04\x02") == b"\x36"


def test_the_network_plug(tmp_path):
    device = ReceiptDevice(tmp_path / "r", tmp_path / "slips", network=True, boot_seconds=0)
    device.plug()
    device.plug()
    host, port = device.address.removeprefix("tcp://").split(":")
    for _ in range(2):
        with socket.create_connection((host, int(port)), 3) as near:
            near.settimeout(3)
            near.sendall(b"one\n" + CUT + ASK)
            assert near.recv(1) == b"\x00"
    assert [slip.text[0] for slip in device.slips] == ["one", "one"]
    with socket.create_connection((host, int(port)), 3) as near:
        near.settimeout(3)
        near.sendall(ASK)
        assert near.recv(1) == b"\x00"
        device.unplug()
        device.unplug()
        assert near.recv(1) == b""
    assert not device.link.exists()
    with pytest.raises(OSError):
        socket.create_connection((host, int(port)), 1)
    device.plug()
    assert device.address == f"tcp://{host}:{port}"
    device.unplug()
