"""A code module on a pseudo-terminal, scripted by the test: no logic of its own but framing."""

from __future__ import annotations

import threading
from pathlib import Path

from drivers.code_scanner import ScannerStatus
from drivers.gm65.scanner import Gm65Scanner, Gm65Times
from tests.drivers.serial_double import SerialDouble

QUICK = Gm65Times(
    answer=0.3, damaged=0.05, look=0.01, margin=0.05, piece=0.4, quiet=0.05, stop=0.1, write=1
)

TRIGGER = bytes.fromhex("7E000801000201ABCD")
STOP = bytes.fromhex("7E00080100020012FB")
CHECK = bytes.fromhex("7E0007010002016723")
ACK = bytes.fromhex("02000001003331")


class ScannerDouble(SerialDouble):
    """A trigger is answered, and followed by the next bytes of `show`."""

    def __init__(self, link: Path) -> None:
        self.shown: list[bytes] = []
        super().__init__(link)

    def usual(self, command: bytes) -> bytes:
        return ACK + (self.shown.pop(0) if command == TRIGGER and self.shown else b"")

    def show(self, *raw: bytes) -> None:
        self.shown += raw

    def cut(self, held: bytes) -> tuple[bytes, bytes] | None:
        if len(held) < 9:
            return None
        size = 8 + held[3] if held[2] == 8 else 9
        assert held[:2] == b"\x7e\x00"
        return held[:size], held[size:]


class Waiting:
    """A scanner and whoever waits for its codes."""

    def __init__(self, scanner: Gm65Scanner) -> None:
        self.scanner = scanner
        self.cancelled = threading.Event()

    def read_code(self) -> bytes:
        self.cancelled = threading.Event()
        return self.scanner.read_code(self.cancelled)

    def cancel(self) -> None:
        self.cancelled.set()

    def status(self) -> ScannerStatus:
        return self.scanner.status()

    def close(self) -> None:
        self.scanner.close()
