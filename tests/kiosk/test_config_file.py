"""The terminal configuration: strict, and stricter in the field."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from apdu.crypto import sm2
from hw_sim.hall import terminal as hall_side
from kiosk.config import (
    DEMO_ROOT_KEY,
    DEMO_STATE,
    FIELD_STATE,
    ConfigError,
    Custodian,
    Kind,
    load,
)
from kiosk.device_config import (
    Address,
    CardDriver,
    PrinterConfig,
    PrinterDriver,
    ScannerConfig,
    ScannerDriver,
)
from kiosk.limits import Limits
from tests.hw_sim import desk_facts

DEMO = """
kind = "demo"
division = "429900"
machine = 3
custodians = ["psam", "platform"]
hall = { zh = "江城市人社服务大厅", en = "Jiangcheng service hall" }
place = { zh = "一楼自助区", en = "Ground floor" }

[pack]
name = "demo"

[screen]
width = 1080
height = 1920
density_ppi = 102.5

[card]
driver = "pcsc"
contact_reader = "Yikatong Contact Reader"
psam_reader = "Yikatong PSAM Slot"

[pad]
port = "/dev/ttyS1"
baud = 9600

[platform]
url = "http://127.0.0.1:8080"
"""


@pytest.fixture
def root_key(tmp_path: Path) -> Path:
    file = tmp_path / "root.pem"
    file.write_text(sm2.generate().public_key().to_pem())
    return file


@pytest.fixture
def field(root_key: Path) -> str:
    text = DEMO.replace('kind = "demo"', 'kind = "field"')
    text = text.replace('name = "demo"', 'name = "demo"\nroot_key = "root.pem"')
    return text.replace("http://127.0.0.1:8080", "https://platform.example")


def write(folder: Path, text: str) -> Path:
    file = folder / "terminal.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_demo_configuration(tmp_path: Path) -> None:
    config = load(write(tmp_path, DEMO))
    assert config.kind is Kind.DEMO
    assert (config.hall.zh, config.hall.of("en-US")) == (
        "江城市人社服务大厅",
        "Jiangcheng service hall",
    )
    assert config.state == DEMO_STATE
    assert config.pack.root_key == DEMO_ROOT_KEY
    assert config.pack.folder.name == "demo"
    assert config.card.driver is CardDriver.PCSC
    assert config.custodians == (Custodian.PSAM, Custodian.PLATFORM)
    assert config.limits == Limits()
    assert config.pad is not None and config.pad.master_key_file is None


def test_scanner_and_printer_are_there_when_they_are_named(tmp_path: Path) -> None:
    bare = load(write(tmp_path, DEMO))
    assert bare.scanner is None
    assert bare.printer is None
    devices = '\n[scanner]\nport = "/dev/ttyS2"\n[printer]\nurl = "ipps://p.example/ipp/print"\n'
    config = load(write(tmp_path, DEMO + devices))
    assert config.scanner == ScannerConfig(ScannerDriver.GM65, "/dev/ttyS2", 9600)
    assert config.printer == PrinterConfig(PrinterDriver.IPP, "ipps://p.example/ipp/print")


def test_a_field_configuration(tmp_path: Path, field: str) -> None:
    config = load(write(tmp_path, field))
    assert config.kind is Kind.FIELD
    assert config.state == FIELD_STATE
    assert config.pack.root_key == tmp_path / "root.pem"


def test_the_environment_overrides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load(write(tmp_path, DEMO))
    for name in ("KIND", "STATE", "YIKATONG_STATE", "PLATFORM_URL"):
        monkeypatch.setenv(name, "elsewhere")
    assert load(tmp_path / "terminal.toml") == before


def test_limits_are_changed_by_name(tmp_path: Path) -> None:
    config = load(write(tmp_path, DEMO + "\n[limits]\nidle_seconds = 0.05\nfree_bytes = 7\n"))
    assert config.limits == dataclasses.replace(Limits(), idle_seconds=0.05, free_bytes=7)


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ('kind = "demo"', 'kind = "toy"', "kind", '"demo", "field"'),
        ('kind = "demo"', "", "kind", "missing"),
        ('"429900"', '"4299"', "division", "6 digits"),
        ('"429900"', "429900", "division", "expected a text, found a whole number"),
        ("machine = 3", "machine = true", "machine", "found true or false"),
        ("machine = 3", "machine = 0", "machine", "1..9999"),
        ("machine = 3", "machine = 3\nmachin = 4", "machin", "unknown key"),
        ('["psam", "platform"]', '["psam", "hsm"]', "custodians", '"hsm"'),
        ('["psam", "platform"]', '["psam", "psam"]', "custodians", "twice"),
        ('["psam", "platform"]', "[]", "custodians", "at least one"),
        (', en = "Ground floor"', "", "place.en", "missing"),
        ('en = "Ground floor"', 'en = ""', "place.en", "not empty"),
        ("width = 1080", "width = 108000", "screen.width", "320..8192"),
        ("density_ppi = 102.5", "density_ppi = nan", "screen.density_ppi", "expected"),
        ("density_ppi = 102.5", "", "screen.density_ppi", "missing"),
        ('driver = "pcsc"', 'driver = "usb"', "card.driver", '"pcsc"'),
        ('contact_reader = "Yikatong Contact Reader"', "", "card.contact_reader", "missing"),
        ('driver = "pcsc"', 'driver = "direct"', "card.contact_address", "missing"),
        ("baud = 9600", 'baud = "9600"', "pad.baud", "whole number"),
        ("baud = 9600", 'master_key_file = "no.hex"', "pad.master_key_file", "no file"),
        ('name = "demo"', 'name = "../demo"', "pack.name", "small letters"),
        ('name = "demo"', "", "pack.name", "either"),
        ('name = "demo"', 'name = "demo"\nroot_key = "no.pem"', "pack.root_key", "no file"),
        ("http://127.0.0.1:8080", "ftp://127.0.0.1", "platform.url", "https://"),
        ("http://127.0.0.1:8080", "https://h/", "platform.url", "no / at the end"),
        ("http://127.0.0.1:8080", "https://h:port", "platform.url", "no URL"),
        ("[platform]", "[limits]\nidle = 1\n[platform]", "limits.idle", "idle_seconds"),
        ("[platform]", "[limits]\nidle_seconds = -1\n[platform]", "idle_seconds", "0.01"),
        ("machine = 3", "machine = 3\nlimits = 3", "limits", "found a whole number"),
        ("[platform]", "[scanner]\nbaud = 9600\n[platform]", "scanner.port", "missing"),
        ("[platform]", '[scanner]\nport = "/dev/s"\nspeed = 1\n[platform]', "speed", "unknown"),
        ("[platform]", '[printer]\nurl = "http://p/ipp"\n[platform]', "printer.url", "ipp://"),
        ("[platform]", '[printer]\nurl = "ipp://a@p/ipp"\n[platform]', "printer.url", "ipp://"),
        ("[platform]", '[printer]\nurl = "ipp://p:x/ipp"\n[platform]', "printer.url", "no URL"),
        (
            "[platform]",
            '[printer]\nurl = "ipps://p/ipp"\nca_file = "no.pem"\n[platform]',
            "printer.ca_file",
            "no file",
        ),
        (
            "[platform]",
            '[printer]\nurl = "ipp://p/ipp"\npatience = 0\n[platform]',
            "printer.patience",
            "0.1..600",
        ),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, old: str, new: str, key: str, expected: str
) -> None:
    assert old in DEMO
    file = write(tmp_path, DEMO.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.key.endswith(key)
    assert str(file) in str(caught.value)
    assert expected in str(caught.value)


def test_a_missing_or_broken_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="not TOML"):
        load(write(tmp_path, "kind = "))
    (tmp_path / "gbk.toml").write_bytes("hall = '江城'".encode("gbk"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "gbk.toml")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (
            'driver = "pcsc"\ncontact_reader = "Yikatong Contact Reader"\n'
            'psam_reader = "Yikatong PSAM Slot"',
            'driver = "direct"\ncontact_address = "127.0.0.1:9001"',
            "card.driver",
        ),
        ("psam_reader", 'pcsc_socket = "/run/x"\npsam_reader', "card.pcsc_socket"),
        ("https://platform.example", "http://platform.example", "platform.url"),
        ("baud = 9600", "plain_key_load = true", "pad.plain_key_load"),
        ('root_key = "root.pem"', "", "pack.root_key"),
        ('root_key = "root.pem"', 'root_key = "copied.pem"', "pack.root_key"),
        ('root_key = "root.pem"', 'root_key = "terminal.toml"', "pack.root_key"),
    ],
)
def test_a_field_configuration_refuses_what_a_demo_may(
    tmp_path: Path, field: str, old: str, new: str, key: str
) -> None:
    (tmp_path / "copied.pem").write_text("a copy under another name\n" + DEMO_ROOT_KEY.read_text())
    assert old in field
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, field.replace(old, new, 1)))
    assert caught.value.key == key


def test_loopback_http_is_allowed_in_the_field(tmp_path: Path, field: str) -> None:
    for host in ("127.0.0.1:1", "localhost", "[::1]:8080"):
        text = field.replace("https://platform.example", f"http://{host}")
        assert load(write(tmp_path, text)).platform.url.endswith(host)


def test_the_direct_driver_listens_on_loopback_only(tmp_path: Path) -> None:
    direct = DEMO.replace('driver = "pcsc"', 'driver = "direct"')
    direct = direct.replace(
        'contact_reader = "Yikatong Contact Reader"', "contact_address = 'HERE'"
    )
    direct = direct.replace('psam_reader = "Yikatong PSAM Slot"', "")
    config = load(write(tmp_path, direct.replace("HERE", "127.0.0.1:9001")))
    assert config.card.contact_address == Address("127.0.0.1", 9001)
    assert config.card.psam_address is None
    for wrong in ("0.0.0.0:9001", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000"):
        with pytest.raises(ConfigError, match="contact_address"):
            load(write(tmp_path, direct.replace("HERE", wrong)))


@pytest.mark.parametrize("walk", [False, True])
@pytest.mark.parametrize("direct", [None, {"contact": "127.0.0.1:9001", "psam": "127.0.0.1:9002"}])
def test_what_the_demonstration_writes_is_accepted(
    tmp_path: Path, walk: bool, direct: dict[str, str] | None
) -> None:
    key = tmp_path / "pad-tmk.hex"
    key.write_text("00" * 16)
    hall = {
        "way": "pcscd" if direct is None else "direct",
        "direct": direct,
        "csock_name": "/run/hall/pcscd.comm" if direct is None else None,
        "contact_reader": "Yikatong Contact Reader",
        "psam_reader": "Yikatong PSAM Slot",
        "pad": "/dev/pts/0",
        "pad_master_key_file": str(key),
        "platform": "http://127.0.0.1:8080",
        "scanner": "/dev/pts/1",
        "printer": "ipp://127.0.0.1:8631/ipp/print",
        **desk_facts.announced(),
    }
    screen = hall_side.TerminalScreen(hall_side.PORTRAIT, scale=0.5)
    hall_side.write_configuration(tmp_path / "t.toml", hall, screen, walk=walk)
    config = load(tmp_path / "t.toml")
    assert (config.card.driver is CardDriver.DIRECT) == (direct is not None)
    assert (config.card.pcsc_socket == "/run/hall/pcscd.comm") == (direct is None)
    assert config.pad is not None and config.pad.master_key_file == key
    assert (config.limits == Limits()) == (not walk)
    assert config.scanner is not None
    assert config.scanner.port == "/dev/pts/1"
    assert config.printer is not None
    assert (config.printer.patience < 60) == walk


def test_the_example_of_a_field_terminal_is_accepted_where_its_files_exist(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "docs" / "terminal.example.toml"
    for name in ("pad-tmk.hex", "platform-ca.pem"):
        (tmp_path / name).write_text("")
    province = sm2.generate().public_key()
    (tmp_path / "pack-root.pem").write_text(province.to_pem())
    text = example.read_text("utf-8").replace("/etc/yikatong/", f"{tmp_path}/")
    config = load(write(tmp_path, text))
    assert config.kind is Kind.FIELD
    assert config.card.driver is CardDriver.PCSC
