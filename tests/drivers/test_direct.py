"""The direct socket driver against a card on a real socket."""

import socket
import threading

import pytest

from apdu.errors import CardAbsent, CardMute, CardRemoved, CardReset, MalformedAnswer, ReaderGone
from drivers.direct.service import DirectService, DirectTimes
from drivers.events import CardInserted, CardMuted, CardTaken, ReaderAttached
from tests.drivers.event_box import EventBox
from tests.drivers.socket_card import ATR, OTHER_ATR, SocketCard

READER = "Contact"
COMMAND = b"\x00\x84\x00\x00\x08"


@pytest.fixture
def box():
    return EventBox()


@pytest.fixture
def service(box):
    times = DirectTimes(poll=0.02, atr=0.3, transmit=0.3, stop=5)
    direct = DirectService({READER: ("127.0.0.1", 0)}, times)
    direct.start(box)
    assert box.take(1) == [ReaderAttached(READER)]
    yield direct
    direct.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("slot ")]


@pytest.fixture
def card(service):
    inserted = SocketCard(service.addresses[READER])
    yield inserted
    inserted.remove()


def test_inserted_used_and_taken(service, box, card):
    with pytest.raises(CardAbsent):
        service.connect(READER)
    card.insert()
    assert box.take(1) == [CardInserted(READER, ATR)]
    assert service.readers()[0].present
    connection = service.connect(READER)
    assert connection.atr == ATR
    assert connection.transmit(bytearray(COMMAND)) == b"\x90\x00"
    assert connection.reset() == ATR
    connection.close()
    connection.close()
    card.wait_for_control(0)
    card.remove()
    assert box.take(1) == [CardTaken(READER)]
    assert card.controls == [1, 2, 0]
    with pytest.raises(CardAbsent):
        service.connect(READER)


def test_a_swap_is_two_events_and_the_old_connection_is_dead(service, box, card):
    card.insert()
    box.take(1)
    connection = service.connect(READER)
    card.remove()
    other = SocketCard(service.addresses[READER], OTHER_ATR).insert()
    assert box.take(2) == [CardTaken(READER), CardInserted(READER, OTHER_ATR)]
    for call in (lambda: connection.transmit(COMMAND), connection.reset, connection.begin):
        with pytest.raises(CardRemoved):
            call()
    connection.close()
    other.remove()
    assert box.take(1) == [CardTaken(READER)]


def test_torn_in_a_command(service, box, card):
    card.insert()
    box.take(1)
    connection = service.connect(READER)
    card.answer = lambda command: card.remove()
    with pytest.raises(CardRemoved):
        connection.transmit(COMMAND)
    assert box.take(1) == [CardTaken(READER)]


def test_a_late_answer_is_never_taken_for_another(service, box, card):
    card.insert()
    box.take(1)
    connection = service.connect(READER)
    card.answer = lambda command: None
    with pytest.raises(CardMute):
        connection.transmit(COMMAND)
    card.answer = lambda command: b"\x01\x90\x00"
    card.send(b"\x99\x90\x00")
    assert connection.transmit(COMMAND) == b"\x01\x90\x00"


def test_a_slot_is_free_but_for_the_time_of_a_call(service, box, card):
    begun = threading.Event()
    assert service.answers(READER, 5)
    assert service.answers("No Such Reader", 5)
    card.insert()
    box.take(1)
    connection = service.connect(READER)
    controls = len(card.controls)
    card.answer = lambda command: begun.set()

    def exchange():
        with pytest.raises(CardMute):
            connection.transmit(COMMAND)

    stuck = threading.Thread(target=exchange)
    stuck.start()
    assert begun.wait(5)
    assert not service.answers(READER, 0.01)
    stuck.join(5)
    assert service.answers(READER, 5)
    assert len(card.controls) == controls


def test_a_card_without_atr_is_mute(service, box, card):
    card.atr = b"\x3b"
    card.insert()
    assert box.take(1) == [CardMuted(READER)]
    with pytest.raises(CardMute):
        service.connect(READER)
    card.remove()
    assert box.take(1) == [CardTaken(READER)]


@pytest.mark.parametrize("answer", [b"", b"\x90"])
def test_less_than_a_status_word_is_malformed(service, box, card, answer):
    card.answer = lambda command: answer
    card.insert()
    box.take(1)
    with pytest.raises(MalformedAnswer):
        service.connect(READER).transmit(COMMAND)


def test_another_connection_resets_the_card(service, box, card):
    card.insert()
    box.take(1)
    first = service.connect(READER)
    second = service.connect(READER)
    with pytest.raises(CardReset):
        first.transmit(COMMAND)
    assert first.reset() == ATR
    assert first.transmit(COMMAND) == b"\x90\x00"
    second.close()
    with pytest.raises(CardReset):
        first.transmit(COMMAND)


def test_a_transaction_keeps_others_waiting(service, box, card):
    card.insert()
    box.take(1)
    first, order = service.connect(READER), []
    waiting = threading.Event()

    def intrude():
        waiting.set()
        service.connect(READER).close()
        order.append("other")

    with first.transaction():
        other = threading.Thread(target=intrude)
        other.start()
        waiting.wait(5)
        for _ in range(3):
            assert first.transmit(COMMAND) == b"\x90\x00"
        order.append("first")
    other.join(5)
    assert order == ["first", "other"]
    with first.transaction(), pytest.raises(RuntimeError):
        first.begin()


def test_removal_is_seen_within_a_transaction(service, box, card):
    card.insert()
    box.take(1)
    with service.connect(READER).transaction():
        card.remove()
        assert box.take(1) == [CardTaken(READER)]


def test_unknown_reader_and_taken_address(service):
    with pytest.raises(ReaderGone):
        service.connect("PSAM")
    taken = service.addresses[READER]
    other = DirectService({"one": ("127.0.0.1", 0), "two": taken})
    with pytest.raises(OSError):
        other.start(lambda event: None)
    assert other.readers() == ()


def test_stopping_frees_the_address(box):
    direct = DirectService({READER: ("127.0.0.1", 0)})
    direct.start(box)
    address = direct.addresses[READER]
    direct.stop()
    with pytest.raises(OSError):
        socket.create_connection(address, timeout=1)
