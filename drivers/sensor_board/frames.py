"""Frames of the sensor board, a protocol of our own: lines of ASCII that a terminal program shows.

    $ <number> <kind> <data> * <CRC> CR LF

Number: two hex digits. A report counts up by one from the board's start; a command has a number of
the host's choice, which its answer repeats in its data. Kind: one letter. Data: bytes as hex
digits, capitals. CRC: CRC-16/CCITT-FALSE (start FFFF) of all between $ and *, four hex digits.

| from | kind | data |
|---|---|---|
| host | Q | none: report now |
| host | L | 1 byte, the lights |
| board | R | inputs; openings of the tamper loop since its start (mod 256); lights; |
|  |  | milliseconds since its start (5 bytes, high byte first) |
| board | A | number of the L that it has done, lights |
| board | N | number of what it has not done, and why: 01 check sum, 02 kind, 03 data, 04 busy |

The board reports when an input changes, each second, and in answer to Q. It forgets the lights
with its power: they are off then.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 40
"""Bytes of the longest line that is read."""
_LINE = re.compile(rb"([0-9A-F]{2})([A-Z])((?:[0-9A-F]{2})*)\*([0-9A-F]{4})")


@dataclass(frozen=True)
class Frame:
    """A line whose check sum is right."""

    number: int
    kind: str
    data: bytes = b""


@dataclass(frozen=True)
class Damaged:
    """A line that began and was none; it is dropped."""


def crc(octets: bytes) -> int:
    """CRC-16/CCITT-FALSE."""
    return binascii.crc_hqx(octets, 0xFFFF)


def encode(frame: Frame) -> bytes:
    """The line of a frame.

    Raises:
        ValueError: the number is no byte, or the kind no capital letter.
    """
    body = f"{frame.number:02X}{frame.kind}{frame.data.hex().upper()}".encode()
    line = body + f"*{crc(body):04X}".encode()
    if _LINE.fullmatch(line) is None:
        raise ValueError("a frame has a number of one byte and a capital letter")
    return b"$" + line + b"\r\n"


class FrameReader:
    """Cuts frames out of a stream, however it arrives."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame | Damaged]:
        """The frames that these bytes complete. What stands before a $ is dropped."""
        self._held += data
        while True:
            start = self._held.find(b"$")
            if start < 0:
                self._held.clear()
                return
            del self._held[:start]
            end, again = self._held.find(b"\n"), self._held.find(b"$", 1)
            if again >= 0 and (end < 0 or again < end):
                # The end of this line was lost.
                del self._held[:again]
                yield Damaged()
            elif end >= 0:
                line = bytes(self._held[1 : end + 1])
                del self._held[: end + 1]
                yield _frame(line)
            elif len(self._held) > LONGEST:
                del self._held[0]
                yield Damaged()
            else:
                return

    def give_up(self) -> None:
        """Forget the beginning of a line."""
        self._held.clear()


def _frame(line: bytes) -> Frame | Damaged:
    found = _LINE.fullmatch(line.removesuffix(b"\n").removesuffix(b"\r"))
    if found is None or len(line) > LONGEST:
        return Damaged()
    number, kind, data, check = found.groups()
    if crc(number + kind + data) != int(check, 16):
        return Damaged()
    return Frame(int(number, 16), kind.decode(), bytes.fromhex(data.decode()))
