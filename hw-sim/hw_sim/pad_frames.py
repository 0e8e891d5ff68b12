"""Frames of the PIN pad's serial line, and how a scripted fault spoils one.

Both ways: ``02 | LLL | text | 03 | XX``; LLL three decimal digits, XX the XOR over LLL, text and 03
as two hex digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import xor

from hw_sim.faults import Fault, FaultSyntaxError

STX, ETX = 0x02, 0x03

FAULTS = {
    "bad-xor": False,  # the answer's check digits are wrong
    "drop": False,  # the command is done, its answer never comes
    "short": True,  # so many bytes are missing at the answer's end
    "half": False,  # only the first half of the answer comes
    "split": False,  # the answer comes in two pieces
    "noise": False,  # line noise before the answer
    "noise-stx": False,  # the same with a byte that begins a frame
    "delay": True,  # so many milliseconds late
    "error": True,  # the command isn't done, the answer is this error, for example EF
    "unplug": False,  # the plug is pulled instead of an answer
}


def frame(text: bytes) -> bytes:
    """Wrap a text of 0..999 bytes."""
    checked = b"%03d" % len(text) + text + bytes([ETX])
    return bytes([STX]) + checked + b"%02X" % reduce(xor, checked)


def unframe(buffer: bytearray) -> Iterator[bytes]:
    """Take whole frames off the front of the buffer and yield their texts.

    What can't be a frame is dropped byte by byte, so that a broken one costs no good one.
    """
    while True:
        start = buffer.find(STX)
        if start < 0:
            buffer.clear()
            return
        del buffer[:start]
        digits = bytes(buffer[1:4])
        if digits and not digits.isdigit():
            del buffer[:1]
            continue
        if len(buffer) < 4:
            return
        end = 4 + int(digits)
        if len(buffer) < end + 3:
            return
        text = bytes(buffer[4:end])
        if bytes(buffer[: end + 3]).upper() == frame(text).upper():
            yield text
            del buffer[: end + 3]
        else:
            del buffer[:1]


def check_value(fault: Fault | None) -> None:
    """Raise `FaultSyntaxError` when the fault's value makes no sense."""
    if fault is None or not FAULTS[fault.name]:
        return
    if fault.name == "error":
        if len(fault.value) == 2 and fault.value.upper() in {f"E{n:X}" for n in range(16)}:
            return
        raise FaultSyntaxError("an error is one of E0..EF")
    if not fault.value.isdecimal():
        raise FaultSyntaxError(f"{fault.name} takes a whole number")


def spoiled(answer: bytes, fault: Fault) -> list[bytes]:
    """The pieces in which an answer goes out; none when it is dropped."""
    middle = len(answer) // 2
    match fault.name:
        case "bad-xor":
            wrong = int(answer[-2:], 16) ^ 0x01
            return [answer[:-2] + b"%02X" % wrong]
        case "drop":
            return []
        case "short":
            return [answer[: max(0, len(answer) - int(fault.value))]]
        case "half":
            return [answer[:middle]]
        case "split":
            return [answer[:middle], answer[middle:]]
        case "noise":
            return [b"\xff\x00\x55" + answer]
        case "noise-stx":
            return [b"\xff\x02\x55" + answer]
        case _:
            return [answer]
