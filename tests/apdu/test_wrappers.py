"""What every wrapper around a card's transport has to do, and all of them in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from apdu.chaining import ChainedCommands
from apdu.errors import CardMute, CardRemoved, CardReset, MalformedAnswer, ReaderGone
from apdu.get_response import CompleteAnswers
from apdu.psam import PsamCustodian
from apdu.reading import CardReading, read_card
from apdu.recording.recorder import RecordingTransport
from apdu.trace import TracingTransport
from apdu.transport import Transport
from tests.apdu.card_in_process import CountingRandom, insert

Wrap = Callable[[Transport], Transport]
WRAPPERS: dict[str, Wrap] = {
    "trace": lambda inner: TracingTransport(inner, lambda line: None),
    "recorder": RecordingTransport,
    "61 and 6C": CompleteAnswers,
    "chaining": ChainedCommands,
}
READ, VERIFY = "00B2012D00", "00200000021234"

each_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS.keys())


class Moody:
    """A card whose answer to reset changes, and that may fail to reset."""

    def __init__(self) -> None:
        self.atr = b"\x3b\x00"
        self.failure: Exception | None = None
        self.sent: list[bytes | bytearray] = []
        self.closed = 0

    def transmit(self, command: bytes | bytearray) -> bytes:
        self.sent.append(command)
        if self.failure is not None:
            raise self.failure
        return b"\x90\x00"

    def reset(self) -> bytes:
        if self.failure is not None:
            raise self.failure
        self.atr = b"\x3b\x01\xaa"
        return self.atr

    def close(self) -> None:
        self.closed += 1


@each_wrapper
def test_it_is_a_transport_like_the_inner_one(wrap: Wrap) -> None:
    card = Moody()
    wrapped = wrap(card)
    assert wrapped.atr == b"\x3b\x00"
    assert wrapped.reset() == wrapped.atr == b"\x3b\x01\xaa"
    wrapped.close()
    wrapped.close()
    assert card.closed == 2


@pytest.mark.parametrize("command", [READ, VERIFY, "00A40000", "00200000"])
@each_wrapper
def test_a_short_command_goes_on_in_the_very_buffer_and_as_it_was(wrap: Wrap, command: str) -> None:
    """A copy would be one more PIN to wipe."""
    card, buffer = Moody(), bytearray.fromhex(command)
    assert wrap(card).transmit(buffer) == b"\x90\x00"
    assert len(card.sent) == 1
    assert card.sent[0] is buffer
    assert buffer == bytes.fromhex(command)


@pytest.mark.parametrize(
    "failure", [CardRemoved(), CardMute(), CardReset(), ReaderGone(), ZeroDivisionError()]
)
@each_wrapper
def test_a_failure_comes_through_as_it_is_and_nothing_is_sent_again(
    wrap: Wrap, failure: Exception
) -> None:
    card = Moody()
    wrapped = wrap(card)
    card.failure = failure
    with pytest.raises(type(failure)) as sending:
        wrapped.transmit(bytes.fromhex(READ))
    with pytest.raises(type(failure)) as resetting:
        wrapped.reset()
    assert sending.value is resetting.value is failure
    assert len(card.sent) == 1
    # It works on with the card that is there again.
    card.failure = None
    assert wrapped.reset() == b"\x3b\x01\xaa"
    assert wrapped.transmit(bytes.fromhex(READ)) == b"\x90\x00"


@pytest.mark.parametrize("command", ["", "00B201", "00B2012D02AA", "0020000008" + "12" * 7])
@pytest.mark.parametrize("name", ["trace", "recorder"])
def test_what_is_no_command_is_never_sent(name: str, command: str) -> None:
    card = Moody()
    with pytest.raises(ValueError):
        WRAPPERS[name](card).transmit(bytes.fromhex(command))
    assert not card.sent


def reading(card: Transport, psam: Transport) -> CardReading:
    found = read_card(card, PsamCustodian(psam), random=CountingRandom())
    return replace(found, apdus=0)


@pytest.mark.parametrize("order", list(permutations(WRAPPERS)), ids=", ".join)
def test_they_stack_in_any_order(order: Any) -> None:
    wrapped = [insert("v3"), insert("psam")]
    plain = reading(*[insert("v3"), insert("psam")])
    stacked: list[Transport] = list(wrapped)
    for name in order:
        stacked = [WRAPPERS[name](each) for each in stacked]
    assert reading(*stacked) == plain


def test_an_answer_without_status_is_malformed_only_above_61_and_6c() -> None:
    class Silent(Moody):
        def transmit(self, command: bytes | bytearray) -> bytes:
            return b""

    for name, wrap in WRAPPERS.items():
        wrapped = wrap(Silent())
        if name == "61 and 6C":
            with pytest.raises(MalformedAnswer):
                wrapped.transmit(bytes.fromhex(READ))
        else:
            assert wrapped.transmit(bytes.fromhex(READ)) == b""
