"""From a configuration to devices of one shape: each driver, with nothing at the far end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.card_services import CombinedCardServices
from drivers.crt591.cards import CONTACT, Crt591Cards
from drivers.device import Device, DeviceKind
from drivers.dispenser import DispenserReason
from drivers.pin_pad import PadIdentity, PadReason, PadStatus
from drivers.reader_device import SlotReason
from hw_sim.dispenser.device import DispenserDevice
from kiosk.config import load
from kiosk.configured_devices import ConfiguredDevices, LoadedLater
from kiosk.device_config import DispenserConfig, DispenserDriver
from kiosk.devices import open_dispenser, open_readers, open_receipt
from kiosk.limits import Limits
from tests.kiosk.test_config_file import DEMO, write

NO_READERS = DEMO.replace(
    'driver = "pcsc"\ncontact_reader = "Yikatong Contact Reader"\n'
    'psam_reader = "Yikatong PSAM Slot"',
    'driver = "direct"\ncontact_address = "127.0.0.1:PORT0"\npsam_address = "127.0.0.1:PORT1"',
).replace('[pad]\nport = "/dev/ttyS1"\nbaud = 9600\n', "")

TABLES = {
    DeviceKind.ID_READER: ["[id_reader]\nport = 'NONE'"],
    DeviceKind.SCANNER: [
        "[scanner]\nport = 'NONE'",
        "[scanner]\ndriver = 'hid'\ndevice = 'NONE'",
        "[scanner]\ndriver = 'camera'\n[camera]\nsource = 'NONE'",
    ],
    DeviceKind.CAMERA: ["[camera]\nsource = 'NONE'", "[camera]\nsource = 'http://127.0.0.1:9/x'"],
    DeviceKind.PAD: ["[pad]\nport = 'NONE'", "[pad]\ndriver = 'ccid'\nreader = 'None'"],
    DeviceKind.DISPENSER: ["[dispenser]\nport = 'NONE'"],
    DeviceKind.PRINTER: [
        "[printer]\nurl = 'ipp://127.0.0.1:9/ipp/print'",
        "[printer]\ndriver = 'cups'\nqueue = 'none'\nserver = '127.0.0.1:9'",
    ],
    DeviceKind.RECEIPT: ["[receipt]\naddress = 'NONE'", "[receipt]\naddress = 'tcp://127.0.0.1:9'"],
    DeviceKind.SENSORS: [
        "[sensors]\nport = 'NONE'",
        "[sensors]\ndriver = 'gpio'\nchip = 'NONE'\nlines = { tamper = 1 }",
    ],
}


def configured(folder: Path, tables: str) -> ConfiguredDevices:
    text = NO_READERS + tables.replace("NONE", str(folder / "none")) + "\n"
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        for place, server in enumerate((one, two)):
            text = text.replace(f"PORT{place}", str(server.getsockname()[1]))
    return ConfiguredDevices(load(write(folder, text)))


def test_every_kind_but_the_slots_has_a_table() -> None:
    assert set(TABLES) == set(DeviceKind) - {DeviceKind.READER, DeviceKind.PSAM}


@pytest.mark.parametrize(
    ("kind", "table"), [(kind, table) for kind, tables in TABLES.items() for table in tables]
)
def test_a_device_that_is_not_there_is_gone(tmp_path: Path, kind: DeviceKind, table: str) -> None:
    devices = configured(tmp_path, table)
    try:
        device: Device = devices[kind].open()
        status = device.status()
        assert status.reason is not None
        assert status.reason.value == "gone"
        device.close()
        device.close()
    finally:
        devices.close()
        devices.close()


def test_slots_come_from_one_card_service(tmp_path: Path) -> None:
    devices = configured(tmp_path, "")
    assert list(devices) == [DeviceKind.READER, DeviceKind.PSAM]
    try:
        reader: Any = devices[DeviceKind.READER].open().status()
        psam: Any = devices[DeviceKind.PSAM].open().status()
    finally:
        devices.close()
    assert (reader.reason, reader.card) == (None, False)
    assert psam.reason is SlotReason.EMPTY


def test_they_come_in_the_order_of_kinds_with_driver_and_place(tmp_path: Path) -> None:
    tables = "\n".join(tables[0] for tables in TABLES.values())
    devices = configured(tmp_path, tables)
    assert list(devices) == list(DeviceKind)
    assert len(devices) == len(DeviceKind)
    shown = {kind.value: (each.driver, each.address) for kind, each in devices.items()}
    assert shown["id-reader"] == ("sam-v", str(tmp_path / "none"))
    assert shown["printer"] == ("ipp", "ipp://127.0.0.1:9/ipp/print")
    assert shown["dispenser"][0] == "crt-591"


def test_who_looks_through_the_camera_shares_it(tmp_path: Path) -> None:
    devices = configured(tmp_path, "[scanner]\ndriver = 'camera'\n[camera]\nsource = 'NONE'")
    assert devices.camera() is devices.camera()
    devices.close()


def test_no_camera_is_shared_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        configured(tmp_path, "").camera()


class Pad:
    def __init__(self, status: PadStatus) -> None:
        self._status = status

    def status(self) -> PadStatus:
        return self._status


@pytest.mark.parametrize("reason", [None, *PadReason])
def test_a_demonstrations_pad_gets_its_key_later(reason: PadReason | None) -> None:
    identity = PadIdentity("ZT598", "1", "2", "3")
    pad: Any = LoadedLater(Pad(PadStatus(reason, identity=identity)))  # type: ignore[arg-type]
    expected = None if reason is PadReason.NO_KEY else reason
    assert pad.status() == PadStatus(expected, identity=identity)


@pytest.mark.parametrize(
    ("full", "eject", "expected"),
    [
        ("1", 0x39, ("1", "0", 0x39, 0x30)),
        ("0", 0x30, ("0", "1", 0x30, 0x39)),
        (None, None, ("1", "0", 0x39, 0x30)),
    ],
)
def test_what_sources_disagree_about_reaches_the_dispenser(
    monkeypatch: pytest.MonkeyPatch, full: str | None, eject: int | None, expected: Any
) -> None:
    made: list[Any] = []
    monkeypatch.setattr("drivers.crt591.device.Crt591", lambda *given: made.append(given[3]))
    open_dispenser(DispenserConfig(DispenserDriver.CRT_591, "/none", 9600, full, eject))
    status, move = made[0]["status"], made[0]["move"]
    assert (status["bin_full"], status["bin_not_full"], move["eject"], move["hold"]) == expected


def test_how_a_dispenser_is_built_reaches_its_driver() -> None:
    built = DispenserConfig(
        DispenserDriver.CRT_591, "/none", 9600, stacker_used=False, sam_slots=3, switches=5
    )
    facts = open_dispenser(built).facts
    assert facts["status"]["stacker_used"] is False
    assert facts["sam"]["slots"] == 3
    assert facts["frame"]["address"] == 5
    plain = open_dispenser(DispenserConfig(DispenserDriver.CRT_591, "/none", 9600)).facts
    assert (plain["status"]["stacker_used"], plain["sam"]["slots"]) == (True, 1)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[DispenserDevice]:
    made = DispenserDevice(tmp_path / "none", move_seconds=0.0, seed=7)
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()


IN_DISPENSER = "[dispenser]\nport = 'NONE'"


def in_dispenser(folder: Path, psam: str = "") -> ConfiguredDevices:
    place = NO_READERS.index("driver = "), NO_READERS.index('psam_address = "127.0.0.1:PORT1"')
    text = NO_READERS[: place[0]] + f'driver = "dispenser"\n{psam}' + NO_READERS[place[1] :]
    text = text.replace('psam_address = "127.0.0.1:PORT1"', "")
    text += IN_DISPENSER.replace("NONE", str(folder / "none")) + "\n"
    return ConfiguredDevices(load(write(folder, text)))


def test_a_dispenser_is_reader_and_psam_and_its_port_is_opened_once(
    tmp_path: Path, machine: DispenserDevice
) -> None:
    devices = in_dispenser(tmp_path)
    assert list(devices) == [DeviceKind.READER, DeviceKind.PSAM, DeviceKind.DISPENSER]
    try:
        for kind in devices:
            device: Device = devices[kind].open()
            reason = device.status().reason
            # Its stacker is empty, which keeps nobody from being served.
            assert reason is (DispenserReason.STACKER_EMPTY if kind.value == "dispenser" else None)
            device.close()
        assert devices.dispenser() is devices.dispenser()
        assert devices.dispenser().times.card == Limits().card_deadline
        # Who only looks lets nobody insert a card.
        assert not machine.machine.entry
    finally:
        devices.close()


def test_a_psam_in_a_reader_of_its_own_beside_the_dispenser(tmp_path: Path) -> None:
    devices = in_dispenser(tmp_path, 'psam_reader = "SAM"')
    config = devices._config.card
    readers = open_readers(config)
    assert isinstance(readers.service, CombinedCardServices)
    assert (readers.contact, readers.psam) == (CONTACT, "SAM")
    cards = readers.service._services[0]
    assert isinstance(cards, Crt591Cards)
    assert list(cards._contacts) == [CONTACT]


def test_paper_and_signs_reach_the_receipt_printer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    monkeypatch.setattr(
        "drivers.escpos.printer.EscposPrinter", lambda *_, facts, baud: made.append((facts, baud))
    )
    text = DEMO + "[receipt]\naddress = '/none'\nbaud = 9600\nwidth_dots = 384\n"
    receipt = load(write(tmp_path, text + "encoding = 'gb18030'\n")).receipt
    assert receipt is not None
    open_receipt(receipt)
    facts, baud = made[0]
    assert (facts["paper"]["dots"], facts["paper"]["columns"]) == (384, 32)
    assert facts["text"]["four_bytes"] is True
    assert baud == 9600
