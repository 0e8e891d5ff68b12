"""One daemon thread for each device, so that a device that hangs hangs alone."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Done(Generic[T]):
    """How a job ended. The value may be a resident's data: it never shows in a repr."""

    value: T | None = field(repr=False)
    error: BaseException | None = None

    def result(self) -> T:
        """The job's value, or its exception raised."""
        if self.error is not None:
            raise self.error
        return cast(T, self.value)


class DeviceStuck(Exception):
    """An abandoned call has not come back yet; the device takes no work until it does."""


class Job:
    """A submitted call: waiting, running, or over."""

    def __init__(
        self, worker: Worker, call: Callable[[], Any], done: Callable[[Done[Any]], None]
    ) -> None:
        self._worker = worker
        self._call: Callable[[], Any] | None = call
        self._done: Callable[[Done[Any]], None] | None = done

    def abandon(self) -> bool:
        """Give the call up: its `done` will not be called. A waiting call never runs, a running
        one keeps the worker busy until it returns.

        Returns:
            False when `done` had been called already.
        """
        return self._worker._abandon(self)


class _Here(threading.local):
    """What this thread is."""

    worker: Worker | None = None


_here = _Here()


def given_up() -> bool:
    """Whether the call that runs on this thread was abandoned. It comes back too late then:
    nobody hears of what it does, so a device sends nothing more for it. False on a thread that is
    no worker's."""
    worker = _here.worker
    return worker is not None and worker.abandoned


class Worker:
    """Runs calls one after the other on a thread of its own.

    `done` is called on that thread, never after the job was abandoned; it must only hand the
    outcome on, since `abandon` waits for it.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._clock = clock
        # Re-entrant, as `done` may abandon or submit.
        self._lock = threading.RLock()
        self._work = threading.Condition(self._lock)
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._since: float | None = None
        self._given_up = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"worker {name}", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """A call is running, abandoned or not, or one waits."""
        with self._lock:
            return self._running is not None or bool(self._waiting)

    @property
    def busy_since(self) -> float | None:
        """Clock reading at which the running call began; None when none runs."""
        with self._lock:
            return self._since

    @property
    def abandoned(self) -> bool:
        """The running call was given up and has not come back."""
        with self._lock:
            return self._given_up

    def submit(self, job: Callable[[], T], done: Callable[[Done[T]], None]) -> Job:
        """Run `job` when those before it are over, then call `done`.

        Raises:
            DeviceStuck: an abandoned call still runs.
            RuntimeError: the worker is closed.
        """
        with self._work:
            if self._closed:
                raise RuntimeError(f"worker {self.name} is closed")
            if self._given_up:
                raise DeviceStuck(self.name)
            entry = Job(self, job, done)
            self._waiting.append(entry)
            self._work.notify()
            return entry

    def abandon(self) -> bool:
        """Give up the running call and all that wait; true when there was any."""
        with self._lock:
            jobs = list(self._waiting)
            if self._running is not None:
                jobs.append(self._running)
            given_up = [self._abandon(job) for job in jobs]
            return any(given_up)

    def close(self, timeout: float = 1.0) -> None:
        """Drop what waits, abandon what runs, and wait for the thread at most `timeout` seconds."""
        with self._work:
            self._closed = True
            self.abandon()
            self._work.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def _abandon(self, job: Job) -> bool:
        with self._lock:
            if job._done is None:
                return False
            job._done = None
            if job is self._running:
                self._given_up = True
            else:
                job._call = None
                self._waiting.remove(job)
            return True

    def _run(self) -> None:
        _here.worker = self
        while True:
            with self._work:
                while not self._waiting and not self._closed:
                    self._work.wait()
                if not self._waiting:
                    return
                job = self._running = self._waiting.popleft()
                self._since = self._clock()
                call, job._call = job._call, None
            outcome = self._outcome(call)
            # Calls and outcomes hold PIN buffers and residents' data: no reference stays behind
            # while this thread waits for work.
            del call
            if outcome.error is not None:
                _forget_frames(outcome.error)
            with self._lock:
                self._running = None
                self._since = None
                self._given_up = False
                done, job._done = job._done, None
                if done is not None:
                    self._tell(done, outcome)
            del job, done, outcome

    @staticmethod
    def _outcome(call: Callable[[], Any] | None) -> Done[Any]:
        assert call is not None
        try:
            return Done(call())
        except BaseException as error:
            return Done(None, error)

    def _tell(self, done: Callable[[Done[Any]], None], outcome: Done[Any]) -> None:
        try:
            done(outcome)
        except Exception:
            log.exception("worker %s: the receiver of an outcome failed", self.name)


def _forget_frames(error: BaseException) -> None:
    """Empty the variables of the frames that an error came through. They hold residents' data,
    cryptograms and the call itself; the error lives on, and somebody may show it with them."""
    chain: list[BaseException | None] = [error]
    seen: set[int] = set()
    while chain:
        each = chain.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            traceback.clear_frames(each.__traceback__)
            chain += (each.__cause__, each.__context__)
