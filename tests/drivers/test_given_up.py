"""A call that outlives its deadline: when the card answers after all, nothing more is sent."""

import queue
import threading

import pytest

from apdu.errors import CardMute
from drivers.direct.service import DirectService, DirectTimes
from drivers.pcsc.connection import PcscConnection
from drivers.pcsc.context import Contexts
from drivers.worker import Worker
from tests.drivers.event_box import EventBox
from tests.drivers.scard_double import SUCCESS, ScardDouble
from tests.drivers.socket_card import SocketCard

READER = "Contact"
FIRST, SECOND = b"\x00\x84\x00\x00\x08", b"\x00\x20\x00\x00\x02\x12\x34"


class SlowCard:
    """Answers the first command when it is told to, and keeps what it was sent."""

    def __init__(self):
        self.commands = []
        self.asked = threading.Event()
        self.told = threading.Event()

    def answer(self, command):
        self.commands.append(command)
        self.asked.set()
        assert self.told.wait(10)
        return b"\x90\x00"


@pytest.fixture
def slow():
    return SlowCard()


@pytest.fixture
def pcsc(slow):
    scard = ScardDouble(answer=lambda command: (SUCCESS, list(slow.answer(command))))
    scard.plug(READER)
    scard.insert(READER)
    contexts = Contexts(scard)
    yield lambda: PcscConnection(READER, scard, contexts)
    assert (scard.disposition, scard.handles) == (2, {})


@pytest.fixture
def direct(slow):
    box = EventBox()
    service = DirectService(
        {READER: ("127.0.0.1", 0)}, DirectTimes(poll=0.02, atr=5, transmit=5, stop=5)
    )
    service.start(box)
    card = SocketCard(service.addresses[READER], answer=slow.answer).insert()
    box.take(2)
    yield lambda: service.connect(READER)
    card.wait_for_control(0)
    card.remove()
    service.stop()


@pytest.mark.parametrize("driver", ["pcsc", "direct"])
def test_nothing_is_sent_for_a_call_that_was_given_up(request, slow, driver):
    connect = request.getfixturevalue(driver)
    refused = queue.Queue()

    def step():
        card = connect()
        card.transmit(FIRST)
        for more in (lambda: card.transmit(SECOND), card.reset):
            try:
                more()
            except CardMute as error:
                refused.put(error)
        card.close()

    worker = Worker("card")
    job = worker.submit(step, lambda done: refused.put("told"))
    assert slow.asked.wait(10)
    job.abandon()
    slow.told.set()
    assert [type(refused.get(timeout=10)) for _ in range(2)] == [CardMute, CardMute]
    # The next call begins with a connection of its own, and is in time.
    outcomes = queue.Queue()
    while worker.abandoned:
        threading.Event().wait(0.001)

    def next_step():
        card = connect()
        answer = card.transmit(SECOND)
        card.close()
        return answer

    worker.submit(next_step, outcomes.put)
    assert outcomes.get(timeout=10).result() == b"\x90\x00"
    worker.close(5)
    assert slow.commands == [FIRST, SECOND]
    assert refused.empty()
