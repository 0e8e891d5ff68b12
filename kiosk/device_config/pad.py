"""``[pad]``: the PIN pad (密码键盘)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kiosk.device_config.addresses import read_baud, read_device, read_file
from kiosk.toml_tables import Table

_BAUD = 9600


class PadDriver(Enum):
    """What the pad is."""

    SZZT = "szzt"
    """An encrypting pad of the SZZT family on a serial line."""
    CCID = "ccid"
    """The keys of a card reader (PC/SC part 10)."""


@dataclass(frozen=True)
class PadConfig:
    """The PIN pad.

    Attributes:
        port: serial device; empty with a reader's keys.
        baud: bits per second.
        master_key_file: hex file of mode 0600 with the pad's master key, or None when the key
            service of the platform wraps the working keys.
        plain_key_load: load keys into the pad in the clear; demonstration only.
        reader: a part of the PC/SC name of the reader with keys; empty with a pad of its own.
    """

    driver: PadDriver
    port: str
    baud: int
    master_key_file: Path | None
    plain_key_load: bool
    reader: str = ""

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return self.port or self.reader


def read_pad(table: Table, in_field: bool) -> PadConfig:
    """From ``[pad]``. Raises the table's error; a field configuration may do less."""
    driver = table.choice("driver", PadDriver, PadDriver.SZZT)
    if driver is PadDriver.CCID:
        pad = PadConfig(driver, "", 0, None, False, table.text("reader"))
    else:
        pad = PadConfig(
            driver,
            port=read_device(table, "port", in_field=in_field),
            baud=read_baud(table, _BAUD),
            master_key_file=read_file(table, "master_key_file"),
            plain_key_load=table.boolean("plain_key_load", False),
        )
    if pad.plain_key_load and in_field:
        raise table.problem("plain_key_load", "a field configuration refuses plain key load")
    table.finish()
    return pad
