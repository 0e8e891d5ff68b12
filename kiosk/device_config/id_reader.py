"""``[id_reader]``: the resident ID reader (身份证阅读器)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kiosk.device_config.addresses import read_baud, read_device
from kiosk.toml_tables import Table

_BAUD = 115_200


class IdReaderDriver(Enum):
    """What the reader speaks."""

    SAM_V = "sam-v"


@dataclass(frozen=True)
class IdReaderConfig:
    """The resident ID reader: serial device and bits per second."""

    driver: IdReaderDriver
    port: str
    baud: int

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return self.port


def read_id_reader(table: Table, in_field: bool) -> IdReaderConfig:
    """From ``[id_reader]``. Raises the table's error; a field configuration may do less."""
    reader = IdReaderConfig(
        table.choice("driver", IdReaderDriver, IdReaderDriver.SAM_V),
        read_device(table, "port", in_field=in_field),
        read_baud(table, _BAUD),
    )
    table.finish()
    return reader
