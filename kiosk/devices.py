"""From a configuration to the devices that it names: the only place that knows the drivers."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from apdu.custodian import Custodian as KeyCustodian
from drivers.card_service import CardService
from drivers.code_scanner import CodeScanner
from drivers.document_printer import DocumentPrinter
from drivers.pin_pad import PinPad
from kiosk.card_station import PsamInReader
from kiosk.config import Custodian, TerminalConfig
from kiosk.device_config import (
    CameraConfig,
    CameraDriver,
    CardConfig,
    CardDriver,
    DispenserConfig,
    DispenserDriver,
    Encoding,
    IdReaderConfig,
    IdReaderDriver,
    PadConfig,
    PadDriver,
    PrinterConfig,
    PrinterDriver,
    ReceiptConfig,
    ReceiptDriver,
    ScannerConfig,
    ScannerDriver,
    SensorsConfig,
    SensorsDriver,
)
from kiosk.platform.client import PlatformClient
from kiosk.platform.custodian import PlatformCustodian

if TYPE_CHECKING:
    # Those of the camera need numpy.
    from drivers.crt591.device import Crt591
    from drivers.frames import FrameSource
    from drivers.id_reader import IdReader
    from drivers.receipt_printer import ReceiptPrinter
    from drivers.sensors import Sensors

_DIRECT_CONTACT = "Direct Contact Slot"
_DIRECT_PSAM = "Direct PSAM Slot"
_GONE_SECONDS = 30
"""A printer that says nothing for so long is not waited for, however patient we are with paper."""
_RECEIPT_COLUMN = 12
"""Dots of an ASCII character in font A."""


@dataclass(frozen=True)
class Readers:
    """The card service and the parts of names that tell its readers apart."""

    service: CardService
    contact: str
    psam: str


def open_readers(
    card: CardConfig, dispenser: Crt591 | None = None, *, takes_in: bool = True
) -> Readers:
    """The card service of a configuration, not started yet.

    Args:
        dispenser: the one that others use too, where it is the reader; None for one of its own.
        takes_in: whether people may insert cards there.
    """
    match card.driver:
        case CardDriver.PCSC:
            return Readers(_pcsc(card), card.contact_reader, card.psam_reader)
        case CardDriver.DIRECT:
            from drivers.direct.service import DirectService

            addresses = {_DIRECT_CONTACT: card.contact_address, _DIRECT_PSAM: card.psam_address}
            listening = {
                name: (address.host, address.port)
                for name, address in addresses.items()
                if address is not None
            }
            return Readers(DirectService(listening), _DIRECT_CONTACT, _DIRECT_PSAM)
        case CardDriver.DISPENSER:
            return _in_dispenser(card, dispenser, takes_in=takes_in)
        case _:
            assert_never(card.driver)


def _pcsc(card: CardConfig) -> CardService:
    if card.pcsc_socket:
        # libpcsclite reads it once, at its first use in the process.
        os.environ["PCSCLITE_CSOCK_NAME"] = card.pcsc_socket
    from drivers.pcsc.service import PcscService

    return PcscService()


def _in_dispenser(card: CardConfig, shared: Crt591 | None, *, takes_in: bool) -> Readers:
    """Residents' cards in the dispenser; the PSAM in one of its SAM slots or in a PC/SC reader."""
    from drivers.card_services import CombinedCardServices
    from drivers.crt591.cards import CONTACT, SAM, Crt591Cards

    if card.dispenser is None:
        raise ValueError("the reader of this configuration is no dispenser")
    dispenser = shared or open_dispenser(card.dispenser)
    if not card.psam_in_dispenser:
        # A part such as "SAM" means the PC/SC reader, never a slot of the dispenser.
        cards = Crt591Cards(dispenser, takes_in=takes_in, sams=False)
        return Readers(CombinedCardServices(cards, _pcsc(card)), CONTACT, card.psam_reader)
    psam = (card.psam_reader or SAM) if dispenser.facts["sam"]["slots"] else ""
    return Readers(Crt591Cards(dispenser, takes_in=takes_in), CONTACT, psam)


def custodians(
    config: TerminalConfig, readers: Readers, client: PlatformClient | None
) -> tuple[KeyCustodian, ...]:
    """The keepers of card keys, in the configured order, without those this terminal lacks."""
    found: list[KeyCustodian] = []
    for custodian in config.custodians:
        match custodian:
            case Custodian.PSAM:
                if readers.psam:
                    found.append(PsamInReader(readers.service, readers.psam))
            case Custodian.PLATFORM:
                if client is not None:
                    found.append(PlatformCustodian(client))
            case _:
                assert_never(custodian)
    return tuple(found)


def open_pad(pad: PadConfig) -> PinPad:
    """The pad of a configuration, opened at its first use.

    Raises:
        ValueError: its keys are those of a card reader, which is no device of its own.
    """
    from drivers.szzt.pad import SzztPinPad

    if pad.driver is PadDriver.CCID:
        raise ValueError("a reader's own keys are reached through the card in it")
    return SzztPinPad(pad.port, pad.baud)


def open_id_reader(reader: IdReaderConfig) -> IdReader:
    """The resident ID reader of a configuration, opened at its first use."""
    from drivers.sam_v.reader import SamVReader

    match reader.driver:
        case IdReaderDriver.SAM_V:
            return SamVReader(reader.port, reader.baud)
        case _:
            assert_never(reader.driver)


