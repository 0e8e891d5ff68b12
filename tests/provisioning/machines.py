"""A terminal on paper: its configuration file, and devices that speak the drivers' protocols."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from apdu.errors import CardMute
from drivers.card_service import CardConnection, ReaderState
from drivers.code_scanner import ScannerReason, ScannerStatus
from drivers.document_printer import PrinterDetails, PrinterStatus, PrintOutcome, PrintProgress
from drivers.events import Post, ReaderAttached, ServiceLost
from drivers.pin_block import PinFormat
from drivers.pin_pad import PadIdentity, PadReason, PadStatus

CONTACT = "Yikatong Contact Reader 00 00"
PSAM = "Yikatong PSAM Slot 01 00"
ATR = bytes.fromhex("3B6D00000081544A8660534D435350534D")


def write_config(folder: Path, url: str, *, extra: str = "", kind: str = "demo") -> Path:
    """A configuration with every device."""
    file = folder / "terminal.toml"
    file.write_text(
        f"""
kind = "{kind}"
machine = 3
division = "429900"
state = "{folder / "state"}"
hall = {{ zh = "江城市社会保险大厅", en = "Jiangcheng Hall" }}
place = {{ zh = "一楼", en = "Ground floor" }}
screen = {{ width = 640, height = 480, density_ppi = 102.5 }}
card = {{ driver = "pcsc", contact_reader = "Contact Reader", psam_reader = "PSAM Slot" }}
pad = {{ port = "/dev/yikatong-pad" }}
scanner = {{ port = "/dev/yikatong-scanner" }}
printer = {{ url = "ipp://127.0.0.1:9/ipp/print" }}
platform = {{ url = "{url}" }}
{extra or 'pack = { name = "demo" }'}
""",
        "utf-8",
    )
    return file


class FakeConnection:
    """A card that gave its answer to reset."""

    atr = ATR

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self.closed = False

    def transmit(self, command: bytes | bytearray) -> bytes:
        raise AssertionError("the doctor sends no command")

    def reset(self) -> bytes:
        return ATR

    def close(self) -> None:
        self.closed = True

    def begin(self) -> None: ...

    def end(self) -> None: ...

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield


class FakeCardService:
    """Readers as given; `mute` makes connections fail, `stuck` is a reader in a call."""

    def __init__(
        self, *readers: ReaderState, lost: bool = False, mute: bool = False, stuck: str = ""
    ) -> None:
        self._readers = readers
        self._stuck = stuck
        self._lost = lost
        self._mute = mute
        self.stopped = False
        self.connections: list[FakeConnection] = []

    def start(self, post: Post) -> None:
        if self._lost:
            post(ServiceLost())
        for reader in self._readers:
            post(ReaderAttached(reader.name))

    def stop(self) -> None:
        self.stopped = True

    def readers(self) -> tuple[ReaderState, ...]:
        return () if self._lost else self._readers

    def answers(self, reader: str, seconds: float) -> bool:
        return reader != self._stuck

    def connect(self, reader: str) -> CardConnection:
        assert reader != self._stuck, "whoever connects to it hangs"
        if self._mute:
            raise CardMute("no answer to reset")
        connection = FakeConnection(reader)
        self.connections.append(connection)
        return connection


def both_readers() -> tuple[ReaderState, ReaderState]:
    return ReaderState(CONTACT, False, False, b""), ReaderState(PSAM, True, False, ATR)


class FakePad:
    """A pad that answers `status` with what it is given."""

    def __init__(
        self,
        *,
        master_key: bool = True,
        gone: bool = False,
        hold: threading.Event | None = None,
    ) -> None:
        self._master_key = master_key
        self._gone = gone
        self._hold = hold
        self.closed = False

    def status(self) -> PadStatus:
        if self._hold is not None:
            self._hold.wait()
        if self._gone:
            return PadStatus(PadReason.GONE)
        identity = PadIdentity("ZT598", "H1", "S2", "0000042")
        return PadStatus(None if self._master_key else PadReason.NO_KEY, identity=identity)

    def close(self) -> None:
        self.closed = True

    def load_master_key(self, key: bytearray) -> None:
        raise AssertionError("the doctor loads no key")

    block_format = PinFormat.ISO_0
    ignored_keys = 0

    def load_pin_key(self, key_under_master: bytes, check_value: bytes) -> None:
        raise AssertionError("the doctor loads no key")

    def read_pin(
        self,
        pan12: bytes,
        minimum: int,
        maximum: int,
        timeout: float,
        count: Callable[[int], None],
        cancelled: threading.Event,
    ) -> bytes:
        raise AssertionError("the doctor asks for no PIN")


class FakeScanner:
    """A scanner that is there, or not."""

    def __init__(self, *, gone: bool = False) -> None:
        self._gone = gone
        self.closed = False

    def status(self) -> ScannerStatus:
        return ScannerStatus(ScannerReason.GONE if self._gone else None)

    def read_code(self, cancelled: threading.Event) -> bytes:
        raise AssertionError("the doctor waits for no code")

    def close(self) -> None:
        self.closed = True


class FakePrinter:
    """A printer that stands as it is given."""

    def __init__(
        self,
        status: PrinterStatus = PrinterStatus(None),  # noqa: B008  frozen
        details: PrinterDetails | None = None,
    ) -> None:
        self._details = details or PrinterDetails(status)
        self.closed = False

    def status(self) -> PrinterStatus:
        return self._details.status

    def details(self) -> PrinterDetails:
        return self._details

    def print_document(
        self,
        pdf: bytes,
        serial: str,
        pages: int,
        report: Callable[[PrintProgress], None],
        copies: int = 1,
    ) -> PrintOutcome:
        raise AssertionError("the doctor prints nothing")

    def give_up(self) -> None: ...

    def withdraw(self, serial: str) -> bool:
        raise AssertionError("the doctor takes nothing back")

    def close(self) -> None:
        self.closed = True
