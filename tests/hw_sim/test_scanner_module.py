"""The code scanner's trigger, registers and window, on a clock of the test."""

from __future__ import annotations

import pytest

from hw_sim.scanner.frames import DONE, Command, Kind
from hw_sim.scanner.module import ScanModule
from hw_sim.serial_device import Illegal

TRIGGER = Command(Kind.WRITE, 0x0002, b"\x01")


def read(module: ScanModule, address: int, count: int = 1) -> bytes:
    answer = module.command(Command(Kind.READ, address, bytes([count & 0xFF])), 0)
    assert isinstance(answer, bytes)
    return answer[4:-2]


def write(module: ScanModule, address: int, *values: int) -> None:
    assert module.command(Command(Kind.WRITE, address, bytes(values)), 0) == DONE


@pytest.fixture
def module() -> ScanModule:
    return ScanModule(0.1)


def test_it_takes_its_time_to_read(module: ScanModule) -> None:
    module.command(TRIGGER, 10)
    module.show(b"A", 11, 8, hold=False)
    assert module.look(11.09) is None
    assert module.look(11.1) == b"A"
    assert module.look(12) is None


def test_read_time_runs_out_silently_after_five_seconds(module: ScanModule) -> None:
    assert read(module, 0x0006) == b"\x32"
    module.command(TRIGGER, 10)
    assert module.look(14.99) is None
    assert module.triggered
    assert read(module, 0x0002) == b"\x01"
    assert module.look(15) is None
    assert not module.triggered
    assert read(module, 0x0002) == b"\x00"


def test_read_time_is_in_tenths_and_zero_is_without_end(module: ScanModule) -> None:
    write(module, 0x0006, 7)
    module.command(TRIGGER, 0)
    module.look(0.69)
    assert module.triggered
    module.look(0.7)
    assert not module.triggered
    write(module, 0x0006, 0)
    module.command(TRIGGER, 0)
    module.look(1e6)
    assert module.triggered


def test_trigger_anew_begins_anew(module: ScanModule) -> None:
    module.command(TRIGGER, 0)
    module.command(TRIGGER, 4)
    module.look(8.9)
    assert module.triggered


def test_code_is_taken_away_after_its_time(module: ScanModule) -> None:
    module.show(b"A", 0, 8, hold=False)
    assert module.shows(7.9)
    assert not module.shows(8)
    module.command(TRIGGER, 8)
    assert module.look(9) is None


@pytest.mark.parametrize(
    ("setting", "tail"),
    [(0x01, b"\r"), (0x21, b"\r\n"), (0x41, b"\t"), (0x61, b""), (0x00, b"")],
)
def test_end_mark_follows_its_register(module: ScanModule, setting: int, tail: bytes) -> None:
    write(module, 0x0060, setting)
    assert module.tail == tail


def test_only_what_was_saved_outlives_the_power(module: ScanModule) -> None:
    write(module, 0x0006, 20)
    module.power_cycle()
    assert read(module, 0x0006) == b"\x32"
    write(module, 0x0006, 20)
    module.command(TRIGGER, 0)
    assert module.command(Command(Kind.SAVE, 0, b"\x00"), 0) == DONE
    module.power_cycle()
    assert read(module, 0x0006) == b"\x14"
    assert read(module, 0x0002) == b"\x00"
    assert not module.triggered


def test_several_registers_at_once(module: ScanModule) -> None:
    write(module, 0x0005, 1, 30, 2)
    assert read(module, 0x0005, 3) == bytes([1, 30, 2])
    assert len(read(module, 0, 256)) == 256


def test_by_hand_it_obeys_no_trigger(module: ScanModule) -> None:
    write(module, 0x0000, 0xD4)
    assert module.command(TRIGGER, 0) == DONE
    module.show(b"A", 0, 8, hold=False)
    assert module.look(1) is None
    assert not module.looking


@pytest.mark.parametrize("mode", [0xD6, 0xD7])
def test_unasked_it_reads_whatever_is_there_again_and_again(module: ScanModule, mode: int) -> None:
    write(module, 0x0000, mode)
    module.show(b"A", 10, 8, hold=True)
    assert module.look(10.1) == b"A"
    assert module.look(11) is None
    assert module.look(11.3) == b"A"
    module.show(b"B", 12, 8, hold=False)
    assert module.look(12.2) == b"B"
    assert module.look(19) is None


@pytest.mark.parametrize(
    ("divisor", "baud"), [((0x39, 0x01), 9600), ((0x1A, 0x00), 115200), ((0xC4, 0x09), 1200)]
)
def test_the_speed_is_a_divisor(module: ScanModule, divisor: tuple[int, int], baud: int) -> None:
    write(module, 0x002A, *divisor)
    assert module.baud == baud


def test_no_speed_is_refused_and_changes_nothing(module: ScanModule) -> None:
    assert isinstance(module.command(Command(Kind.WRITE, 0x2A, b"\x00\x00"), 0), Illegal)
    assert module.baud == 9600


def test_each_save_wears_the_flash(module: ScanModule) -> None:
    assert module.saves == 0
    module.command(Command(Kind.SAVE, 0, b"\x00"), 0)
    assert module.saves == 1
