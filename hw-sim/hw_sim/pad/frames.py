"""Frames of the PIN pad's serial line, and the faults of its own that spoil one.

Both ways: ``02 | LLL | text | 03 | XX``; LLL three decimal digits, XX the XOR over LLL, text and 03
as two hex digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import xor

from hw_sim.faults import Fault, FaultSyntaxError
from hw_sim.serial_device import Illegal

STX, ETX = 0x02, 0x03
_KEY = 0x2A
_SHOWN = 8
"""Bytes of a bad frame that are kept; behind them a key begins."""

FAULTS = {
    "bad-xor": False,  # the answer's check digits are wrong
    "short": True,  # so many bytes are missing at the answer's end
    "half": False,  # only the first half of the answer comes
    "noise-stx": False,  # line noise before the answer, with a byte that begins a frame
    "key-inside": False,  # a key's bare byte comes in the middle of the answer
    "error": True,  # the command isn't done, the answer is this error, for example EF
    "opened": False,  # the housing is opened right before the command
    "mended": False,  # it was closed and the master key loaded anew, right before the command
}
"""Beside those of the wire (`hw_sim.serial_device`)."""


def frame(text: bytes) -> bytes:
    """Wrap a text of 0..999 bytes."""
    checked = b"%03d" % len(text) + text + bytes([ETX])
    return bytes([STX]) + checked + b"%02X" % reduce(xor, checked)


def bad_check(framed: bytes) -> bytes:
    """The frame with other check digits."""
    return framed[:-2] + b"%02X" % (int(framed[-2:], 16) ^ 0x01)


def unframe(buffer: bytearray) -> Iterator[bytes | Illegal]:
    """Take whole frames off the front of the buffer and yield their texts.

    What can't be a frame is dropped byte by byte, so that a broken one costs no good one.
    """
    dropped = bytearray()
    reason = "no frame"
    while buffer:
        digits = bytes(buffer[1:4])
        if buffer[0] == STX and (not digits or digits.isdigit()):
            end = 4 + int(digits) if len(digits) == 3 else len(buffer)
            if len(buffer) < end + 3:
                break
            text = bytes(buffer[4:end])
            if bytes(buffer[: end + 3]).upper() == frame(text).upper():
                if dropped:
                    yield Illegal(reason, bytes(dropped))
                    dropped.clear()
                del buffer[: end + 3]
                yield text
                continue
            reason = "wrong XOR or end"
        octet = buffer.pop(0)
        if len(dropped) < _SHOWN:
            dropped.append(octet)
    if dropped:
        yield Illegal(reason, bytes(dropped))


def check_value(fault: Fault) -> None:
    """Raise `FaultSyntaxError` when the value of a fault in `FAULTS` makes no sense."""
    if fault.name == "error" and fault.value.upper() not in {f"E{n:X}" for n in range(16)}:
        raise FaultSyntaxError("an error is one of E0..EF")
    if fault.name == "short" and not fault.value.isdecimal():
        raise FaultSyntaxError("short takes a whole number")


def spoiled(answer: bytes, fault: Fault) -> bytes:
    """The answer as it goes out."""
    middle = len(answer) // 2
    match fault.name:
        case "bad-xor":
            return bad_check(answer)
        case "short":
            return answer[: max(0, len(answer) - int(fault.value))]
        case "half":
            return answer[:middle]
        case "noise-stx":
            return b"\xff\x02\x55" + answer
        case "key-inside":
            return answer[:middle] + bytes([_KEY]) + answer[middle:]
        case _:
            return answer
