"""Frames of the code scanner's serial line, and how a scripted fault spoils what it sends.

To the scanner: ``7E 00 | type | len | address, 2 bytes | data | CRC, 2 bytes``; the CRC is
CRC-16/XMODEM over type..data, ``AB CD`` in its place skips the check. From it:
``02 00 | 00 | len | data | CRC``; a code that was read comes bare.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from hw_sim.faults import Fault
from hw_sim.serial_device import Illegal

HEAD = b"\x7e\x00"
_UNCHECKED = b"\xab\xcd"
_FIXED = 6
"""Bytes before a command's data."""

CODE_FAULTS = {
    "garble": False,  # noise right before the code
    "code-truncate": False,  # the first half of the code, without its end mark
    "code-drop": False,  # the code is lost on the line
    "code-delay": True,  # so many milliseconds late
    "code-split": False,  # the code comes in two pieces
}
"""What strikes a code on its way to the host; N counts the codes that were read."""

_NOISE = b"\xff\x00\x55\xfe"


class Kind(IntEnum):
    """What a command asks for."""

    READ = 0x07
    WRITE = 0x08
    SAVE = 0x09


@dataclass(frozen=True)
class Command:
    """A command as it came.

    Attributes:
        data: of READ one byte, how many registers (0: 256); of WRITE their values.
    """

    kind: Kind
    address: int
    data: bytes


def answer(data: bytes) -> bytes:
    """Wrap the 1..256 bytes of an answer."""
    checked = bytes([0x00, len(data) & 0xFF]) + data
    return b"\x02\x00" + checked + crc_hqx(checked, 0).to_bytes(2, "big")


DONE = answer(b"\x00")
"""The answer to a write: ``02 00 00 01 00 33 31``."""


def unframe(buffer: bytearray) -> Iterator[Command | Illegal]:
    """Take commands off the front of the buffer, and what is none.

    After something illegal it goes on at the next head, so that a broken command costs no good
    one. An unfinished one stays in the buffer.
    """
    while buffer:
        start = buffer.find(HEAD)
        if start != 0:
            # Its last byte may be the first half of a head.
            end = start if start > 0 else len(buffer) - buffer.endswith(HEAD[:1])
            if end == 0:
                return
            yield Illegal("no command begins so", bytes(buffer[:end]))
            del buffer[:end]
            continue
        if len(buffer) < _FIXED:
            return
        size = buffer[3] or 256
        end = _FIXED + size + 2
        wrong = _wrong_head(buffer)
        if wrong is None and len(buffer) < end:
            return
        body, crc = bytes(buffer[2 : end - 2]), bytes(buffer[end - 2 : end])
        if wrong is None and crc not in (_UNCHECKED, crc_hqx(body, 0).to_bytes(2, "big")):
            wrong = "wrong CRC"
        if wrong is None:
            del buffer[:end]
            yield Command(Kind(body[0]), int.from_bytes(body[2:4], "big"), body[4:])
            continue
        following = buffer.find(HEAD, len(HEAD))
        dropped = following if following > 0 else len(buffer)
        yield Illegal(wrong, bytes(buffer[:dropped]))
        del buffer[:dropped]


def _wrong_head(buffer: bytearray) -> str | None:
    kind, size = buffer[2], buffer[3]
    if kind not in set(Kind):
        return "unknown type"
    if kind != Kind.WRITE and size != 1:
        return "wrong length"
    return None


def answer_with_wrong_crc(sent: bytes) -> bytes:
    """An answer that the host can't trust."""
    return sent[:-1] + bytes([sent[-1] ^ 0x01])


def spoiled_code(payload: bytes, tail: bytes, fault: Fault) -> list[bytes]:
    """The pieces in which a code and its end mark go out; none when it is lost."""
    sent = payload + tail
    middle = (len(payload) + 1) // 2
    match fault.name:
        case "garble":
            return [_NOISE + sent]
        case "code-truncate":
            return [payload[:middle]]
        case "code-drop":
            return []
        case "code-split":
            return [sent[:middle], sent[middle:]]
        case _:
            return [sent]
