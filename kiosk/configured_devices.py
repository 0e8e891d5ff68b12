"""Every device that a configuration names, behind the one shape that all of them have."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from drivers.device import Device, DeviceKind, Status
from drivers.pin_pad import PadReason, PadStatus, PinPad
from drivers.reader_device import ReaderDevice
from kiosk.config import TerminalConfig
from kiosk.device_config import PadConfig, PadDriver
from kiosk.devices import (
    Readers,
    open_camera,
    open_dispenser,
    open_id_reader,
    open_pad,
    open_printer,
    open_readers,
    open_receipt,
    open_scanner,
    open_sensors,
)

if TYPE_CHECKING:
    from drivers.crt591.device import Crt591
    from drivers.frames import FrameSource


@dataclass(frozen=True)
class ConfiguredDevice:
    """One device of a configuration, not opened yet.

    Attributes:
        driver: as the configuration names it.
        address: port, source, URL or a part of a reader's name.
        open: makes the driver; each call makes another one.
    """

    kind: DeviceKind
    driver: str
    address: str
    open: Callable[[], Device]


class ConfiguredDevices(Mapping[DeviceKind, ConfiguredDevice]):
    """The devices of one configuration by kind, in the order of `DeviceKind`.

    What several of them share (card service, camera, dispenser) is opened once, at its first use,
    and closed by `close`.
    """

    def __init__(self, config: TerminalConfig) -> None:
        self._config = config
        self._readers: Readers | None = None
        self._camera: FrameSource | None = None
        self._dispenser: Crt591 | None = None
        self._lock = threading.Lock()
        found = {device.kind: device for device in self._of(config)}
        self._devices = {kind: found[kind] for kind in DeviceKind if kind in found}

    def __getitem__(self, kind: DeviceKind) -> ConfiguredDevice:
        return self._devices[kind]

    def __iter__(self) -> Iterator[DeviceKind]:
        return iter(self._devices)

    def __len__(self) -> int:
        return len(self._devices)

    def camera(self) -> FrameSource:
        """The camera, for all who look through it.

        Raises:
            LookupError: none is configured.
        """
        if self._config.camera is None:
            raise LookupError("no camera is configured")
        with self._lock:
            if self._camera is None:
                self._camera = open_camera(self._config.camera)
            return self._camera

    def dispenser(self) -> Crt591:
        """The dispenser, for who issues cards, reads them and looks at it: its port has one owner.

        Raises:
            LookupError: none is configured.
        """
        if self._config.dispenser is None:
            raise LookupError("no dispenser is configured")
        with self._lock:
            if self._dispenser is None:
                # Nobody waits longer for a card, which is given back the sooner.
                self._dispenser = open_dispenser(
                    self._config.dispenser, self._config.limits.card_deadline
                )
            return self._dispenser

    def close(self) -> None:
        """Close what is shared; the devices themselves are closed by who opened them."""
        with self._lock:
            readers, self._readers = self._readers, None
            camera, self._camera = self._camera, None
            dispenser, self._dispenser = self._dispenser, None
        if camera is not None:
            camera.close()
        if readers is not None:
            readers.service.stop()
        if dispenser is not None:
            dispenser.close()

    def _of(self, config: TerminalConfig) -> Iterator[ConfiguredDevice]:
        card = config.card
        yield ConfiguredDevice(
            DeviceKind.READER,
            card.driver.value,
            card.address,
            self._contact_slot,
        )
        if card.psam:
            yield ConfiguredDevice(
                DeviceKind.PSAM,
                card.driver.value,
                card.psam,
                self._psam_slot,
            )
        yield from _named(DeviceKind.ID_READER, config.id_reader, open_id_reader)
        yield from _named(
            DeviceKind.SCANNER,
            config.scanner,
            lambda scanner: open_scanner(scanner, self.camera),
        )
        yield from _named(DeviceKind.CAMERA, config.camera, lambda _camera: _Shared(self.camera()))
        yield from _named(DeviceKind.PAD, config.pad, self._pad)
        yield from _named(
            DeviceKind.DISPENSER, config.dispenser, lambda _dispenser: _Shared(self.dispenser())
        )
        yield from _named(DeviceKind.PRINTER, config.printer, open_printer)
        yield from _named(DeviceKind.RECEIPT, config.receipt, open_receipt)
        yield from _named(DeviceKind.SENSORS, config.sensors, open_sensors)

    def _contact_slot(self) -> Device:
        readers = self._service()
        return ReaderDevice(readers.service, readers.contact)

    def _psam_slot(self) -> Device:
        readers = self._service()
        return ReaderDevice(readers.service, readers.psam, keeps_card=True)

    def _pad(self, pad: PadConfig) -> Device:
        if pad.driver is PadDriver.CCID:
            return ReaderDevice(self._service().service, pad.reader)
        opened = open_pad(pad)
        return LoadedLater(opened) if pad.plain_key_load else opened

    def _service(self) -> Readers:
        shared = None if self._config.card.dispenser is None else self.dispenser()
        with self._lock:
            if self._readers is None:
                self._readers = open_readers(self._config.card, shared, takes_in=False)
                self._readers.service.start(lambda _event: None)
            return self._readers


class LoadedLater:
    """A demonstration's pad, whose master key is loaded when the first PIN is typed: that it has
    none before is no obstacle."""

    def __init__(self, pad: PinPad) -> None:
        self._pad = pad

    def status(self) -> PadStatus:
        status = self._pad.status()
        if status.reason is PadReason.NO_KEY:
            return dataclasses.replace(status, reason=None)
        return status

    def close(self) -> None:
        self._pad.close()


class _Shared:
    """A device that others use too: who looks at it alone does not close it."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def status(self) -> Status:
        return self._device.status()

    def close(self) -> None:
        pass


class _Section(Protocol):
    """A device's table of the configuration."""

    @property
    def driver(self) -> Enum: ...

    @property
    def address(self) -> str: ...


S = TypeVar("S", bound=_Section)


def _named(
    kind: DeviceKind, section: S | None, opener: Callable[[S], Device]
) -> Iterator[ConfiguredDevice]:
    if section is not None:
        yield ConfiguredDevice(
            kind, str(section.driver.value), section.address, partial(opener, section)
        )
