"""Secure PIN entry at a PC/SC reader with keys (part 10). Unverified on hardware.

The social security card wants its PIN as packed digits, with Lc counting their bytes (domain
card.md §3). A reader makes that where the number of digits is fixed and even; it cannot where it is
not, since Lc would change with what is typed, nor for the certificate application's PIN, which
goes to the card as a digest.
"""

from __future__ import annotations

import logging
import math
from typing import Protocol, runtime_checkable

from apdu.commands import change_pin, verify
from apdu.response import Response
from apdu.status import raise_for
from drivers.card_service import CardConnection
from drivers.ccid.pin_structure import (
    Feature,
    MalformedList,
    PinCoding,
    PinModification,
    PinPlace,
    PinVerification,
    Property,
    features,
    pin_properties,
    properties,
)
from drivers.pin_pad import NewPinsDiffer, PadFault, PinCancelled, PinLengthRefused, PinTimeout

log = logging.getLogger(__name__)

GET_FEATURE_REQUEST = 0x42000D48
"""SCARD_CTL_CODE(3400) of pcsc-lite."""
_FILL = 0xFF
_NO_MESSAGES, _OWN_MESSAGES = 0, 0xFF
_SECONDS = 255
_SHORTEST_BLOCK, _LONGEST_BLOCK = 2, 8
_REFUSALS = {
    0x6480: "the reader could not carry out the entry",
    0x6B80: "the reader refuses the structure",
}


@runtime_checkable
class ReaderControl(Protocol):
    """A card connection through which the reader itself can be spoken to."""

    def control(self, code: int, data: bytes) -> bytes | None:
        """See `drivers.pcsc.connection.PcscConnection.control`."""


def secure_pin_entry(connection: CardConnection) -> CcidPinEntry | None:
    """The keys of the reader that holds this card; None where it has none, does not offer them, or
    says so in no readable form.

    Raises:
        CardError: the card or the reader is gone; see `apdu.errors`.
    """
    if not isinstance(connection, ReaderControl):
        return None
    answer = connection.control(GET_FEATURE_REQUEST, b"")
    if answer is None:
        return None
    try:
        offered = features(answer)
        if Feature.VERIFY_PIN_DIRECT not in offered:
            return None
        return CcidPinEntry(connection, offered, _properties(connection, offered))
    except MalformedList as error:
        log.info("the reader's keys are not used: %s", error)
        return None


def _properties(connection: ReaderControl, offered: dict[Feature, int]) -> dict[Property, int]:
    for feature, read in (
        (Feature.GET_TLV_PROPERTIES, properties),
        (Feature.IFD_PIN_PROPERTIES, pin_properties),
    ):
        if feature in offered:
            answer = connection.control(offered[feature], b"")
            if answer:
                return read(answer)
    return {}


def raise_for_entry(command: str, answer: bytes) -> None:
    """Raise what the two bytes after a secure entry mean; return after 9000.

    6400 to 6403, 6480 and 6B80 are the reader's own words (part 10, 2.5), all others the card's.
    """
    if len(answer) != 2:
        raise PadFault(0, "an entry ends with two bytes")
    match sw := int.from_bytes(answer, "big"):
        case 0x6400:
            raise PinTimeout("the reader's time for a PIN ran out")
        case 0x6401:
            raise PinCancelled(by_resident=True)
        case 0x6402:
            raise NewPinsDiffer
        case 0x6403:
            raise PinLengthRefused
        case refused if refused in _REFUSALS:
            raise PadFault(refused, _REFUSALS[refused])
        case _:
            raise_for(command, Response(b"", sw))


class CcidPinEntry:
    """`drivers.secure_pin_entry.SecurePinEntry` by control codes; see `secure_pin_entry`."""

    def __init__(
        self,
        connection: ReaderControl,
        offered: dict[Feature, int],
        keys: dict[Property, int],
    ) -> None:
        self._connection = connection
        self._offered = offered
        self._keys = keys

    @property
    def can_change(self) -> bool:
        return Feature.MODIFY_PIN_DIRECT in self._offered

    def serves(self, shortest: int, longest: int) -> bool:
        return (
            shortest == longest
            and longest % 2 == 0
            and _SHORTEST_BLOCK <= longest // 2 <= _LONGEST_BLOCK
            and self._keys.get(Property.SHORTEST_PIN, 0) <= shortest
            and longest <= self._keys.get(Property.LONGEST_PIN, longest)
        )

    def verify(self, digits: int, seconds: float) -> None:
        size = self._block(digits)
        entry = PinVerification(
            PinPlace(PinCoding.BCD, size),
            digits,
            digits,
            bytes(verify(bytearray([_FILL] * size)).encode()),
            seconds=_limit(seconds),
            seconds_after_key=_limit(seconds),
            messages=self._messages,
        )
        self._run("VERIFY", Feature.VERIFY_PIN_DIRECT, entry.encode())

    def change(self, digits: int, seconds: float) -> None:
        size = self._block(digits)
        entry = PinModification(
            PinPlace(PinCoding.BCD, size),
            digits,
            digits,
            # CHANGE PIN has FF between the old PIN and the new one, which the fill is already.
            bytes(change_pin(bytearray([_FILL] * (2 * size + 1))).encode()),
            seconds=_limit(seconds),
            seconds_after_key=_limit(seconds),
            messages=self._messages,
            new_at=size + 1,
        )
        self._run("CHANGE PIN", Feature.MODIFY_PIN_DIRECT, entry.encode())

    @property
    def _messages(self) -> int:
        return _NO_MESSAGES if self._keys.get(Property.LCD_LAYOUT) == 0 else _OWN_MESSAGES

    def _block(self, digits: int) -> int:
        if not self.serves(digits, digits):
            raise ValueError(f"the reader takes no PIN of {digits} digits for this card")
        return digits // 2

    def _run(self, command: str, feature: Feature, structure: bytes) -> None:
        code = self._offered.get(feature)
        if code is None:
            raise ValueError("the reader does not offer that")
        answer = self._connection.control(code, structure)
        if answer is None:
            raise PadFault(0, "the reader takes back what it offered")
        raise_for_entry(command, answer)


def _limit(seconds: float) -> int:
    if not 0 < seconds <= _SECONDS:
        raise ValueError(f"an entry takes up to {_SECONDS} seconds")
    return math.ceil(seconds)
