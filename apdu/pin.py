"""The holder's PIN on its way to the card: packed, sent, and wiped.

The digits come in a `bytearray` and never become text. What cannot be wiped are copies that a
transport's library makes; everything of ours is. Each operation sends its command once: when
the answer is lost (the card was pulled, say), what the card did is unknown and the caller is told
what happened, because sending again could cost the holder a second try.
"""

from __future__ import annotations

from apdu.channel import Channel, wipe
from apdu.commands import change_pin as change_pin_command
from apdu.commands import pin_status, verify
from apdu.status import Outcome, meaning, raise_for

DIGITS_MIN, DIGITS_MAX = 4, 16
_ZERO, _NINE = 0x30, 0x39
_FILLER = 0x0F
_PADDING = 0x80
_SEPARATOR = 0xFF


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


def pin_block(
    digits: bytearray,
    size: int,
    *,
    shortest: int = DIGITS_MIN,
    longest: int = DIGITS_MAX,
) -> bytearray:
    """What a PIN reload encrypts: number of packed bytes, packed digits, 80 00… (mark B).

    Args:
        digits: ASCII; not wiped here.
        size: of one cipher block: 8 for 3DES, 16 for SM4. Longer PINs than go into one block with
            its 80 are refused: no source tells how a card takes two.
        shortest, longest: legal numbers of digits.

    Raises:
        IllegalPin: as `pack`, or too long for one block.
    """
    packed = pack(digits, shortest=shortest, longest=longest)
    try:
        if len(packed) > size - 2:
            raise IllegalPin(f"a PIN of more than {2 * (size - 2)} digits cannot be reloaded")
        block = bytearray(size)
        block[0] = len(packed)
        block[1 : 1 + len(packed)] = packed
        block[1 + len(packed)] = _PADDING
        return block
    finally:
        wipe(packed)


def tries_left(channel: Channel) -> int | None:
    """How many tries the card still grants, asked by an empty VERIFY. Only for cards whose
    profile says that this costs no try.

    Returns:
        0 when the PIN is blocked; None when the card does not tell (the PIN is already shown).

    Raises:
        CardError: see `apdu.errors`.
    """
    response = channel.send(pin_status())
    found = meaning(response.sw, "VERIFY")
    if found.outcome not in (Outcome.PIN_REJECTED, Outcome.PIN_BLOCKED):
        raise_for("VERIFY", response)
    return found.tries_left


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


def change_pin(
    channel: Channel,
    old: bytearray,
    new: bytearray,
    *,
    shortest: int = DIGITS_MIN,
    longest: int = DIGITS_MAX,
) -> None:
    """Replace the PIN by a new one. Both and our buffers are zeros afterwards, however it ends.

    Raises:
        IllegalPin: one of them cannot be a PIN; the card was not asked.
        PinRejected: the old PIN was wrong; carries the tries left.
        PinBlocked: the PIN is blocked, now or before.
        CardError: see `apdu.errors`.
    """
    buffers = [old, new]
    try:
        for digits in (old, new):
            buffers.append(pack(digits, shortest=shortest, longest=longest))
        *_, packed_old, packed_new = buffers
        # Filled in place: a sum of buffers would leave its parts behind.
        both = bytearray(len(packed_old) + 1 + len(packed_new))
        buffers.append(both)
        both[: len(packed_old)] = packed_old
        both[len(packed_old)] = _SEPARATOR
        both[len(packed_old) + 1 :] = packed_new
        raise_for("CHANGE PIN", channel.send(change_pin_command(both)))
    finally:
        for buffer in buffers:
            wipe(buffer)
