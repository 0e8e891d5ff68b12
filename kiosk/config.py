"""The terminal's configuration file: what this one machine is and which devices hang on it.

Read once at start with `load`; nothing in the environment overrides it. Everything wrong is a
`ConfigError` that names file, key and what is expected. A field configuration refuses what only
a demonstration may do.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from apdu.crypto.errors import MalformedKey
from apdu.crypto.sm2 import PublicKey
from kiosk.bilingual import Bilingual, read_bilingual
from kiosk.device_config import (
    CameraConfig,
    CardConfig,
    DispenserConfig,
    IdReaderConfig,
    PadConfig,
    PrinterConfig,
    ReceiptConfig,
    ScannerConfig,
    ScannerDriver,
    SensorsConfig,
    read_camera,
    read_card,
    read_dispenser,
    read_id_reader,
    read_pad,
    read_printer,
    read_receipt,
    read_scanner,
    read_sensors,
)
from kiosk.device_config.addresses import is_loopback, read_file, read_path
from kiosk.limits import Limits as Limits
from kiosk.limits import read_limits
from kiosk.places import DEMO_STATE, FIELD_STATE
from kiosk.platform.tls import TlsFiles, key_fits
from kiosk.toml_tables import FileProblem, Table

T = TypeVar("T")

_PACKS = Path(__file__).parent / "packs"
DEMO_ROOT_KEY = _PACKS / "demo-root.pem"
"""Public key that signs the demo pack; its private half is public too (tests/kiosk)."""


class ConfigError(FileProblem):
    """The configuration file is missing, misspelt, or asks for what its kind forbids."""


class Kind(Enum):
    """What the terminal is for."""

    DEMO = "demo"
    FIELD = "field"


class Custodian(Enum):
    """Who holds the key that recomputes a card's cryptogram (卡认证)."""

    PSAM = "psam"
    PLATFORM = "platform"


@dataclass(frozen=True)
class ScreenConfig:
    """The window.

    Attributes:
        width, height: pixels.
        density_ppi: pixels per inch, so that sizes in millimetres come out right.
    """

    width: int
    height: int
    fullscreen: bool
    density_ppi: float


@dataclass(frozen=True)
class PlatformConfig:
    """The provincial platform (省级平台).

    Attributes:
        url: https, or http on loopback, without a path at the end.
        tls: who vouches for it, and what this terminal shows it.
    """

    url: str
    tls: TlsFiles


@dataclass(frozen=True)
class PackConfig:
    """The signed data pack: its folder and the public key that it must be signed with."""

    folder: Path
    root_key: Path


@dataclass(frozen=True)
class TerminalConfig:
    """One terminal, complete.

    Attributes:
        division: 6 digits (行政区划代码).
        machine: the number painted on the machine, 1..9999.
        id_reader, scanner, camera, pad, dispenser, printer, receipt, sensors: None where the
            machine has none; what needs it is not offered.
    """

    file: Path
    kind: Kind
    hall: Bilingual
    place: Bilingual
    machine: int
    division: str
    state: Path
    pack: PackConfig
    screen: ScreenConfig
    card: CardConfig
    id_reader: IdReaderConfig | None
    scanner: ScannerConfig | None
    camera: CameraConfig | None
    pad: PadConfig | None
    dispenser: DispenserConfig | None
    printer: PrinterConfig | None
    receipt: ReceiptConfig | None
    sensors: SensorsConfig | None
    platform: PlatformConfig
    custodians: tuple[Custodian, ...]
    limits: Limits


