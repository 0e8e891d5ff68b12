"""An IPP printer on a local socket, scripted by the test; every octet of it is written by hand."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PRINT_JOB, CANCEL, GET_JOB, GET_JOBS, GET_PRINTER = 0x02, 0x08, 0x09, 0x0A, 0x0B
RESUME, ENABLE = 0x11, 0x22
OK, NOT_POSSIBLE, NOT_FOUND, NOT_ACCEPTING = 0x0000, 0x0404, 0x0406, 0x0506
PENDING, HELD, PROCESSING, STOPPED, CANCELED, ABORTED, COMPLETED = range(3, 10)


NOW = 1_700_000_000
"""What a spooler's clock says."""


def attribute(tag: int, name: str, *values: bytes) -> bytes:
    octets = b""
    for place, value in enumerate(values):
        called = b"" if place else name.encode()
        octets += struct.pack(">BH", tag, len(called)) + called
        octets += struct.pack(">H", len(value)) + value
    return octets


def integer(name: str, value: int, tag: int = 0x21) -> bytes:
    return attribute(tag, name, struct.pack(">i", value))


def enum(name: str, value: int) -> bytes:
    return integer(name, value, 0x23)


def boolean(name: str, value: bool) -> bytes:
    return attribute(0x22, name, bytes([value]))


def keywords(name: str, *values: str) -> bytes:
    return attribute(0x44, name, *(value.encode() for value in values))


def titled(name: str, value: str) -> bytes:
    return attribute(0x42, name, value.encode())


HEAD = (
    b"\x01"
    + attribute(0x47, "attributes-charset", b"utf-8")
    + attribute(0x48, "attributes-natural-language", b"en")
)


def message(status: int, request: int, *groups: bytes) -> bytes:
    """An answer: each group begins with its own delimiter."""
    return struct.pack(">BBHI", 1, 1, status, request) + HEAD + b"".join(groups) + b"\x03"


@dataclass
class Request:
    """A request as it was received; `attributes` keeps names and values in their order."""

    operation: int
    number: int
    attributes: list[tuple[str, bytes]]
    job_attributes: list[tuple[str, bytes]]
    document: bytes
    headers: dict[str, str]

    def value(self, name: str) -> bytes | None:
        return dict(reversed(self.attributes)).get(name)


def read_request(body: bytes, headers: dict[str, str]) -> Request:
    version, operation, number = struct.unpack_from(">HHI", body)
    assert version in (0x0101, 0x0200)
    groups: dict[int, list[tuple[str, bytes]]] = {}
    place, group, name = 8, 0, ""
    while (tag := body[place]) != 3:
        place += 1
        if tag < 0x10:
            group = tag
            groups[group] = []
            continue
        (size,) = struct.unpack_from(">H", body, place)
        name = body[place + 2 : place + 2 + size].decode() or name
        place += 2 + size
        (size,) = struct.unpack_from(">H", body, place)
        groups[group].append((name, body[place + 2 : place + 2 + size]))
        place += 2 + size
    return Request(
        operation, number, groups.get(1, []), groups.get(2, []), body[place + 1 :], headers
    )


@dataclass
class Job:
    """What the printer has of a job; it says nothing of what is None."""

    name: str | None
    state: int = PROCESSING
    reasons: tuple[str, ...] = ("none",)
    impressions: int | None = 0
    sheets: int | None = None
    listed: bool = True
    numbered: bool = True
    begun: int | None = None
    born: int | None = None

    def attributes(self, number: int) -> bytes:
        octets = b"\x02" + (integer("job-id", number) if self.numbered else b"")
        if self.name is not None:
            octets += titled("job-name", self.name)
        octets += enum("job-state", self.state) + keywords("job-state-reasons", *self.reasons)
        if self.impressions is not None:
            octets += integer("job-impressions-completed", self.impressions)
        if self.sheets is not None:
            octets += integer("job-media-sheets-completed", self.sheets)
        if self.begun is not None:
            octets += integer("time-at-processing", self.begun)
        if self.born is not None:
            octets += integer("time-at-creation", self.born)
            octets += integer("job-printer-up-time", NOW)
        return octets


Fault = Callable[["Handler", Callable[[], bytes]], object]
"""Is given the connection and what makes the usual answer, with its effect."""


