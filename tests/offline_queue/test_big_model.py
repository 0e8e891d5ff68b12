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

from offline_queue.errors import KeyConflict, LeaseLost, NotDead, QueueFull
from offline_queue.message import HEAD_START, Claim, Enqueued, Priority, State
from offline_queue.queue import Queue
from tests.offline_queue.queue_world import LIMITS, START, HandClock, open_queue

MODEL_LIMITS = dataclasses.replace(LIMITS, open_rows=8)
LEASE = int(LIMITS.lease_seconds * 1000)
RETENTION = int(LIMITS.retention_seconds * 1000)
LAG = 1000
MEMORY = Path("/dev/shm")
TIMED = (State.WAITING, State.LEASED, State.SENT)

LANES = ("main", "other")

workers = st.sampled_from([0, 1])
lanes = st.sampled_from(LANES)
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
    lane: str
    rank: int
    expires: int | None
    due: int = 0
    attempts: int = 0
    epoch: int = 0
    settled: int = 0
    unsure: bool = False
    decided: bool = False

    @property
    def open(self) -> bool:
        return self.state not in (State.CONFIRMED, State.DEAD)


def delay(attempts: int, after: float | None) -> int:
    """Milliseconds of a backoff with the random number of these tests."""
    jitter = min(LIMITS.backoff_cap, LIMITS.backoff_first * 2**attempts) / 2
    return int(max(jitter, min(after or 0, LIMITS.after_cap)) * 1000)


@dataclass
class ExpectedLane:
    """How a lane should stand."""

    failures: int = 0
    until: int = 0


