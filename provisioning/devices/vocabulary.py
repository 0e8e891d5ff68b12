"""The reasons and notes of each kind of device, for who has only their values."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, assert_never

from drivers.device import DeviceKind


class Vocabulary(NamedTuple):
    """A kind's closed enums."""

    reasons: type[Enum]
    notes: type[Enum]


def vocabulary(kind: DeviceKind) -> Vocabulary:
    """The enums of a kind."""
    match kind:
        case DeviceKind.READER | DeviceKind.PSAM:
            from drivers.reader_device import SlotNote, SlotReason

            return Vocabulary(SlotReason, SlotNote)
        case DeviceKind.ID_READER:
            from drivers.id_reader import IdReaderNote, IdReaderReason

            return Vocabulary(IdReaderReason, IdReaderNote)
        case DeviceKind.SCANNER:
            from drivers.code_scanner import ScannerNote, ScannerReason

            return Vocabulary(ScannerReason, ScannerNote)
        case DeviceKind.CAMERA:
            from drivers.frames import CameraNote, CameraReason

            return Vocabulary(CameraReason, CameraNote)
        case DeviceKind.PAD:
            from drivers.pin_pad import PadNote, PadReason

            return Vocabulary(PadReason, PadNote)
        case DeviceKind.DISPENSER:
            from drivers.dispenser import DispenserNote, DispenserReason

            return Vocabulary(DispenserReason, DispenserNote)
        case DeviceKind.PRINTER:
            from drivers.document_printer import PrinterNote, PrinterReason

            return Vocabulary(PrinterReason, PrinterNote)
        case DeviceKind.RECEIPT:
            from drivers.receipt_printer import ReceiptNote, ReceiptReason

            return Vocabulary(ReceiptReason, ReceiptNote)
        case DeviceKind.SENSORS:
            from drivers.sensors import SensorsNote, SensorsReason

            return Vocabulary(SensorsReason, SensorsNote)
        case _:
            assert_never(kind)
