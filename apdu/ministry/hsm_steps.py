"""The forms of a call whose cryptograms an HSM far away computes between its steps.

Such a call is a generator: it yields a step's output and is sent the next step's arguments. The
card stays taken, with no other command and no reset, until the generator ends.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

from apdu.authentication import CHALLENGE_SIZE, Challenges
from apdu.custodian import AuthenticationRequest, KeyReference, ProtectionRequest
from apdu.errors import PsamUnavailable
from apdu.ministry.address import check_length
from apdu.ministry.conventions import Challenge
from apdu.ministry.desk import Desk, OpenCard, is_hex
from apdu.ministry.error_numbers import Number, Refusal

Arguments = tuple[str, ...]
Steps = Generator[str, Arguments, str]
"""A whole call: the last step's output is what it returns."""
Part = Generator[str, Arguments, Arguments]
"""A part of one: returns the arguments of the step that it goes on with."""
_DIGITS = 2 * CHALLENGE_SIZE


class HsmResult(NamedTuple):
    """What an HSM computed (8 bytes), and over what (8 bytes)."""

    result: bytes
    original: bytes

    @classmethod
    def parse(cls, text: str) -> HsmResult:
        """Read 32 hexadecimal digits: result, original data (mark A); a ``|`` may follow.

        Raises:
            Refusal: ILLEGAL_INPUT: another length or other characters.
        """
        check_length(text)
        digits = text.removesuffix("|")
        if len(digits) != 2 * _DIGITS or not is_hex(digits):
            raise Refusal(Number.ILLEGAL_INPUT)
        return cls(bytes.fromhex(digits[:_DIGITS]), bytes.fromhex(digits[_DIGITS:]))

    def __repr__(self) -> str:
        return "HsmResult(...)"


def show_key(desk: Desk, opened: OpenCard, key: KeyReference, function: str) -> Part:
    """卡鉴权 in two steps; the first tells ``算法标识|密钥地址|`` and the two challenges in the
    order of `function` (mark A).

    Raises:
        Refusal: KEY_NOT_FOUND: no HSM address of the key is known; as `HsmResult.parse`.
        AuthenticationFailed: the card refused the HSM's result.
        CardError: see `apdu.errors`.
    """
    first = fields(opened.card.algorithm.value, address(key))
    challenges = opened.card.authentication.challenges()
    arguments = yield first + fields(*_in_order(desk, challenges, function))
    computed = HsmResult.parse(arguments[0])
    opened.card.authentication.present(key, computed.result, computed.original)
    return arguments


def address(key: KeyReference) -> str:
    """The key's address in the HSM. Raises Refusal: KEY_NOT_FOUND: none is known."""
    if key.hsm_address is None:
        raise Refusal(Number.KEY_NOT_FOUND)
    return key.hsm_address


def fields(*values: str) -> str:
    """The values, each followed by a separator."""
    return "".join(f"{value}|" for value in values)


def in_hex(data: bytes) -> str:
    """As callers pass bytes on: capital hexadecimal digits."""
    return data.hex().upper()


def _in_order(desk: Desk, challenges: Challenges, function: str) -> tuple[str, ...]:
    told = {
        Challenge.ORIGINAL: in_hex(challenges.original),
        Challenge.FACTOR: in_hex(challenges.factor),
    }
    return tuple(told[which] for which in desk.conventions.challenges[function])


class Nobody:
    """The custodian of a call whose keys have been shown already."""

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        """Raises PsamUnavailable."""
        raise PsamUnavailable(f"{request.key.name} was not shown")

    def protect(self, request: ProtectionRequest) -> bytes | None:
        """Raises PsamUnavailable."""
        raise PsamUnavailable(f"{request.key.name} was not shown")
