"""``[printer]``: the document printer (证明打印机)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from kiosk.device_config.addresses import read_file
from kiosk.toml_tables import Table

_PATIENCE = 60
_QUEUE = re.compile(r"[^\s/#?'\"\x00-\x1f\x7f]{1,127}")
"""What CUPS allows in a queue's name."""


class PrinterDriver(Enum):
    """How sheets get there."""

    IPP = "ipp"
    """The printer itself, driverless."""
    CUPS = "cups"
    """A queue of CUPS, for printers that need a driver."""


@dataclass(frozen=True)
class PrinterConfig:
    """The document printer.

    Attributes:
        url: ``ipp`` or ``ipps``, with a path; empty with CUPS.
        patience: seconds that a job waits for paper or help before it is given up.
        ca_file: who vouches for an ipps printer, often its own certificate; None for the system's
            authorities.
        queue: the name of the CUPS queue; empty with IPP.
        server: ``host:port`` or socket of CUPS, empty for this machine's.
    """

    driver: PrinterDriver
    url: str
    patience: float = _PATIENCE
    ca_file: Path | None = None
    queue: str = ""
    server: str = ""

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return self.url or self.queue


def read_printer(table: Table, _in_field: bool) -> PrinterConfig:
    """From ``[printer]``. Raises the table's error."""
    driver = table.choice("driver", PrinterDriver, PrinterDriver.IPP)
    patience = table.number("patience", 0.1, 600, _PATIENCE)
    if driver is PrinterDriver.CUPS:
        queue = table.matching("queue", _QUEUE, "the name of a CUPS queue")
        printer = PrinterConfig(driver, "", patience, None, queue, table.text("server", ""))
    else:
        printer = PrinterConfig(driver, _url(table), patience, read_file(table, "ca_file"))
    table.finish()
    return printer


def _url(table: Table) -> str:
    url = table.text("url")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise table.problem("url", "is no URL") from None
    if parts.scheme not in ("ipp", "ipps") or not host or parts.username or parts.query:
        raise table.problem("url", "expected a URL like ipp://printer.local:631/ipp/print")
    return url
