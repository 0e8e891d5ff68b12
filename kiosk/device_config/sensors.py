"""``[sensors]``: door, tamper and presence sensors, and the lights at the slots."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum

from kiosk.device_config.addresses import read_baud, read_device
from kiosk.toml_tables import Table

_BAUD = 9600
_LAST_OFFSET = 511


class SensorsDriver(Enum):
    """How they are wired."""

    BOARD = "board"
    """A sensor board on a serial line."""
    GPIO = "gpio"
    """Lines of a GPIO chip of this machine."""


@dataclass(frozen=True)
class SensorLines:
    """Offsets of GPIO lines; None for what is not wired."""

    door: int | None = None
    tamper: int | None = None
    presence: int | None = None
    card_light: int | None = None
    receipt_light: int | None = None
    printer_light: int | None = None


_NAMES = tuple(field.name for field in fields(SensorLines))


@dataclass(frozen=True)
class SensorsConfig:
    """Sensors and lights.

    Attributes:
        port: serial device of a board; empty with GPIO.
        baud: bits per second.
        chip: GPIO chip; empty with a board.
        lines: of the chip.
        active_low: names of the lines that are on when they are low.
    """

    driver: SensorsDriver
    port: str = ""
    baud: int = _BAUD
    chip: str = ""
    lines: SensorLines = SensorLines()
    active_low: frozenset[str] = frozenset()

    @property
    def address(self) -> str:
        """Where they are, for people."""
        return self.port or self.chip


def read_sensors(table: Table, in_field: bool) -> SensorsConfig:
    """From ``[sensors]``. Raises the table's error; a field configuration may do less."""
    driver = table.choice("driver", SensorsDriver, SensorsDriver.BOARD)
    if driver is SensorsDriver.BOARD:
        port = read_device(table, "port", in_field=in_field)
        sensors = SensorsConfig(driver, port, read_baud(table, _BAUD))
    else:
        chip = read_device(table, "chip", in_field=in_field)
        lines, active_low = _lines(table.table("lines"))
        sensors = SensorsConfig(driver, chip=chip, lines=lines, active_low=active_low)
    table.finish()
    return sensors


def _lines(table: Table) -> tuple[SensorLines, frozenset[str]]:
    offsets = {name: table.integer(name, 0, _LAST_OFFSET) for name in _NAMES if name in table}
    active_low = table.texts("active_low", ())
    for name in active_low:
        if name not in offsets:
            raise table.problem("active_low", f'"{name}" is none of the lines here')
    table.finish()
    if not offsets:
        raise table.problem("door", "expected at least one line")
    taken: dict[int, str] = {}
    for name, offset in offsets.items():
        if offset in taken:
            raise table.problem(name, f"has the same offset as {taken[offset]}")
        taken[offset] = name
    return SensorLines(**offsets), frozenset(active_low)
