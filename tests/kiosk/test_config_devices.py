"""The devices' tables of the terminal configuration: every driver, every option, every refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.config import ConfigError, TerminalConfig, load
from kiosk.device_config import (
    CameraConfig,
    CameraDriver,
    CardDriver,
    DispenserConfig,
    DispenserDriver,
    Encoding,
    IdReaderConfig,
    IdReaderDriver,
    PadConfig,
    PadDriver,
    PaperWidth,
    PrinterConfig,
    PrinterDriver,
    ReceiptConfig,
    ReceiptDriver,
    ScannerConfig,
    ScannerDriver,
    SensorLines,
    SensorsConfig,
    SensorsDriver,
)
from tests.kiosk.test_config_file import DEMO, field, root_key, write

__all__ = ["field", "root_key"]

BARE = DEMO.replace('[pad]\nport = "/dev/ttyS1"\nbaud = 9600\n', "")


def loaded(folder: Path, tables: str) -> TerminalConfig:
    return load(write(folder, BARE + tables))


def test_nothing_is_there_that_is_not_named(tmp_path: Path) -> None:
    config = loaded(tmp_path, "")
    for name in ("id_reader", "scanner", "camera", "pad", "dispenser", "printer", "receipt"):
        assert getattr(config, name) is None, name
    assert config.sensors is None


@pytest.mark.parametrize(
    ("name", "table", "expected", "address"),
    [
        (
            "id_reader", 'port = "/dev/i"',
            IdReaderConfig(IdReaderDriver.SAM_V, "/dev/i", 115_200), "/dev/i",
        ),
        (
            "id_reader", 'driver = "sam-v"\nport = "/dev/i"\nbaud = 9600',
            IdReaderConfig(IdReaderDriver.SAM_V, "/dev/i", 9600), "/dev/i",
        ),
        (
            "scanner", 'port = "/dev/s"',
            ScannerConfig(ScannerDriver.GM65, "/dev/s", 9600), "/dev/s",
        ),
        (
            "scanner", 'driver = "hid"\ndevice = "/dev/input/event3"',
            ScannerConfig(ScannerDriver.HID, "/dev/input/event3"), "/dev/input/event3",
        ),
        (
            "scanner", 'driver = "camera"\n[camera]\nsource = "/dev/video0"',
            ScannerConfig(ScannerDriver.CAMERA, ""), "[camera]",
        ),
        (
            "camera", 'source = "/dev/video0"',
            CameraConfig(CameraDriver.OPENCV, "/dev/video0"), "/dev/video0",
        ),
        (
            "camera", 'source = "http://192.0.2.1:8081/face"',
            CameraConfig(CameraDriver.OPENCV, "http://192.0.2.1:8081/face"),
            "http://192.0.2.1:8081/face",
        ),
        (
            "pad", 'port = "/dev/p"\nplain_key_load = true',
            PadConfig(PadDriver.SZZT, "/dev/p", 9600, None, True), "/dev/p",
        ),
        (
            "pad", 'driver = "ccid"\nreader = "Pinpad"',
            PadConfig(PadDriver.CCID, "", 0, None, False, "Pinpad"), "Pinpad",
        ),
        (
            "dispenser", 'port = "/dev/d"',
            DispenserConfig(DispenserDriver.CRT_591, "/dev/d", 9600), "/dev/d",
        ),
        (
            "dispenser", 'port = "/dev/d"\nbaud = 115200\nfull_bin_char = "0"\neject_pm = "30"',
            DispenserConfig(DispenserDriver.CRT_591, "/dev/d", 115_200, "0", 0x30), "/dev/d",
        ),
        (
            "dispenser",
            'port = "/dev/d"\naddress = 15\nstacker_used = false\nsam_slots = 0',
            DispenserConfig(
                DispenserDriver.CRT_591, "/dev/d", 9600, None, None, False, 0, 15
            ),
            "/dev/d",
        ),
        (
            "printer", 'url = "ipp://p/ipp/print"\npatience = 9',
            PrinterConfig(PrinterDriver.IPP, "ipp://p/ipp/print", 9), "ipp://p/ipp/print",
        ),
        (
            "printer", 'driver = "cups"\nqueue = "Office_1"\nserver = "/run/cups/cups.sock"',
            PrinterConfig(PrinterDriver.CUPS, "", 60, None, "Office_1", "/run/cups/cups.sock"),
            "Office_1",
        ),
        (
            "receipt", 'address = "/dev/r"\nbaud = 9600\nwidth_dots = 384\nencoding = "gb18030"',
            ReceiptConfig(
                ReceiptDriver.ESCPOS, "/dev/r", 9600, PaperWidth.MM_58, Encoding.GB18030
            ),
            "/dev/r",
        ),
        (
            "receipt", 'address = "tcp://192.0.2.7:9100"',
            ReceiptConfig(ReceiptDriver.ESCPOS, "tcp://192.0.2.7:9100"), "tcp://192.0.2.7:9100",
        ),
        (
            "sensors", 'port = "/dev/b"',
            SensorsConfig(SensorsDriver.BOARD, "/dev/b", 9600), "/dev/b",
        ),
        (
            "sensors",
            'driver = "gpio"\nchip = "/dev/gpiochip0"\n[sensors.lines]\ndoor = 5\ntamper = 0\n'
            'active_low = ["tamper"]',
            SensorsConfig(
                SensorsDriver.GPIO,
                chip="/dev/gpiochip0",
                lines=SensorLines(door=5, tamper=0),
                active_low=frozenset({"tamper"}),
            ),
            "/dev/gpiochip0",
        ),
    ],
)  # fmt: skip
def test_every_driver(
    tmp_path: Path, name: str, table: str, expected: object, address: str
) -> None:
    config = getattr(loaded(tmp_path, f"[{name}]\n{table}\n"), name)
    assert config == expected
    assert config.address == address


@pytest.mark.parametrize(
    ("table", "key", "expected"),
    [
        ("[id_reader]\nbaud = 9600", "id_reader.port", "missing"),
        ('[id_reader]\ndriver = "x"\nport = "/d"', "id_reader.driver", '"sam-v"'),
        ('[id_reader]\nport = "/d"\nbaud = 1', "id_reader.baud", "1200..921600"),
        ('[scanner]\ndriver = "hid"\nport = "/d"', "scanner.device", "missing"),
        ('[scanner]\ndriver = "hid"\ndevice = "/d"\nbaud = 9600', "scanner.baud", "unknown"),
        ('[scanner]\ndriver = "camera"', "camera", "missing"),
        ('[scanner]\ndriver = "camera"\nport = "/d"\n[camera]\nsource = "/d"', "port", "unknown"),
        ('[camera]\nsource = "rtsp://h/x"', "camera.source", "/dev/video0 or"),
        ('[camera]\nsource = "https://h/x"', "camera.source", "/dev/video0 or"),
        ('[camera]\nsource = "http://u:p@h/x"', "camera.source", "/dev/video0 or"),
        ('[camera]\nsource = "http://h:port/x"', "camera.source", "no URL"),
        ('[camera]\nsource = ""', "camera.source", "not empty"),
        ('[pad]\ndriver = "ccid"', "pad.reader", "missing"),
        ('[pad]\ndriver = "ccid"\nreader = "R"\nport = "/d"', "pad.port", "unknown"),
        ('[dispenser]\nport = "/d"\nfull_bin_char = "2"', "full_bin_char", '"0" or "1"'),
        ('[dispenser]\nport = "/d"\nfull_bin_char = 1', "full_bin_char", "found a whole number"),
        ('[dispenser]\nport = "/d"\neject_pm = "31"', "dispenser.eject_pm", '"30" or "39"'),
        ('[printer]\ndriver = "cups"', "printer.queue", "missing"),
        ('[printer]\ndriver = "cups"\nqueue = "a b"', "printer.queue", "name of a CUPS queue"),
        ('[printer]\ndriver = "cups"\nqueue = "q"\nurl = "ipp://p/"', "printer.url", "unknown"),
        ('[receipt]\naddress = "tcp://h"', "receipt.address", "tcp://host:9100"),
        ('[receipt]\naddress = "tcp://h:9100/x"', "receipt.address", "tcp://host:9100"),
        ('[receipt]\naddress = "tcp://h:99999"', "receipt.address", "tcp://host:9100"),
        ('[receipt]\naddress = "udp://h:9100"', "receipt.address", "tcp://host:9100"),
        ('[receipt]\naddress = "tcp://h:9100"\nbaud = 9600', "receipt.baud", "unknown"),
        ('[receipt]\naddress = "/d"\nwidth_dots = 500', "receipt.width_dots", "576 or 384"),
        ('[receipt]\naddress = "/d"\nencoding = "big5"', "receipt.encoding", '"gb18030"'),
        ('[sensors]\ndriver = "gpio"\nport = "/d"', "sensors.chip", "missing"),
        ('[sensors]\ndriver = "gpio"\nchip = "/d"', "sensors.lines", "missing"),
        ('[sensors]\ndriver = "gpio"\nchip = "/d"\nlines = {}', "lines.door", "at least one"),
        (
            '[sensors]\ndriver = "gpio"\nchip = "/d"\nlines = { door = 1, tamper = 1 }',
            "lines.tamper", "same offset as door",
        ),
        (
            '[sensors]\ndriver = "gpio"\nchip = "/d"\nlines = { dor = 1 }',
            "sensors.lines.dor", "unknown",
        ),
        (
            '[sensors]\ndriver = "gpio"\nchip = "/d"\nlines = { door = 512 }',
            "sensors.lines.door", "0..511",
        ),
        (
            '[sensors]\ndriver = "gpio"\nchip = "/d"\nlines = { door = 1, active_low = ["x"] }',
            "sensors.lines.active_low", "none of the lines",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, table: str, key: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, table + "\n")
    assert caught.value.key.endswith(key)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ('[camera]\nsource = "http://192.0.2.1/x"', "camera.source"),
        ('[id_reader]\nport = "/tmp/id-reader"', "id_reader.port"),
        ('[id_reader]\nport = "/dev/pts/3"', "id_reader.port"),
        ('[id_reader]\nport = "/dev/../dev/pts/3"', "id_reader.port"),
        ('[scanner]\nport = "/dev/../tmp/scanner"', "scanner.port"),
        ('[scanner]\ndriver = "hid"\ndevice = "/tmp/fifo"', "scanner.device"),
        ('[camera]\nsource = "film.mp4"', "camera.source"),
        ('[dispenser]\nport = "dispenser"', "dispenser.port"),
        ('[receipt]\naddress = "/tmp/receipt"', "receipt.address"),
        ('[sensors]\nport = "/tmp/sensors"', "sensors.port"),
        ('[sensors]\ndriver = "gpio"\nchip = "/tmp/c"\nlines = { door = 1 }', "sensors.chip"),
    ],
)
def test_a_field_configuration_refuses_what_a_demo_may(
    tmp_path: Path, field: str, table: str, key: str
) -> None:
    loaded(tmp_path, table + "\n")
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, field + table + "\n"))
    assert caught.value.key == key


def test_the_field_takes_devices_and_a_stream_of_its_own(tmp_path: Path, field: str) -> None:
    tables = (
        '[camera]\nsource = "http://127.0.0.1:8081/x"\n'
        '[id_reader]\nport = "/dev/yikatong/id-reader"\n'
        '[receipt]\naddress = "tcp://192.0.2.7:9100"\n'
    )
    config = load(write(tmp_path, field + tables))
    assert config.camera is not None and config.id_reader is not None


READER = """driver = "pcsc"
contact_reader = "Yikatong Contact Reader"
psam_reader = "Yikatong PSAM Slot"
"""
IN_DISPENSER = BARE.replace(READER, 'driver = "dispenser"\n')


@pytest.mark.parametrize(
    ("card", "slots", "psam", "inside"),
    [
        ("", "", "[dispenser]", True),
        ("", "sam_slots = 0", "", True),
        ('psam_reader = "CRT-591 SAM 2"', "sam_slots = 2", "[dispenser]", True),
        ('psam_reader = "SAM"', "", "SAM", False),
    ],
)
def test_a_dispenser_as_the_reader(
    tmp_path: Path, card: str, slots: str, psam: str, inside: bool
) -> None:
    text = IN_DISPENSER.replace('driver = "dispenser"', f'driver = "dispenser"\n{card}')
    config = load(write(tmp_path, text + f'[dispenser]\nport = "/dev/d"\n{slots}\n'))
    assert config.card.driver is CardDriver.DISPENSER
    assert config.card.dispenser is config.dispenser is not None
    assert (config.card.address, config.card.psam) == ("[dispenser]", psam)
    assert config.card.psam_in_dispenser is inside


def test_a_dispenser_that_is_no_reader_stays_out_of_the_cards_table(tmp_path: Path) -> None:
    card = loaded(tmp_path, '[dispenser]\nport = "/dev/d"\n').card
    assert card.dispenser is None
    assert (card.address, card.psam) == ("Yikatong Contact Reader", "Yikatong PSAM Slot")
    assert not card.psam_in_dispenser


@pytest.mark.parametrize(
    ("card", "tables", "where"),
    [
        ("", "", "card.driver"),
        ('contact_reader = "Contact"', '[dispenser]\nport = "/dev/d"', "card.contact_reader"),
        ("", '[dispenser]\nport = "/dev/d"\naddress = 16', "dispenser.address"),
        ("", '[dispenser]\nport = "/dev/d"\nsam_slots = 6', "dispenser.sam_slots"),
        ("", '[dispenser]\nport = "/dev/d"\nstacker_used = 1', "dispenser.stacker_used"),
    ],
)
def test_what_a_dispenser_as_the_reader_may_not_say(
    tmp_path: Path, card: str, tables: str, where: str
) -> None:
    text = IN_DISPENSER.replace('driver = "dispenser"', f'driver = "dispenser"\n{card}')
    with pytest.raises(ConfigError, match=where):
        load(write(tmp_path, f"{text}{tables}\n"))
