"""The devices of a terminal's configuration: which there are and how they are reached."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from apdu.ministry.terminal import PinCall
from kiosk.toml_tables import Table

_PRINTER_PATIENCE = 60


class CardDriver(Enum):
    """How cards are reached."""

    PCSC = "pcsc"
    DIRECT = "direct"
    """Sockets on loopback where pcscd cannot run; demonstration only (DESIGN §9)."""


@dataclass(frozen=True)
class Address:
    """A TCP address on loopback."""

    host: str
    port: int


@dataclass(frozen=True)
class CardConfig:
    """The card reader and the PSAM slot.

    Attributes:
        contact_reader, psam_reader: a part of the PC/SC reader's name; psam empty when the
            terminal has no PSAM.
        pcsc_socket: socket of a pcscd of one's own (the simulated hall's), empty for the system's;
            demonstration only.
        contact_address, psam_address: where the direct driver listens; None with PC/SC.
        ministry_calls: whether other programs may call the ministry's functions, which show
            persons in full: a counter's terminal, never one that residents use alone.
        contactless_reader: as contact_reader, for other programs' calls; empty without one.
        reader_serial: 终端设备号 that other programs' calls tell.
        pin_calls: functions of other programs in which a PIN passes through their hands.
    """

    driver: CardDriver
    contact_reader: str
    psam_reader: str
    pcsc_socket: str
    contact_address: Address | None
    psam_address: Address | None
    ministry_calls: bool = False
    contactless_reader: str = ""
    reader_serial: str = ""
    pin_calls: tuple[PinCall, ...] = ()


@dataclass(frozen=True)
class PadConfig:
    """The PIN pad (密码键盘).

    Attributes:
        port: serial device.
        baud: bits per second.
        master_key_file: hex file of mode 0600 with the pad's master key, or None when the key
            service of the platform wraps the working keys.
        plain_key_load: load keys into the pad in the clear; demonstration only.
    """

    port: str
    baud: int
    master_key_file: Path | None
    plain_key_load: bool


@dataclass(frozen=True)
class ScannerConfig:
    """The code scanner (扫码模块): serial device and bits per second."""

    port: str
    baud: int


@dataclass(frozen=True)
class PrinterConfig:
    """The document printer (证明打印机).

    Attributes:
        url: ``ipp`` or ``ipps``, with a path.
        patience: seconds that a job waits for paper or help before it is given up.
        ca_file: who vouches for an ipps printer, often its own certificate; None for the system's
            authorities.
    """

    url: str
    patience: float
    ca_file: Path | None


def read_card(table: Table, *, in_field: bool) -> CardConfig:
    """From ``[card]``. Raises the table's error; a field configuration may do less."""
    driver = table.choice("driver", CardDriver)
    calls = table.boolean("ministry_calls", False)
    serial = table.text("reader_serial", "")
    pin_calls = table.choices("pin_calls", PinCall, ())
    if driver is CardDriver.DIRECT:
        if in_field:
            raise table.problem("driver", 'a field configuration refuses "direct"')
        psam = table.text("psam_address", "")
        card = CardConfig(
            driver=driver,
            contact_reader="",
            psam_reader="",
            pcsc_socket="",
            contact_address=_address(table, "contact_address"),
            psam_address=_address(table, "psam_address") if psam else None,
            ministry_calls=calls,
            reader_serial=serial,
            pin_calls=pin_calls,
        )
    else:
        card = CardConfig(
            driver=driver,
            contact_reader=table.text("contact_reader"),
            psam_reader=table.text("psam_reader", ""),
            pcsc_socket=table.text("pcsc_socket", ""),
            contact_address=None,
            psam_address=None,
            contactless_reader=table.text("contactless_reader", ""),
            ministry_calls=calls,
            reader_serial=serial,
            pin_calls=pin_calls,
        )
        if card.pcsc_socket and in_field:
            raise table.problem("pcsc_socket", "a field configuration uses the system's pcscd")
    table.finish()
    return card


def _address(table: Table, key: str) -> Address:
    host, colon, port = table.text(key).rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise table.problem(key, "expected an address like 127.0.0.1:35963")
    if not is_loopback(host):
        raise table.problem(key, "expected an address on loopback")
    return Address(host, int(port))


def read_pad(table: Table, *, in_field: bool) -> PadConfig:
    """From ``[pad]``. Raises the table's error; a field configuration may do less."""
    pad = PadConfig(
        port=table.text("port"),
        baud=table.integer("baud", 1200, 115_200, 9600),
        master_key_file=read_path(table, "master_key_file"),
        plain_key_load=table.boolean("plain_key_load", False),
    )
    if pad.plain_key_load and in_field:
        raise table.problem("plain_key_load", "a field configuration refuses plain key load")
    if pad.master_key_file is not None and not pad.master_key_file.is_file():
        raise table.problem("master_key_file", f"there is no file {pad.master_key_file}")
    table.finish()
    return pad


def read_scanner(table: Table) -> ScannerConfig:
    """From ``[scanner]``. Raises the table's error."""
    scanner = ScannerConfig(
        port=table.text("port"), baud=table.integer("baud", 1200, 115_200, 9600)
    )
    table.finish()
    return scanner


def read_printer(table: Table) -> PrinterConfig:
    """From ``[printer]``. Raises the table's error."""
    url = table.text("url")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise table.problem("url", "is no URL") from None
    if parts.scheme not in ("ipp", "ipps") or not host or parts.username or parts.query:
        raise table.problem("url", "expected a URL like ipp://printer.local:631/ipp/print")
    patience = table.number("patience", 0.1, 600, _PRINTER_PATIENCE)
    ca_file = read_path(table, "ca_file")
    if ca_file is not None and not ca_file.is_file():
        raise table.problem("ca_file", f"there is no file {ca_file}")
    table.finish()
    return PrinterConfig(url, patience, ca_file)


def read_path(table: Table, key: str) -> Path | None:
    """A path that starts at the file's own folder where it is relative; None where it is absent."""
    text = table.text(key, "")
    return table.folder / text if text else None


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