class QueueMachine(RuleBasedStateMachine):
    claims = Bundle("claims")

    @initialize()
    def begin(self) -> None:
        # Thousands of commits; what survives a power cut is not the subject here.
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.clock = HandClock()
        self.queues: list[Queue] = []
        self.expected: dict[str, Expected] = {}
        self.lanes = {name: ExpectedLane() for name in LANES}
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
        lane=lanes,
        expires=st.none() | st.sampled_from([0.5, 60.0, 5_000.0]),
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
        lane: str,
        expires: float | None,
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
                lane=lane,
                expires_after=expires,
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
        end = None if expires is None else self.now + int(expires * 1000)
        self.store(kind, key, body, order, priority, lane, end)

    def store(
        self, kind: str, key: str, body: bytes, order: str, priority: int, lane: str,
        expires: int | None,
    ) -> None:  # fmt: skip
        """A row came in as the last one."""
        behind = order and any(row.order == order and row.open for row in self.expected.values())
        state = State.BEHIND if behind else State.READY
        rank = self.now + HEAD_START[Priority(priority)] * 1000
        self.expected[key] = Expected(
            self.last_seq, kind, key, body, order, priority, state, lane, rank, expires
        )
        self.written = self.now

    @rule(target=claims, worker=workers)
    def claim(self, worker: int) -> object:
        for row in self.expected.values():
            if row.state in TIMED and row.due <= self.now:
                row.unsure = row.unsure or row.state is State.LEASED
                row.state, row.due, row.epoch = State.READY, 0, row.epoch + 1
        claim = self.queues[worker].claim(f"worker-{worker}")
        while (row := self.head()) is not None:
            row.state, row.due, row.epoch = State.LEASED, self.now + LEASE, row.epoch + 1
            self.written = self.now
            if row.expires is None or row.expires > self.now:
                break
            self.settled(row, State.DEAD)
        if row is None:
            assert claim is None
            return multiple()
        assert claim is not None
        # The order's tag is the file's own.
        assert claim == Claim(
            row.seq, row.kind, row.key, row.body, row.lane, claim.order, row.attempts, row.epoch,
            row.unsure,
        )  # fmt: skip
        assert bool(claim.order) == bool(row.order)
        return claim

    def head(self) -> Expected | None:
        """What goes next."""
        ready = [
            row
            for row in self.expected.values()
            if row.state is State.READY and self.lanes[row.lane].until <= self.now
        ]
        return min(ready, key=lambda row: (row.rank, row.seq), default=None)

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
            # Another one stands before it when this one was settled by another way.
            if heir.state is State.BEHIND:
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
            self.lanes[row.lane] = ExpectedLane()

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

    @rule(
        worker=workers,
        claim=claims,
        after=st.sampled_from([None, 3.0, 10_000.0]),
        unsure=st.booleans(),
        lane_failed=st.booleans(),
    )
    def retry(
        self, worker: int, claim: Claim, after: float | None, unsure: bool, lane_failed: bool
    ) -> None:
        row = self.held(claim)
        try:
            self.queues[worker].retry(
                claim, "timeout", after=after, unsure=unsure, lane_failed=lane_failed
            )
        except LeaseLost:
            assert row is None
        else:
            assert row is not None
            row.state = State.SENT if unsure else State.WAITING
            row.due = self.now + delay(row.attempts, after)
            row.attempts += 1
            row.unsure = row.unsure or unsure
            self.written = self.now
            if lane_failed:
                lane = self.lanes[row.lane]
                lane.failures += 1
                over = lane.failures - LIMITS.breaker_failures
                if over >= 0:
                    lane.until = max(lane.until, self.now + delay(over, after))

    @rule(worker=workers, lane=lanes, pause=st.sampled_from([0.5, 60.0]))
    def pause(self, worker: int, lane: str, pause: float) -> None:
        self.queues[worker].pause(lane, "unauthorized", pause)
        expected = self.lanes[lane]
        expected.failures += 1
        expected.until = max(expected.until, self.now + int(pause * 1000))

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
        waiting = [
            row for row in self.expected.values() if row.state in (State.WAITING, State.SENT)
        ]
        assert self.queues[worker].hurry() == len(waiting)
        for row in waiting:
            row.state, row.due = State.READY, 0
        for lane in self.lanes.values():
            if lane.until:
                lane.until = lane.failures = 0

    @rule(
        worker=workers,
        key=st.integers(0, 14).map("k-{}".format),
        state=st.sampled_from([State.CONFIRMED, State.DEAD]),
    )
    def settle(self, worker: int, key: str, state: State) -> None:
        row, desk = self.expected.get(key), self.queues[worker].desk
        act = desk.settle if state is State.CONFIRMED else desk.reject
        done = act(key, "r-2")
        assert done == (row is not None and row.open)
        if done and row is not None:
            self.settled(row, state)

    @rule(worker=workers)
    def take_another_way(self, worker: int) -> None:
        rows = sorted((row for row in self.expected.values() if row.open), key=lambda row: row.seq)
        found = self.queues[worker].desk.unsettled()
        assert [(each.key, each.body) for each in found] == [(row.key, row.body) for row in rows]
        for row in rows:
            row.unsure = True

    @rule(worker=workers, seq=st.integers(1, 20), key=st.integers(0, 14).map("k-{}".format))
    def replay(self, worker: int, seq: int, key: str) -> None:
        row = next((row for row in self.expected.values() if row.seq == seq), None)
        full = sum(row.open for row in self.expected.values()) >= MODEL_LIMITS.open_rows
        waits = row is not None and row.state is State.DEAD and not row.decided
        try:
            done = self.queues[worker].desk.replay(seq, key)
        except NotDead:
            assert not waits
        except KeyConflict:
            assert waits and key in self.expected
        except QueueFull:
            assert waits and key not in self.expected and full
        else:
            assert row is not None and waits and key not in self.expected
            self.last_seq += 1
            assert done == Enqueued(self.last_seq, fresh=True)
            row.decided = True
            self.store(row.kind, key, row.body, row.order, row.priority, row.lane, None)

    @rule(worker=workers, seq=st.integers(1, 20))
    def forget(self, worker: int, seq: int) -> None:
        row = next((row for row in self.expected.values() if row.seq == seq), None)
        waits = row is not None and row.state is State.DEAD and not row.decided
        try:
            self.queues[worker].desk.forget(seq)
        except NotDead:
            assert not waits
        else:
            assert row is not None and waits
            row.decided = True

    @rule(worker=workers)
    def rotate(self, worker: int) -> None:
        self.queues[worker].desk.rotate()

    @rule(worker=workers)
    def purge(self, worker: int) -> None:
        old = [
            row
            for row in self.expected.values()
            if (row.state is State.CONFIRMED or row.decided)
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
                (row.seq, row.key, row.kind, row.state, row.attempts, row.unsure)
                for row in queue.rows()
            ] == [(row.seq, row.key, row.kind, row.state, row.attempts, row.unsure) for row in rows]
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
        dues = [row.due for row in self.expected.values() if row.state in TIMED]
        dues += [
            self.lanes[row.lane].until for row in self.expected.values() if row.state is State.READY
        ]
        for queue in self.queues:
            expected = max(0, min(dues) - self.now) / 1000 if dues else None
            assert queue.next_due() == expected

    @invariant()
    def the_chain_is_whole(self) -> None:
        if self.queues:
            report = self.queues[0].desk.verify()
            assert report.whole and report.last == self.last_seq
            assert report.rows == len(self.expected)
            assert report.rows + report.purged == self.last_seq

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
TestQueueModel.settings = settings(max_examples=1500, stateful_step_count=40, deadline=None)