@dataclass
class PrinterDouble:
    """`faults` has, by operation, what is done instead of answering, one for each request; the
    last one stays when it is in `always`. `more` are other attributes of the printer."""

    state: int = 3
    reasons: tuple[str, ...] = ("none",)
    accepting: bool = True
    queued: int = 0
    up_time: int | None = 10_000
    more: bytes = b""
    template: Job | None = None
    jobs: dict[int, Job] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    faults: dict[int, list[Fault]] = field(default_factory=dict)
    always: dict[int, Fault] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    next_job: int = 7

    def __post_init__(self) -> None:
        self.closing = threading.Event()
        self.start(0)

    def start(self, port: int) -> None:
        double = self

        class Bound(Handler):
            printer = double

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Bound)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        if self.tls is not None:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        scheme = "ipps" if self.tls else "ipp"
        return f"{scheme}://127.0.0.1:{self.port}/ipp/print"

    def off(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def on(self) -> None:
        self.start(self.port)

    def close(self) -> None:
        self.closing.set()
        self.off()

    def operations(self) -> list[int]:
        return [request.operation for request in self.requests]

    # --- answers -----------------------------------------------------------------------------

    def usual(self, request: Request) -> bytes:
        def answer(status: int, *groups: bytes) -> bytes:
            return message(status, request.number, *groups)

        match request.operation:
            case 0x0B:
                return answer(
                    OK,
                    b"\x04"
                    + enum("printer-state", self.state)
                    + keywords("printer-state-reasons", *self.reasons)
                    + boolean("printer-is-accepting-jobs", self.accepting)
                    + integer("queued-job-count", self.queued)
                    + (b"" if self.up_time is None else integer("printer-up-time", self.up_time))
                    + self.more,
                )
            case 0x02:
                number, self.next_job = self.next_job, self.next_job + 1
                name = (request.value("job-name") or b"").decode()
                self.jobs[number] = job = self.template or Job(name)
                job.name = job.name or name
                return answer(
                    OK, b"\x02" + integer("job-id", number) + enum("job-state", job.state)
                )
            case 0x0A:
                over = request.value("which-jobs") == b"completed"
                found = (
                    job.attributes(number)
                    for number, job in self.jobs.items()
                    if job.listed and (job.state >= CANCELED) == over
                )
                return answer(OK, *found)
            case 0x11:
                self.state = 3
                self.reasons = tuple(word for word in self.reasons if word != "paused")
                return answer(OK)
            case 0x22:
                self.accepting = True
                return answer(OK)
        number = struct.unpack(">i", request.value("job-id") or b"")[0]
        job = self.jobs.get(number)  # type: ignore[assignment]
        if job is None:
            return answer(NOT_FOUND)
        if request.operation == 0x09:
            return answer(OK, job.attributes(number))
        assert request.operation == 0x08
        if job.state >= CANCELED:
            return answer(NOT_POSSIBLE)
        job.state = CANCELED
        return answer(OK)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    printer: PrinterDouble

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = read_request(body, {name.lower(): text for name, text in self.headers.items()})
        self.request_read = request
        printer = self.printer
        printer.requests.append(request)
        waiting = printer.faults.get(request.operation)
        fault = waiting.pop(0) if waiting else printer.always.get(request.operation)
        if fault is None:
            self.send(printer.usual(request))
        else:
            fault(self, lambda: printer.usual(request))

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        kind = headers.pop("content_type", "application/ipp")
        for name, text in {"Content-Type": kind, **headers}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Tests print nothing."""


# --- faults ----------------------------------------------------------------------------------


def refuse(status: int) -> Fault:
    """An error status, without the effect."""
    return lambda handler, usual: handler.send(message(status, handler.request_read.number))


def http(status: int, body: bytes = b"", **headers: str) -> Fault:
    return lambda handler, usual: handler.send(body, status, **headers)


def raw(octets: bytes) -> Fault:
    """These octets instead of HTTP, then the end."""

    def send(handler: Handler, usual: Callable[[], bytes]) -> None:
        handler.wfile.write(octets)
        handler.drop()

    return send


def drop(handler: Handler, usual: Callable[[], bytes]) -> None:
    """Nothing is done and the connection breaks."""
    handler.drop()


def lose(handler: Handler, usual: Callable[[], bytes]) -> None:
    """All is done and the answer lost."""
    usual()
    handler.drop()


def half(handler: Handler, usual: Callable[[], bytes]) -> None:
    """The answer breaks off within."""
    octets = usual()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(octets)))
    handler.end_headers()
    handler.wfile.write(octets[: len(octets) // 2])
    handler.drop()


def short(handler: Handler, usual: Callable[[], bytes]) -> None:
    """Half of the answer, said to be whole."""
    octets = usual()
    handler.send(octets[: len(octets) // 2])


def other_number(handler: Handler, usual: Callable[[], bytes]) -> None:
    """The answer to another request."""
    octets = bytearray(usual())
    octets[7] ^= 0x55
    handler.send(bytes(octets))


def hang(handler: Handler, usual: Callable[[], bytes]) -> None:
    """No answer, but no end either."""
    handler.printer.closing.wait(30)


def endless(handler: Handler, usual: Callable[[], bytes]) -> None:
    """An answer that never ends."""
    handler.send_response(200)
    handler.end_headers()
    octets = usual()[:-1] + keywords("printer-state-reasons", "x" * 1000)
    try:
        while not handler.printer.closing.is_set():
            handler.wfile.write(octets)
    except OSError:
        handler.close_connection = True


def trickle(handler: Handler, usual: Callable[[], bytes]) -> None:
    """An answer that comes, but too slowly to ever end."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    try:
        while not handler.printer.closing.wait(0.02):
            handler.wfile.write(b"\x01")
    except OSError:
        handler.close_connection = True
