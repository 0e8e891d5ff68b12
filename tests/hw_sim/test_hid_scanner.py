"""The keyboard scanner's events, against a reader written here from linux/input.h alone."""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.hid_scanner.device import HID_FAULTS, HidScannerDevice

SIZE = struct.calcsize("@llHHi")
SYN, KEY = 0, 1
ENTER, SHIFT, ALT = 28, 42, 56
Pressed = tuple[int, int]


class Host:
    """The near end of the node."""

    def __init__(self, node: Path) -> None:
        self.fd = os.open(node, os.O_RDONLY | os.O_NONBLOCK)
        self.pieces: list[int] = []
        self.ended = False

    def close(self) -> None:
        os.close(self.fd)

    def events(self, device: HidScannerDevice) -> list[tuple[float, int, int, int]]:
        """All events until everything that was shown is typed."""
        raw = b""
        device_done = False
        while True:
            if select.select([self.fd], [], [], 0.02)[0]:
                piece = os.read(self.fd, 4096)
                self.pieces.append(len(piece))
                self.ended = self.ended or not piece
                raw += piece
                if piece:
                    continue
            if device_done or self.ended:
                break
            device_done = not (device._typing and device._typing.is_alive())
        assert len(raw) % SIZE == 0
        return [
            (seconds + micro / 1e6, kind, code, value)
            for seconds, micro, kind, code, value in struct.iter_unpack("@llHHi", raw)
        ]

    def keys(self, device: HidScannerDevice) -> list[Pressed]:
        return [(code, value) for _, kind, code, value in self.events(device) if kind == KEY]


def pressed(keys: list[Pressed]) -> list[int]:
    return [code for code, value in keys if value == 1]


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[HidScannerDevice]:
    device = HidScannerDevice(tmp_path / "kbd")
    device.plug()
    yield device
    device.unplug()


@pytest.fixture
def host(scanner: HidScannerDevice) -> Iterator[Host]:
    made = Host(scanner.node)
    yield made
    made.close()


def test_keys_of_a_code(scanner: HidScannerDevice, host: Host) -> None:
    scanner.show("aB1")
    assert host.keys(scanner) == [
        *((30, 1), (30, 0)),
        *((SHIFT, 1), (48, 1), (48, 0), (SHIFT, 0)),
        *((2, 1), (2, 0)),
        *((ENTER, 1), (ENTER, 0)),
    ]
    assert scanner.codes_read == 1


def test_every_report_ends_and_time_goes_on(scanner: HidScannerDevice, host: Host) -> None:
    before = time.monotonic()
    scanner.show("ab")
    events = host.events(scanner)
    assert [event[1:] for event in events if event[1] == SYN] == [(SYN, 0, 0)] * 6
    assert events[-1][1] == SYN
    stamps = [event[0] for event in events]
    assert before - 1e-5 <= stamps[0] and stamps == sorted(stamps)


def test_codes_are_typed_one_after_the_other(scanner: HidScannerDevice, host: Host) -> None:
    scanner.show("a")
    scanner.show("b")
    assert pressed(host.keys(scanner)) == [30, ENTER, 48, ENTER]


def test_what_no_key_has_goes_by_alt_and_number(scanner: HidScannerDevice, host: Host) -> None:
    scanner.show("社")
    # GBK C9 E7 is 51687.
    assert pressed(host.keys(scanner)) == [ALT, 76, 79, 77, 72, 71, ENTER]


@pytest.mark.parametrize(
    ("fault", "keys"),
    [
        ("drop=1", [30, 46, ENTER]),
        ("corrupt=1", [30, 59, 46, ENTER]),
        ("no-enter", [30, 48, 46]),
        ("lost", []),
        ("split", [30, 48, 46, ENTER]),
        ("stall=30", [30, 48, 46, ENTER]),
    ],
)
def test_a_fault_strikes_its_code_only(
    scanner: HidScannerDevice, host: Host, fault: str, keys: list[int]
) -> None:
    scanner.set_fault(f"2:{fault}")
    scanner.show("a")
    assert pressed(host.keys(scanner)) == [30, ENTER]
    scanner.show("abc")
    assert pressed(host.keys(scanner)) == keys
    assert scanner.faults_pending == 0
    scanner.show("a")
    assert pressed(host.keys(scanner)) == [30, ENTER]


def test_split_events_come_in_pieces(scanner: HidScannerDevice, host: Host) -> None:
    scanner.set_fault("1:split")
    scanner.show("a")
    host.events(scanner)
    assert any(size % SIZE for size in host.pieces)


def test_repeats_of_a_held_key(scanner: HidScannerDevice, host: Host) -> None:
    scanner.set_fault("1:repeat")
    scanner.show("a")
    assert host.keys(scanner)[:4] == [(30, 1), (30, 2), (30, 2), (30, 0)]


def test_events_lost_in_the_middle_are_told(scanner: HidScannerDevice, host: Host) -> None:
    scanner.set_fault("1:syn-dropped")
    scanner.show("abcd")
    events = [event[1:] for event in host.events(scanner)]
    assert events.count((SYN, 3, 0)) == 1
    assert (KEY, 48, 1) in events[: events.index((SYN, 3, 0))]
    assert (KEY, 46, 1) in events[events.index((SYN, 3, 0)) :]


def test_typed_as_slowly_as_a_person(scanner: HidScannerDevice, host: Host) -> None:
    scanner.set_fault("1:slow")
    scanner.show("ab")
    stamps = [event[0] for event in host.events(scanner)]
    assert stamps[-1] - stamps[0] > 0.2


def test_unplugged_in_the_middle(scanner: HidScannerDevice, host: Host) -> None:
    scanner.set_fault("1:unplug")
    scanner.show("abcd")
    assert pressed(host.keys(scanner)) == [30, 48]
    assert host.ended
    assert not scanner.plugged
    assert not scanner.node.exists()
    scanner.plug()
    again = Host(scanner.node)
    scanner.show("a")
    assert pressed(again.keys(scanner)) == [30, ENTER]
    again.close()


def test_what_nobody_reads_is_lost_and_told(
    scanner: HidScannerDevice, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hw_sim.hid_scanner.device._ROOM", 0.0)
    monkeypatch.setattr("hw_sim.hid_scanner.device.facts", lambda: {"pace": {"scanner": 0.0},
                                                             "keys": {"enter": ENTER}})  # fmt: skip
    scanner.show("a" * 1000)
    scanner.settle()
    host.events(scanner)
    scanner.show("b")
    events = [event[1:] for event in host.events(scanner)]
    assert events[0] == (SYN, 3, 0)
    assert (KEY, 48, 1) in events


@pytest.mark.parametrize("text", ["", "a" * 4297])
def test_no_code_holds_it(scanner: HidScannerDevice, text: str) -> None:
    with pytest.raises(ValueError, match="4296"):
        scanner.show(text)
    assert scanner.codes_read == 0


@pytest.mark.parametrize("schedule", ["drop", "1:fire", "1:drop", "1:drop=x", "1:slow=1", ""])
def test_schedule_that_can_not_be_read_adds_nothing(
    scanner: HidScannerDevice, schedule: str
) -> None:
    with pytest.raises(ValueError, match=r"."):
        scanner.set_fault(f"1:lost,{schedule}")
    assert scanner.faults_pending == 0
    assert set(HID_FAULTS) >= {"drop", "lost"}


def test_plugs_twice(scanner: HidScannerDevice) -> None:
    scanner.plug()
    scanner.unplug()
    scanner.unplug()
    assert not scanner.plugged
