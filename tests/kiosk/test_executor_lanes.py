"""Workers a lane: order, abandoned work, and lanes that get a fresh worker."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kiosk.clock import VirtualClock
from kiosk.executor import ThreadedExecutor, VirtualExecutor

PATIENCE = 10.0


@pytest.fixture
def executor() -> Iterator[ThreadedExecutor]:
    executor = ThreadedExecutor()
    yield executor
    executor.close()


def ignore(_value: Any) -> None:
    pass


def test_work_reports_and_ends_with_its_value(executor: ThreadedExecutor) -> None:
    told: queue.Queue[Any] = queue.Queue()

    def work(report: Any) -> str:
        report(1)
        report(2)
        return "done"

    executor.start("card", work, told.put, told.put)
    assert [told.get(timeout=PATIENCE) for _ in range(2)] == [1, 2]
    assert told.get(timeout=PATIENCE).value == "done"


def test_an_error_is_a_result(executor: ThreadedExecutor) -> None:
    told: queue.Queue[Any] = queue.Queue()
    executor.start("card", lambda report: 1 // 0, ignore, told.put)
    assert isinstance(told.get(timeout=PATIENCE).error, ZeroDivisionError)


def test_abandoned_work_is_silent_and_keeps_its_lane_stuck(executor: ThreadedExecutor) -> None:
    told: queue.Queue[Any] = queue.Queue()
    begun, go_on = threading.Event(), threading.Event()

    def work(report: Any) -> None:
        begun.set()
        go_on.wait(PATIENCE)

    job = executor.start("card", work, ignore, told.put)
    assert begun.wait(PATIENCE)
    assert not executor.stuck("card")
    job.abandon()
    assert executor.stuck("card")
    assert not executor.stuck("pad")
    go_on.set()
    for _ in range(1000):
        if not executor.stuck("card"):
            break
        threading.Event().wait(0.005)
    executor.start("card", lambda report: "next", ignore, told.put)
    assert told.get(timeout=PATIENCE).value == "next"
    assert told.empty()


def test_the_platform_gets_a_fresh_worker_instead(executor: ThreadedExecutor) -> None:
    told: queue.Queue[Any] = queue.Queue()
    begun, go_on = threading.Event(), threading.Event()

    def work(report: Any) -> None:
        begun.set()
        go_on.wait(PATIENCE)

    executor.start("platform", work, ignore, ignore).abandon()
    executor.start("platform", work, ignore, ignore)
    assert begun.wait(PATIENCE)
    executor._workers["platform"].abandon()
    assert not executor.stuck("platform")
    executor.start("platform", lambda report: "answered", ignore, told.put)
    assert told.get(timeout=PATIENCE).value == "answered"
    go_on.set()


def test_virtual_work_takes_virtual_time() -> None:
    clock = VirtualClock()
    executor = VirtualExecutor(clock)
    told: list[Any] = []

    def work(report: Any) -> str:
        executor.spend(2)
        report("half")
        executor.spend(3)
        return "done"

    executor.start("card", work, told.append, lambda result: told.append(result.value))
    executor.start("card", lambda report: None, told.append, lambda result: told.append("second"))
    clock.move_to(1.9)
    executor.deliver()
    assert told == []
    clock.move_to(2)
    executor.deliver()
    assert told == ["half"]
    assert executor.next_due == 5
    clock.move_to(6)
    executor.deliver()
    assert told == ["half", "done", "second"]


def test_abandoned_virtual_work_is_silent_and_stuck_until_its_end() -> None:
    clock = VirtualClock()
    executor = VirtualExecutor(clock)
    told: list[Any] = []
    job = executor.start("card", lambda report: executor.spend(4), told.append, told.append)
    job.abandon()
    assert executor.stuck("card")
    clock.move_to(5)
    executor.deliver()
    assert told == []
    assert not executor.stuck("card")
