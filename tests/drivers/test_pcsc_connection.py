"""One card in one PC/SC reader, against the service double."""

import logging
import threading

import pytest

from apdu.errors import (
    CardAbsent,
    CardError,
    CardMute,
    CardRemoved,
    CardReset,
    MalformedAnswer,
    ReaderBusy,
    ReaderGone,
)
from drivers.pcsc import connection as module
from drivers.pcsc.connection import PcscConnection
from drivers.pcsc.context import Contexts
from drivers.pcsc.service import PcscService
from tests.drivers.scard_double import ATR, OTHER_ATR, SUCCESS, ScardDouble

READER = "Reader 00 00"
PIN = bytes.fromhex("0020000003975310")


def connect(scard, contexts=None):
    return PcscConnection(READER, scard, contexts or Contexts(scard))


@pytest.fixture
def scard(monkeypatch):
    monkeypatch.setattr(module, "NOTICE_MS", 20)
    double = ScardDouble()
    double.plug(READER)
    double.insert(READER)
    return double


def test_connects_shared_and_offers_both_protocols(scard):
    card = connect(scard)
    assert card.atr == ATR
    assert "connect 2 3" in scard.calls
    assert card.transmit(b"\x00\x84\x00\x00\x08") == b"\x90\x00"


def test_closing_powers_off_once_and_keeps_the_context(scard):
    card = connect(scard)
    card.begin()
    card.close()
    card.close()
    assert scard.disposition == 2
    assert scard.calls[-2:] == ["end", "disconnect"]
    assert len(scard.contexts) == 1 and not scard.handles
    with pytest.raises(RuntimeError):
        card.transmit(b"\x00\x84\x00\x00\x08")


@pytest.mark.parametrize(
    ("prepare", "kind"),
    [
        (lambda double: double.remove(READER), CardAbsent),
        (lambda double: double.insert(READER, mute=True), CardMute),
        (lambda double: double.unplug(READER), ReaderGone),
        (lambda double: double.die(), ReaderGone),
        (lambda double: setattr(double, "connect_code", 0x8010000B), ReaderBusy),
        (lambda double: double.insert(READER, atr=b""), CardMute),
    ],
)
def test_a_failed_connect_leaves_no_handle(scard, prepare, kind):
    prepare(scard)
    with pytest.raises(kind):
        connect(scard)
    assert not scard.handles


def test_one_context_serves_connection_after_connection(scard):
    contexts = Contexts(scard)
    for _ in range(3):
        connect(scard, contexts).close()
    assert len(scard.contexts) == 1


def test_a_service_that_came_back_gets_a_new_context(scard):
    contexts = Contexts(scard)
    first = connect(scard, contexts)
    scard.die()
    with pytest.raises(ReaderGone):
        first.transmit(b"\x00\x84\x00\x00\x08")
    first.close()
    scard.live()
    scard.insert(READER)
    second = connect(scard, contexts)
    assert second.transmit(b"\x00\x84\x00\x00\x08") == b"\x90\x00"


def test_closing_an_old_connection_leaves_the_new_context_alone(scard):
    contexts = Contexts(scard)
    old = connect(scard, contexts)
    scard.die()
    scard.live()
    scard.insert(READER)
    new = connect(scard, contexts)
    old.close()
    assert new.transmit(b"\x00\x84\x00\x00\x08") == b"\x90\x00"


def test_a_context_that_died_unnoticed_is_replaced_at_the_next_connect(scard):
    contexts = Contexts(scard)
    connect(scard, contexts).close()
    scard.die()
    scard.live()
    scard.insert(READER)
    assert connect(scard, contexts).atr == ATR


def test_success_without_bytes_is_a_torn_card_and_final(scard):
    card = connect(scard)
    scard.answer = lambda command: (SUCCESS, [])
    with pytest.raises(CardRemoved):
        card.transmit(b"\x00\x84\x00\x00\x08")
    # pcscd notices later; until then a command would go to whatever is in the slot.
    with pytest.raises(CardRemoved):
        card.transmit(b"\x00\x84\x00\x00\x08")
    assert len(scard.commands) == 1
    # The next resident's card must never be reached over this connection.
    scard.swap(READER, OTHER_ATR)
    scard.answer = lambda command: (SUCCESS, [0x90, 0x00])
    for call in (lambda: card.transmit(b"\x00\x84\x00\x00\x08"), card.reset, card.begin):
        with pytest.raises(CardRemoved):
            call()


def test_one_byte_is_no_answer(scard):
    card = connect(scard)
    scard.answer = lambda command: (SUCCESS, [0x90])
    with pytest.raises(MalformedAnswer):
        card.transmit(b"\x00\x84\x00\x00\x08")


def test_not_transacted_is_a_removal_that_pcscd_has_not_noticed(scard):
    card = connect(scard)

    def torn(command):
        scard.remove(READER)
        return 0x80100016, []

    scard.answer = torn
    with pytest.raises(CardRemoved):
        card.transmit(b"\x00\x84\x00\x00\x08")


def test_not_transacted_with_the_card_swapped_meanwhile_is_a_removal(scard):
    card = connect(scard)
    looked = []

    def wait(context, timeout, states, real=scard.SCardGetStatusChange):
        looked.append(timeout)
        if len(looked) == 2:
            scard.swap(READER)
        return real(context, timeout, states)

    scard.SCardGetStatusChange = wait
    scard.answer = lambda command: (0x80100016, [])
    with pytest.raises(CardRemoved):
        card.transmit(b"\x00\x84\x00\x00\x08")


