"""kill -9 in the middle of enqueuing, sending and printing: what was begun settles as it must."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.platform.server import PlatformServer
from hw_sim.printer.device import PrinterDevice
from kiosk.audit.log import AuditLog
from kiosk.audit.verify import verify
from kiosk.intents import IntentOutcome, Intents
from offline_queue.message import State
from tests.kiosk.killed_terminal import (
    CLOCK,
    SERIAL,
    courier_of,
    queue_of,
    station_of,
)
from tests.kiosk.reference_line import enrolled

PATIENCE = 60.0
KILLS = 8


def _start(what: str, folder: Path, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.kiosk.killed_terminal", what, str(folder), url],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


def _kill(process: subprocess.Popen[str]) -> list[str]:
    """Kill it; returns the whole lines that it had printed."""
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate(timeout=PATIENCE)
    return [line for line in said.splitlines(keepends=True) if line.endswith("\n")]


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[PrinterDevice]:
    device = PrinterDevice(tmp_path / "prints", page_seconds=0.5).start()
    yield device
    device.stop()


def test_a_terminal_killed_while_printing_finds_the_print_unknown_and_prints_nothing(
    tmp_path: Path, printer: PrinterDevice
) -> None:
    process = _start("print", tmp_path, printer.url)
    until = time.monotonic() + PATIENCE
    while not printer.machine.jobs and time.monotonic() < until:
        time.sleep(0.01)
    _kill(process)
    assert len(printer.machine.records) == 1

    queue = queue_of(tmp_path)
    audit = AuditLog(tmp_path / "audit.jsonl", "T429900-0003", CLOCK)
    assert station_of(tmp_path, printer.url, queue, audit).settle_open() == 1
    audit.close()
    found = Intents(tmp_path / "intents.sqlite", CLOCK).find(SERIAL)
    assert found is not None
    assert found.outcome is IntentOutcome.UNKNOWN
    assert len(printer.machine.records) == 1
    assert [row.kind for row in queue.rows()] == ["print-outcome"]
    queue.close()
    assert verify(tmp_path / "audit.jsonl").ok


def test_whenever_the_sender_is_killed_everything_arrives_once(tmp_path: Path) -> None:
    rng = random.Random(20261121)
    with PlatformServer(tmp_path / "platform.sqlite") as server:
        keys = enrolled(server, tmp_path / "keys")
        server.faults.add("events@3:drop-after-commit")
        acknowledged: set[str] = set()
        written = 0
        for _ in range(KILLS):
            process = _start("post", tmp_path, server.url)
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.25))
            for line in [first, *_kill(process)]:
                serial, seq = line.split()
                acknowledged.add(serial)
                written = max(written, int(seq))
        queue = queue_of(tmp_path)
        courier = courier_of(tmp_path, server.url, queue, keys.terminal_id)
        until = time.monotonic() + PATIENCE
        while queue.metrics().open and time.monotonic() < until:
            time.sleep(min(courier.run_once(), 0.1))
        assert queue.rows(State.DEAD) == ()
        queue.close()

        serials = [event["body"]["serial"] for event in server.events("print-outcome")]
        assert len(serials) == len(set(serials)), "nothing arrives twice"
        assert acknowledged <= set(serials), "nothing that was on the disk is lost"
        shipped = [event["body"] for event in server.events("audit-range")]
        ends = [0, *(body["last"] for body in shipped)]
        assert [body["first"] for body in shipped] == [end + 1 for end in ends[:-1]]
        assert ends[-1] >= written
