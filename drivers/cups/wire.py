"""Requests to a CUPS spooler: IPP over its socket, with what only a spooler is asked."""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from pyipp.enums import IppOperation

from drivers.ipp.answers import IppAnswer
from drivers.ipp.details import DETAIL_ATTRIBUTES
from drivers.ipp.watch import IppPatience
from drivers.ipp.wire import IppWire

_SOCKET = "/run/cups/cups.sock"
_HERE = "localhost:631"


@dataclass(frozen=True)
class Server:
    """Where a spooler listens: at a socket in the file system, or at ``host:port``."""

    path: str
    address: str


def server_at(server: str) -> Server:
    """As CUPS_SERVER is written; empty for this machine's own, by its socket where it has one."""
    if not server:
        return Server(_SOCKET, _HERE) if Path(_SOCKET).exists() else Server("", _HERE)
    return Server(server, _HERE) if server.startswith("/") else Server("", server)


class CupsWire(IppWire):
    """The operations of RFC 8011 and RFC 3998 on one queue.

    By the socket the spooler asks the kernel who we are, and lets a member of its administrators'
    group set a stopped queue going; by TCP nobody is let.
    """

    def __init__(self, queue: str, server: Server, patience: IppPatience) -> None:
        url = f"ipp://{server.address}/printers/{quote(queue)}"
        super().__init__(url, patience.connect, patience.answer, patience.submit, None)
        self._path = server.path
        if server.path:
            with contextlib.suppress(KeyError):
                self._headers = {"Authorization": f"PeerCred {pwd.getpwuid(os.geteuid()).pw_name}"}

    def queue(self) -> IppAnswer:
        """Get-Printer-Attributes: the queue's own, and what it says of its printer."""
        wanted = ("device-uri", "printer-error-policy", *DETAIL_ATTRIBUTES)
        return self._ask(IppOperation.GET_PRINTER_ATTRIBUTES, {"requested-attributes": wanted})

    def our_jobs(self) -> IppAnswer:
        """Get-Jobs: those of this terminal that go on, and since when they are there."""
        wanted = ("job-id", "time-at-creation", "job-printer-up-time")
        asked: dict[str, Any] = {"which-jobs": "not-completed", "my-jobs": True}
        return self._ask(IppOperation.GET_JOBS, {**asked, "requested-attributes": wanted})

    def set_going(self) -> bool:
        """Resume-Printer, then Enable-Printer (RFC 3998 §3.1.1), as cupsenable and cupsaccept do;
        False when the spooler obeys one of them not."""
        return (
            self._ask(IppOperation.RESUME_PRINTER, {}).ok
            and self._ask(IppOperation.ENABLE_PRINTER, {}).ok
        )

    def _connector(
        self, make: Callable[[aiohttp.AddrInfoType], socket.socket]
    ) -> aiohttp.BaseConnector:
        if self._path:
            return aiohttp.UnixConnector(self._path, force_close=True)
        return super()._connector(make)
