"""The document printer behind a CUPS queue: for printers that need CUPS' drivers.

The device is asked itself where it speaks IPP; the spooler's word is never proof that a sheet is
out (docs/decisions/0023).
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from drivers.cups.queue import Queue, queue_of
from drivers.document_printer import (
    PrintEnd,
    PrinterDetails,
    PrinterReason,
    PrinterStatus,
    PrintOutcome,
    PrintProgress,
)
from drivers.ipp.answers import ExchangeFailed, number
from drivers.ipp.details import details_of
from drivers.ipp.job import withdraw
from drivers.ipp.submission import Submission, check_job
from drivers.ipp.watch import IppPatience, JobWatch

if TYPE_CHECKING:
    from drivers.cups.job import CupsJob
    from drivers.cups.wire import CupsWire
    from drivers.ipp.wire import IppWire

log = logging.getLogger(__name__)

_GONE = PrinterDetails(PrinterStatus(PrinterReason.GONE))
_TRIES = 3


class CupsPrinter:
    """`DocumentPrinter` by a queue of this machine's CUPS, or of the one at `server`.

    Asking how it stands sets a queue going that CUPS stopped, once the device is well and nothing
    of ours is left in it, but only `IppPatience.restarts` times without a print out of it: then
    it is `PrinterReason.STOPPED` until somebody sees to it.

    Args:
        server: as CUPS_SERVER: a socket's path or ``host:port``; empty for this machine's own.
        tls: trust for a device behind ipps.

    Raises:
        ValueError: no queue can be called so.
    """

    def __init__(
        self,
        queue: str,
        patience: IppPatience | None = None,
        server: str = "",
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not queue or len(queue) > 127 or any(not c.isprintable() or c in " /#?" for c in queue):
            raise ValueError("a queue's name has 1 to 127 letters and none of space, /, #, ?")
        self._queue = queue
        self._server = server
        self._patience = patience or IppPatience()
        self._tls = tls
        self._clock = clock
        self._sleep = sleep
        self._made: CupsWire | None = None
        self._device: tuple[str, IppWire] | None = None
        self._ran: int | None = None
        self._restarts = 0
        self._given_up = threading.Event()

    def status(self) -> PrinterStatus:
        return self.details().status

    def details(self) -> PrinterDetails:
        try:
            answer = self._wire.queue()
        except ExchangeFailed:
            return _GONE
        if not answer.ok:
            return PrinterDetails(PrinterStatus(PrinterReason.STOPPED), message="no such queue")
        queue = queue_of(answer.printer)
        self._ran = queue.details.up_time
        device = self._device_of(queue)
        try:
            truth = queue.details if device is None else details_of(device.details())
        except ExchangeFailed:
            return _GONE
        problem = "" if truth.status.reason is not None else self._problem(queue)
        if not problem:
            return truth
        status = replace(truth.status, reason=PrinterReason.STOPPED)
        return replace(truth, status=status, message=problem)

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
        if outcome.end is PrintEnd.DONE:
            self._restarts = 0
        reason = outcome.reason.value if outcome.reason else "none"
        log.info("print ended: %s, obstacle: %s", outcome.end.value, reason)
        return outcome

    def give_up(self) -> None:
        self._given_up.set()

    def withdraw(self, serial: str) -> bool:
        try:
            answer = self._wire.queue()
        except ExchangeFailed:
            return False
        if not answer.ok:
            return False
        device = self._device_of(queue_of(answer.printer))
        # First out of the queue, which else hands it on meanwhile.
        return withdraw(self._wire, serial) and (device is None or withdraw(device, serial))

    def close(self) -> None:
        """Nothing to drop: each exchange closes its own connection."""

    # --- wires -------------------------------------------------------------------------------

    @property
    def _wire(self) -> CupsWire:
        if self._made is None:
            # Imported late: aiohttp would be a tenth of the time to the first screen.
            from drivers.cups.wire import CupsWire, server_at

            self._made = CupsWire(self._queue, server_at(self._server), self._patience)
        return self._made

    def _device_of(self, queue: Queue) -> IppWire | None:
        if queue.device is None:
            self._device = None
        elif self._device is None or self._device[0] != queue.device:
            from drivers.ipp.wire import IppWire

            patience = self._patience
            wire = IppWire(queue.device, patience.connect, patience.answer, 0.0, self._tls)
            self._device = (queue.device, wire)
        return None if self._device is None else self._device[1]

    # --- the queue ---------------------------------------------------------------------------

    def _problem(self, queue: Queue) -> str:
        """Why the queue would not print though the device could; empty when it would."""
        if queue.repeating:
            return "the queue's error policy prints a failed job again: set abort-job"
        if queue.accepting and not queue.stopped:
            return ""
        if self._restarts >= self._patience.restarts:
            return f"the queue stopped again after {self._restarts} restarts"
        if self._take_back(self._patience.gone) and self._set_going():
            return ""
        return "the queue is stopped"

    def _set_going(self) -> bool:
        try:
            if not self._wire.set_going():
                return False
        except ExchangeFailed:
            return False
        self._restarts += 1
        log.warning("the queue was stopped and goes again, restart %d", self._restarts)
        return True

    def _take_back(self, age: float) -> bool:
        """Cancel what an earlier life of this terminal left in the queue, at least so many seconds
        old: it would come out before somebody else's eyes. True when nothing of ours is left."""
        try:
            jobs = self._wire.our_jobs().jobs
            for job in jobs:
                now, then = number(job, "job-printer-up-time"), number(job, "time-at-creation")
                job_id = number(job, "job-id")
                if job_id is None or (age and now is not None and then and now - then < age):
                    return False
                if not self._wire.cancel_job(job_id).ok:
                    return False
        except ExchangeFailed:
            return False
        return True

    # --- a job -------------------------------------------------------------------------------

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
            log.warning("printer: %d copies are more than it can do", copies)
            return PrintOutcome(PrintEnd.FAILED)
        if not self._take_back(0):
            return PrintOutcome(PrintEnd.FAILED, PrinterReason.STOPPED)
        from drivers.cups.job import CupsJob

        times = (self._patience, self._clock, self._sleep, self._given_up)
        taken = Submission(self._wire, *times).hand_over(pdf, serial, copies, self._ran)
        if isinstance(taken, PrintOutcome):
            return taken
        job = CupsJob(self._wire, taken, self._device and self._device[1], serial)
        try:
            return JobWatch(job, pages * copies, *times, report).follow()
        finally:
            self._clear(job)

    def _clear(self, job: CupsJob) -> None:
        """Whatever became of the job, the queue has none of it left to send."""
        for _ in range(_TRIES):
            if job.take_back():
                return
            self._sleep(self._patience.poll)
        log.error("a job may still be in the queue")
