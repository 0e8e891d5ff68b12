"""The queue against a model that fits on a page, over random histories of two processes."""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from offline_queue.errors import KeyConflict, LeaseLost, QueueFull
from offline_queue.message import Claim, Enqueued, Priority, State
from offline_queue.queue import Queue
from tests.offline_queue.queue_world import LIMITS, START, HandClock, open_queue

MODEL_LIMITS = dataclasses.replace(LIMITS, open_rows=8)
LEASE = int(LIMITS.lease_seconds * 1000)
RETENTION = int(LIMITS.retention_seconds * 1000)
LAG = 1000
MEMORY = Path("/dev/shm")

workers = st.sampled_from([0, 1])
seconds = st.sampled_from([0.0, 0.5, 1.0, 7.0, 60.0, 500.0, 2_000.0])


@dataclass
class Expected:
    """What a row should be."""

    seq: int
    kind: str
    key: str
    body: bytes
    order: str
    priority: int
    state: State
    due: int = 0
    attempts: int = 0
    epoch: int = 0
    settled: int = 0

    @property
    def open(self) -> bool:
        return self.state not in (State.CONFIRMED, State.DEAD)


class QueueMachine(RuleBasedStateMachine):
    claims = Bundle("claims")

    @initialize()
    def begin(self) -> None:
        # Thousands of commits; what survives a power cut is not the subject here.
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.clock = HandClock()
        self.queues: list[Queue] = []
        self.expected: dict[str, Expected] = {}
        self.cursor: int | None = None
        self.last_seq = 0
        self.zero = 0
        self.written = 0
        self.open_both()

    def open_both(self) -> None:
        path = Path(self.folder.name)
        self.queues = [open_queue(path, self.clock, limits=MODEL_LIMITS) for _ in (0, 1)]
        found = self.queues[0]._time.now()
        assert found >= max(int(self.clock.wall * 1000), self.written - LAG)
        self.zero = found - int(self.clock.ticks * 1000)

    @property
    def now(self) -> int:
        return self.zero + int(self.clock.ticks * 1000)

    # --- what processes do ---------------------------------------------------------------------

    @rule(
        worker=workers,
        key=st.integers(0, 14).map("k-{}".format),
        kind=st.sampled_from(["rating", "audit"]),
        body=st.sampled_from([b"", b"one"]),
        order=st.sampled_from(["", "x", "y"]),
        priority=st.sampled_from(list(Priority)),
        mark=st.none() | st.integers(0, 9),
    )
    def enqueue(
        self,
        worker: int,
        key: str,
        kind: str,
        body: bytes,
        order: str,
        priority: Priority,
        mark: int | None,
    ) -> None:
        known = self.expected.get(key)
        backlog = [row for row in self.expected.values() if row.open]
        try:
            done = self.queues[worker].enqueue(
                kind,
                body,
                key=key,
                order=order,
                priority=priority,
                mark=None if mark is None else ("cursor", mark),
            )
        except KeyConflict:
            assert known is not None
            assert (known.kind, known.body) != (kind, body)
            return
        except QueueFull:
            assert known is None
            assert len(backlog) >= MODEL_LIMITS.open_rows
            return
        if mark is not None:
            self.cursor = max(mark, self.cursor or 0)
        if known is not None:
            assert (known.kind, known.body) == (kind, body)
            assert done == Enqueued(known.seq, fresh=False)
            return
        self.last_seq += 1
        assert done == Enqueued(self.last_seq, fresh=True)
        behind = order and any(row.order == order for row in backlog)
        state = State.BEHIND if behind else State.READY
        self.expected[key] = Expected(self.last_seq, kind, key, body, order, priority, state)
        self.written = self.now

    @rule(target=claims, worker=workers)
    def claim(self, worker: int) -> object:
        for row in self.expected.values():
            if row.state in (State.WAITING, State.LEASED) and row.due <= self.now:
                row.state, row.due, row.epoch = State.READY, 0, row.epoch + 1
        ready = [row for row in self.expected.values() if row.state is State.READY]
        claim = self.queues[worker].claim(f"worker-{worker}")
        if not ready:
            assert claim is None
            return multiple()
        row = min(ready, key=lambda row: (row.priority, row.seq))
        row.state, row.due, row.epoch = State.LEASED, self.now + LEASE, row.epoch + 1
        assert claim == Claim(
            row.seq, row.kind, row.key, row.body, row.order, row.attempts, row.epoch
        )
        self.written = self.now
        return claim

    def held(self, claim: Claim) -> Expected | None:
        """The row, if the claim still counts."""
        row = self.expected.get(claim.key)
        if row is None or row.state is not State.LEASED or row.epoch != claim.epoch:
            return None
        return row

    def settled(self, row: Expected, state: State) -> None:
        row.state, row.settled = state, self.now
        heirs = [other for other in self.expected.values() if other.order and other.open]
        heirs = [other for other in heirs if other.order == row.order]
        if heirs:
            heir = min(heirs, key=lambda other: other.seq)
            assert heir.state is State.BEHIND
            heir.state = State.READY

    @rule(worker=workers, claim=claims)
    def confirm(self, worker: int, claim: Claim) -> None:
        row = self.held(claim)
        try:
            self.queues[worker].confirm(claim, "r-1")
        except LeaseLost:
            assert row is None
        else:
            assert row is not None
            self.settled(row, State.CONFIRMED)

    @rule(worker=workers, claim=claims)
    def bury(self, worker: int, claim: Claim) -> None:
        row = self.held(claim)
        try:
            self.queues[worker].bury(claim, "refused")
        except LeaseLost:
            assert row is None
        else:
            assert row is not None
            self.settled(row, State.DEAD)

    @rule(worker=workers, claim=claims, after=st.sampled_from([None, 3.0, 10_000.0]))
    def retry(self, worker: int, claim: Claim, after: float | None) -> None:
        row = self.held(claim)
        try:
            self.queues[worker].retry(claim, "timeout", after=after)
        except LeaseLost:
            assert row is None
        else:
            assert row is not None
            jitter = min(LIMITS.backoff_cap, LIMITS.backoff_first * 2**row.attempts) / 2
            delay = max(jitter, min(after or 0, LIMITS.after_cap))
            row.state, row.due = State.WAITING, self.now + int(delay * 1000)
            row.attempts += 1
            self.written = self.now

    @rule(worker=workers, claim=claims)
    def release(self, worker: int, claim: Claim) -> None:
        row = self.held(claim)
        try:
            self.queues[worker].release(claim)
        except LeaseLost:
            assert row is None
        else:
            assert row is not None
            row.state, row.due = State.READY, 0

    @rule(worker=workers)
    def hurry(self, worker: int) -> None:
        waiting = [row for row in self.expected.values() if row.state is State.WAITING]
        assert self.queues[worker].hurry() == len(waiting)
        for row in waiting:
            row.state, row.due = State.READY, 0

    @rule(worker=workers)
    def purge(self, worker: int) -> None:
        old = [
            row
            for row in self.expected.values()
            if row.state is State.CONFIRMED
            and row.settled <= self.now - RETENTION
            and row.seq != self.last_seq
        ]
        assert self.queues[worker].purge() == len(old)
        for row in old:
            del self.expected[row.key]

    # --- what the world does -------------------------------------------------------------------

    @rule(passed=seconds)
    def pass_time(self, passed: float) -> None:
        self.clock.pass_(passed)

    @rule(jump=st.sampled_from([-1e8, -100.0, 100.0, 1e8]))
    def set_clock(self, jump: float) -> None:
        self.clock.jump(jump)

    @rule()
    def restart(self) -> None:
        for queue in self.queues:
            queue.close()
        self.open_both()

    @rule(wall=st.sampled_from([0.0, START, START + 1e8]))
    def crash_and_reboot(self, wall: float) -> None:
        self.queues.clear()
        self.clock.reboot(wall)
        self.open_both()

    # --- what must hold ------------------------------------------------------------------------

    @invariant()
    def the_file_is_as_expected(self) -> None:
        if not self.queues:
            return
        rows = sorted(self.expected.values(), key=lambda row: row.seq)
        for queue in self.queues:
            assert [
                (row.seq, row.key, row.kind, row.state, row.attempts) for row in queue.rows()
            ] == [(row.seq, row.key, row.kind, row.state, row.attempts) for row in rows]
            assert queue.mark("cursor") == self.cursor
            metrics = queue.metrics()
            assert metrics.open == sum(row.open for row in rows)
            assert metrics.states == {
                state: sum(row.state is state for row in rows) for state in State
            }

    @invariant()
    def the_scheduler_wakes_in_time(self) -> None:
        if not self.queues:
            return
        dues = [
            row.due
            for row in self.expected.values()
            if row.state in (State.READY, State.WAITING, State.LEASED)
        ]
        for queue in self.queues:
            expected = max(0, min(dues) - self.now) / 1000 if dues else None
            assert queue.next_due() == expected

    @invariant()
    def one_of_an_order_at_a_time(self) -> None:
        for order in ("x", "y"):
            rows = [row for row in self.expected.values() if row.order == order and row.open]
            rows.sort(key=lambda row: row.seq)
            assert all(row.state is State.BEHIND for row in rows[1:])
            assert not rows or rows[0].state is not State.BEHIND

    def teardown(self) -> None:
        for queue in self.queues:
            queue.close()
        self.folder.cleanup()


TestQueueModel = QueueMachine.TestCase
TestQueueModel.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
