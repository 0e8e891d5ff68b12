"""Puts one terminal together from its configuration and state directory."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path

from drivers.device import Device, DeviceKind
from drivers.dispenser_release import ReleaseTimes
from drivers.reader_device import ReaderDevice
from drivers.receipt_printer import ReceiptPrinter
from drivers.watch import WatchTimes
from kiosk.alarms import Alarms
from kiosk.audit.log import AuditLog
from kiosk.audit.shipper import AuditShipper
from kiosk.capture import CaptureNews, CaptureRecord, CardReturn
from kiosk.card_station import CardStation
from kiosk.clock import Clock
from kiosk.code_station import CodeStation
from kiosk.config import ConfigError, TerminalConfig
from kiosk.configured_devices import ConfiguredDevices
from kiosk.courier import Courier
from kiosk.device_config import CardConfig, PadDriver, ScannerDriver
from kiosk.device_watch import DeviceLane, DeviceWatch, Watched
from kiosk.devices import (
    Readers,
    custodians,
    open_id_reader,
    open_pad,
    open_printer,
    open_readers,
    open_receipt,
    open_scanner,
    open_sensors,
    pad_master_key,
)
from kiosk.documents.composer import Composer
from kiosk.health_file import HEALTH_FILE, write_healths
from kiosk.id_station import IdStation
from kiosk.intents import Intents
from kiosk.issuing import Issuing
from kiosk.keys import KeyStore
from kiosk.lights import SlotLights
from kiosk.line import open_line
from kiosk.outbox import Outbox
from kiosk.pack import Pack, read_root
from kiosk.pack import load as load_pack
from kiosk.pad_station import PadStation
from kiosk.print_station import PrintStation
from kiosk.receipt_station import ReceiptStation
from kiosk.screens.presenter import Place, Presenter
from kiosk.services import ESTABLISHED
from kiosk.slot import Slot
from kiosk.state import StateDirectory
from kiosk.station import TAMPERED, Station
from kiosk.tamper_lock import TamperLock
from kiosk.texts import LANGUAGES, texts
from offline_queue.queue import Queue

log = logging.getLogger(__name__)

_PAD_SECONDS = 250
"""The pad's own limit for an entry (one byte on the wire); the visit's own time ends it before."""
_LANES = (DeviceKind.CAMERA, DeviceKind.DISPENSER)
"""Watched, and not used by a visit."""
_CAMERA_SECONDS = 30.0
"""Between two looks through a camera, which films for some seconds each time (mark I)."""


@dataclass(frozen=True)
class Terminal:
    """Everything of one terminal but its window and its threads.

    Attributes:
        card_return: how the dispenser gives cards back; None where people pull them out.
        lanes: devices that are watched, by kind, which are no station of the visits' own.
        devices: what they share.
    """

    station: Station
    readers: Readers
    presenter: Presenter
    intents: Intents
    queue: Queue
    courier: Courier
    card_return: CardReturn | None
    lanes: Mapping[DeviceKind, DeviceLane[Device]]
    devices: ConfiguredDevices

    def close(self) -> None:
        """Close what is open; the order is that of use."""
        station = self.station
        self.readers.service.stop()
        station.pad.close()
        if station.scanner is not None:
            station.scanner.close()
        if station.id_reader is not None:
            station.id_reader.close()
        if station.printer is not None:
            station.printer.close()
        for lane in self.lanes.values():
            lane.close()
        self.devices.close()
        station.composer.close()
        station.platform.close()
        self.queue.close()
        self.intents.close()
        station.audit.close()


def assemble(config: TerminalConfig, state: StateDirectory, clock: Clock) -> Terminal:
    """Load keys, pack, audit log and intents; make devices and the platform client.

    Raises:
        kiosk.config.ConfigError: the configuration names no pad that a terminal can use.
        kiosk.keys.KeyStoreError: not enrolled, or keys that others can read.
        kiosk.pack.PackError: the pack is not the one that was signed, or not valid today.
        kiosk.audit.log.AuditUnavailable: the terminal may not serve without its audit log.
        offline_queue.database.DatabaseError: the intents or the queue can't be trusted.
        offline_queue.errors.QueueError: the queue can't be opened, or not with these keys.
    """
    keys = KeyStore(state.keys).load()
    pack = load_pack(
        config.pack.folder,
        read_root(config.pack.root_key),
        today=date.fromtimestamp(clock.time()),
        services=ESTABLISHED,
    )
    audit = AuditLog(state.audit_log, keys.terminal_id, clock)
    audit.write(
        "terminal.started", detail={"version": version("yikatong-terminal"), "pid": os.getpid()}
    )
    audit.write("config.loaded", detail={"kind": config.kind.value})
    audit.write(
        "pack.loaded",
        detail={"pack": pack.name, "version": pack.version, "digest": pack.digest},
    )
    intents = Intents(state.intents, clock)
    client = open_line(config, keys, pack.envelope, clock=clock.time, monotonic=clock.monotonic)
    queue = Queue(state.queue, keys.queue_key, clock)
    outbox = Outbox(queue, keys.terminal_id, clock, os.urandom)
    alarms = Alarms(outbox, audit.write)
    alarms.tell_of_salvage(queue)
    issuing = Issuing(
        client,
        intents,
        pack.certificates.seals,
        keys.terminal_id,
        clock,
        audit.write,
        os.urandom,
    )
    courier = Courier(
        queue,
        client,
        AuditShipper(state.audit_log, outbox),
        record=audit.write,
        limits=config.limits,
        errand=issuing.settle_open,
    )
    outbox.changed = courier.wake
    devices = ConfiguredDevices(config)
    shared = None if config.card.dispenser is None else devices.dispenser()
    readers = open_readers(config.card, shared)
    stopping = threading.Event()
    card_return = None
    if shared is not None:
        card_return = CardReturn(
            shared,
            CaptureRecord(state.path, clock),
            _unheard,
            ReleaseTimes(patience=config.limits.card_offer_seconds),
            stopping,
        )
    lanes = {kind: DeviceLane(kind, devices[kind].open) for kind in _LANES if kind in devices}
    lights = None
    if config.sensors is not None:
        sensors = DeviceLane(DeviceKind.SENSORS, partial(open_sensors, config.sensors))
        lanes[DeviceKind.SENSORS], lights = sensors, SlotLights(sensors)
    receipt = None
    if config.receipt is not None:
        slips = DeviceLane(DeviceKind.RECEIPT, partial(open_receipt, config.receipt))
        lanes[DeviceKind.RECEIPT] = slips
        receipt = _receipt(config, pack, slips, audit)
    scanner = _scanner(config, devices)
    id_reader = _id_reader(config, clock)
    printer = _printer(config, intents, outbox, audit, keys.terminal_id, clock)
    pad = _pad(config, pack.limits["pin-length"].value)
    watched: dict[DeviceKind, Watched | None] = {
        DeviceKind.SCANNER: scanner,
        DeviceKind.ID_READER: id_reader,
        DeviceKind.PRINTER: printer,
        DeviceKind.PAD: pad,
        **_slots(config.card, readers),
        **lanes,
    }
    watch = DeviceWatch(
        {kind: device for kind, device in watched.items() if device is not None},
        clock,
        WatchTimes(steady=config.limits.device_retry),
        seldom=dict.fromkeys(_through_the_camera(config), _CAMERA_SECONDS),
    )
    # What a terminal before this one saw is no news.
    (state.path / HEALTH_FILE).unlink(missing_ok=True)
    tamper_lock = TamperLock(state.path, clock)
    station = Station(
        clock=clock,
        limits=config.limits,
        slot=Slot(readers.contact),
        cards=CardStation(
            readers.service,
            readers.contact,
            custodians(config, readers, client),
            random=os.urandom,
            give_back=card_return,
        ),
        pad=pad,
        platform=client,
        pack=pack,
        audit=audit,
        alarms=alarms,
        terminal_id=keys.terminal_id,
        outbox=outbox,
        issuing=issuing,
        composer=Composer(pack.certificates),
        subject_tag=keys.subject_tag,
        free_bytes=state.free_bytes,
        devices=watch,
        stopping=stopping,
        scanner=scanner,
        id_reader=id_reader,
        printer=printer,
        receipt=receipt,
        lights=lights,
        line_back=courier.hurry,
        devices_changed=lambda: _tell_health(state.path / HEALTH_FILE, watch),
        tampered=tamper_lock.lock,
        refusal=TAMPERED if tamper_lock.locked else None,
    )
    presenter = Presenter(
        Place(config.hall, config.machine, pack.texts["hotline"].zh),
        pack.limits["pin-length"].value,
    )
    return Terminal(
        station, readers, presenter, intents, queue, courier, card_return, lanes, devices
    )


def _unheard(news: CaptureNews) -> None:
    """Nobody gives cards back before there is a runner to tell."""
    log.error("nobody heard of %s", news)


def _through_the_camera(config: TerminalConfig) -> Iterator[DeviceKind]:
    yield DeviceKind.CAMERA
    if config.scanner is not None and config.scanner.driver is ScannerDriver.CAMERA:
        yield DeviceKind.SCANNER


def _tell_health(file: Path, watch: DeviceWatch) -> None:
    try:
        write_healths(file, watch.healths())
    except OSError:
        # Whoever asks sees that the terminal has the devices, and not how they stand.
        log.exception("how the devices stand can't be written down")


def _slots(card: CardConfig, readers: Readers) -> dict[DeviceKind, DeviceLane[Device]]:
    """The card slots that have no device around them that is watched itself."""
    found: dict[DeviceKind, DeviceLane[Device]] = {}
    if card.dispenser is None:
        contact = ReaderDevice(readers.service, readers.contact)
        found[DeviceKind.READER] = DeviceLane(DeviceKind.READER, lambda: contact)
    if readers.psam and not card.psam_in_dispenser:
        psam = ReaderDevice(readers.service, readers.psam, keeps_card=True)
        found[DeviceKind.PSAM] = DeviceLane(DeviceKind.PSAM, lambda: psam)
    return found


def _receipt(
    config: TerminalConfig, pack: Pack, slips: DeviceLane[ReceiptPrinter], audit: AuditLog
) -> ReceiptStation:
    language = next(iter(LANGUAGES))
    words = texts(language)
    return ReceiptStation(
        slips,
        words,
        place=words("slip.place", hall=config.hall.of(language), machine=config.machine),
        hotline=pack.texts["hotline"].of(language),
        record=audit.write,
    )


def _scanner(config: TerminalConfig, devices: ConfiguredDevices) -> CodeStation | None:
    scanner = config.scanner
    if scanner is None:
        return None
    return CodeStation(lambda: open_scanner(scanner, devices.camera))


def _id_reader(config: TerminalConfig, clock: Clock) -> IdStation | None:
    reader = config.id_reader
    if reader is None:
        return None
    return IdStation(lambda: open_id_reader(reader), lambda: clock.local().date())


def _printer(
    config: TerminalConfig,
    intents: Intents,
    outbox: Outbox,
    audit: AuditLog,
    terminal_id: str,
    clock: Clock,
) -> PrintStation | None:
    printer = config.printer
    if printer is None:
        return None
    return PrintStation(
        lambda: open_printer(printer),
        intents=intents,
        outbox=outbox,
        record=audit.write,
        terminal_id=terminal_id,
        clock=clock,
        random=os.urandom,
    )


def _pad(config: TerminalConfig, digits: int) -> PadStation:
    pad = config.pad
    if pad is None:
        raise ConfigError(config.file, "pad", "missing: residents type their PIN at a pad")
    if pad.driver is PadDriver.CCID:
        raise ConfigError(config.file, "pad.driver", "residents type their PIN at a pad of its own")
    return PadStation(
        lambda: open_pad(pad),
        lambda: pad_master_key(pad),
        load_master=pad.plain_key_load,
        length=(digits, digits),
        seconds=_PAD_SECONDS,
    )
