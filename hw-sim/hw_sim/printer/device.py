"""The document printer as it stands in the hall: its power switch, its address, its faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hw_sim.faults import Fault, FaultSyntaxError, Schedule
from hw_sim.printer.facts import facts
from hw_sim.printer.http import MEDIA_TYPE, HttpServer, Post, Reply
from hw_sim.printer.jobs import PrintFolder
from hw_sim.printer.machine import PrintingMachine
from hw_sim.printer.operations import IppPrinter, brings_document
from hw_sim.printer.requests import Status

PAGE_SECONDS = 0.6
"""That one side takes; a real one of 30 pages a minute takes 2 s."""

FAULTS = {
    "drop": False,  # nothing is done, the connection is closed without a reply
    "drop-after": False,  # it is done, then the connection is closed without a reply
    "delay": True,  # it is done, the reply comes so many milliseconds late
    "half": False,  # it is done, half of the reply comes, then the connection is closed
    "garbage": False,  # it is done, the reply is no IPP
    "truncate": True,  # it is done, only so many bytes of the reply come, said to be all
    "corrupt": True,  # it is done, byte N of the reply, counted from 0, is another
    "500": False,  # nothing is done, HTTP says 500
    "busy": False,  # nothing is done, IPP says server-error-busy
    "status": True,  # nothing is done, IPP says this status, for example 0x0506
    "stuck": False,  # it is done, and nothing is answered any more until it is powered anew
    "power-cycle": False,  # it is done, then the power fails instead of a reply, and comes back
}
"""What strikes an exchange; N counts the requests. With ``job-`` before its name it strikes, and
counts, only those that bring a document (Print-Job, Send-Document)."""

_OF_JOBS = "job-"
_NUMBERS = ("delay", "truncate", "corrupt")
_GARBAGE = b"\x02\x00\x00\x00<html>not IPP</html>"


class PrinterDevice:
    """A printer that can be switched off and on.

    Args:
        prints: folder for what it receives, made when missing.
        port: 0 takes a free one, and keeps it over power cycles.
        page_seconds: that one side takes.
        clock: seconds, for its up-time.

    Attributes:
        machine: tray, door, toner and jobs.
    """

    def __init__(
        self,
        prints: Path,
        *,
        port: int = 0,
        page_seconds: float = PAGE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.machine = PrintingMachine(clock)
        self._folder = PrintFolder(prints)
        self._page_seconds = page_seconds
        self._port = port
        self._lock = threading.Lock()
        self._faults = Schedule(FAULTS)
        self._job_faults = Schedule(FAULTS)
        self._http: HttpServer | None = None
        self._ipp: IppPrinter | None = None
        self._alive = threading.Event()
        self._alive.set()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> PrinterDevice:
        """Begin to print, and switch it on.

        Raises:
            OSError: the port is taken.
        """
        self.switch_on()
        self._thread = threading.Thread(target=self._print, name="printer", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Switch it off for good."""
        self.switch_off()
        self._ended.set()
        with self.machine.changed:
            self.machine.changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    # --- people --------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"ipp://127.0.0.1:{self._port}{facts()['path']}"

    @property
    def on(self) -> bool:
        """True while it has power."""
        return self._http is not None

    def switch_on(self) -> None:
        """Give it power; nothing happens when it has.

        Raises:
            OSError: somebody else took its port meanwhile.
        """
        if self._http is not None:
            return
        self.machine.power_cycle()
        self._alive.set()
        self._http = HttpServer(self._port, self._exchange, self._page)
        self._port = self._http.port
        if self._ipp is None:
            self._ipp = IppPrinter(self.machine, self._folder, self.url)

    def switch_off(self) -> None:
        """Cut the power: connections break, jobs are forgotten."""
        with self._lock:
            http, self._http = self._http, None
        if http is not None:
            self.machine.power_cycle()
            http.close()
            self._alive.set()

    @property
    def illegal(self) -> Sequence[str]:
        """What came that no correct client sends, at most the last 50."""
        return () if self._ipp is None else self._ipp.illegal

    def set_fault(self, text: str) -> None:
        """Schedule faults (`FAULTS`) for coming exchanges; ``none`` forgets them.

        Raises:
            FaultSyntaxError: the schedule can't be read; nothing was added.
        """
        Schedule(FAULTS | {_OF_JOBS + name: value for name, value in FAULTS.items()}).set(text)
        parts = [part.strip() for part in text.split(",")]
        for part in parts:
            _check_value(part)
        of_jobs = [part.replace(_OF_JOBS, "", 1) for part in parts if f":{_OF_JOBS}" in part]
        of_all = [part for part in parts if f":{_OF_JOBS}" not in part]
        with self._lock:
            if text == "none" or of_jobs:
                self._job_faults.set(",".join(of_jobs) or text)
            if of_all:
                self._faults.set(",".join(of_all))

    @property
    def faults_pending(self) -> int:
        """How many scheduled faults have not happened yet."""
        return self._faults.pending + self._job_faults.pending

    # --- paper and wire ------------------------------------------------------------------------

    def _print(self) -> None:
        while not self._ended.is_set():
            with self.machine.changed:
                self.machine.changed.wait_for(lambda: self._ended.is_set() or self.machine.can_turn)
                self.machine.turn()
            self._ended.wait(self._page_seconds)

    def _page(self) -> str:
        return f"{facts()['printer-description']['printer-info']['text'][0]}\n"

    def _exchange(self, post: Post) -> Reply | None:
        reply = self._served(post) if self._alive.is_set() else None
        # A stuck printer keeps its connections and says nothing; power takes them away.
        stuck = not self._alive.is_set()
        self._alive.wait()
        return None if stuck else reply

    def _served(self, post: Post) -> Reply | None:
        with self._lock:
            ipp = self._ipp
            if self._http is None or ipp is None or not self._alive.is_set():
                return None
            if (wrong := _wrong(post)) is not None:
                ipp.record(f"HTTP {wrong.status}")
                return wrong
            of_job = self._job_faults.next() if brings_document(post.body) else None
            fault = self._faults.next()
            fault = of_job or fault or Fault("")
            match fault.name:
                case "drop":
                    return None
                case "500":
                    return Reply(500, b"as scheduled\n", "text/plain")
                case "busy":
                    return Reply(200, ipp.serve(post.body, Status.BUSY))
                case "status":
                    return Reply(200, ipp.serve(post.body, int(fault.value, 0)))
            reply = Reply(200, ipp.serve(post.body))
            if fault.name == "stuck":
                self._alive.clear()
        match fault.name:
            case "drop-after":
                return None
            case "delay":
                time.sleep(int(fault.value) / 1000)
            case "half":
                return Reply(200, reply.body, sent=len(reply.body) // 2)
            case "truncate":
                return Reply(200, reply.body[: int(fault.value)])
            case "corrupt":
                return Reply(200, _corrupted(reply.body, int(fault.value)))
            case "power-cycle":
                self.switch_off()
                self.switch_on()
                return None
            case "garbage":
                return Reply(200, _GARBAGE)
        return reply


def _wrong(post: Post) -> Reply | None:
    if post.path != facts()["path"]:
        return Reply(404, b"no printer here\n", "text/plain")
    if post.media_type != MEDIA_TYPE:
        return Reply(415, b"application/ipp is expected\n", "text/plain")
    return None


def _corrupted(body: bytes, at: int) -> bytes:
    return body[:at] + bytes(octet ^ 0x55 for octet in body[at : at + 1]) + body[at + 1 :]


def _check_value(part: str) -> None:
    name, _, value = part.partition(":")[2].partition("=")
    match name.removeprefix(_OF_JOBS):
        case name if name in _NUMBERS and not value.isdecimal():
            raise FaultSyntaxError(f"{name} takes a whole number")
        case "status":
            try:
                status = int(value, 0)
            except ValueError:
                status = -1
            if not 0 <= status <= 0xFFFF:
                raise FaultSyntaxError("a status is a number like 0x0507")
