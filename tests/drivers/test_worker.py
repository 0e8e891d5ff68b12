"""One thread for each device: outcomes, abandonment, late results."""

import functools
import gc
import queue
import threading
import traceback
import weakref

import pytest

from drivers.worker import DeviceStuck, Done, Worker, given_up


@pytest.fixture
def worker():
    made = Worker("test", clock=lambda: 42.0)
    yield made
    made.close(5)


@pytest.fixture
def outcomes():
    return queue.Queue()


class Gate:
    """A call that begins, then waits to be let out."""

    def __init__(self, value=None):
        self.begun = threading.Event()
        self.out = threading.Event()
        self.value = value

    def __call__(self):
        self.begun.set()
        assert self.out.wait(10)
        return self.value


def idle(worker):
    while worker.busy:
        threading.Event().wait(0.001)


def test_value_and_error_reach_done(worker, outcomes):
    worker.submit(lambda: 7, outcomes.put)
    worker.submit(lambda: 1 // 0, outcomes.put)
    assert outcomes.get(timeout=5).result() == 7
    failed = outcomes.get(timeout=5)
    assert failed.value is None
    with pytest.raises(ZeroDivisionError):
        failed.result()


def test_calls_run_in_order_on_one_thread(worker, outcomes):
    for number in range(20):
        worker.submit(lambda number=number: (number, threading.get_ident()), outcomes.put)
    results = [outcomes.get(timeout=5).result() for _ in range(20)]
    assert [number for number, _ in results] == list(range(20))
    assert len({ident for _, ident in results}) == 1


def test_busy_and_since(worker, outcomes):
    assert not worker.busy and worker.busy_since is None
    gate = Gate()
    worker.submit(gate, outcomes.put)
    gate.begun.wait(5)
    assert worker.busy and worker.busy_since == 42.0 and not worker.abandoned
    gate.out.set()
    outcomes.get(timeout=5)
    idle(worker)
    assert worker.busy_since is None


def test_the_late_result_of_an_abandoned_call_is_dropped(worker, outcomes):
    gate = Gate("late")
    job = worker.submit(gate, outcomes.put)
    gate.begun.wait(5)
    assert job.abandon()
    assert not job.abandon()
    assert worker.busy and worker.abandoned and worker.busy_since == 42.0
    with pytest.raises(DeviceStuck):
        worker.submit(lambda: None, outcomes.put)
    gate.out.set()
    idle(worker)
    assert not worker.abandoned
    worker.submit(lambda: "next", outcomes.put)
    assert outcomes.get(timeout=5).result() == "next"
    assert outcomes.empty()


def test_a_call_knows_that_it_was_given_up(worker, outcomes):
    gate, told = Gate(), queue.Queue()

    def call():
        told.put(given_up())
        gate()
        told.put(given_up())

    job = worker.submit(call, outcomes.put)
    gate.begun.wait(5)
    job.abandon()
    assert not given_up()
    gate.out.set()
    assert [told.get(timeout=5) for _ in range(2)] == [False, True]
    idle(worker)
    worker.submit(given_up, lambda done: outcomes.put((done.result(), given_up())))
    assert outcomes.get(timeout=5) == (False, False)


def test_a_waiting_call_that_is_abandoned_never_runs(worker, outcomes):
    gate, ran = Gate(), []
    worker.submit(gate, outcomes.put)
    waiting = worker.submit(lambda: ran.append(1), outcomes.put)
    assert waiting.abandon()
    gate.out.set()
    assert outcomes.get(timeout=5).error is None
    idle(worker)
    assert not ran and outcomes.empty() and not worker.abandoned


def test_the_owner_abandons_everything_at_once(worker, outcomes):
    gate, ran = Gate(), []
    worker.submit(gate, outcomes.put)
    worker.submit(lambda: ran.append(1), outcomes.put)
    gate.begun.wait(5)
    assert worker.abandon()
    assert worker.abandoned
    gate.out.set()
    idle(worker)
    assert not ran and outcomes.empty()
    assert not worker.abandon()


def test_an_outcome_that_was_told_cannot_be_abandoned(worker, outcomes):
    job = worker.submit(lambda: 1, outcomes.put)
    outcomes.get(timeout=5)
    assert not job.abandon()
    assert not worker.abandoned


def test_a_failing_receiver_does_not_end_the_thread(worker, outcomes, caplog):
    worker.submit(lambda: 1, lambda done: 1 // 0)
    worker.submit(lambda: 2, outcomes.put)
    assert outcomes.get(timeout=5).result() == 2
    assert "ZeroDivisionError" in caplog.text


def test_done_may_submit_the_next_call(worker, outcomes):
    worker.submit(lambda: 1, lambda done: worker.submit(lambda: 2, outcomes.put))
    assert outcomes.get(timeout=5).result() == 2


def test_nothing_is_kept_of_a_call_that_is_over(worker, outcomes):
    secret = Secret()
    trace = weakref.ref(secret)
    worker.submit(lambda held=secret: held, lambda done: outcomes.put(None))
    outcomes.get(timeout=5)
    idle(worker)
    del secret
    for _ in range(5000):
        if trace() is None:
            break
        gc.collect()
        threading.Event().wait(0.001)
    assert trace() is None


class Secret:
    def __repr__(self):
        return "the secret"


def first(secret):
    raise KeyError(secret is None)


def second(secret):
    held = [secret]
    try:
        first(secret)
    except KeyError:
        raise LookupError(len(held))  # noqa: B904


def third(secret):
    try:
        second(secret)
    except LookupError as cause:
        raise ValueError from cause


def test_an_error_keeps_no_variable_of_the_frames_that_it_came_through(worker, outcomes):
    """Of no frame of its chain, the call itself included."""
    secret = Secret()
    alive = weakref.ref(secret)
    worker.submit(functools.partial(third, secret), outcomes.put)
    del secret
    error = outcomes.get(timeout=5).error
    shown = "".join(
        traceback.TracebackException.from_exception(error, capture_locals=True).format()
    )
    assert all(name in shown for name in ("in first", "in second", "in third", "KeyError"))
    assert "the secret" not in shown
    idle(worker)
    gc.collect()
    assert alive() is None


def test_an_error_that_is_its_own_context_ends(worker, outcomes):
    def call():
        one, other = ValueError("one"), ValueError("other")
        one.__context__, other.__cause__ = other, one
        raise one

    worker.submit(call, outcomes.put)
    assert str(outcomes.get(timeout=5).error) == "one"


def test_a_value_is_in_no_repr():
    assert "975310" not in repr(Done(bytearray(b"975310")))


def test_closing_drops_what_waits_and_refuses_more(outcomes):
    worker = Worker("closing")
    gate, ran = Gate(), []
    worker.submit(gate, outcomes.put)
    worker.submit(lambda: ran.append(1), outcomes.put)
    gate.begun.wait(5)
    worker.close(0)
    gate.out.set()
    worker.close(5)
    assert not ran and outcomes.empty()
    with pytest.raises(RuntimeError):
        worker.submit(lambda: None, outcomes.put)
    assert not [thread for thread in threading.enumerate() if thread.name == "worker closing"]
