"""The document printer by IPP (RFC 8011), polled at the printer itself and not at a spooler."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from drivers.document_printer import (
    PrintEnd,
    PrinterDetails,
    PrinterReason,
    PrinterStatus,
    PrintOutcome,
    PrintProgress,
)
from drivers.ipp.answers import ExchangeFailed
from drivers.ipp.details import details_of
from drivers.ipp.job import IppJob, withdraw
from drivers.ipp.submission import Submission, check_job
from drivers.ipp.watch import IppPatience, JobWatch

if TYPE_CHECKING:
    from drivers.ipp.wire import IppWire

log = logging.getLogger(__name__)


class IppPrinter:
    """`DocumentPrinter` at ``ipp://host[:port]/path`` or ``ipps://…``.

    Args:
        tls: trust for ipps, where a printer's certificate is its own; None trusts the system's
            roots.

    Raises:
        ValueError: the URL is none of a printer.
    """

    def __init__(
        self,
        url: str,
        patience: IppPatience | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        known = parts.scheme in ("ipp", "ipps") and parts.hostname and parts.port != 0
        if not known or parts.username is not None:
            raise ValueError("a printer's URL is ipp://host:port/path or ipps://host:port/path")
        self._url = url
        self._patience = patience or IppPatience()
        self._tls = tls
        self._clock = clock
        self._sleep = sleep
        self._made: IppWire | None = None
        self._given_up = threading.Event()

    def status(self) -> PrinterStatus:
        return self.details().status

    def details(self) -> PrinterDetails:
        try:
            return details_of(self._wire.details())
        except ExchangeFailed:
            return PrinterDetails(PrinterStatus(PrinterReason.GONE))

    def print_document(
        self,
        pdf: bytes,
        serial: str,
        pages: int,
        report: Callable[[PrintProgress], None],
        copies: int = 1,
    ) -> PrintOutcome:
        check_job(serial, pages, copies)
        self._given_up.clear()
        outcome = self._print(pdf, serial, pages, copies, report)
        reason = outcome.reason.value if outcome.reason else "none"
        log.info("print ended: %s, obstacle: %s", outcome.end.value, reason)
        return outcome

    def give_up(self) -> None:
        self._given_up.set()

    def withdraw(self, serial: str) -> bool:
        return withdraw(self._wire, serial)

    def close(self) -> None:
        """Nothing to drop: each exchange closes its own connection."""

    @property
    def _wire(self) -> IppWire:
        if self._made is None:
            # Imported late: aiohttp would be a tenth of the time to the first screen.
            from drivers.ipp.wire import IppWire

            patience = self._patience
            self._made = IppWire(
                self._url, patience.connect, patience.answer, patience.submit, self._tls
            )
        return self._made

    def _print(
        self,
        pdf: bytes,
        serial: str,
        pages: int,
        copies: int,
        report: Callable[[PrintProgress], None],
    ) -> PrintOutcome:
        details = self.details()
        if details.status.reason is not None or self._given_up.is_set():
            return PrintOutcome(PrintEnd.FAILED, details.status.reason)
        if copies > details.copies:
            # It would leave the wish out and print one, without a word.
            log.warning("printer: %d copies are more than it can do", copies)
            return PrintOutcome(PrintEnd.FAILED)
        times = (self._patience, self._clock, self._sleep, self._given_up)
        job = Submission(self._wire, *times).hand_over(pdf, serial, copies, details.up_time)
        if isinstance(job, PrintOutcome):
            return job
        return JobWatch(IppJob(self._wire, job), pages * copies, *times, report).follow()
