"""A SAM-V module on a pseudo-terminal, scripted by the test: no logic of its own but framing."""

from __future__ import annotations

import threading
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

from drivers.id_reader import IdReader, RawIdCard
from drivers.sam_v.reader import SamVTimes
from tests.drivers.serial_double import SerialDouble

QUICK = SamVTimes(answer=0.25, read=0.4, probe=0.1, damaged=0.05, look=0.01, pause=0.005, write=1.0)
HEAD = bytes.fromhex("AAAAAA9669")
COMMANDS = {
    bytes.fromhex(octets): name
    for name, octets in {
        "reset": "10FF",
        "status": "11FF",
        "sam-id": "12FF",
        "find": "2001",
        "select": "2002",
        "read": "3001",
        "fingerprint": "3010",
        "address": "3003",
    }.items()
}


def frame(code: int, data: bytes = b"", sw: bytes = b"\0\0") -> bytes:
    """An answer."""
    counted = (len(data) + 4).to_bytes(2, "big") + sw + bytes([code]) + data
    return HEAD + counted + bytes([reduce(xor, counted)])


OK = frame(0x90)
FOUND = frame(0x9F, bytes(4))
NO_CARD = frame(0x80)
SELECTED = frame(0x90, bytes(8))
NOT_SELECTED = frame(0x81)
FAILED = frame(0x41)
SAM_ID = frame(
    0x90,
    b"".join(
        number.to_bytes(size, "little")
        for number, size in ((5, 2), (3, 2), (20190314, 4), (12345, 4), (4_012_345_678, 4))
    ),
)


def cells(*fields: tuple[str, int]) -> bytes:
    """Texts of so many bytes each, as a card pads them."""
    blank = " ".encode("utf-16-le")
    return b"".join((text.encode("utf-16-le") + blank * size)[:size] for text, size in fields)


TEXT = cells(
    ("王秀芳", 30),
    ("2", 2),
    ("01", 4),
    ("19780116", 16),
    ("江城市人民路1号", 70),
    ("429900197801160029", 36),
    ("江城市公安局", 30),
    ("20200102", 16),
    ("20400102", 16),
    ("", 36),
)
PHOTO = bytes(range(256)) * 4
READ = frame(0x90, b"\x01\x00\x04\x00" + TEXT + PHOTO)
CARD = RawIdCard(TEXT, PHOTO)


class IdReaderDouble(SerialDouble):
    """A card lies there when `lies`; `script` gives the answers of a command before that."""

    def __init__(self, link: Path) -> None:
        self.lies = False
        self.script: dict[str, list[bytes | None]] = {}
        super().__init__(link)

    def usual(self, command: bytes) -> bytes | None:
        name = COMMANDS[command[7:9]]
        if self.script.get(name):
            return self.script[name].pop(0)
        return {
            "reset": OK,
            "status": OK,
            "sam-id": SAM_ID,
            "find": FOUND if self.lies else NO_CARD,
            "select": SELECTED if self.lies else NOT_SELECTED,
            "read": READ if self.lies else FAILED,
            "fingerprint": FAILED,
            "address": frame(0x91),
        }[name]

    def cut(self, held: bytes) -> tuple[bytes, bytes] | None:
        if len(held) < 10:
            return None
        assert held[:7] == HEAD + b"\x00\x03"
        return held[:10], held[10:]

    @property
    def names(self) -> list[str]:
        """The commands that came, by name."""
        return [COMMANDS[command[7:9]] for command in self.commands]


class Putting:
    """A reader and whoever waits for its cards."""

    def __init__(self, reader: Any) -> None:
        self.reader: IdReader = reader
        self.cancelled = threading.Event()

    def read_card(self, seconds: float | None = None) -> RawIdCard:
        self.cancelled = threading.Event()
        return self.reader.read_card(self.cancelled, seconds)

    def wait_until_taken(self) -> None:
        self.cancelled = threading.Event()
        self.reader.wait_until_taken(self.cancelled)
