"""The scanner as the terminal uses it: one code a showing, opened when needed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from drivers.code_scanner import ScanCancelled, ScannerGone, ScannerStatus
from kiosk.clock import VirtualClock
from kiosk.code_station import SAME_CODE_SECONDS, CodeStation
from tests.kiosk.terminal_double import ECARD_CODE

NEVER = threading.Event()


class Scanner:
    """Gives what it is told, each time after so many seconds."""

    def __init__(self, clock: VirtualClock, *seen: tuple[float, bytes]) -> None:
        self._clock = clock
        self._seen = list(seen)
        self.closed = False

    def read_code(self, cancelled: threading.Event) -> bytes:
        if cancelled.is_set():
            raise ScanCancelled
        if not self._seen:
            raise ScannerGone("nothing more")
        seconds, payload = self._seen.pop(0)
        self._clock.move_to(self._clock.monotonic() + seconds)
        return payload

    def status(self) -> ScannerStatus:
        return ScannerStatus(None)

    def close(self) -> None:
        self.closed = True


def station(*seen: tuple[float, bytes]) -> CodeStation:
    clock = VirtualClock()
    scanner = Scanner(clock, *seen)
    return CodeStation(lambda: scanner, clock.monotonic)


def test_a_code_that_is_held_on_counts_once() -> None:
    held = [(0.1, b"A")] * 40
    codes = station(*held, (0.1, b"B"))
    assert [codes.read(NEVER), codes.read(NEVER)] == [b"A", b"B"]


def test_a_code_that_was_away_counts_again() -> None:
    codes = station((0.0, b"A"), (SAME_CODE_SECONDS + 0.1, b"A"))
    assert [codes.read(NEVER), codes.read(NEVER)] == [b"A", b"A"]


def test_somebody_new_may_show_the_same_code() -> None:
    codes = station((0.0, b"A"), (0.1, b"A"))
    codes.read(NEVER)
    codes.somebody_new()
    assert codes.read(NEVER) == b"A"


def test_two_codes_in_turn_both_count() -> None:
    codes = station((0.0, b"A"), (0.1, b"B"), (0.1, b"A"))
    assert [codes.read(NEVER), codes.read(NEVER), codes.read(NEVER)] == [b"A", b"B", b"A"]


def test_the_scanner_is_opened_when_it_is_first_needed_and_again_after_it_was_closed() -> None:
    opened: list[Scanner] = []
    clock = VirtualClock()

    def open_scanner() -> Scanner:
        opened.append(Scanner(clock, (0.0, b"A")))
        return opened[-1]

    codes = CodeStation(open_scanner, clock.monotonic)
    assert opened == []
    codes.read(NEVER)
    codes.close()
    assert opened[0].closed
    assert codes.look() == ScannerStatus(None)
    assert len(opened) == 2


def test_the_codes_own_text_is_not_kept() -> None:
    codes = station((0.0, ECARD_CODE))
    codes.read(NEVER)
    assert ECARD_CODE not in repr(vars(codes)).encode()


def test_a_stream_ends_with_the_code_of_its_station() -> None:
    report: Callable[[object], None] = lambda _value: None  # noqa: E731
    assert station((0.0, b"A")).codes().run(report) == b"A"


def test_a_stream_cancelled_before_it_began_reads_nothing() -> None:
    stream = station((0.0, b"A")).codes()
    stream.cancel()
    with pytest.raises(ScanCancelled):
        stream.run(lambda _value: None)
