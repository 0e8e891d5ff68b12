"""Faults by schedule, between our side of the wire and a card in this process.

They stand here and not in the product, because a terminal never knows that it is simulated: over
the real wires the same faults are scripted at the far end (`hw_sim.cards.faults`). `FaultyCard` is
a `Transport` like the recorder and the replayer, and is stacked with them in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import assert_never

from apdu.errors import CardError, CardMute, CardRemoved, ReaderGone
from tests.apdu.card_in_process import DEADLINE_SECONDS, CardInProcess

_GET_RESPONSE = 0xC0
_SLOW_SECONDS = DEADLINE_SECONDS / 2


class Fault(Enum):
    """What happens to one command."""

    TEAR_BEFORE = "torn before it reaches the card"
    TEAR_AT_WRITE = "torn at the card's first write"
    TEAR_DURING = "torn when the card has written all, and committed nothing"
    TEAR_AFTER = "torn before the answer is out"
    STATUS_6F00 = "6F00 instead, and the card never sees it"
    STATUS_6C05 = "6C05 instead, and the card never sees it"
    ENDLESS_61 = "61xx, and GET RESPONSE brings 61xx for ever"
    EMPTY_61 = "61xx, and GET RESPONSE brings nothing"
    TOO_SHORT = "the answer lacks a byte"
    TOO_LONG = "the answer has a byte too many"
    SLOW = "the answer comes late, but within the deadline"
    STUCK = "the card works, and its answer never comes"
    SWAPPED = "another card answers, and the reader does not notice"
    READER_GONE = "the reader is pulled before it"
    SERVICE_GONE = "the service dies with the answer"


TEARS = (Fault.TEAR_BEFORE, Fault.TEAR_AT_WRITE, Fault.TEAR_DURING, Fault.TEAR_AFTER)


class EndlessTalk(AssertionError):
    """More commands than any workflow needs: it would never end."""


class FaultyCard:
    """A card whose numbered commands meet faults.

    Args:
        card: the card.
        schedule: the fault of the n-th command, counted from 1.
        other: the card that a swap puts in; powered, and nothing selected.
        limit: commands after which a test gives up.
    """

    def __init__(
        self,
        card: CardInProcess,
        schedule: Mapping[int, Fault],
        *,
        other: CardInProcess | None = None,
        limit: int = 2000,
    ) -> None:
        self._card = card
        self._atr = card.atr
        self._schedule = schedule
        self._other = other
        self._limit = limit
        self._for_ever: type[CardError] | None = None
        self._loop: bytes | None = None
        self.sent = 0

    @property
    def atr(self) -> bytes:
        """As the reader read it when it powered the card; a swap that it missed is not in it."""
        return self._atr

    def reset(self) -> bytes:
        if self._for_ever is not None:
            raise self._for_ever("still")
        self._atr = self._card.reset()
        return self._atr

    def close(self) -> None:
        self._card.close()

    def transmit(self, command: bytes | bytearray) -> bytes:
        self.sent += 1
        if self.sent > self._limit:
            raise EndlessTalk
        fault = self._schedule.get(self.sent)
        if self._for_ever is not None:
            raise self._for_ever("still")
        if self._loop is not None and fault is None:
            if command[1] == _GET_RESPONSE:
                return self._loop
            self._loop = None
        if fault is None:
            return self._card.transmit(command)
        return self._suffer(fault, command)

    def _suffer(self, fault: Fault, command: bytes | bytearray) -> bytes:
        match fault:
            case Fault.TEAR_BEFORE:
                self._card.pull()
                raise self._ever(CardRemoved)
            case Fault.TEAR_AT_WRITE | Fault.TEAR_DURING:
                self._card.tear(command, 1 if fault is Fault.TEAR_AT_WRITE else None)
                raise self._ever(CardRemoved)
            case Fault.TEAR_AFTER:
                self._card.transmit(command)
                self._card.pull()
                raise self._ever(CardRemoved)
            case Fault.STATUS_6F00:
                return b"\x6f\x00"
            case Fault.STATUS_6C05:
                return b"\x6c\x05"
            case Fault.ENDLESS_61:
                self._loop = b"\x5a\x61\x01"
                return b"\x61\x01"
            case Fault.EMPTY_61:
                self._loop = b"\x61\x01"
                return b"\x61\x01"
            case Fault.TOO_SHORT:
                answer = self._card.transmit(command)
                return answer[:-3] + answer[-2:] if len(answer) > 2 else answer[:1]
            case Fault.TOO_LONG:
                answer = self._card.transmit(command)
                return answer[:-2] + b"\x5a" + answer[-2:]
            case Fault.SLOW:
                self._card.time.seconds += _SLOW_SECONDS
                return self._card.transmit(command)
            case Fault.STUCK:
                self._card.transmit(command)
                self._card.time.seconds += DEADLINE_SECONDS
                raise self._ever(CardMute)
            case Fault.SWAPPED:
                assert self._other is not None
                self._card.pull()
                self._card = self._other
                return self._card.transmit(command)
            case Fault.READER_GONE:
                self._card.pull()
                raise self._ever(ReaderGone)
            case Fault.SERVICE_GONE:
                self._card.transmit(command)
                raise self._ever(ReaderGone)
            case _:
                assert_never(fault)

    def _ever(self, failure: type[CardError]) -> CardError:
        self._for_ever = failure
        return failure("by schedule")
