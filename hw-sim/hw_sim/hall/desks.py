"""The devices of every hall beside slot, pad, scanner and printer, in the order of the dock."""

from __future__ import annotations

from collections.abc import Callable

from hw_sim.hall.camera_desk import CameraDesk
from hw_sim.hall.desk import Desk
from hw_sim.hall.dispenser_desk import DispenserDesk
from hw_sim.hall.hid_scanner_desk import HidScannerDesk
from hw_sim.hall.id_card_desk import IdCardDesk
from hw_sim.hall.receipt_desk import ReceiptDesk
from hw_sim.hall.sensors_desk import SensorsDesk

_KINDS: tuple[Callable[[], Desk], ...] = (
    IdCardDesk,
    HidScannerDesk,
    CameraDesk,
    DispenserDesk,
    ReceiptDesk,
    SensorsDesk,
)


def desks() -> tuple[Desk, ...]:
    """One of each, closed."""
    return tuple(kind() for kind in _KINDS)
