"""Where a device is: paths, serial lines, hosts."""

from __future__ import annotations

import ipaddress
import os.path
from pathlib import Path

from kiosk.toml_tables import Table

_FASTEST = 921_600


def read_path(table: Table, key: str) -> Path | None:
    """A path that starts at the file's own folder where it is relative; None where it is absent."""
    text = table.text(key, "")
    return table.folder / text if text else None


def read_file(table: Table, key: str) -> Path | None:
    """As `read_path`, of a file that is there."""
    path = read_path(table, key)
    if path is not None and not path.is_file():
        raise table.problem(key, f"there is no file {path}")
    return path


def read_device(table: Table, key: str, *, in_field: bool) -> str:
    """The path of a device node, which need not be there yet.

    In the field a device stands below /dev, and no program plays it (/dev/pts).
    """
    text = table.text(key)
    path = os.path.normpath(text)
    if in_field and (not path.startswith("/dev/") or path.startswith("/dev/pts/")):
        raise table.problem(key, "expected a device below /dev, no pseudo-terminal, in the field")
    return text


def read_baud(table: Table, default: int) -> int:
    """Bits per second of a serial line."""
    return table.integer("baud", 1200, _FASTEST, default)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
