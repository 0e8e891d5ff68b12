"""Runs processes over one queue, ends them where the plan says, and looks at what is left."""

from __future__ import annotations

import os
import random
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from select import POLLHUP, POLLIN, poll

from offline_queue.message import State
from offline_queue.queue import Queue
from tests.offline_queue.first_schema import old_file
from tests.offline_queue.queue_world import DEVICE_KEY, START, HandClock
from tests.soak.ending import End
from tests.soak.jobs import ENQUEUED_AT_ONCE, LIMITS, Job, Terminal
from tests.soak.ledger import Ledger

LOOK_EVERY = 250
"""Kill points between two looks at the whole file."""
_PATIENCE_MS = 60_000
_ROUNDS = 100
"""Of delivery and replay until nothing is left."""

_MIX = (
    (Job.ENQUEUE, 6), (Job.DELIVER, 10), (Job.PURGE, 2), (Job.ROTATE, 1), (Job.REPLAY, 1),
    (Job.OPEN, 2),
)  # fmt: skip


class SoakFailed(Exception):
    """The queue did what it must never do."""


@dataclass(frozen=True)
class Result:
    """What a soak has seen."""

    kill_points: int
    acknowledged: int
    lost: int
    double: int
    jobs: dict[str, int]

    def as_json(self) -> dict[str, object]:
        """The same in plain values."""
        return dict(vars(self))


class _Process:
    """A forked terminal, and the lines between us."""

    def __init__(
        self,
        live: Callable[[Terminal], None],
        folder: Path,
        *,
        now: float,
        first: int,
        idle: float,
    ) -> None:
        from_child, to_parent = os.pipe()
        from_parent, to_child = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(from_child)
            os.close(to_child)
            code = 1
            try:
                with os.fdopen(to_parent, "w") as said, os.fdopen(from_parent) as heard:
                    live(Terminal(folder, HandClock(now), said, heard, first=first, idle=idle))
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(to_parent)
        os.close(from_parent)
        self.hears, self.says, self._rest = from_child, to_child, b""

    def lines(self) -> list[str] | None:
        """What it has said since; None at its end."""
        data = os.read(self.hears, 65536)
        if not data:
            return None
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line.decode() for line in whole]

    def answer(self, text: str) -> None:
        """It may be dead by now."""
        try:
            os.write(self.says, text.encode() + b"\n")
        except BrokenPipeError:
            return

    def ended(self) -> bool:
        """Close everything; whether it was killed.

        Raises:
            SoakFailed: it ended by an exception.
        """
        os.close(self.hears)
        os.close(self.says)
        status = os.waitpid(self.pid, 0)[1]
        if os.WIFSIGNALED(status):
            return True
        if os.WEXITSTATUS(status):
            raise SoakFailed("a process ended by an exception")
        return False


