"""Frames of the card dispenser's serial line, from the device's end.

To the dispenser: ``F2 | address | length, 2 bytes | 43 command parameter data | 03 | check``; from
it ``50 command parameter three status digits data`` or ``4E command parameter two error digits``
in the same frame. The check is the XOR of all before it. Between frames 06 acknowledges, 15 asks
for a repetition, 04 clears the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hw_sim.serial_device import Illegal

ACKNOWLEDGE, REPEAT, CLEAR = b"\x06", b"\x15", b"\x04"
MOVE = 0x32
_START = 0xF2
_END = 0x03
_COMMAND = 0x43
_MOST_DATA = 512


@dataclass(frozen=True)
class Command:
    """A command as it came."""

    command: int
    parameter: int
    data: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Both bytes in hexadecimal: ``3130``."""
        return f"{self.command:02X}{self.parameter:02X}"


@dataclass(frozen=True)
class Bare:
    """A control byte of the host."""

    octet: bytes


def check(octets: bytes) -> int:
    """XOR of all bytes."""
    result = 0
    for octet in octets:
        result ^= octet
    return result


def framed(address: int, text: bytes) -> bytes:
    """A frame around a text."""
    body = bytes([_START, address, len(text) >> 8, len(text) & 0xFF]) + text + bytes([_END])
    return body + bytes([check(body)])


def done(address: int, command: Command, digits: bytes, data: bytes) -> bytes:
    """The answer to a command that was done."""
    head = bytes([0x50, command.command, command.parameter])
    return framed(address, head + digits + data)


def refused(address: int, command: Command, code: str) -> bytes:
    """The answer to a command that was not."""
    head = bytes([0x4E, command.command, command.parameter])
    return framed(address, head + code.encode("ascii"))


def unframe(buffer: bytearray, address: int) -> Iterator[Command | Bare | Illegal]:
    """Take commands and control bytes off the front of the buffer, and what is neither.

    A command whose check is wrong comes as `Illegal`; one for another address is passed over.
    """
    while buffer:
        if buffer[0] != _START:
            octet = bytes(buffer[:1])
            del buffer[0]
            if octet in (ACKNOWLEDGE, REPEAT, CLEAR):
                yield Bare(octet)
            else:
                yield Illegal("neither frame nor control byte", octet)
            continue
        if len(buffer) < 4:
            return
        size = buffer[2] << 8 | buffer[3]
        if not 3 <= size <= 3 + _MOST_DATA:
            yield _dropped(buffer, "no such length")
            continue
        whole = 4 + size + 2
        if len(buffer) < whole:
            return
        frame = bytes(buffer[:whole])
        if frame[-2] != _END or check(frame) != 0:
            yield _dropped(buffer, "wrong check or end")
            continue
        del buffer[:whole]
        if frame[1] != address:
            continue
        if frame[4] != _COMMAND:
            yield Illegal("no command", frame)
            continue
        yield Command(frame[5], frame[6], frame[7:-2])


def _dropped(buffer: bytearray, reason: str) -> Illegal:
    """All up to the next beginning of a frame."""
    following = buffer.find(_START, 1)
    end = following if following > 0 else len(buffer)
    illegal = Illegal(reason, bytes(buffer[:end]))
    del buffer[:end]
    return illegal
