"""What a card reader says of its own: the keys on it, and a card at its antenna."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from apdu.errors import CardError, MalformedAnswer
from apdu.status import Outcome, meaning
from drivers.ccid.pin_entry import GET_FEATURE_REQUEST, raise_for_entry, secure_pin_entry
from drivers.ccid.pin_structure import (
    MalformedList,
    PinCoding,
    PinModification,
    PinPlace,
    PinVerification,
    features,
    pin_properties,
    properties,
)
from drivers.crt591.contacts import contactless_atr
from drivers.pin_pad import PadError
from tests.fuzz.pieces import head

_VERIFICATION, _MODIFICATION = 19, 24
"""Bytes before the command (PC/SC part 10, 2.5.2 and 2.5.3)."""
_LONGEST_ATR = 33


def ccid_pin(data: bytes) -> None:
    """A reader's lists, entries through it, and the structures with numbers of any size.

    The first byte says where the list of features ends and the answer to all else begins.
    """
    (end,), lists = head(data, 1)
    offered, answer = lists[:end], lists[end:]
    for read in (features, properties, pin_properties):
        with contextlib.suppress(MalformedList):
            found: Mapping[Any, int] = read(offered)
            assert len(found) * 2 <= len(offered) and min(found.values(), default=0) >= 0
    with contextlib.suppress(MalformedList):
        for tag, control in features(offered).items():
            assert bytes([tag, 4]) + control.to_bytes(4, "big") in offered
    with contextlib.suppress(CardError, PadError):
        raise_for_entry("VERIFY", answer)
        # As where we send it ourselves: a remark of the card is no refusal.
        said = meaning(int.from_bytes(answer, "big"), "VERIFY")
        assert len(answer) == 2 and said.outcome in (Outcome.SUCCESS, Outcome.WARNING)
    _entries(_Reader(offered, answer))
    _structures(list(data))


class _Reader:
    """A `ReaderControl` that answers the same to whatever it is told."""

    def __init__(self, offered: bytes, answer: bytes) -> None:
        self._offered = offered
        self._answer = answer

    def control(self, code: int, data: bytes) -> bytes | None:
        return self._offered if code == GET_FEATURE_REQUEST else self._answer


def _entries(reader: _Reader) -> None:
    entry = secure_pin_entry(reader)  # type: ignore[arg-type]
    if entry is None:
        return
    for digits in (4, 6, 8, 16):
        if not entry.serves(digits, digits):
            continue
        with contextlib.suppress(CardError, PadError):
            entry.verify(digits, 30)
        if entry.can_change:
            with contextlib.suppress(CardError, PadError):
                entry.change(digits, 30)


def _structures(numbers: list[int]) -> None:
    """Each number as one field, some far beyond it."""
    given = iter(numbers + [0] * 24)

    def some() -> int:
        return (next(given) - 16) * (17 if next(given) > 200 else 1)

    command = bytes(numbers[:24])
    with contextlib.suppress(ValueError):
        place = PinPlace(PinCoding(numbers[0] % 3 if numbers else 0), some(), some())
        common = (place, some(), some(), command, some(), some(), some(), some(), some())
        verification = PinVerification(*common, message=some()).encode()
        assert len(verification) == _VERIFICATION + len(command)
        assert verification.endswith(len(command).to_bytes(4, "little") + command)
        modification = PinModification(*common, old_at=some(), new_at=some()).encode()
        assert len(modification) == _MODIFICATION + len(command)
        assert modification.endswith(len(command).to_bytes(4, "little") + command)


def contactless(data: bytes) -> None:
    """What the card at a dispenser's antenna answers, as an ATR."""
    with contextlib.suppress(MalformedAnswer):
        atr = contactless_atr(data)
        assert 5 <= len(atr) <= _LONGEST_ATR
        assert atr[:1] == b"\x3b" and len(atr) == 5 + (atr[1] & 0x0F)
        check = 0
        for octet in atr[1:]:
            check ^= octet
        assert check == 0
