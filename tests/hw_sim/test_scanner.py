"""The code scanner on its line, against a client written here from the wire's table alone."""

from __future__ import annotations

import errno
import os
import select
import termios
import time
from binascii import crc_hqx
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hw_sim.scanner.device import ANSWER_FAULTS, ScannerDevice
from hw_sim.scanner.frames import CODE_FAULTS, Command, Kind, unframe
from hw_sim.serial_device import Illegal

TRIGGER = bytes.fromhex("7E000801000201ABCD")
STOP = bytes.fromhex("7E000801000200ABCD")
DONE = bytes.fromhex("02000001003331")
CODE = "SSC1电子社保卡".encode()


def command(kind: int, address: int, data: bytes) -> bytes:
    body = bytes([kind, len(data)]) + address.to_bytes(2, "big") + data
    return b"\x7e\x00" + body + crc_hqx(body, 0).to_bytes(2, "big")


class Host:
    """The near end of the serial line."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def close(self) -> None:
        os.close(self.fd)

    def send(self, data: bytes) -> None:
        os.write(self.fd, data)

    def read(self, count: int, within: float = 3.0) -> bytes:
        got = b""
        end = time.monotonic() + within
        while len(got) < count and (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                got += os.read(self.fd, count - len(got))
        return got

    def quiet(self, seconds: float = 0.08) -> bool:
        return not select.select([self.fd], [], [], seconds)[0]

    def speed(self, speed: int) -> None:
        settings = termios.tcgetattr(self.fd)
        settings[4] = settings[5] = speed
        termios.tcsetattr(self.fd, termios.TCSANOW, settings)

    def trigger(self) -> None:
        self.send(TRIGGER)
        assert self.read(len(DONE)) == DONE

    def alive(self) -> bool:
        """Asks for the mode register; a scanner that answers is back in step."""
        self.send(bytes.fromhex("7E000701000001ABCD"))
        return self.read(7)[:5] == bytes.fromhex("02000001D5")


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 3
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[ScannerDevice]:
    device = ScannerDevice(tmp_path / "scanner", decode_seconds=0)
    device.plug()
    yield device
    device.unplug()


@pytest.fixture
def host(scanner: ScannerDevice) -> Iterator[Host]:
    host = Host(scanner.link)
    yield host
    host.close()


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        # The module's manual and public clients print these; both CRCs are recomputed by hand.
        ("7E 00 08 01 00 02 01 AB CD", "02 00 00 01 00 33 31"),
        ("7E 00 08 01 00 02 01 02 DA", "02 00 00 01 00 33 31"),
        ("7E 00 09 01 00 00 00 DE C8", "02 00 00 01 00 33 31"),
        ("7E 00 07 01 00 2A 02 D8 0F", "02 00 00 02 39 01 C1 4C"),
    ],
)
def test_published_vectors(scanner: ScannerDevice, host: Host, asked: str, answered: str) -> None:
    host.send(bytes.fromhex(asked))
    expected = bytes.fromhex(answered)
    assert host.read(len(expected)) == expected
    assert host.quiet()
    assert scanner.illegal == ()


def test_code_shown_after_the_trigger_is_read_once(scanner: ScannerDevice, host: Host) -> None:
    host.trigger()
    assert until(lambda: scanner.triggered)
    assert host.quiet(0.05)
    scanner.show(CODE)
    assert host.read(len(CODE) + 1) == CODE + b"\r"
    assert not scanner.triggered
    assert not scanner.shows
    assert scanner.codes_read == 1
    host.trigger()
    assert host.quiet()


def test_code_shown_before_the_trigger_is_read_too(scanner: ScannerDevice, host: Host) -> None:
    scanner.show(CODE)
    assert host.quiet(0.05)
    host.trigger()
    assert host.read(len(CODE) + 1) == CODE + b"\r"


def test_held_code_is_read_by_every_trigger(scanner: ScannerDevice, host: Host) -> None:
    scanner.show(b"A", hold=True)
    for _ in range(2):
        host.trigger()
        assert host.read(2) == b"A\r"
    assert scanner.shows


def test_stopped_trigger_reads_nothing(scanner: ScannerDevice, host: Host) -> None:
    host.trigger()
    host.send(STOP)
    assert host.read(len(DONE)) == DONE
    scanner.show(b"A")
    assert host.quiet()
    assert scanner.shows


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (command(8, 2, b"\x01")[:-1] + b"\xdb", "wrong CRC"),
        (b"\x7e\x00\x05\x01\x00\x02\x01\xab\xcd", "unknown type"),
        (b"\x7e\x00\x07\x02\x00\x02\x01\x00\xab\xcd", "wrong length"),
        (command(7, 0xFF, b"\x02"), "no such register"),
        (command(8, 0xFF, b"\x01\x02"), "no such register"),
        (command(9, 0, b"\x01"), "save"),
        (command(8, 0x2A, b"\x12\x34"), "no such speed"),
        (command(8, 0xD9, b"\x50"), "not simulated"),
        (b"hello", "no command begins so"),
    ],
)
def test_illegal_command_is_ignored_and_recorded(
    scanner: ScannerDevice, host: Host, wrong: bytes, reason: str
) -> None:
    host.send(wrong)
    assert host.quiet()
    assert [reason in line for line in scanner.illegal] == [True]
    assert host.alive()
    assert not scanner.triggered


def test_half_a_command_is_forgotten_and_recorded(scanner: ScannerDevice, host: Host) -> None:
    host.send(TRIGGER[:5])
    assert until(lambda: scanner.illegal != ())
    assert "unfinished" in scanner.illegal[0]
    assert host.alive()


def test_broken_command_costs_no_good_one(scanner: ScannerDevice, host: Host) -> None:
    host.send(b"\x00\x7e" + TRIGGER[:6] + TRIGGER)
    assert host.read(len(DONE)) == DONE
    assert until(lambda: scanner.triggered)
    assert len(scanner.illegal) == 2


def test_command_may_come_byte_by_byte_behind_noise() -> None:
    buffer = bytearray()
    heard = []
    for byte in b"\x55" + TRIGGER:
        buffer.append(byte)
        heard += list(unframe(buffer))
    assert heard == [
        Illegal("no command begins so", b"\x55"),
        Command(Kind.WRITE, 2, b"\x01"),
    ]
    buffer += b"\x55\x7e"
    assert [str(each) for each in unframe(buffer)] == ["no command begins so: 55"]
    buffer += TRIGGER[1:]
    assert list(unframe(buffer)) == [Command(Kind.WRITE, 2, b"\x01")]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("drop", b""),
        ("bad-check", DONE[:-1] + b"\x30"),
        ("truncate=3", DONE[:3]),
        ("corrupt=4", DONE[:4] + b"\x55" + DONE[5:]),
        ("noise", b"\xff\x00\x55" + DONE),
        ("split", DONE),
        ("delay=30", DONE),
    ],
)
def test_fault_strikes_its_answer_only(
    scanner: ScannerDevice, host: Host, fault: str, expected: bytes
) -> None:
    scanner.set_fault(f"2:{fault}")
    assert host.alive()
    host.send(TRIGGER)
    assert host.read(len(expected)) == expected
    assert host.quiet()
    assert scanner.faults_pending == 0
    assert scanner.triggered
    assert host.alive()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("garble", b"\xff\x00\x55\xfeCODES\r"),
        ("code-truncate", b"COD"),
        ("code-drop", b""),
        ("code-split", b"CODES\r"),
        ("code-delay=30", b"CODES\r"),
    ],
)
def test_fault_of_codes_counts_codes_not_answers(
    scanner: ScannerDevice, host: Host, fault: str, expected: bytes
) -> None:
    scanner.set_fault(f"1:{fault}")
    assert host.alive()
    scanner.show(b"CODES")
    host.trigger()
    assert host.read(len(expected)) == expected
    assert host.quiet()
    scanner.show(b"CODES")
    host.trigger()
    assert host.read(6) == b"CODES\r"


def test_stuck_until_it_is_plugged_anew(scanner: ScannerDevice, host: Host) -> None:
    scanner.set_fault("1:stuck")
    scanner.show(b"A", hold=True)
    for _ in range(2):
        host.send(TRIGGER)
        assert host.quiet()
    scanner.unplug()
    scanner.plug()
    again = Host(scanner.link)
    again.trigger()
    assert again.read(2) == b"A\r"
    again.close()


@pytest.mark.parametrize("fault", ["nak", "busy"])
def test_what_it_could_not_read_or_do_is_not_done(
    scanner: ScannerDevice, host: Host, fault: str
) -> None:
    scanner.set_fault(f"1:{fault}")
    host.send(TRIGGER)
    assert host.quiet()
    assert not scanner.triggered
    assert host.alive()


def test_a_power_failure_keeps_what_was_saved_and_the_line(
    scanner: ScannerDevice, host: Host
) -> None:
    host.send(command(8, 6, b"\x14"))
    assert host.read(len(DONE)) == DONE
    host.send(command(9, 0, b"\x00"))
    assert host.read(len(DONE)) == DONE
    host.send(command(8, 6, b"\x07"))
    assert host.read(len(DONE)) == DONE
    scanner.set_fault("1:power-cycle")
    host.send(TRIGGER)
    assert host.quiet(0.3)
    assert not scanner.triggered
    host.send(command(7, 6, b"\x01"))
    assert host.read(7)[4:5] == b"\x14"


def test_a_new_speed_counts_once_it_is_answered(scanner: ScannerDevice, host: Host) -> None:
    host.send(command(8, 0x2A, b"\x1a\x00"))
    assert host.read(len(DONE)) == DONE
    assert until(lambda: scanner.module.baud == 115200)
    assert host.quiet()
    host.send(TRIGGER)
    assert host.quiet()
    host.speed(termios.B115200)
    host.trigger()
    assert scanner.illegal == ()


def test_at_another_speed_codes_are_noise(scanner: ScannerDevice, host: Host) -> None:
    host.trigger()
    host.speed(termios.B19200)
    scanner.show(b"CODES")
    assert until(lambda: scanner.codes_read == 1)
    noise = host.read(9, 0.2)
    assert noise and b"CODES" not in noise and b"\r" not in noise


def test_from_the_box_it_reads_unasked_and_types_on_usb(tmp_path: Path) -> None:
    scanner = ScannerDevice(tmp_path / "scanner", decode_seconds=0, boxed=True)
    scanner.plug()
    host = Host(scanner.link)
    scanner.show(b"A")
    assert until(lambda: scanner.codes_read == 1)
    assert host.quiet()
    host.send(command(8, 0x0D, b"\xa0"))
    assert host.read(len(DONE)) == DONE
    scanner.show(b"B")
    assert host.read(2) == b"B\r"
    host.close()
    scanner.unplug()


def test_unplug_by_schedule(scanner: ScannerDevice, host: Host) -> None:
    scanner.set_fault("1:unplug")
    host.send(TRIGGER)
    assert until(lambda: not scanner.plugged)
    assert not scanner.link.is_symlink()


def test_unplugging_kills_the_line_and_plugging_keeps_the_name(scanner: ScannerDevice) -> None:
    host = Host(scanner.link)
    host.trigger()
    scanner.unplug()
    assert not host.quiet(3)
    try:
        assert os.read(host.fd, 10) == b""
    except OSError as error:
        assert error.errno == errno.EIO
    host.close()
    scanner.plug()
    assert not scanner.triggered
    again = Host(scanner.link)
    assert again.alive()
    again.close()


@pytest.mark.parametrize(
    "schedule",
    [
        "drop",
        "0:drop",
        "x:garble",
        "1:fire",
        "1:delay",
        "1:delay=x",
        "1:drop=1",
        "1:code-delay=x",
        "1:truncate",
        "1:none",
        "",
    ],
)
def test_schedule_that_can_not_be_read_adds_nothing(scanner: ScannerDevice, schedule: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        scanner.set_fault(f"1:drop,{schedule}")
    assert scanner.faults_pending == 0


def test_none_forgets_both_kinds(scanner: ScannerDevice) -> None:
    scanner.set_fault("1:drop,1:garble,2:split")
    assert scanner.faults_pending == 3
    scanner.set_fault("none")
    assert scanner.faults_pending == 0


def test_names_of_the_two_kinds_differ() -> None:
    assert not set(ANSWER_FAULTS) & set(CODE_FAULTS)


@pytest.mark.parametrize("payload", [b"", bytes(4297)])
def test_no_code_holds_it(scanner: ScannerDevice, payload: bytes) -> None:
    with pytest.raises(ValueError, match="4296"):
        scanner.show(payload)
    assert not scanner.shows
