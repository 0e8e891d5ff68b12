"""The ministry's call interface (社会保障卡读写接口) over our stack: names, arguments, numbers.

Every function takes and returns texts, as callers at the counter know them: 0 and the output, or
a negative number and what it means. Nothing that is passed in or out is kept or traced.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from apdu.authentication import Random
from apdu.errors import PinRejected
from apdu.ministry import basic_reading, files, pins, signatures, terminal_information
from apdu.ministry.conventions import Conventions, shipped_conventions
from apdu.ministry.desk import Desk
from apdu.ministry.error_numbers import Number, Refusal, meaning, number_for
from apdu.ministry.hsm_steps import Arguments, Steps
from apdu.ministry.terminal import PinCall, PinCancelled, PinTimedOut, Terminal
from apdu.profile import Profiles

_STEP = "_Step"


@dataclass(frozen=True, repr=False)
class Answer:
    """What a function returns. Its repr shows no output: that names persons.

    Attributes:
        number: 0, or negative as in ``error_numbers.toml``.
        output: pOut; of a failure, what the number means, in Chinese.
    """

    number: int
    output: str

    def __repr__(self) -> str:
        return f"Answer({self.number})"


class MinistryCalls:
    """The functions, for one terminal. Not thread-safe: one caller at a time.

    Args:
        terminal: readers, keys, pad.
        allowed: functions with PINs in the caller's hands that the configuration names.
        conventions: of the province; None takes those that come with this package.
        random: source of our challenges.
        profiles: card profiles; None takes those that come with `apdu`.
    """

    def __init__(
        self,
        terminal: Terminal,
        *,
        allowed: frozenset[PinCall] = frozenset(),
        conventions: Conventions | None = None,
        random: Random = os.urandom,
        profiles: Profiles | None = None,
    ) -> None:
        conventions = conventions or shipped_conventions()
        self._desk = Desk(terminal, conventions, allowed, random, profiles)
        self._running: tuple[str, Steps] | None = None
        """The name of the step that comes next, and the call that it goes on with."""

    def call(self, name: str, *arguments: str) -> Answer:
        """Do one function or one step of one.

        A step goes on with the card that the one before has opened; any other call ends that.

        Args:
            name: as the ministry writes it, such as ``iReadCardBas_HSM_Step1``.
            arguments: its inputs in their order, without the output buffer.

        Raises:
            Exception: a bug, and what a custodian raises besides `PsamUnavailable`.
        """
        running, self._running = self._running, None
        goes_on = False
        try:
            step = _TABLE.get(name)
            goes_on = step is not None and step.number > 1
            if running is not None and not (goes_on and running[0] == name):
                running[1].close()
            return Answer(0, self._called(name, arguments, running))
        except (PinCancelled, PinTimedOut) as ended:
            cancelled = isinstance(ended, PinCancelled)
            return _failure(Number.PIN_CANCELLED if cancelled else Number.PIN_TIMED_OUT)
        except Exception as error:
            number = number_for(error)
            if number is None:
                raise
            if goes_on and number == Number.NO_CARD:
                # The card with which the first step has connected is not there any more.
                number = Number.NOT_CONNECTED
            tries = error.tries_left if isinstance(error, PinRejected) else None
            return _failure(number, tries)

    def close(self) -> None:
        """Give back a card that waits for its next step."""
        running, self._running = self._running, None
        if running is not None:
            running[1].close()

    def _called(self, name: str, arguments: Arguments, running: tuple[str, Steps] | None) -> str:
        function = _FUNCTIONS.get(name)
        if function is not None:
            return str(function.run(self._desk, *_counted(arguments, function.arguments)))
        step = _TABLE.get(name)
        if step is None:
            raise Refusal(Number.UNSUPPORTED)
        if step.number == 1:
            call: Steps = step.family.run(
                self._desk, *_counted(arguments, step.family.arguments[0])
            )
            return self._advance(step, call, None)
        if running is None:
            raise Refusal(Number.NOT_CONNECTED)
        if running[0] != name:
            raise Refusal(Number.BAD_PARAMETER)
        try:
            given = _counted(arguments, step.family.arguments[step.number - 1])
        except Refusal:
            running[1].close()
            raise
        return self._advance(step, running[1], given)

    def _advance(self, step: _Step, call: Steps, given: Arguments | None) -> str:
        try:
            told = next(call) if given is None else call.send(given)
        except StopIteration as ended:
            output: str = ended.value
            return output
        self._running = (step.family.step_name(step.number + 1), call)
        return told


@dataclass(frozen=True)
class _Function:
    """A function of one step and how many inputs it takes."""

    run: Callable[..., str]
    arguments: int


@dataclass(frozen=True)
class _Family:
    """A function of several steps and how many inputs each takes."""

    name: str
    run: Callable[..., Any]
    arguments: tuple[int, ...]

    def step_name(self, number: int) -> str:
        return f"{self.name}{_STEP}{number}"


@dataclass(frozen=True)
class _Step:
    family: _Family
    number: int


def _unsupported(_desk: Desk, *_: str) -> str:
    """iDoDebit and its record: how a card keeps the account that they use is not public."""
    raise Refusal(Number.UNSUPPORTED)


_FUNCTIONS: Mapping[str, _Function] = MappingProxyType(
    {
        "iReadCardBas": _Function(basic_reading.read_basics, 1),
        "iReadCard": _Function(files.read_items, 4),
        "iWriteCard": _Function(files.write_items, 4),
        "iVerifyPIN": _Function(pins.verify_pin, 1),
        "iChangePIN": _Function(pins.change_pin, 1),
        "iReloadPIN": _Function(pins.reload_pin, 2),
        "iUnblockPIN": _Function(pins.unblock_pin, 2),
        "iVerifyPINK": _Function(pins.verify_given_pin, 2),
        "iChangePINK": _Function(pins.change_given_pin, 3),
        "PKI_SignData": _Function(signatures.sign, 3),
        "PKI_VerifySign": _Function(signatures.verify, 5),
        "iGetCardType": _Function(terminal_information.card_type, 0),
        "iGetReaderInfo": _Function(terminal_information.reader_information, 0),
        "iReadICCardNum": _Function(terminal_information.bank_number, 0),
        "iDoDebit": _Function(_unsupported, 3),
        "iDoDebit_HSM_Step1": _Function(_unsupported, 3),
        "iDoDebit_HSM_Step2": _Function(_unsupported, 1),
        "iReadDebitRecord": _Function(_unsupported, 1),
    }
)
_FAMILIES = (
    _Family("iReadCardBas_HSM", basic_reading.read_basics_by_hsm, (1, 1)),
    _Family("iReadCard_HSM", files.read_items_by_hsm, (3, 1)),
    _Family("iWriteCard_HSM", files.write_items_by_hsm, (3, 2)),
    _Family("iReloadPIN_HSM", pins.reload_pin_by_hsm, (2, 1, 1)),
    _Family("iUnblockPIN_HSM", pins.unblock_pin_by_hsm, (2, 1, 1)),
)
_TABLE: Mapping[str, _Step] = MappingProxyType(
    {
        family.step_name(number): _Step(family, number)
        for family in _FAMILIES
        for number in range(1, len(family.arguments) + 1)
    }
)
NAMES: tuple[str, ...] = (*_FUNCTIONS, *_TABLE)
"""Every function and step that there is."""


def _counted(arguments: Arguments, count: int) -> Arguments:
    if len(arguments) != count:
        raise Refusal(Number.BAD_PARAMETER)
    return arguments


def _failure(number: int, tries: int | None = None) -> Answer:
    text = meaning(number).zh
    return Answer(int(number), text if tries is None else f"{text}，剩余{tries}次")
