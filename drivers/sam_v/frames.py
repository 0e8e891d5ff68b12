"""Frames of the SAM-V module (GA/T 467): ``AA AA AA 96 69 | length 2 | command 2 | data | XOR`` to
the module, ``AA AA AA 96 69 | length 2 | SW1 SW2 SW3 | data | XOR`` back.

The length, high byte first, counts all that follows it; the XOR runs from the length to the last
byte before itself. SW1 and SW2 are the card's own words, SW3 is the module's. Source: domain
card.md §6, mark A; vectors in sam_v.toml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import xor

HEAD = bytes.fromhex("AAAAAA9669")
LONGEST_FRAME = 2_321
"""Bytes; the answer with text, photo and two fingerprints."""
_PREFIX = len(HEAD) + 2
_LEAST = 4
"""Of an answer's length: three status bytes and the XOR."""
_MOST = LONGEST_FRAME - _PREFIX


@dataclass(frozen=True)
class Answer:
    """An answer whose XOR is right.

    Attributes:
        code: SW3, the module's own word.
    """

    code: int
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Damaged:
    """Something began like an answer and was none; its bytes are dropped."""


def check(octets: bytes) -> int:
    """XOR of all bytes."""
    return reduce(xor, octets, 0)


def encode(command: bytes) -> bytes:
    """A command from its command and parameter byte, with the bytes that may follow them."""
    counted = (len(command) + 1).to_bytes(2, "big") + command
    return HEAD + counted + bytes([check(counted)])


def take_answer(held: bytearray) -> Answer | Damaged | None:
    """Cut the first answer out of what was received.

    What stands before it is dropped, what follows stays, as does the beginning of an answer that
    is not complete.

    Returns:
        None when there is none yet.
    """
    damaged = False
    while True:
        start = held.find(HEAD)
        if start < 0:
            del held[: len(held) - _begun(held)]
            break
        del held[:start]
        if len(held) < _PREFIX:
            break
        length = int.from_bytes(held[len(HEAD) : _PREFIX], "big")
        if _LEAST <= length <= _MOST:
            if len(held) < _PREFIX + length:
                break
            frame = bytes(held[: _PREFIX + length])
            if check(frame[len(HEAD) : -1]) == frame[-1]:
                del held[: len(frame)]
                return Answer(frame[_PREFIX + 2], frame[_PREFIX + 3 : -1])
        damaged = True
        # A lost byte makes a frame swallow the head of the next.
        del held[0]
    return Damaged() if damaged else None


def _begun(held: bytearray) -> int:
    """How many bytes at the end of `held` are the beginning of the head."""
    return next(size for size in range(len(HEAD) - 1, -1, -1) if held.endswith(HEAD[:size]))