def load(path: Path) -> TerminalConfig:
    """Read and check a terminal configuration file.

    Relative paths in it start at the file's own folder; only the state directory's default of a
    demo starts at the working directory.

    Raises:
        ConfigError: see there.
    """
    top = Table.read(path, ConfigError)
    kind = top.choice("kind", Kind)

    def device(name: str, read: Callable[[Table, bool], T]) -> T | None:
        return read(top.table(name), kind is Kind.FIELD) if name in top else None

    dispenser = device("dispenser", read_dispenser)
    config = TerminalConfig(
        file=path,
        kind=kind,
        hall=read_bilingual(top.table("hall")),
        place=read_bilingual(top.table("place")),
        machine=top.integer("machine", 1, 9999),
        division=_division(top),
        state=read_path(top, "state") or (FIELD_STATE if kind is Kind.FIELD else DEMO_STATE),
        pack=_pack(top.table("pack"), kind),
        screen=_screen(top.table("screen")),
        card=read_card(top.table("card"), kind is Kind.FIELD, dispenser),
        id_reader=device("id_reader", read_id_reader),
        scanner=device("scanner", read_scanner),
        camera=device("camera", read_camera),
        pad=device("pad", read_pad),
        dispenser=dispenser,
        printer=device("printer", read_printer),
        receipt=device("receipt", read_receipt),
        sensors=device("sensors", read_sensors),
        platform=_platform(top.table("platform"), kind),
        custodians=top.choices("custodians", Custodian, tuple(Custodian)),
        limits=read_limits(top.optional_table("limits")),
    )
    top.finish()
    if not config.custodians:
        raise top.problem("custodians", "expected at least one custodian")
    scanner = config.scanner
    if scanner is not None and scanner.driver is ScannerDriver.CAMERA and config.camera is None:
        raise top.problem("camera", "missing: the scanner of this machine is its camera")
    return config


def _division(top: Table) -> str:
    division = top.text("division")
    if not re.fullmatch(r"[0-9]{6}", division):
        raise top.problem("division", "expected 6 digits in quotation marks")
    return division


def _pack(table: Table, kind: Kind) -> PackConfig:
    name = table.text("name", "")
    folder = read_path(table, "folder")
    if bool(name) == bool(folder):
        raise table.problem("name", "expected either a name or a folder")
    if name and not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise table.problem("name", "expected small letters, digits and dashes")
    root_key = read_path(table, "root_key")
    if root_key is None:
        if kind is Kind.FIELD:
            raise table.problem("root_key", "missing: expected the province's public key file")
        root_key = DEMO_ROOT_KEY
    if not root_key.is_file():
        raise table.problem("root_key", f"there is no file {root_key}")
    # Compared by content: a copy under another name is still the demo root.
    if kind is Kind.FIELD and _public_key(table, root_key) == _public_key(table, DEMO_ROOT_KEY):
        raise table.problem("root_key", "is the demo root, which a field configuration refuses")
    table.finish()
    return PackConfig(folder or _PACKS / name, root_key)


def _public_key(table: Table, file: Path) -> PublicKey:
    try:
        return PublicKey.from_pem(file.read_text("ascii"))
    except (OSError, ValueError, MalformedKey):
        raise table.problem("root_key", f"{file} holds no SM2 public key") from None


def _screen(table: Table) -> ScreenConfig:
    screen = ScreenConfig(
        width=table.integer("width", 320, 8192),
        height=table.integer("height", 320, 8192),
        fullscreen=table.boolean("fullscreen", False),
        density_ppi=table.number("density_ppi", 40, 600),
    )
    table.finish()
    return screen


def _platform(table: Table, kind: Kind) -> PlatformConfig:
    url = table.text("url")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise table.problem("url", "is no URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise table.problem("url", "expected a URL like https://platform.example")
    if parts.username or parts.query or parts.fragment or url.endswith("/"):
        raise table.problem("url", "expected scheme, host, port and path only, no / at the end")
    if kind is Kind.FIELD and parts.scheme == "http" and not is_loopback(host):
        raise table.problem("url", "a field configuration refuses http outside loopback")
    tls = TlsFiles(read_file(table, "ca_file"), *_client_files(table, parts.scheme))
    table.finish()
    return PlatformConfig(url, tls)


def _client_files(table: Table, scheme: str) -> tuple[Path | None, Path | None]:
    certificate, key = read_path(table, "client_certificate"), read_path(table, "client_key")
    if certificate is None and key is None:
        return None, None
    if certificate is None or key is None:
        raise table.problem("client_key", "certificate and key are given both or not at all")
    if scheme != "https":
        raise table.problem("client_certificate", "http shows nobody a certificate")
    for name, file in (("client_certificate", certificate), ("client_key", key)):
        if not file.is_file():
            raise table.problem(name, f"there is no file {file}")
    mode = stat.S_IMODE(key.stat().st_mode)
    if mode & 0o077:
        raise table.problem("client_key", f"has mode {mode:04o}; others may have read it")
    if not key_fits(certificate, key):
        raise table.problem("client_key", "expected the certificate's key without a passphrase")
    return certificate, key
