"""From a configuration to the devices that it names: the only place that knows the drivers."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import assert_never

from apdu.custodian import Custodian as KeyCustodian
from drivers.card_service import CardService
from drivers.code_scanner import CodeScanner
from drivers.document_printer import DocumentPrinter
from drivers.pin_pad import PinPad
from kiosk.card_station import PsamInReader
from kiosk.config import Custodian, TerminalConfig
from kiosk.device_config import (
    CardConfig,
    CardDriver,
    PadConfig,
    PrinterConfig,
    ScannerConfig,
)
from kiosk.platform.client import PlatformClient
from kiosk.platform.custodian import PlatformCustodian

_DIRECT_CONTACT = "Direct Contact Slot"
_DIRECT_PSAM = "Direct PSAM Slot"
_GONE_SECONDS = 30
"""A printer that says nothing for so long is not waited for, however patient we are with paper."""


@dataclass(frozen=True)
class Readers:
    """The card service and the parts of names that tell its readers apart."""

    service: CardService
    contact: str
    psam: str


def open_readers(card: CardConfig) -> Readers:
    """The card service of a configuration, not started yet."""
    match card.driver:
        case CardDriver.PCSC:
            if card.pcsc_socket:
                # libpcsclite reads it once, at its first use in the process.
                os.environ["PCSCLITE_CSOCK_NAME"] = card.pcsc_socket
            from drivers.pcsc.service import PcscService

            return Readers(PcscService(), card.contact_reader, card.psam_reader)
        case CardDriver.DIRECT:
            from drivers.direct import DirectService

            addresses = {_DIRECT_CONTACT: card.contact_address, _DIRECT_PSAM: card.psam_address}
            listening = {
                name: (address.host, address.port)
                for name, address in addresses.items()
                if address is not None
            }
            return Readers(DirectService(listening), _DIRECT_CONTACT, _DIRECT_PSAM)
        case _:
            assert_never(card.driver)


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
    """The pad of a configuration, opened at its first use."""
    from drivers.szzt import SzztPinPad

    return SzztPinPad(pad.port, pad.baud)


def open_scanner(scanner: ScannerConfig) -> CodeScanner:
    """The code scanner of a configuration, opened at its first use."""
    from drivers.gm65 import Gm65Scanner

    return Gm65Scanner(scanner.port, scanner.baud)


def open_printer(printer: PrinterConfig) -> DocumentPrinter:
    """The document printer of a configuration; nothing is asked of it yet."""
    from drivers.ipp_printer import IppPrinter
    from drivers.ipp_watch import IppPatience

    patience = IppPatience(obstacle=printer.patience, gone=min(printer.patience, _GONE_SECONDS))
    tls = None
    if printer.ca_file is not None:
        tls = ssl.create_default_context(cafile=printer.ca_file)
    return IppPrinter(printer.url, patience, tls)


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
