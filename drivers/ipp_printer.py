"""The document printer by IPP (RFC 8011), polled at the printer itself and not at a spooler."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from drivers.document_printer import (
    PrintEnd,
    PrinterReason,
    PrinterStatus,
    PrintOutcome,
    PrintProgress,
)
from drivers.ipp_answers import ExchangeFailed, HttpRefused, NothingSent, number, words
from drivers.ipp_reasons import printer_status
from drivers.ipp_watch import IppPatience, JobWatch

if TYPE_CHECKING:
    from drivers.ipp_wire import IppWire

log = logging.getLogger(__name__)

_LONGEST_SERIAL = 127
_LONGEST_NAME = 255
_LOOKS = 3
"""Looks at the printer's jobs before one of them is said not to be there."""

# Status codes that may come after a job was begun (RFC 8011 §B.1.5): internal error, device
# error, temporary error, job canceled. Others refuse the job before.
_BEGUN = (0x0500, 0x0504, 0x0505, 0x0508)
# Service unavailable, not accepting jobs, busy, deactivated, too many jobs.
_SHUT = (0x0502, 0x0506, 0x0507, 0x050A, 0x050B)


class _Lookup(Enum):
    ABSENT = auto()
    DOUBTFUL = auto()
    """The printer won't tell, or has a job whose name is hidden or the beginning of ours."""


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
        try:
            answer = self._wire.printer()
        except ExchangeFailed:
            return PrinterStatus(PrinterReason.GONE)
        return printer_status(answer.printer) if answer.ok else _SILENT

    def print_document(
        self, pdf: bytes, serial: str, pages: int, report: Callable[[PrintProgress], None]
    ) -> PrintOutcome:
        if not 1 <= len(serial) <= _LONGEST_SERIAL or len(serial.encode()) > _LONGEST_NAME:
            raise ValueError(f"a job's name has 1 to {_LONGEST_SERIAL} characters")
        if pages < 1:
            raise ValueError("a document has a page")
        self._given_up.clear()
        outcome = self._print(pdf, serial, pages, report)
        reason = outcome.reason.value if outcome.reason else "none"
        log.info("print ended: %s, obstacle: %s", outcome.end.value, reason)
        return outcome

    def give_up(self) -> None:
        self._given_up.set()

    def close(self) -> None:
        """Nothing to drop: each exchange closes its own connection."""

    @property
    def _wire(self) -> IppWire:
        if self._made is None:
            # Imported late: aiohttp would be a tenth of the time to the first screen.
            from drivers.ipp_wire import IppWire

            patience = self._patience
            self._made = IppWire(
                self._url, patience.connect, patience.answer, patience.submit, self._tls
            )
        return self._made

    # --- from the document to a job ----------------------------------------------------------

    def _print(
        self, pdf: bytes, serial: str, pages: int, report: Callable[[PrintProgress], None]
    ) -> PrintOutcome:
        obstacle = self.status().reason
        if obstacle is not None or self._given_up.is_set():
            return PrintOutcome(PrintEnd.FAILED, obstacle)
        job = self._submit(pdf, serial)
        if isinstance(job, PrintOutcome):
            return job
        return JobWatch(
            self._wire,
            job,
            pages,
            self._patience,
            self._clock,
            self._sleep,
            self._given_up,
            report,
        ).follow()

    def _submit(self, pdf: bytes, serial: str) -> int | PrintOutcome:
        """Hand the document over; the job's number, or how it ended before it had one."""
        begun = self._clock()
        try:
            answer = self._wire.print_job(pdf, serial, self._given_up)
        except NothingSent:
            return PrintOutcome(PrintEnd.FAILED, PrinterReason.GONE)
        except HttpRefused:
            return PrintOutcome(PrintEnd.FAILED)
        except ExchangeFailed:
            return self._find(serial, begun)
        job = number(answer.jobs[0], "job-id") if answer.ok and answer.jobs else None
        if job is not None:
            return job
        if answer.ok or answer.status in _BEGUN:
            return self._find(serial, begun)
        shut = answer.status in _SHUT
        return PrintOutcome(PrintEnd.FAILED, PrinterReason.STOPPED if shut else None)

    def _find(self, serial: str, submitted: float) -> int | PrintOutcome:
        """The job of a submission whose answer was lost.

        It failed only when the printer answers several times and has no such job, and has lost
        no memory meanwhile.
        """
        begun = self._clock()
        absent = 0
        reason: PrinterReason | None = None
        while True:
            try:
                found = self._look_up(serial)
                reason = None
            except ExchangeFailed:
                found = _Lookup.DOUBTFUL
                reason = PrinterReason.GONE
            if isinstance(found, int):
                return found
            absent = absent + 1 if found is _Lookup.ABSENT else 0
            if absent == _LOOKS:
                remembers = self._runs_since(submitted)
                return PrintOutcome(PrintEnd.FAILED if remembers else PrintEnd.UNKNOWN)
            patience = self._patience
            limit = patience.cancel if self._given_up.is_set() else patience.gone
            if self._clock() - begun >= limit:
                return PrintOutcome(PrintEnd.UNKNOWN, reason)
            self._sleep(patience.poll)

    def _look_up(self, serial: str) -> int | _Lookup:
        """Look for the job by its name, the newest first.

        A job that ends meanwhile is seen, as those that go on are asked for first. RFC 8011
        §4.2.6.1 requires both lists; "all" is an extension that old printers take for the first.

        Raises:
            ExchangeFailed: no answer.
        """
        found: int | None = None
        doubtful = False
        for which in ("not-completed", "completed"):
            answer = self._wire.jobs(which)
            doubtful = doubtful or not answer.ok
            for job in answer.jobs:
                called, job_id = words(job, "job-name"), number(job, "job-id")
                if called == (serial,) and job_id is not None:
                    found = max(found or 0, job_id)
                elif not called or serial.startswith(called[0]):
                    doubtful = True
        if found is not None:
            return found
        return _Lookup.DOUBTFUL if doubtful else _Lookup.ABSENT

    def _runs_since(self, then: float) -> bool:
        """The printer says that it had power all the time."""
        try:
            up_time = number(self._wire.up_time().printer, "printer-up-time")
        except ExchangeFailed:
            return False
        # Whole seconds, counted from one.
        return up_time is not None and up_time + 1 >= self._clock() - then


_SILENT = PrinterStatus(PrinterReason.STOPPED)
"""It answers, but won't say how it stands."""
