"""Scripted faults between a card and its reader.

A schedule is a list such as ``3:tear, *:delay=20``: the number counts the APDUs since the card
was inserted or the schedule was set, whichever came last; ``*`` is every APDU. Words:

- ``tear``: power goes in the middle of the command, after its last write; the card is out.
- ``tear=N``: power goes at the command's N-th write, or after the last one.
- ``tear-after``: the command is done, its answer is lost; the card is out.
- ``silent``: no answer until the card is pulled.
- ``delay=N``: the answer comes N milliseconds late.
- ``garbage``: other bytes than the card's come back, as many.
- ``short``: only the first byte of the answer comes back.
- ``less``: the answer's data lack their last byte; the status word is the card's.
- ``more``: the answer's data have one byte too many; the status word is the card's.
- ``61-loop``: 6110 comes back instead of the answer, and for each GET RESPONSE after it.
- ``swap=NAME``: from now on another card answers, fresh from issuance, and the reader notices
  nothing; NAME as in hw_sim.cards.catalogue.
- four hex digits: this status word comes back and the card never sees the command.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from hw_sim.cards.catalogue import UnknownCardError, canonical_name, make_card
from hw_sim.cards.iso7816 import Card

_STATUS = re.compile(r"[69][0-9A-Fa-f]{3}")
_AMOUNT = re.compile(r"(delay|tear(?==[1-9]))=(\d{1,6})", re.ASCII)
_MORE_TO_COME = bytes.fromhex("6110")
_GET_RESPONSE = bytes.fromhex("00C0")


class Kind(Enum):
    TEAR = "tear"
    TEAR_AFTER = "tear-after"
    SILENT = "silent"
    DELAY = "delay"
    GARBAGE = "garbage"
    SHORT = "short"
    LESS = "less"
    MORE = "more"
    LOOP = "61-loop"
    SWAP = "swap"
    STATUS = "status"


class FaultSyntaxError(ValueError):
    """The schedule cannot be understood."""


@dataclass(frozen=True)
class Fault:
    """One entry.

    Attributes:
        turn: which APDU, from 1; ``None`` for every one.
        amount: milliseconds of DELAY, status word of STATUS, number of the write at which TEAR
            comes (0: after the last), else 0.
        name: of the card that SWAP brings.
    """

    turn: int | None
    kind: Kind
    amount: int = 0
    name: str = ""


@dataclass(frozen=True)
class Reaction:
    """What the reader gets for one command.

    Attributes:
        answer: ``None`` where nothing ever comes back.
        delay: seconds before the answer.
        pulled: the card is out of the reader now.
    """

    answer: bytes | None
    delay: float = 0.0
    pulled: bool = False


def parse_faults(text: str) -> tuple[Fault, ...]:
    """Faults of a schedule; an empty text has none. Raises FaultSyntaxError."""
    return tuple(_parse(entry) for entry in re.split(r"[\s,]+", text.strip()) if entry)


def _parse(entry: str) -> Fault:
    turn_text, colon, word = entry.partition(":")
    if not colon or not (turn_text == "*" or re.fullmatch(r"[1-9]\d{0,5}", turn_text, re.ASCII)):
        raise FaultSyntaxError(f"{entry!r}: expected NUMBER:FAULT or *:FAULT")
    turn = None if turn_text == "*" else int(turn_text)
    if measured := _AMOUNT.fullmatch(word):
        return Fault(turn, Kind(measured[1]), int(measured[2]))
    if _STATUS.fullmatch(word):
        return Fault(turn, Kind.STATUS, int(word, 16))
    if word.startswith("swap="):
        try:
            return Fault(turn, Kind.SWAP, name=canonical_name(word.removeprefix("swap=")))
        except UnknownCardError:
            raise FaultSyntaxError(f"{entry!r}: no card of that name") from None
    if word in (Kind.DELAY.value, Kind.STATUS.value, Kind.SWAP.value):
        raise FaultSyntaxError(f"{entry!r}: {word} needs its amount")
    try:
        return Fault(turn, Kind(word))
    except ValueError:
        raise FaultSyntaxError(f"{entry!r}: unknown fault") from None


class FaultyContacts:
    """The contacts of one inserted card, with a schedule of faults.

    Args:
        make: the card that a swap brings, by its name.

    Attributes:
        card: what answers; another one after a swap.
    """

    def __init__(
        self,
        card: Card,
        faults: tuple[Fault, ...] = (),
        make: Callable[[str], Card] = make_card,
    ) -> None:
        self.card = card
        self._make = make
        self.schedule(faults)

    def schedule(self, faults: tuple[Fault, ...]) -> None:
        """Replaces the schedule and counts from one again."""
        self._faults = faults
        self._turn = 0
        self._looping = False

    def exchange(self, command: bytes) -> Reaction:
        """Gives one command to the card."""
        self._turn += 1
        due = [fault for fault in self._faults if fault.turn in (None, self._turn)]
        kinds = {fault.kind for fault in due}
        delay = sum(fault.amount for fault in due if fault.kind is Kind.DELAY) / 1000
        for fault in due:
            if fault.kind is Kind.SWAP:
                self._swap(fault.name)
        for fault in due:
            if fault.kind is Kind.TEAR:
                self.card.tear(command, fault.amount or None)
                return Reaction(None, delay, pulled=True)
        self._looping = Kind.LOOP in kinds or (self._looping and command[:2] == _GET_RESPONSE)
        for fault in due:
            if fault.kind is Kind.STATUS:
                return Reaction(fault.amount.to_bytes(2, "big"), delay)
        answer = self.card.execute(command)
        if Kind.TEAR_AFTER in kinds:
            self.card.power_off()
            return Reaction(None, delay, pulled=True)
        if answer is None or Kind.SILENT in kinds:
            return Reaction(None, delay)
        return Reaction(self._changed(answer, kinds), delay)

    def _changed(self, answer: bytes, kinds: set[Kind]) -> bytes:
        data, sw = answer[:-2], answer[-2:]
        if self._looping:
            return _MORE_TO_COME
        if Kind.LESS in kinds:
            answer = data[:-1] + sw
        if Kind.MORE in kinds:
            answer = data + b"\0" + sw
        if Kind.GARBAGE in kinds:
            answer = random.Random(self._turn).randbytes(len(answer))
        return answer[:1] if Kind.SHORT in kinds else answer

    def _swap(self, name: str) -> None:
        self.card.power_off()
        self.card = self._make(name)
        self.card.power_on()
