"""The holder's PIN on its way to the card: packed, sent, and wiped.

The digits come in a `bytearray` and never become text. What cannot be wiped are copies that a
transport's library makes; everything of ours is.
"""

from __future__ import annotations

from apdu.channel import Channel, wipe
from apdu.commands import verify
from apdu.status import raise_for

DIGITS_MIN, DIGITS_MAX = 4, 16
_ZERO, _NINE = 0x30, 0x39
_FILLER = 0x0F


class IllegalPin(ValueError):
    """The PIN is no row of 4 to 16 digits; nothing was sent to the card."""


def pack(digits: bytearray, *, shortest: int = DIGITS_MIN, longest: int = DIGITS_MAX) -> bytearray:
    """ASCII digits as packed BCD: two a byte; an odd last one is followed by nibble F (mark I).

    Raises:
        IllegalPin: too few, too many, or not all digits.
    """
    if not shortest <= len(digits) <= longest:
        raise IllegalPin(f"a PIN has {shortest} to {longest} digits")
    if not all(_ZERO <= digit <= _NINE for digit in digits):
        raise IllegalPin("a PIN has digits only")
    packed = bytearray((len(digits) + 1) // 2)
    for at, digit in enumerate(digits):
        packed[at // 2] |= (digit - _ZERO) << (0 if at % 2 else 4)
    if len(digits) % 2:
        packed[-1] |= _FILLER
    return packed


def verify_pin(
    channel: Channel,
    digits: bytearray,
    *,
    shortest: int = DIGITS_MIN,
    longest: int = DIGITS_MAX,
) -> None:
    """Show the PIN to the card. `digits` and our buffers are zeros afterwards, however it ends.

    Raises:
        IllegalPin: the digits cannot be a PIN; the card was not asked.
        PinRejected: wrong; carries the tries left.
        PinBlocked: the PIN is blocked, now or before.
        CardError: see `apdu.errors`.
    """
    packed = bytearray()
    try:
        packed = pack(digits, shortest=shortest, longest=longest)
        raise_for("VERIFY", channel.send(verify(packed)))
    finally:
        wipe(packed)
        wipe(digits)
