"""The error numbers of the ministry's call interface, and which of them an error of ours becomes.

The table is ``error_numbers.toml``. A card's status word becomes its negative, as the table says
for the few that it lists otherwise.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from importlib import resources
from types import MappingProxyType

from apdu import errors, status
from apdu.custodian import Algorithm
from apdu.pin import IllegalPin


class Number(IntEnum):
    """The numbers that we give ourselves; all others come from a status word."""

    WRONG_KIND_OF_CARD = -1
    NO_CARD = -2
    MUTE = -4
    NO_READER = -11
    NOT_CONNECTED = -12
    UNSUPPORTED = -13
    BAD_PARAMETER = -14
    NOT_VERIFIED = -15
    """Of a signature: our choice (mark I)."""
    CARD_ID_FORMAT = -20
    NOT_GENUINE = -21
    DIFFERS_FROM_CARD = -22
    ILLEGAL_INPUT = -23
    DIFFERS_FROM_HSM = -25
    PIN_CANCELLED = -31
    PIN_TIMED_OUT = -32
    PIN_LENGTH = -33
    PINS_DIFFER = -34
    INITIAL_PIN = -36
    ILLEGAL_CHARACTERS = -41
    LENGTH = -42
    PIN_WRONG = -51
    PIN_LOCKED = -52
    NO_PSAM = -2201
    PSAM_LACKS_ALGORITHM = -2202
    PSAM_LACKS_RK_SSSE = -2203
    HSM_NOT_NEEDED = -2204
    SECURITY_STATUS = -0x6982
    NO_RECORD = -0x6A83
    NO_FILE = -0x6A82
    KEY_NOT_FOUND = -0x6A88
    UNKNOWN = -999


class Refusal(Exception):
    """A call ends with this number. Carries nothing of what was passed in.

    Attributes:
        number: which.
    """

    def __init__(self, number: Number) -> None:
        super().__init__(number.name)
        self.number = number


class KeyLacking(errors.PsamUnavailable):
    """The custodian can be asked, and lacks a key.

    Attributes:
        key: its name.
        algorithm: the card's.
        proves: whether it is the one with which the card proves itself, the first to be asked for.
    """

    def __init__(self, key: str, algorithm: Algorithm, *, proves: bool) -> None:
        super().__init__(f"nobody holds the key {key}")
        self.key = key
        self.algorithm = algorithm
        self.proves = proves


@dataclass(frozen=True)
class Meaning:
    """What a number says, in Chinese and in English, and how sure that is."""

    zh: str
    en: str
    mark: str


def meaning(number: int) -> Meaning:
    """The table's entry; for a status word that it does not list, the card's own meaning."""
    found = _table().by_number.get(number)
    if found is not None:
        return found
    if not -0xFFFF <= number < 0:
        return _table().by_number[Number.UNKNOWN]
    word = status.meaning(-number)
    return Meaning(word.staff_zh, word.staff_en, word.mark)


def number_for_status(sw: int) -> int:
    """The number that a card's status word becomes."""
    return _table().by_status.get(sw, -sw)


def number_for(error: Exception) -> int | None:
    """The number that an error of ours becomes; None for one that is a bug."""
    match error:
        case Refusal():
            return error.number
        case errors.PinRejected(tries_left=0) | errors.PinBlocked():
            return Number.PIN_LOCKED
        case errors.PinRejected():
            return Number.PIN_WRONG
        case IllegalPin():
            return Number.PIN_LENGTH
        case KeyLacking():
            return _lacking(error)
        case errors.PsamUnavailable():
            return Number.NO_PSAM
        case errors.PinNeeded() if isinstance(error.__cause__, errors.PsamUnavailable):
            # A key would have done as well, and the caller has other ways to it.
            return number_for(error.__cause__)
        case errors.PinNeeded() | errors.AccessNever():
            return Number.SECURITY_STATUS
        case errors.UnexpectedStatus():
            return number_for_status(error.sw)
        case errors.AuthenticationFailed() | errors.ApplicationBlocked() if error.sw is not None:
            return number_for_status(error.sw)
        case errors.CardError():
            return _OF_ERRORS.get(type(error), Number.UNKNOWN)
        case _:
            return None


_OF_ERRORS: Mapping[type[errors.CardError], Number] = MappingProxyType(
    {
        errors.CardAbsent: Number.NO_CARD,
        errors.CardRemoved: Number.NO_CARD,
        errors.CardMute: Number.MUTE,
        errors.CardReset: Number.NOT_CONNECTED,
        errors.ReaderGone: Number.NO_READER,
        errors.ReaderBusy: Number.NO_READER,
        errors.UnknownCard: Number.WRONG_KIND_OF_CARD,
        errors.WrongCard: Number.DIFFERS_FROM_CARD,
    }
)


def _lacking(error: KeyLacking) -> Number:
    if error.proves and error.algorithm is not Algorithm.TDES:
        return Number.PSAM_LACKS_ALGORITHM
    return Number.PSAM_LACKS_RK_SSSE if error.key == "RK_SSSE" else Number.KEY_NOT_FOUND


@dataclass(frozen=True)
class _Table:
    by_number: Mapping[int, Meaning]
    by_status: Mapping[int, int]


@functools.cache
def _table() -> _Table:
    text = (
        resources.files("apdu.ministry").joinpath("error_numbers.toml").read_text(encoding="utf-8")
    )
    entries = tomllib.loads(text)["number"]
    return _Table(
        {entry["value"]: Meaning(entry["zh"], entry["en"], entry["mark"]) for entry in entries},
        {sw: entry["value"] for entry in entries for sw in entry.get("sw", ())},
    )