def open_camera(camera: CameraConfig) -> FrameSource:
    """The camera of a configuration, opened at its first use; who else looks through it shares
    this one, as a camera has one owner."""
    from drivers.camera.live import Camera

    match camera.driver:
        case CameraDriver.OPENCV:
            return Camera(camera.source)
        case _:
            assert_never(camera.driver)


def open_scanner(
    scanner: ScannerConfig, camera: Callable[[], FrameSource] | None = None
) -> CodeScanner:
    """The code scanner of a configuration, opened at its first use.

    Args:
        camera: gives the camera that is shared, for a scanner that is one.
    """
    match scanner.driver:
        case ScannerDriver.GM65:
            from drivers.gm65.scanner import Gm65Scanner

            return Gm65Scanner(scanner.port, scanner.baud)
        case ScannerDriver.HID:
            from drivers.hid.scanner import HidScanner

            return HidScanner(scanner.port)
        case ScannerDriver.CAMERA:
            from drivers.camera.scanner import CameraScanner

            if camera is None:
                raise ValueError("no camera is configured")
            return CameraScanner(camera())
        case _:
            assert_never(scanner.driver)


def open_dispenser(dispenser: DispenserConfig, card_seconds: float | None = None) -> Crt591:
    """The card dispenser of a configuration, opened at its first use.

    Args:
        card_seconds: how long a card may take for one command; None for as long as any may.
    """
    from drivers.crt591.device import Crt591, crt591_facts
    from drivers.crt591.line import Crt591Times

    times = Crt591Times() if card_seconds is None else Crt591Times(card=card_seconds)
    facts = crt591_facts()
    if dispenser.full_bin_char is not None:
        full = dispenser.full_bin_char
        facts["status"] |= {"bin_full": full, "bin_not_full": "0" if full == "1" else "1"}
    if dispenser.eject_pm is not None:
        # Who ejects by the one holds at the gate by the other.
        hold = 0x39 if dispenser.eject_pm == 0x30 else 0x30
        facts["move"] |= {"eject": dispenser.eject_pm, "hold": hold}
    if dispenser.stacker_used is not None:
        facts["status"] |= {"stacker_used": dispenser.stacker_used}
    if dispenser.sam_slots is not None:
        facts["sam"] |= {"slots": dispenser.sam_slots}
    if dispenser.switches is not None:
        facts["frame"] |= {"address": dispenser.switches}
    match dispenser.driver:
        case DispenserDriver.CRT_591:
            return Crt591(dispenser.port, dispenser.baud, times, facts)
        case _:
            assert_never(dispenser.driver)


def open_printer(printer: PrinterConfig) -> DocumentPrinter:
    """The document printer of a configuration; nothing is asked of it yet."""
    from drivers.ipp.watch import IppPatience

    patience = IppPatience(obstacle=printer.patience, gone=min(printer.patience, _GONE_SECONDS))
    match printer.driver:
        case PrinterDriver.IPP:
            from drivers.ipp.printer import IppPrinter

            tls = None
            if printer.ca_file is not None:
                tls = ssl.create_default_context(cafile=printer.ca_file)
            return IppPrinter(printer.url, patience, tls)
        case PrinterDriver.CUPS:
            from drivers.cups.printer import CupsPrinter

            return CupsPrinter(printer.queue, patience, printer.server)
        case _:
            assert_never(printer.driver)


def open_receipt(receipt: ReceiptConfig) -> ReceiptPrinter:
    """The receipt printer of a configuration, opened at its first use."""
    from drivers.escpos.printer import EscposPrinter, escpos_facts

    facts = escpos_facts()
    dots = receipt.width.value
    facts["paper"] |= {"dots": dots, "columns": dots // _RECEIPT_COLUMN}
    facts["text"] |= {"four_bytes": receipt.encoding is Encoding.GB18030}
    match receipt.driver:
        case ReceiptDriver.ESCPOS:
            return EscposPrinter(receipt.address, facts=facts, baud=receipt.baud)
        case _:
            assert_never(receipt.driver)


def open_sensors(sensors: SensorsConfig) -> Sensors:
    """The sensors and lights of a configuration, opened at their first use."""
    match sensors.driver:
        case SensorsDriver.BOARD:
            from drivers.sensor_board.board import SensorBoard

            return SensorBoard(sensors.port, sensors.baud)
        case SensorsDriver.GPIO:
            from drivers.sensor_gpio import SensorGpio

            return SensorGpio(sensors.chip, sensors.lines, active_low=sensors.active_low)
        case _:
            assert_never(sensors.driver)


def pad_master_key(pad: PadConfig) -> bytearray:
    """The pad's master key from its file, in a buffer that the caller wipes.

    Raises:
        OSError, ValueError: the file is missing or holds no hex.
    """
    if pad.master_key_file is None:
        raise ValueError("no master key file is configured")
    text = bytearray(pad.master_key_file.read_bytes().strip())
    key = bytearray(len(text) // 2)
    try:
        for index in range(len(key)):
            key[index] = int(text[2 * index : 2 * index + 2], 16)
        return key
    finally:
        text[:] = bytes(len(text))
