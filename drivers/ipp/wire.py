"""IPP requests over HTTP (RFC 8010, RFC 8011): one connection and one deadline each.

pyipp writes the requests; aiohttp, which it brings along, carries them. pyipp's own client is
not used: it puts job-id where RFC 8011 §4.1.5 forbids it, follows redirections with the
document, and sets no limit to the length of an answer or the time for its body.

Importing this module takes a tenth of a second: do it when a printer is first needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pyipp.enums import IppOperation
from pyipp.serializer import encode_dict

from drivers.ipp.answers import (
    ExchangeFailed,
    HttpRefused,
    IppAnswer,
    NothingSent,
    read_answer,
)
from drivers.ipp.details import DETAIL_ATTRIBUTES
from drivers.ipp.job import JOB_ATTRIBUTES
from drivers.ipp.reasons import PRINTER_ATTRIBUTES

log = logging.getLogger(__name__)

LONGEST_ANSWER = 1 << 20
_PORT = 631
_USER = "yikatong"
# IPP/1.1 has all that is needed, and old printers answer nothing else.
_VERSION = (1, 1)
_LOOK = 0.05
# Accepted by each printer: without ipp-attribute-fidelity it replaces what it can't do.
_SHEET: Mapping[str, Any] = {"sides": "one-sided", "media": "iso_a4_210x297mm"}


class IppWire:
    """The operations of RFC 8011 that printing needs.

    Each raises ExchangeFailed where there is no readable answer; an answer may still tell of an
    error in its status.

    Args:
        connect, answer, submit: seconds for a connection, an exchange, and a submission.
        tls: trust for ipps; None trusts the system's roots.
    """

    def __init__(
        self, url: str, connect: float, answer: float, submit: float, tls: ssl.SSLContext | None
    ) -> None:
        self._http = http_url(url)
        self._printer = url
        self._connect = connect
        self._answer = answer
        self._submit = submit
        self._tls = tls
        self._numbers = itertools.count(1)
        self._headers: Mapping[str, str] = {}

    def printer(self) -> IppAnswer:
        """Get-Printer-Attributes (§4.2.5): only those that `printer_status` reads."""
        return self._ask(
            IppOperation.GET_PRINTER_ATTRIBUTES, {"requested-attributes": PRINTER_ATTRIBUTES}
        )

    def details(self) -> IppAnswer:
        """Get-Printer-Attributes: all that `printer_details` reads."""
        return self._ask(
            IppOperation.GET_PRINTER_ATTRIBUTES, {"requested-attributes": DETAIL_ATTRIBUTES}
        )

    def up_time(self) -> IppAnswer:
        """Get-Printer-Attributes: since when it runs without a break (§5.4.29), in seconds."""
        return self._ask(
            IppOperation.GET_PRINTER_ATTRIBUTES, {"requested-attributes": ("printer-up-time",)}
        )

    def print_job(self, pdf: bytes, name: str, stop: threading.Event, copies: int = 1) -> IppAnswer:
        """Print-Job (§4.2.1); given up when `stop` is set."""
        return self._ask(
            IppOperation.PRINT_JOB,
            {"job-name": name, "document-format": "application/pdf"},
            wishes={"copies": copies, **_SHEET},
            document=pdf,
            stop=stop,
        )

    def jobs(self, which: str) -> IppAnswer:
        """Get-Jobs (§4.2.6) of one kind: numbers and names."""
        return self._ask(
            IppOperation.GET_JOBS,
            {"which-jobs": which, "requested-attributes": ("job-id", "job-name")},
        )

    def job(self, number: int) -> IppAnswer:
        """Get-Job-Attributes (§4.3.4): how far a job is."""
        return self._ask(
            IppOperation.GET_JOB_ATTRIBUTES,
            {"requested-attributes": JOB_ATTRIBUTES},
            target={"job-id": number},
        )

    def cancel_job(self, number: int) -> IppAnswer:
        """Cancel-Job (§4.3.3)."""
        return self._ask(IppOperation.CANCEL_JOB, {}, target={"job-id": number})

    def _ask(
        self,
        operation: IppOperation,
        attributes: Mapping[str, Any],
        target: Mapping[str, Any] | None = None,
        wishes: Mapping[str, Any] | None = None,
        document: bytes | None = None,
        stop: threading.Event | None = None,
    ) -> IppAnswer:
        number = next(self._numbers)
        message: dict[str, Any] = {
            "version": _VERSION,
            "operation": operation,
            "request-id": number,
            # The order of the first ones is prescribed (§4.1.4, §4.1.5).
            "operation-attributes-tag": {
                "attributes-charset": "utf-8",
                "attributes-natural-language": "en",
                "printer-uri": self._printer,
                **(target or {}),
                "requesting-user-name": _USER,
                **attributes,
            },
        }
        limit = self._answer
        if document is not None:
            message |= {"job-attributes-tag": wishes, "data": document}
            limit = self._submit
        # Not asyncio.run: it would wait for a thread that is stuck in a name lookup.
        loop = asyncio.new_event_loop()
        try:
            work = self._post(encode_dict(message))
            answer = read_answer(loop.run_until_complete(_within(limit, stop, work)))
            if answer.request != number:
                raise ExchangeFailed("an answer to another request")
        except ExchangeFailed as error:
            log.debug("printer: no answer to %s: %s", operation.name, error)
            raise
        finally:
            loop.close()
        if not answer.ok:
            log.debug("printer: status %04x to %s", answer.status, operation.name)
        return answer

    async def _post(self, request: bytes) -> bytes:
        sockets: list[socket.socket] = []

        def make(address: aiohttp.AddrInfoType) -> socket.socket:
            sockets.append(socket.socket(*address[:3]))
            return sockets[-1]

        try:
            async with (
                aiohttp.ClientSession(
                    connector=self._connector(make),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect),
                    auto_decompress=False,
                    trust_env=False,
                ) as session,
                session.post(
                    self._http,
                    # From bytes aiohttp would warn of large bodies.
                    data=io.BytesIO(request),
                    headers={
                        "Content-Type": "application/ipp",
                        "Accept": "application/ipp",
                        "Accept-Encoding": "identity",
                        **self._headers,
                    },
                    allow_redirects=False,
                ) as response,
            ):
                if 400 <= response.status <= 499:
                    raise HttpRefused(f"HTTP {response.status}")
                if response.status != 200:
                    raise ExchangeFailed(f"HTTP {response.status}")
                octets = bytearray()
                async for piece in response.content.iter_any():
                    octets += piece
                    if len(octets) > LONGEST_ANSWER:
                        raise ExchangeFailed("an answer without end")
                return bytes(octets)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NothingSent(type(error).__name__) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ExchangeFailed(type(error).__name__) from error
        finally:
            _let_go(sockets)

    def _connector(
        self, make: Callable[[aiohttp.AddrInfoType], socket.socket]
    ) -> aiohttp.BaseConnector:
        # force_close tells the printer that no request follows on this connection.
        return aiohttp.TCPConnector(force_close=True, ssl=self._tls or True, socket_factory=make)


def http_url(url: str) -> str:
    """Where a printer listens (RFC 8010 §5, RFC 7472)."""
    parts = urlsplit(url)
    scheme = "https" if parts.scheme == "ipps" else "http"
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}:{parts.port or _PORT}{parts.path}"


def _let_go(sockets: list[socket.socket]) -> None:
    """Closing waits for bytes that the printer does not take, and the loop ends before."""
    for made in sockets:
        with contextlib.suppress(OSError):
            made.shutdown(socket.SHUT_RDWR)


async def _within(
    seconds: float, stop: threading.Event | None, work: Coroutine[Any, Any, bytes]
) -> bytes:
    """The outcome of `work`, or ExchangeFailed when it is late or `stop` is set."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    end = loop.time() + seconds
    try:
        while not task.done():
            left = end - loop.time()
            if left <= 0:
                raise ExchangeFailed("too late")
            if stop is not None and stop.is_set():
                raise ExchangeFailed("given up")
            await asyncio.wait({task}, timeout=left if stop is None else min(left, _LOOK))
        return task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})
