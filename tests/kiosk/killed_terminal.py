"""A part of the terminal in a process of its own, for tests that kill it.

``python -m tests.kiosk.killed_terminal print FOLDER PRINTER-URL``: print one document.
``python -m tests.kiosk.killed_terminal post FOLDER PLATFORM-URL``: put messages into the queue and
send them, for ever; the key of each one that is on the disk is printed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import typst

from drivers.ipp.printer import IppPrinter
from drivers.ipp.watch import IppPatience
from kiosk.audit.log import AuditLog
from kiosk.audit.shipper import AuditShipper
from kiosk.clock import SystemClock
from kiosk.courier import Courier
from kiosk.documents.composer import Document
from kiosk.intents import Intents
from kiosk.keys import KeyStore
from kiosk.limits import Limits
from kiosk.outbox import Outbox
from kiosk.platform.client import PlatformClient, TerminalIdentity
from kiosk.platform.limits import LineLimits
from kiosk.print_station import PrintStation
from offline_queue.message import QueueLimits
from offline_queue.queue import Queue

SERIAL = "T429900-0003-261121-7F3KQ2"
CODE = "7F3K92MDQ4TXABCD"
CLOCK = SystemClock()


def queue_of(folder: Path) -> Queue:
    """The queue of one test; leases are short, so that a killed sender is soon forgotten."""
    limits = QueueLimits(lease_seconds=0.3, backoff_first=0.01, backoff_cap=0.05)
    return Queue(folder / "queue.sqlite", bytes(16), CLOCK, limits=limits)


def station_of(folder: Path, url: str, queue: Queue, audit: AuditLog) -> PrintStation:
    """The print station of one test at a printer."""
    intents = Intents(folder / "intents.sqlite", CLOCK)
    return PrintStation(
        lambda: IppPrinter(url, IppPatience(poll=0.02)),
        intents=intents,
        outbox=Outbox(queue, "T429900-0003", CLOCK, os.urandom),
        record=audit.write,
        terminal_id="T429900-0003",
        clock=CLOCK,
        random=os.urandom,
    )


def courier_of(folder: Path, url: str, queue: Queue, terminal_id: str) -> Courier:
    """A courier to a platform at which this folder's keys are enrolled."""
    keys = KeyStore(folder / "keys").load()
    identity = TerminalIdentity(keys.terminal_id, keys.private_key)
    limits = LineLimits(deadline=10, connect=5, retry_pause=0)
    client = PlatformClient(url, identity, keys.enrolment.platform_key, limits)
    outbox = Outbox(queue, terminal_id, CLOCK, os.urandom)
    return Courier(
        queue,
        client,
        AuditShipper(folder / "audit.jsonl", outbox),
        record=lambda *_arguments, **_keywords: None,
        limits=Limits(ship_seconds=0.02),
        errand=lambda: None,
    )


def a_pdf() -> bytes:
    """Two empty pages."""
    pdf = typst.compile(b"#pagebreak(weak: false)\n")
    assert isinstance(pdf, bytes)
    return pdf


def _say(line: str) -> None:
    # One write a line: a killed process leaves whole lines or a recognisable rest.
    os.write(sys.stdout.fileno(), line.encode() + b"\n")


def _print(folder: Path, url: str) -> None:
    audit = AuditLog(folder / "audit.jsonl", "T429900-0003", CLOCK)
    station = station_of(folder, url, queue_of(folder), audit)
    document = Document(a_pdf(), (b"", b""), SERIAL, CODE)
    station.print_document(document, lambda value: _say(str(value)))


def _post(folder: Path, url: str) -> None:
    keys = KeyStore(folder / "keys").load()
    queue = queue_of(folder)
    outbox = Outbox(queue, keys.terminal_id, CLOCK, os.urandom)
    audit = AuditLog(folder / "audit.jsonl", keys.terminal_id, CLOCK)
    courier = courier_of(folder, url, queue, keys.terminal_id)
    courier.start()
    while True:
        serial = f"S-{time.time_ns()}"[:12] + os.urandom(6).hex()
        outbox.put_print_outcome(serial, CODE, "done", "")
        audit.write("help.called", outcome="ok", detail={})
        _say(f"{serial} {audit.seq}")


if __name__ == "__main__":
    {"print": _print, "post": _post}[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
