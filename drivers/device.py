"""What all devices have in common: their kind, and a status that names one obstacle.

Each kind has a protocol of its own (`drivers.pin_pad`, `drivers.document_printer` …) whose `status`
has this shape. A driver's raw bits become obstacles in one pure function; of several the most
urgent one counts, in the order in which the kind's enum lists them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Protocol, TypeVar

E = TypeVar("E", bound=Enum)


class DeviceKind(Enum):
    """The kinds of devices, as a terminal's configuration and its records name them."""

    READER = "reader"
    PSAM = "psam"
    ID_READER = "id-reader"
    SCANNER = "scanner"
    CAMERA = "camera"
    PAD = "pad"
    DISPENSER = "dispenser"
    PRINTER = "printer"
    RECEIPT = "receipt"
    SENSORS = "sensors"


class Status(Protocol):
    """How a device stands; a frozen dataclass of its kind, with what else the kind can tell."""

    @property
    def reason(self) -> Enum | None:
        """The most urgent obstacle, None when the device serves. Each kind's closed enum has a
        member ``GONE = "gone"`` first: no answer at all, or no readable one."""

    @property
    def notes(self) -> frozenset[Enum]:
        """What staff should see to, though the device still serves."""


class Device(Protocol):
    """A device, owned by one worker."""

    def status(self) -> Status:
        """Ask how it stands, within a deadline of its own. Never raises for anything that a device
        or its wire can do; the port is opened again where it was lost."""

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""


def most_urgent(present: Iterable[E], order: type[E]) -> E | None:
    """The first of `order` that is present, None when none is."""
    found = frozenset(present)
    return next((each for each in order if each in found), None)
