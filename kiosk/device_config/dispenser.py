"""``[dispenser]``: the card dispenser (发卡机)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from kiosk.device_config.addresses import read_baud, read_device
from kiosk.toml_tables import Table

_BAUD = 9600


class DispenserDriver(Enum):
    """What the dispenser speaks."""

    CRT_591 = "crt-591"


@dataclass(frozen=True)
class DispenserConfig:
    """The card dispenser.

    Attributes:
        port: serial device.
        baud: bits per second.
        full_bin_char: the status character of a full bin, "1" or "0": the sources disagree. None
            for what `drivers/crt591/crt591.toml` takes for true.
        eject_pm: the parameter that ejects a card without holding it, 0x30 or 0x39; as above.
        stacker_used: it holds cards to issue; False where an empty stacker is no obstacle. None as
            above.
        sam_slots: SAM slots that are built in, 0..5; None as above.
        switches: the address set on its board, 0..15; None as above.
    """

    driver: DispenserDriver
    port: str
    baud: int
    full_bin_char: str | None = None
    eject_pm: int | None = None
    stacker_used: bool | None = None
    sam_slots: int | None = None
    switches: int | None = None

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return self.port


def read_dispenser(table: Table, in_field: bool) -> DispenserConfig:
    """From ``[dispenser]``. Raises the table's error; a field configuration may do less."""
    full = eject = None
    if "full_bin_char" in table:
        full = table.matching("full_bin_char", re.compile("[01]"), '"0" or "1"')
    if "eject_pm" in table:
        eject = int(table.matching("eject_pm", re.compile("3[09]"), '"30" or "39"'), 16)
    stacker = table.boolean("stacker_used") if "stacker_used" in table else None
    slots = table.integer("sam_slots", 0, 5) if "sam_slots" in table else None
    switches = table.integer("address", 0, 15) if "address" in table else None
    dispenser = DispenserConfig(
        table.choice("driver", DispenserDriver, DispenserDriver.CRT_591),
        read_device(table, "port", in_field=in_field),
        read_baud(table, _BAUD),
        full,
        eject,
        stacker,
        slots,
        switches,
    )
    table.finish()
    return dispenser
