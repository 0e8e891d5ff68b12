"""The machine's wall clock jumps a year, both ways, under a running process (libfaketime)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.peer

YEAR = 365 * 86_400

WORKER = """
import json, sys, time
from pathlib import Path
from kiosk.clock import SystemClock
from offline_queue.message import QueueLimits
from offline_queue.queue import Queue

limits = QueueLimits(lease_seconds=3600, backoff_first=7200, backoff_cap=7200)
queue = Queue(Path(sys.argv[1]), bytes(16), SystemClock(), limits=limits, random=lambda: 1.0)
for line in sys.stdin:
    word, *arguments = line.split()
    answer = None
    if word == "put":
        answer = queue.enqueue("rating", b"x", key=arguments[0]).seq
    elif word == "claim":
        claim = queue.claim("worker")
        answer = claim and claim.key
    elif word == "retry":
        queue.retry(claim, "timeout")
    elif word == "confirm":
        queue.confirm(claim, "r-1")
    elif word == "purge":
        answer = queue.purge()
    elif word == "look":
        answer = {"wall": time.time(), "due": queue.next_due(),
                  "trust": [row.trust for row in queue.rows()],
                  "whole": queue.desk.verify().whole}
    print(json.dumps(answer), flush=True)
"""


class Machine:
    """A process whose wall clock somebody else sets; its monotonic clock runs on."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        self._queue = folder / "queue.sqlite"
        self.set_clock(0)
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
        environment = os.environ | {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        command = [sys.executable, "-c", WORKER, str(self._queue)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def set_clock(self, ahead: int) -> None:
        """The wall clock is so many seconds ahead of the right time, from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead:+d}s\n", "ascii")
        new.replace(self._file)

    def ask(self, line: str) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def restart(self) -> None:
        self.end()
        self._process = self._start()

    def end(self) -> None:
        self._process.communicate()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.end()


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_a_jump_delays_nothing_hurries_nothing_and_reorders_nothing(
    machine: Machine, jump: int
) -> None:
    for key in ("leased", "waiting", "first"):
        machine.ask(f"put {key}")
    before = machine.ask("look")
    assert machine.ask("claim") == "leased"
    machine.ask("claim")
    machine.ask("retry")
    machine.set_clock(jump)
    after = machine.ask("look")
    assert abs(after["wall"] - before["wall"] - jump) < 60, "the clock did not jump"
    machine.ask("put second")
    assert [machine.ask("claim"), machine.ask("claim")] == ["first", "second"]
    machine.ask("confirm")
    assert machine.ask("claim") is None
    # What is leased ends within its hour, what waits is due within two.
    assert 3500 < machine.ask("look")["due"] <= 3600
    assert machine.ask("purge") == 0
    assert machine.ask("look")["whole"]


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_a_start_with_another_clock_keeps_the_order(machine: Machine, jump: int) -> None:
    machine.ask("put first")
    machine.ask("claim")
    machine.set_clock(jump)
    machine.restart()
    machine.ask("put second")
    look = machine.ask("look")
    assert look["trust"] == ["unknown", "behind" if jump < 0 else "unknown"]
    # With the clock back in the past the lease runs on; a year later it is long over.
    found = [machine.ask("claim"), machine.ask("claim")]
    assert found == (["second", None] if jump < 0 else ["first", "second"])
    assert machine.ask("look")["whole"]