def test_not_transacted_with_the_card_still_there_is_a_mute_card(scard):
    card = connect(scard)
    scard.answer = lambda command: (0x80100016, [])
    with pytest.raises(CardMute):
        card.transmit(b"\x00\x84\x00\x00\x08")


@pytest.mark.parametrize("code", [0x80100016, 0x80100013, 0x80100009])
def test_what_failed_once_never_reaches_a_card_again(scard, code):
    """A card that was swapped between two polls of the service: nobody has told us."""
    card = connect(scard)
    scard.answer = lambda command: (code, [])
    with pytest.raises(CardError) as first:
        card.transmit(b"\x00\x84\x00\x00\x08")
    scard.answer = lambda command: (SUCCESS, [0x90, 0x00])
    for call in (lambda: card.transmit(b"\x00\x84\x00\x00\x08"), card.reset, card.begin):
        with pytest.raises(type(first.value)):
            call()
    assert len(scard.commands) == 1
    assert connect(scard).transmit(b"\x00\x84\x00\x00\x08") == b"\x90\x00"


def test_a_reset_by_another_program_is_told_and_healed_by_reset(scard):
    card = connect(scard)
    other = connect(scard)
    other.reset()
    with pytest.raises(CardReset):
        card.transmit(b"\x00\x84\x00\x00\x08")
    assert card.reset() == ATR
    assert card.transmit(b"\x00\x84\x00\x00\x08") == b"\x90\x00"


def test_reset_never_moves_on_to_another_card(scard):
    card = connect(scard)
    scard.swap(READER, OTHER_ATR)
    with pytest.raises(CardRemoved):
        card.reset()
    assert not [call for call in scard.calls if call.startswith("reconnect")]


def test_a_dead_service_is_a_gone_reader_and_close_stays_quiet(scard):
    card = connect(scard)
    scard.die()
    with pytest.raises(ReaderGone):
        card.transmit(b"\x00\x84\x00\x00\x08")
    card.close()


def test_a_transaction_ends_however_the_step_ends(scard):
    card = connect(scard)
    with pytest.raises(ZeroDivisionError), card.transaction():
        raise ZeroDivisionError
    assert scard.calls[-2:] == ["begin", "end"]
    with card.transaction():
        scard.remove(READER)


def test_a_transaction_is_not_begun_twice(scard):
    card = connect(scard)
    with card.transaction(), pytest.raises(RuntimeError):
        card.begin()


def test_a_failed_begin_leaves_nothing_to_end(scard):
    card = connect(scard)
    scard.begin_code = 0x8010000B
    with pytest.raises(ReaderBusy):
        card.begin()
    card.end()
    assert "end" not in scard.calls


def test_the_list_that_carried_a_command_is_emptied(scard):
    card = connect(scard)
    card.transmit(bytearray(PIN))
    scard.answer = lambda command: (0x80100016, [])
    with pytest.raises(CardMute):
        card.transmit(bytearray(PIN))
    assert scard.commands == [[], []]


def test_a_slot_that_answers_is_left_as_it_was(scard):
    card = connect(scard)
    service = PcscService(scard)
    assert service.answers(READER, 10)
    assert card.transmit(b"\x00\x84\x00\x00\x08") == b"\x90\x00"
    asked = ["establish", "connect 3 0", "attribute 0x90303", "disconnect", "release"]
    assert scard.calls[-5:] == asked
    assert scard.disposition == 0
    scard.die()
    assert service.answers(READER, 10)


def test_a_stuck_slot_does_not_answer(scard):
    begun, come_back = threading.Event(), threading.Event()

    def stuck(command):
        begun.set()
        assert come_back.wait(10)
        return SUCCESS, [0x90, 0x00]

    service, card = PcscService(scard), connect(scard)
    scard.answer = stuck
    transmitting = threading.Thread(target=lambda: card.transmit(b"\x00\x84\x00\x00\x08"))
    transmitting.start()
    assert begun.wait(10)
    assert not service.answers(READER, 0.01)
    come_back.set()
    transmitting.join(10)
    assert service.answers(READER, 10)
    card.close()
    while looks := [each for each in threading.enumerate() if each.name == f"look at {READER}"]:
        looks[0].join(10)
    assert not scard.handles


def test_an_empty_slot_answers_and_so_does_a_reader_that_is_gone(scard):
    service = PcscService(scard)
    scard.remove(READER)
    assert service.answers(READER, 10)
    assert service.answers("No Such Reader", 10)
    assert not scard.handles


def test_a_pin_is_in_no_log_error_or_repr(scard, caplog):
    caplog.set_level(logging.DEBUG)
    card = connect(scard)
    told = [repr(card)]
    for code in (0x80100016, 0x80100068, 0x80100069):
        scard.answer = lambda command, code=code: (code, list(command))
        with pytest.raises(Exception) as caught:
            connect(scard).transmit(bytearray(PIN))
        told.append(repr(caught.value) + str(caught.value))
    card.close()
    everything = (caplog.text + "".join(told)).lower()
    for trace in ("975310", "97, 0x53", "151, 83", "\\x97", "97 53"):
        assert trace not in everything
