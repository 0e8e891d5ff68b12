"""``[receipt]``: the receipt printer (凭条打印机)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from kiosk.device_config.addresses import read_baud, read_device
from kiosk.toml_tables import Table

_BAUD = 115_200


class ReceiptDriver(Enum):
    """What the printer speaks."""

    ESCPOS = "escpos"


class Encoding(Enum):
    """The signs that the printer's own font holds."""

    GBK = "gbk"
    """Those of two bytes."""
    GB18030 = "gb18030"
    """Those of four bytes too, for rare names."""


class PaperWidth(Enum):
    """Dots of a line at 203 dpi."""

    MM_80 = 576
    MM_58 = 384


@dataclass(frozen=True)
class ReceiptConfig:
    """The receipt printer.

    Attributes:
        address: a serial or USB device, or ``tcp://host:9100``.
        baud: bits per second of a serial device.
    """

    driver: ReceiptDriver
    address: str
    baud: int = _BAUD
    width: PaperWidth = PaperWidth.MM_80
    encoding: Encoding = Encoding.GBK


def read_receipt(table: Table, in_field: bool) -> ReceiptConfig:
    """From ``[receipt]``. Raises the table's error; a field configuration may do less."""
    driver = table.choice("driver", ReceiptDriver, ReceiptDriver.ESCPOS)
    address = table.text("address")
    baud = _BAUD
    if "://" in address:
        _check_network(table, address)
    else:
        read_device(table, "address", in_field=in_field)
        baud = read_baud(table, _BAUD)
    receipt = ReceiptConfig(
        driver, address, baud, _width(table), table.choice("encoding", Encoding, Encoding.GBK)
    )
    table.finish()
    return receipt


def _width(table: Table) -> PaperWidth:
    dots = table.integer("width_dots", 1, 10_000, PaperWidth.MM_80.value)
    try:
        return PaperWidth(dots)
    except ValueError:
        known = " or ".join(str(width.value) for width in PaperWidth)
        raise table.problem("width_dots", f"expected {known}, found {dots}") from None


def _check_network(table: Table, address: str) -> None:
    try:
        parts = urlsplit(address)
        complete = bool(parts.hostname and parts.port) and not (parts.path or parts.username)
    except ValueError:
        complete = False
    if not complete or parts.scheme != "tcp":
        raise table.problem("address", "expected a device or tcp://host:9100")
