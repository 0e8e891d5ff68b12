"""What a terminal does with its queue, in a process of its own that may die at any moment.

It says what it has done, a line each, and the far end answers where it must:

* ``stored N``: message N is on the disk
* ``ask KEY`` and ``send KEY N``: answered by a receipt, ``none``, ``refused`` or ``later``
* ``settled KEY``: the end of a delivery is on the disk
* ``lived STEPS``: nothing more comes
"""

from __future__ import annotations

import contextlib
import sys
from enum import Enum
from pathlib import Path
from typing import TextIO

from offline_queue.errors import LeaseLost, NotDead
from offline_queue.message import Claim, QueueLimits, State
from offline_queue.queue import Queue
from tests.offline_queue.queue_world import DEVICE_KEY, HandClock
from tests.soak.ending import End, Steps

LIMITS = QueueLimits(
    lease_seconds=60, backoff_first=1, backoff_cap=8, retention_seconds=600, breaker_failures=3
)


class Job(Enum):
    """One run of a process."""

    OPEN = "open"
    ENQUEUE = "enqueue"
    DELIVER = "deliver"
    DRAIN = "drain"
    """Deliver whatever is due."""
    PURGE = "purge"
    ROTATE = "rotate"
    REPLAY = "replay"


ENQUEUED_AT_ONCE = 6
DELIVERED_AT_ONCE = 8


class Terminal:
    """One process's life.

    Args:
        first: number of the first message that it may make.
        idle: seconds between opening the file and working with it.
    """

    def __init__(
        self,
        folder: Path,
        clock: HandClock,
        said: TextIO,
        heard: TextIO,
        *,
        first: int,
        idle: float,
    ) -> None:
        self._path = folder / "queue.sqlite"
        self._clock = clock
        self._first = first
        self._idle = idle
        self._said = said
        self._heard = heard

    def live(self, job: Job, end: End) -> None:
        """Do the job, and say how many steps it took. An end counts from the opened file on, but
        for OPEN."""
        steps = Steps(end)
        if job is Job.OPEN:
            steps.begin()
        self._queue = Queue(self._path, DEVICE_KEY, self._clock, limits=LIMITS, boot="soak")
        # The machine runs, whatever its wall clock says: leases and pauses end.
        self._clock.pass_(self._idle)
        if job is not Job.OPEN:
            steps.begin()
        {
            Job.OPEN: lambda: None,
            Job.ENQUEUE: self._enqueue,
            Job.DELIVER: lambda: self._deliver(DELIVERED_AT_ONCE),
            Job.DRAIN: lambda: self._deliver(sys.maxsize),
            Job.PURGE: self._queue.purge,
            Job.ROTATE: self._queue.desk.rotate,
            Job.REPLAY: self._replay,
        }[job]()
        self._queue.close()
        self._say(f"lived {steps.taken}")

    def _enqueue(self) -> None:
        for number in range(self._first, self._first + ENQUEUED_AT_ONCE):
            order = f"o-{number % 4}" if number % 3 else ""
            self._queue.enqueue(
                "rating",
                body_of(number),
                key=f"k-{number}",
                order=order,
                lane=f"lane-{number % 2}",
                mark=("cursor", number),
            )
            self._say(f"stored {number}")

    def _deliver(self, most: int) -> None:
        for _ in range(most):
            claim = self._queue.claim("worker")
            if claim is None:
                return
            number = number_of(claim.body)
            answer = self._ask(f"ask {claim.key}") if claim.unsure else "none"
            if answer == "none":
                answer = self._ask(f"send {claim.key} {number}")
            # Who comes late settles nothing; the other one does.
            with contextlib.suppress(LeaseLost):
                self._settle(claim, answer)
                self._say(f"settled {claim.key}")

    def _settle(self, claim: Claim, answer: str) -> None:
        if answer == "refused":
            self._queue.bury(claim, "refused")
        elif answer == "later":
            self._queue.retry(claim, "later", unsure=True, lane_failed=True)
        else:
            self._queue.confirm(claim, answer)

    def _replay(self) -> None:
        for row in self._queue.rows(State.DEAD, limit=10**6):
            if row.replaced is None:
                # Another process may have decided meanwhile.
                with contextlib.suppress(NotDead):
                    self._queue.desk.replay(row.seq, f"{row.key}+{self._first}")

    def _ask(self, line: str) -> str:
        self._say(line)
        return self._heard.readline().strip()

    def _say(self, line: str) -> None:
        self._said.write(line + "\n")
        self._said.flush()


def body_of(number: int) -> bytes:
    """Another one for every message; now and then longer than a page."""
    return f"message {number} ".encode() * (400 if number % 7 == 0 else 1)


def number_of(body: bytes) -> int:
    """Of which message this is the body."""
    number = int(body.split(maxsplit=2)[1])
    assert body == body_of(number), "a body that nobody enqueued"
    return number
