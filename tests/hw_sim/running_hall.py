"""A hall in a process of its own, and its command line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from hw_sim.hall.client import HallClient

START_SECONDS = 40


def sim(run: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hw_sim.hall.cli", words[0], "--run", str(run), *words[1:]]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, input=typed
    )


class RunningHall:
    """A hall in the foreground of a child process, its stdin a pipe that we hold."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.run = folder / "run"
        self.state = folder / "state"
        command = [sys.executable, "-m", "hw_sim.hall.cli", "start", "--run", str(self.run)]
        self.process = subprocess.Popen(
            [*command, "--state", str(self.state), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        end = time.monotonic() + START_SECONDS
        while not (self.run / "hall.json").exists():
            assert self.process.poll() is None, self.process.stderr.read()  # type: ignore[union-attr]
            assert time.monotonic() < end
            time.sleep(0.02)
        self.told = json.loads((self.run / "hall.json").read_text())

    def ended(self) -> int:
        return self.process.wait(START_SECONDS)

    def close(self) -> None:
        """Ends it. No card of it may have had a bug."""
        bugs = 0
        if self.process.poll() is None:
            bugs = HallClient(self.run).ask("status")["card_bugs"]
        for pipe in (self.process.stdin, self.process.stderr):
            assert pipe is not None
            pipe.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(START_SECONDS)
        assert bugs == 0, "bugs of simulated cards"


def status(hall: RunningHall) -> dict[str, object]:
    answer = sim(hall.run, "status", "--json")
    assert answer.returncode == 0, answer.stderr
    found: dict[str, object] = json.loads(answer.stdout)
    return found
