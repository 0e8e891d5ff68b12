"""What a CRT-591 says of itself, in the words of the kind. Pure functions over `crt591.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, assert_never

from apdu.errors import CardError, CardMute, CardRemoved, CardReset
from drivers.dispenser import (
    BinFull,
    CardPlace,
    CardStuck,
    DispenserError,
    DispenserNote,
    DispenserReason,
    Refused,
    StackerEmpty,
)

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class DeviceState:
    """The three characters of a positive answer.

    Attributes:
        obstacles: all that they tell, in no order.
    """

    place: CardPlace
    obstacles: frozenset[DispenserReason]
    notes: frozenset[DispenserNote]


def read_state(characters: bytes, facts: Facts) -> DeviceState:
    """What st0, st1, st2 mean.

    A place that is not known is an obstacle; a stacker or a bin that is not is none, as members of
    the family have no sensor for it.
    """
    names = facts["status"]
    st0, st1, st2 = (chr(each) for each in characters)
    place = {
        names["no_card"]: CardPlace.NONE,
        names["at_gate"]: CardPlace.AT_GATE,
        names["inside"]: CardPlace.INSIDE,
    }.get(st0, CardPlace.UNKNOWN)
    obstacles: set[DispenserReason] = set()
    notes: set[DispenserNote] = set()
    if place is CardPlace.UNKNOWN:
        obstacles.add(DispenserReason.BROKEN)
    if names["stacker_used"] and st1 == names["stacker_empty"]:
        obstacles.add(DispenserReason.STACKER_EMPTY)
    if names["stacker_used"] and st1 == names["stacker_low"]:
        notes.add(DispenserNote.STACKER_LOW)
    if st2 == names["bin_full"]:
        obstacles.add(DispenserReason.ERROR_BIN_FULL)
    return DeviceState(place, frozenset(obstacles), frozenset(notes))


class Fault(Enum):
    """What a refusal is about; the values are words of `crt591.toml`."""

    COMMAND = ""
    """What was asked, or when."""
    JAM = "jam"
    BROKEN = "broken"
    BIN_FULL = "bin-full"
    STACKER_EMPTY = "stacker-empty"
    MOVED = "moved"
    """Somebody moved the card; where it is the device finds at its next initialisation."""
    RESET = "reset"
    """Its power failed: nothing is done before the next initialisation."""
    CARD = "card"
    OFF = "off"
    """The card has no power (any more)."""


@dataclass(frozen=True)
class Refusal:
    """A refusal, understood."""

    code: str
    fault: Fault
    meaning: str


def read_refusal(code: str, facts: Facts) -> Refusal:
    """What e1 e0 mean; a code that is in no list is about the command."""
    known = facts["errors"].get(code)
    if known is None:
        return Refusal(code, Fault.COMMAND, "a code without a known meaning")
    return Refusal(code, Fault(known["fault"]), known["meaning"])


def dispenser_error(refusal: Refusal) -> DispenserError:
    """The exception for a refused operation of the dispenser."""
    match refusal.fault:
        case Fault.JAM | Fault.MOVED:
            return CardStuck(f"{refusal.code}: {refusal.meaning}")
        case Fault.BIN_FULL:
            return BinFull(refusal.meaning)
        case Fault.STACKER_EMPTY:
            return StackerEmpty(refusal.meaning)
        case Fault.COMMAND | Fault.BROKEN | Fault.RESET | Fault.CARD | Fault.OFF:
            return Refused(refusal.code, refusal.meaning)
        case _:
            assert_never(refusal.fault)


def obstacle(refusal: Refusal) -> DispenserReason | None:
    """What a refusal leaves behind until staff have put it right; None where nothing."""
    match refusal.fault:
        case Fault.JAM:
            return DispenserReason.JAM
        case Fault.BROKEN:
            return DispenserReason.BROKEN
        case Fault.BIN_FULL:
            return DispenserReason.ERROR_BIN_FULL
        case (
            Fault.COMMAND | Fault.STACKER_EMPTY | Fault.MOVED | Fault.RESET | Fault.CARD | Fault.OFF
        ):
            return None
        case _:
            assert_never(refusal.fault)


def card_error(refusal: Refusal, *, present: bool) -> CardError:
    """The exception for a refused command to a card.

    Args:
        present: the device says, asked afterwards, that the card is still in its place.
    """
    text = f"{refusal.code}: {refusal.meaning}"
    match refusal.fault:
        case _ if not present:
            return CardRemoved(text)
        case Fault.OFF | Fault.RESET:
            return CardReset(text)
        case (
            Fault.CARD
            | Fault.COMMAND
            | Fault.JAM
            | Fault.BROKEN
            | Fault.BIN_FULL
            | Fault.STACKER_EMPTY
            | Fault.MOVED
        ):
            return CardMute(text)
        case _:
            assert_never(refusal.fault)