class World:
    """One folder with a queue, and all that happens to it. One seed, one history of decisions.

    Args:
        folder: empty; on a file system that is none of memory, to be of any worth.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder / "queue"
        self._folder.mkdir()
        self._old = folder / "old"
        self._old.mkdir()
        old_file(self._old)
        self._rng = random.Random(seed)
        self._ledger = Ledger(self._rng)
        self._steps: dict[Job, int] = dict.fromkeys(Job, 50)
        self._jobs: Counter[str] = Counter()
        self._now = START
        self._idle = 0.0
        self._next = 1
        self.killed = 0
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def run(self, points: int, progress: Callable[[int], object] = lambda _: None) -> Result:
        """Kill so many processes, looking at the file now and then and at the end.

        Raises:
            SoakFailed: a row is lost, doubled, changed, or the file is not whole.
        """
        looked = 0
        while self.killed < points:
            if self._rng.random() < 0.05:
                self._migrate()
            else:
                self._live()
            progress(self.killed)
            if self.killed - looked >= LOOK_EVERY:
                looked = self.killed
                self._look()
        self._finish()
        ledger = self._ledger
        return Result(
            self.killed, len(ledger.stored), len(ledger.lost), len(ledger.double), dict(self._jobs)
        )

    def _live(self) -> None:
        """One process, or two at once; each with an end of its own."""
        jobs = [job for job, weight in _MIX for _ in range(weight)]
        chosen = [self._rng.choice(jobs) for _ in range(self._rng.choice((1, 1, 2)))]
        self._pass_time()
        self._together(self._folder, [(job, self._end_of(job)) for job in chosen])

    def _end_of(self, job: Job) -> End:
        luck = self._rng.random()
        if luck < 0.1:
            return End()
        if luck < 0.6:
            return End(step=self._rng.randint(1, self._steps[job] + 5))
        return End(microseconds=self._rng.randint(1, 60) * self._rng.choice((20, 200)))

    def _pass_time(self) -> None:
        """Leases run out now and then, and the wall clock is not to be relied on."""
        self._idle = self._rng.choice((0.0, 1.0, 61.0))
        self._now += self._idle
        if self._rng.random() < 0.02:
            self._now += self._rng.choice((-86_400.0, 86_400.0))

    def _together(self, folder: Path, jobs: list[tuple[Job, End]]) -> None:
        running: dict[int, tuple[_Process, Job]] = {}
        waiter = poll()
        for job, end in jobs:
            first = self._next
            self._next += ENQUEUED_AT_ONCE if job is Job.ENQUEUE else 1
            process = _Process(
                lambda terminal, job=job, end=end: terminal.live(job, end),  # type: ignore[misc]
                folder,
                now=self._now,
                first=first,
                idle=self._idle,
            )
            running[process.hears] = process, job
            waiter.register(process.hears, POLLIN | POLLHUP)
        while running:
            ready = waiter.poll(_PATIENCE_MS)
            if not ready:
                raise SoakFailed("a process hangs")
            for descriptor, _ in ready:
                process, job = running[descriptor]
                lines = process.lines()
                if lines is None:
                    waiter.unregister(descriptor)
                    del running[descriptor]
                    self._jobs[job.value] += 1
                    self.killed += process.ended()
                    continue
                for line in lines:
                    self._heard(process, job, line)

    def _heard(self, process: _Process, job: Job, line: str) -> None:
        if line.startswith("lived "):
            self._steps[job] = max(self._steps[job], int(line.split()[1]))
        elif (answer := self._ledger.hear(line)) is not None:
            process.answer(answer)

    def _migrate(self) -> None:
        """A file of the first schema is opened, and the process dies on the way, perhaps again
        and again; then everything is there."""
        folder = self._folder.with_name("migrated")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._old, folder)
        steps = self._steps[Job.OPEN]
        for _ in range(self._rng.choice((1, 2, 3))):
            self._jobs["migrate"] += 1
            self._together(folder, [(Job.OPEN, self._end_of(Job.OPEN))])
        # What a migration takes is more than an ordinary opening.
        self._steps[Job.OPEN] = steps
        queue = Queue(folder / "queue.sqlite", DEVICE_KEY, HandClock(), limits=LIMITS)
        try:
            whole = queue.desk.verify().whole
            bodies = [queue.desk.body(seq) for seq in range(1, 7)]
        finally:
            queue.close()
        if not whole or bodies != [b"k-%d" % seq for seq in range(1, 7)]:
            raise SoakFailed("a migration lost or changed something")

    def _look(self) -> None:
        """The chain is whole, and every acknowledged message that is not purged is there."""
        queue = self._queue()
        try:
            report = queue.desk.verify()
            # A replay's key begins with the key that it repeats.
            there = {int(row.key[2:].partition("+")[0]) for row in queue.rows(limit=10**7)}
        finally:
            queue.close()
        if not report.whole:
            raise SoakFailed(f"the chain is not whole: lost {report.lost}, broken {report.broken}")
        effects = self._ledger.effects
        gone = {n for n in self._ledger.stored if n not in there and not effects.get(n)}
        if gone:
            raise SoakFailed(f"{len(gone)} acknowledged messages are neither here nor there")

    def _finish(self) -> None:
        """Nobody dies any more, and everything is delivered."""
        self._ledger.patient = True
        self._idle = 61.0
        for _ in range(_ROUNDS):
            self._now += self._idle
            self._together(self._folder, [(Job.REPLAY, End()), (Job.DRAIN, End())])
            queue = self._queue()
            try:
                metrics = queue.metrics()
                undecided = any(row.replaced is None for row in queue.rows(State.DEAD, limit=10**7))
            finally:
                queue.close()
            if not metrics.open and not undecided:
                return self._look()
        raise SoakFailed("the queue never gets empty")

    def _queue(self) -> Queue:
        self._now += 1
        return Queue(self._folder / "queue.sqlite", DEVICE_KEY, HandClock(self._now), limits=LIMITS)
