"""``yikatong queue`` in this process, on a terminal's state directory with one row of every state.

Every body holds a demo person's number and name, which no command may show.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kiosk.audit.verify import verify
from kiosk.cli import main
from kiosk.clock import SystemClock
from kiosk.keys import Enrolment, KeyStore, TerminalKeys
from offline_queue.message import QueueLimits
from offline_queue.queue import Queue
from offline_queue.room import SpaceLimits
from tests.kiosk.card_cli import CONFIG

NUMBER = "429900196001010018"
NAME = "王秀芳"
BODY = json.dumps(
    {"occurred_at": 1, "body": {"holder": NAME, NUMBER: [NUMBER, NAME], "grade": 5}},
    ensure_ascii=False,
).encode()

# What waits stays so for the whole test; the ballast, which is written for each, is small.
LIMITS = QueueLimits(
    backoff_first=3600,
    backoff_cap=3600,
    space=SpaceLimits(ballast_bytes=512 * 1024, wal_bytes=256 * 1024),
)

DEAD = {5: "forbidden", 6: "invalid", 7: "expired"}
"""Reason by number."""

STATES = ("ready", "behind", "waiting", "leased", "sent", "confirmed", "dead")


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Office:
    """A terminal's state directory, and the command that a person types."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.file = folder / "queue.sqlite"
        self._capsys = capsys

    def enrol(self) -> None:
        """Keys for this terminal."""
        (self.folder / "keys").mkdir(parents=True)
        store = KeyStore(self.folder / "keys")
        public = store.prepare()
        store.enrol(Enrolment("T429900-0003", "429900", "http://127.0.0.1", public, 1))

    @property
    def keys(self) -> TerminalKeys:
        return KeyStore(self.folder / "keys").load()

    @contextmanager
    def queue(self) -> Iterator[Queue]:
        """The queue as the terminal has it open."""
        key, clock = self.keys.queue_key, SystemClock()
        queue = Queue(self.file, key, clock, limits=LIMITS, random=lambda: 1.0)
        try:
            yield queue
        finally:
            queue.close()

    def fill(self) -> None:
        """Ten rows: see `STATES` and `DEAD`."""
        with self.queue() as queue:
            for number in range(1, 9):
                lane = "alarms" if number == 3 else "events"
                kind = "alarm" if number == 3 else "evaluation"
                queue.enqueue(kind, BODY, key=f"T429900-0003-key-{number:04}", lane=lane)
            queue.enqueue("audit-range", BODY, key="range-1", lane="audit", order="audit")
            queue.enqueue("audit-range", BODY, key="range-2", lane="audit", order="audit")
            for number in range(1, 9):
                claim = queue.claim("courier-1")
                assert claim is not None and claim.seq == number
                match number:
                    case 1 | 2:
                        queue.confirm(claim, f"E-{number}")
                    case 3:
                        queue.retry(claim, "timeout", unsure=True)
                    case 4:
                        queue.retry(claim, "no-connection")
                    case 8:
                        pass
                    case _:
                        queue.bury(claim, DEAD[number])
            queue.pause("audit", "unknown-terminal", 3600)

    def configured(self) -> str:
        """The demo terminal's configuration, whose file it returns."""
        file = self.folder.parent / "terminal.toml"
        file.write_text(CONFIG, encoding="utf-8")
        return str(file)

    def __call__(self, action: str, *words: object) -> Answer:
        told = [action, *map(str, words), "--state", str(self.folder)]
        code = main(["queue", *told])
        out = self._capsys.readouterr()
        return Answer(code, out.out, out.err)

    def content(self) -> dict[str, bytes]:
        """All files but what SQLite keeps for those who have the queue open."""
        return {
            str(file.relative_to(self.folder)): file.read_bytes()
            for file in self.folder.rglob("*")
            if file.is_file() and not file.name.endswith("-shm")
        }

    def audited(self) -> list[tuple[str, dict[str, Any]]]:
        """Event and detail of every line that commands left, whose chain holds."""
        log = self.folder / "audit" / "commands.jsonl"
        if not log.exists():
            return []
        assert verify(log, None).ok
        events = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        return [(event["event"], event["detail"]) for event in events]


def office_for(capsys: pytest.CaptureFixture[str], folder: Path) -> Office:
    """A terminal with a full queue in an empty folder."""
    office = Office(folder / "state", capsys)
    office.enrol()
    office.fill()
    capsys.readouterr()
    return office
