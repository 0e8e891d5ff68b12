"""Frames of the simulated ID reader's line: ``AA AA AA 96 69 | length 2 | … | XOR``.

The length counts what follows it; the XOR covers length and content. To the module the content is
a command and a parameter, from it three status bytes and data.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from hw_sim.serial_device import Illegal

HEAD = b"\xaa\xaa\xaa\x96\x69"
_COMMAND = 10
"""Bytes of every command that is known here."""


class Command(Enum):
    """Command and parameter byte."""

    RESET = b"\x10\xff"
    STATUS = b"\x11\xff"
    SAM_ID = b"\x12\xff"
    FIND = b"\x20\x01"
    SELECT = b"\x20\x02"
    READ_BASE = b"\x30\x01"
    READ_NEWEST_ADDRESS = b"\x30\x03"
    READ_BASE_FINGERPRINT = b"\x30\x10"


def answer(word: int, data: bytes = b"") -> bytes:
    """An answer with the module's own word (SW3)."""
    body = bytes([0, 0, word]) + data
    counted = (len(body) + 1).to_bytes(2, "big") + body
    return HEAD + counted + bytes([_xor(counted)])


def unframe(buffer: bytearray) -> Iterator[Command | Illegal]:
    """Take commands off the front of the buffer, and what is none.

    After something illegal it goes on at the next head. An unfinished one stays.
    """
    while buffer:
        common = min(len(buffer), len(HEAD))
        if buffer[:common] != HEAD[:common]:
            start = buffer.find(HEAD)
            end = start if start > 0 else len(buffer)
            yield Illegal("no command begins so", bytes(buffer[:end]))
            del buffer[:end]
            continue
        if len(buffer) < len(HEAD) + 2:
            return
        length = int.from_bytes(buffer[5:7], "big")
        if length != _COMMAND - 7:
            yield _dropped(buffer, "wrong length")
            continue
        if len(buffer) < _COMMAND:
            return
        if _xor(buffer[5 : _COMMAND - 1]) != buffer[_COMMAND - 1]:
            yield _dropped(buffer, "wrong check sum")
            continue
        octets = bytes(buffer[7:9])
        if octets not in {each.value for each in Command}:
            yield _dropped(buffer, "unknown command")
            continue
        del buffer[:_COMMAND]
        yield Command(octets)


def _dropped(buffer: bytearray, reason: str) -> Illegal:
    following = buffer.find(HEAD, len(HEAD))
    end = following if following > 0 else len(buffer)
    illegal = Illegal(reason, bytes(buffer[:end]))
    del buffer[:end]
    return illegal


def _xor(octets: bytes | bytearray) -> int:
    result = 0
    for octet in octets:
        result ^= octet
    return result
