"""Asking and watching devices: one that hangs hangs alone, one that a kiosk has is left alone."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.code_scanner import ScannerNote, ScannerReason, ScannerStatus
from drivers.device import DeviceKind
from drivers.document_printer import PrinterReason, PrinterStatus
from drivers.watch import Health, Instant, WatchTimes
from kiosk.configured_devices import ConfiguredDevice
from kiosk.health_file import HEALTH_FILE, KioskView, read_healths, write_healths
from kiosk.state import StateDirectory
from provisioning.devices.asking import Answer, ask
from provisioning.devices.in_use import Holder, Locks
from provisioning.devices.rounds import Event, Rounds
from provisioning.devices.standing import Verdict, for_machines, standing

QUICK = WatchTimes(
    steady=0.02, doubt=0.01, away_first=0.01, away_growth=2, away_limit=0.04, jitter=0
)
SCANNER, PRINTER = DeviceKind.SCANNER, DeviceKind.PRINTER
GOOD = ScannerStatus(None)
GONE = ScannerStatus(ScannerReason.GONE)
SLOW = ScannerStatus(None, frozenset({ScannerNote.SLOW}))


class Scanner:
    """Stands as it is told; `hold` keeps it from answering."""

    def __init__(self) -> None:
        self.stands = GOOD
        self.hold: threading.Event | None = None
        self.opened = self.closed = 0

    def open(self) -> Scanner:
        self.opened += 1
        return self

    def status(self) -> ScannerStatus:
        if self.hold is not None:
            self.hold.wait(20)
        return self.stands

    def close(self) -> None:
        self.closed += 1


class Printer:
    def status(self) -> PrinterStatus:
        return PrinterStatus(PrinterReason.JAM)

    def close(self) -> None: ...


@pytest.fixture
def scanner() -> Iterator[Scanner]:
    device = Scanner()
    yield device
    if device.hold is not None:
        device.hold.set()


@pytest.fixture
def devices(scanner: Scanner) -> list[ConfiguredDevice]:
    return [
        ConfiguredDevice(SCANNER, "gm65", "/none/scanner", scanner.open),
        ConfiguredDevice(PRINTER, "ipp", "ipp://p/ipp", Printer),
    ]


def verdicts(answers: Iterator[Answer]) -> dict[DeviceKind, Verdict]:
    return {answer.device.kind: standing(answer).verdict for answer in answers}


def test_each_is_asked_and_closed(
    devices: list[ConfiguredDevice], scanner: Scanner, tmp_path: Path
) -> None:
    answers = list(ask(devices, tmp_path))
    assert verdicts(iter(answers)) == {SCANNER: Verdict.SERVES, PRINTER: Verdict.OBSTACLE}
    assert (scanner.opened, scanner.closed) == (1, 1)
    found = standing(answers[1])
    assert (found.serves, found.reason) == (False, "jam")
    assert found.advice is not None and found.advice.zh
    scanner.stands = SLOW
    noted = standing(next(iter(ask(devices, None))))
    assert (noted.verdict, noted.serves, noted.notes) == (Verdict.NOTED, True, ("slow",))


@pytest.mark.timeout(15)
def test_a_device_that_hangs_hangs_alone(
    devices: list[ConfiguredDevice], scanner: Scanner, tmp_path: Path
) -> None:
    scanner.hold = threading.Event()
    found = verdicts(ask(devices, tmp_path, deadline=0.2))
    assert found == {SCANNER: Verdict.SILENT, PRINTER: Verdict.OBSTACLE}


def test_a_bug_of_one_driver_is_its_own(tmp_path: Path, devices: list[ConfiguredDevice]) -> None:
    def broken() -> Scanner:
        raise ZeroDivisionError

    def taken() -> Scanner:
        raise OSError("address in use")

    devices += [
        ConfiguredDevice(DeviceKind.PAD, "szzt", "/none/pad", broken),  # type: ignore[arg-type]
        ConfiguredDevice(DeviceKind.READER, "direct", "127.0.0.1:9", taken),  # type: ignore[arg-type]
    ]
    found = verdicts(ask(devices, tmp_path))
    assert found[DeviceKind.PAD] is Verdict.BUG
    assert found[DeviceKind.READER] is Verdict.IN_USE
    assert found[SCANNER] is Verdict.SERVES


@pytest.mark.parametrize(
    ("health", "serves", "said"),
    [
        (None, False, ""),
        (Health(None, Instant(1, 5)), True, "正常"),
        (Health(ScannerReason.GONE, Instant(1, 5)), False, "没有应答"),
    ],
)
def test_what_a_running_kiosk_has_is_left_alone_and_told_by_its_word(
    devices: list[ConfiguredDevice],
    scanner: Scanner,
    tmp_path: Path,
    health: Health | None,
    serves: bool,
    said: str,
) -> None:
    state = StateDirectory(tmp_path / "state")
    write_healths(state.path / HEALTH_FILE, {SCANNER: health})
    with state.lock():
        answers = list(ask(devices, state.path))
    assert scanner.opened == 0
    found = standing(answers[0])
    assert (found.verdict, found.serves) == (Verdict.IN_USE, serves)
    assert "自助程序正在使用" in found.told.zh and said in found.told.zh
    assert "in use by the kiosk" in found.told.en
    assert standing(answers[1]).verdict is Verdict.OBSTACLE, "a printer may be asked by many"
    assert for_machines(answers[0], found)["held_by"] == os.getpid()


def test_another_programs_port_is_named(tmp_path: Path, scanner: Scanner) -> None:
    device = ConfiguredDevice(SCANNER, "gm65", "/none", scanner.open)
    found = standing(Answer(device, holder=Holder(77, kiosk=False)))
    assert "77" in found.told.zh and "in use by another program" in found.told.en
    assert not found.serves


# --- watching -----------------------------------------------------------------------------------


class Watching:
    def __init__(self, devices: list[ConfiguredDevice], state: Path, locks: Locks) -> None:
        self.rounds = Rounds(devices, state, times=QUICK, locks=locks, silence=0.15)
        self.events: list[Event] = []

    def until(self, done: Callable[[Event], bool]) -> Event:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for event in self.rounds.next(0.05):
                self.events.append(event)
                if done(event):
                    return event
        raise AssertionError([event.for_machines() for event in self.events])


@pytest.fixture
def watching(devices: list[ConfiguredDevice], tmp_path: Path) -> Iterator[Watching]:
    found = Watching(devices, tmp_path / "state", Locks())
    yield found
    found.rounds.close()


def of(kind: DeviceKind, word: str, reason: str | None = None) -> Callable[[Event], bool]:
    return lambda event: (event.kind, event.word, event.reason) == (kind, word, reason)


@pytest.mark.timeout(30)
def test_changes_are_told_as_they_come(watching: Watching, scanner: Scanner) -> None:
    watching.until(of(SCANNER, "serves"))
    watching.until(of(PRINTER, "lost", "jam"))
    scanner.stands = GONE
    watching.until(of(SCANNER, "lost", "gone"))
    scanner.stands = SLOW
    back = watching.until(of(SCANNER, "back"))
    assert back.for_machines()["after_seconds"] == round(back.after or 0, 1)
    noted = watching.until(of(SCANNER, "note-added"))
    assert noted.for_machines() == {
        "at": noted.at.isoformat(timespec="milliseconds"),
        "device": "scanner",
        "event": "note-added",
        "note": "slow",
        "zh": "画面过慢",
        "en": "pictures come slowly",
    }
    scanner.stands = GOOD
    gone = watching.until(of(SCANNER, "note-gone"))
    assert gone.told.en == "seen to: pictures come slowly"
    assert [e.word for e in watching.events if e.kind is SCANNER] == [
        "serves", "lost", "back", "note-added", "note-gone",
    ]  # fmt: skip


@pytest.mark.timeout(30)
def test_one_that_hangs_while_it_is_watched_hangs_alone(
    watching: Watching, scanner: Scanner
) -> None:
    watching.until(of(SCANNER, "serves"))
    scanner.hold = threading.Event()
    watching.until(of(SCANNER, "lost", "gone"))
    assert watching.rounds.healths()[PRINTER] is not None
    scanner.hold.set()
    watching.until(of(SCANNER, "back"))


@pytest.mark.timeout(30)
def test_a_kiosk_that_starts_gets_its_ports_and_speaks_for_them(
    watching: Watching, scanner: Scanner, tmp_path: Path
) -> None:
    watching.until(of(SCANNER, "serves"))
    state = StateDirectory(tmp_path / "state")
    with state.lock():
        watching.until(of(SCANNER, "lost", "in-use"))
        assert scanner.closed == 1
        write_healths(
            state.path / HEALTH_FILE, {SCANNER: Health(ScannerReason.BLIND, Instant(1, 5))}
        )
        watching.until(of(SCANNER, "changed", "blind"))
        write_healths(state.path / HEALTH_FILE, {SCANNER: Health(None, Instant(1, 6))})
        watching.until(of(SCANNER, "back"))
        assert scanner.opened == 1, "nobody disturbed it"
    scanner.stands = GONE
    watching.until(of(SCANNER, "lost", "gone"))
    assert scanner.opened == 2


@pytest.mark.timeout(30)
def test_a_port_that_we_hold_ourselves_is_not_another_programs(tmp_path: Path) -> None:
    port = tmp_path / "port"
    port.touch()

    class Locking(Scanner):
        def open(self) -> Scanner:
            self.file = port.open("w")
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return super().open()

        def close(self) -> None:
            self.file.close()
            super().close()

    device = Locking()
    watching = Watching(
        [ConfiguredDevice(SCANNER, "gm65", str(port), device.open)], tmp_path, Locks()
    )
    try:
        watching.until(of(SCANNER, "serves"))
        device.stands = GONE
        watching.until(of(SCANNER, "lost", "gone"))
        assert device.opened == 1
    finally:
        watching.rounds.close()


def test_closing_lets_go(devices: list[ConfiguredDevice], scanner: Scanner, tmp_path: Path) -> None:
    watching = Watching(devices, tmp_path, Locks())
    watching.until(of(SCANNER, "serves"))
    watching.rounds.close()
    assert scanner.closed == 1


# --- the file between kiosk and command ---------------------------------------------------------


def test_the_kiosks_word_survives_the_file(tmp_path: Path) -> None:
    file = tmp_path / HEALTH_FILE
    assert read_healths(file) == {}
    write_healths(
        file,
        {
            SCANNER: Health(None, Instant(1, 5.5), frozenset({ScannerNote.SLOW})),
            PRINTER: Health(PrinterReason.JAM, Instant(2, 6.5)),
            DeviceKind.CAMERA: None,
        },
    )
    assert read_healths(file) == {
        SCANNER: KioskView(None, 5.5, ("slow",)),
        PRINTER: KioskView("jam", 6.5, ()),
    }
    assert [entry.name for entry in tmp_path.iterdir()] == [HEALTH_FILE]


@pytest.mark.parametrize("text", ["", "[]", '{"toaster": {}}', '{"pad": {"reason": null}}', "\x00"])
def test_a_file_that_says_nothing_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / HEALTH_FILE).write_text(text)
    assert read_healths(tmp_path / HEALTH_FILE) == {}
