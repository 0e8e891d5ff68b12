"""The terminal's configuration file: what this one machine is and which devices hang on it.

Read once at start with `load`; nothing in the environment overrides it. Everything wrong is a
`ConfigError` that names file, key and what is expected. A field configuration refuses what only
a demonstration may do.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from apdu.crypto.errors import MalformedKey
from apdu.crypto.sm2 import PublicKey
from kiosk.bilingual import Bilingual, read_bilingual
from kiosk.limits import Limits as Limits
from kiosk.limits import read_limits
from kiosk.places import DEMO_STATE, FIELD_STATE
from kiosk.toml_tables import FileProblem, Table

_PACKS = Path(__file__).parent / "packs"
DEMO_ROOT_KEY = _PACKS / "demo-root.pem"
"""Public key that signs the demo pack; its private half is public too (tests/kiosk)."""


class ConfigError(FileProblem):
    """The configuration file is missing, misspelt, or asks for what its kind forbids."""


class Kind(Enum):
    """What the terminal is for."""

    DEMO = "demo"
    FIELD = "field"


class CardDriver(Enum):
    """How cards are reached."""

    PCSC = "pcsc"
    DIRECT = "direct"
    """Sockets on loopback where pcscd cannot run; demonstration only (DESIGN §9)."""


class Custodian(Enum):
    """Who holds the key that recomputes a card's cryptogram (卡认证)."""

    PSAM = "psam"
    PLATFORM = "platform"


@dataclass(frozen=True)
class Address:
    """A TCP address on loopback."""

    host: str
    port: int


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
class CardConfig:
    """The card reader and the PSAM slot.

    Attributes:
        contact_reader, psam_reader: a part of the PC/SC reader's name; psam empty when the
            terminal has no PSAM.
        pcsc_socket: socket of a pcscd of one's own (the simulated hall's), empty for the system's;
            demonstration only.
        contact_address, psam_address: where the direct driver listens; None with PC/SC.
    """

    driver: CardDriver
    contact_reader: str
    psam_reader: str
    pcsc_socket: str
    contact_address: Address | None
    psam_address: Address | None


@dataclass(frozen=True)
class PadConfig:
    """The PIN pad (密码键盘).

    Attributes:
        port: serial device.
        baud: bits per second.
        master_key_file: hex file of mode 0600 with the pad's master key, or None when the key
            service of the platform wraps the working keys.
        plain_key_load: load keys into the pad in the clear; demonstration only.
    """

    port: str
    baud: int
    master_key_file: Path | None
    plain_key_load: bool


@dataclass(frozen=True)
class PlatformConfig:
    """The provincial platform (省级平台).

    Attributes:
        url: https, or http on loopback, without a path at the end.
        ca_file: own certificate authority, None for the system's.
    """

    url: str
    ca_file: Path | None


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
    pad: PadConfig | None
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
    config = TerminalConfig(
        file=path,
        kind=kind,
        hall=read_bilingual(top.table("hall")),
        place=read_bilingual(top.table("place")),
        machine=top.integer("machine", 1, 9999),
        division=_division(top),
        state=_path(top, "state") or (FIELD_STATE if kind is Kind.FIELD else DEMO_STATE),
        pack=_pack(top.table("pack"), kind),
        screen=_screen(top.table("screen")),
        card=_card(top.table("card"), kind),
        pad=_pad(top.table("pad"), kind) if "pad" in top else None,
        platform=_platform(top.table("platform"), kind),
        custodians=top.choices("custodians", Custodian, tuple(Custodian)),
        limits=read_limits(top.optional_table("limits")),
    )
    top.finish()
    if not config.custodians:
        raise top.problem("custodians", "expected at least one custodian")
    return config


def _division(top: Table) -> str:
    division = top.text("division")
    if not re.fullmatch(r"[0-9]{6}", division):
        raise top.problem("division", "expected 6 digits in quotation marks")
    return division


def _path(table: Table, key: str) -> Path | None:
    text = table.text(key, "")
    return table.folder / text if text else None


def _pack(table: Table, kind: Kind) -> PackConfig:
    name = table.text("name", "")
    folder = _path(table, "folder")
    if bool(name) == bool(folder):
        raise table.problem("name", "expected either a name or a folder")
    if name and not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise table.problem("name", "expected small letters, digits and dashes")
    root_key = _path(table, "root_key")
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


def _card(table: Table, kind: Kind) -> CardConfig:
    driver = table.choice("driver", CardDriver)
    if driver is CardDriver.DIRECT:
        if kind is Kind.FIELD:
            raise table.problem("driver", 'a field configuration refuses "direct"')
        psam = table.text("psam_address", "")
        card = CardConfig(
            driver=driver,
            contact_reader="",
            psam_reader="",
            pcsc_socket="",
            contact_address=_address(table, "contact_address"),
            psam_address=_address(table, "psam_address") if psam else None,
        )
    else:
        card = CardConfig(
            driver=driver,
            contact_reader=table.text("contact_reader"),
            psam_reader=table.text("psam_reader", ""),
            pcsc_socket=table.text("pcsc_socket", ""),
            contact_address=None,
            psam_address=None,
        )
        if card.pcsc_socket and kind is Kind.FIELD:
            raise table.problem("pcsc_socket", "a field configuration uses the system's pcscd")
    table.finish()
    return card


def _address(table: Table, key: str) -> Address:
    host, colon, port = table.text(key).rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise table.problem(key, "expected an address like 127.0.0.1:35963")
    if not _is_loopback(host):
        raise table.problem(key, "expected an address on loopback")
    return Address(host, int(port))


def _pad(table: Table, kind: Kind) -> PadConfig:
    pad = PadConfig(
        port=table.text("port"),
        baud=table.integer("baud", 1200, 115_200, 9600),
        master_key_file=_path(table, "master_key_file"),
        plain_key_load=table.boolean("plain_key_load", False),
    )
    if pad.plain_key_load and kind is Kind.FIELD:
        raise table.problem("plain_key_load", "a field configuration refuses plain key load")
    if pad.master_key_file is not None and not pad.master_key_file.is_file():
        raise table.problem("master_key_file", f"there is no file {pad.master_key_file}")
    table.finish()
    return pad


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
    if kind is Kind.FIELD and parts.scheme == "http" and not _is_loopback(host):
        raise table.problem("url", "a field configuration refuses http outside loopback")
    ca_file = _path(table, "ca_file")
    if ca_file is not None and not ca_file.is_file():
        raise table.problem("ca_file", f"there is no file {ca_file}")
    table.finish()
    return PlatformConfig(url, ca_file)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
