"""``[scanner]``: what reads codes (扫码)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kiosk.device_config.addresses import read_baud, read_device
from kiosk.toml_tables import Table

_BAUD = 9600


class ScannerDriver(Enum):
    """How codes come."""

    GM65 = "gm65"
    """A code module of the GM65 family on a serial line."""
    HID = "hid"
    """A hand scanner that types."""
    CAMERA = "camera"
    """The camera of ``[camera]``."""


@dataclass(frozen=True)
class ScannerConfig:
    """The code scanner.

    Attributes:
        port: serial device or input device; empty for the camera.
        baud: bits per second of a serial device.
    """

    driver: ScannerDriver
    port: str
    baud: int = _BAUD

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return self.port or "[camera]"


def read_scanner(table: Table, in_field: bool) -> ScannerConfig:
    """From ``[scanner]``. Raises the table's error; a field configuration may do less."""
    driver = table.choice("driver", ScannerDriver, ScannerDriver.GM65)
    match driver:
        case ScannerDriver.GM65:
            port = read_device(table, "port", in_field=in_field)
            scanner = ScannerConfig(driver, port, read_baud(table, _BAUD))
        case ScannerDriver.HID:
            scanner = ScannerConfig(driver, read_device(table, "device", in_field=in_field))
        case ScannerDriver.CAMERA:
            scanner = ScannerConfig(driver, "")
    table.finish()
    return scanner
