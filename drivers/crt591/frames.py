"""Frames of the CRT-591: ``F2 | address | length 2 | text | 03 | BCC``, and bare control bytes.

A command's text is ``43 cm pm data``, a good answer's ``50 cm pm st0 st1 st2 data``, a refusal's
``4E cm pm e1 e0 data`` (45 in place of 4E in the maker's print). The BCC is the XOR of all before
it. Source: domain card.md §7, mark A; vectors in crt591.toml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import reduce
from operator import xor

STX = 0xF2
ETX = 0x03
LONGEST_DATA = 512
_COMMAND, _GOOD, _REFUSED = 0x43, 0x50, (0x4E, 0x45)
_HEAD = 4
_TAIL = 2
_GOOD_TEXT, _REFUSED_TEXT = 6, 5
"""Bytes of an answer's text before its data."""
_LONGEST_TEXT = _GOOD_TEXT + LONGEST_DATA


class Control(Enum):
    """Bytes that stand alone."""

    ACK = 0x06
    NAK = 0x15
    EOT = 0x04

    @property
    def octet(self) -> bytes:
        """As it is sent."""
        return bytes([self.value])


_CONTROLS = {each.value: each for each in Control}


@dataclass(frozen=True)
class Good:
    """A positive answer. Its data may be a card's: not in the repr.

    Attributes:
        state: st0, st1, st2.
    """

    cm: int
    pm: int
    state: bytes
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Bad:
    """A negative answer.

    Attributes:
        code: e1 e0 as characters; one that is not ASCII shows as ``?``.
    """

    cm: int
    pm: int
    code: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Damaged:
    """Something began like a frame and was none; its bytes are dropped."""


Answer = Good | Bad
Received = Good | Bad | Control | Damaged


def encode(address: int, cm: int, pm: int, data: bytes | bytearray = b"") -> bytearray:
    """A command, in a buffer that the caller may wipe.

    Args:
        data: at most 512 bytes; may carry a PIN to the card.

    Raises:
        ValueError: the data are longer.
    """
    if len(data) > LONGEST_DATA:
        raise ValueError(f"a command holds {LONGEST_DATA} bytes, not {len(data)}")
    size = 3 + len(data)
    frame = bytearray(_HEAD + size + _TAIL)
    frame[0], frame[1] = STX, address
    frame[2:_HEAD] = size.to_bytes(2, "big")
    frame[_HEAD : _HEAD + 3] = bytes([_COMMAND, cm, pm])
    frame[_HEAD + 3 : _HEAD + size] = data
    frame[-2] = ETX
    frame[-1] = reduce(xor, memoryview(frame)[:-1])
    return frame


class FrameReader:
    """Cuts the device's bytes into answers and control bytes, however they arrive.

    Args:
        address: answers of other devices on the line are dropped.
    """

    def __init__(self, address: int) -> None:
        self._address = address
        self._held = bytearray()
        self._lost = False
        """Within a damaged frame, whose end nobody knows."""

    @property
    def partial(self) -> bool:
        """An answer has begun and its end has not come."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[Received]:
        """What these bytes complete, in their order."""
        self._held += data
        found: list[Received] = []
        while self._held:
            if self._held[0] != STX:
                control = _CONTROLS.get(self._held.pop(0))
                if control is not None and not self._lost:
                    found.append(control)
                continue
            self._lost = False
            if len(self._held) < _HEAD:
                break
            size = int.from_bytes(self._held[2:_HEAD], "big")
            total = _HEAD + size + _TAIL
            if not _REFUSED_TEXT <= size <= _LONGEST_TEXT:
                self._drop()
                found.append(Damaged())
                continue
            if len(self._held) < total:
                break
            frame = bytes(self._held[:total])
            if frame[-2] != ETX or reduce(xor, frame):
                self._drop()
                found.append(Damaged())
                continue
            del self._held[:total]
            if frame[1] == self._address:
                found.append(_answer(frame[_HEAD:-_TAIL]))
        return found

    def give_up(self) -> bool:
        """The line is silent: drop an answer that never ended; true when there was one."""
        partial = self.partial
        self._held.clear()
        self._lost = False
        return partial

    def _drop(self) -> None:
        """Go on at the next STX, also one that has not come yet: a lost byte makes a frame swallow
        the head of the next. What stands between are bytes of an answer, and none of them may pass
        for a control byte."""
        following = self._held.find(STX, 1)
        self._lost = following < 0
        del self._held[: len(self._held) if self._lost else following]


def _answer(text: bytes) -> Good | Bad | Damaged:
    if text[0] == _GOOD and len(text) >= _GOOD_TEXT:
        return Good(text[1], text[2], text[3:_GOOD_TEXT], text[_GOOD_TEXT:])
    if text[0] in _REFUSED:
        code = text[3:_REFUSED_TEXT].decode("ascii", "replace").replace("\ufffd", "?")
        return Bad(text[1], text[2], code, text[_REFUSED_TEXT:])
    return Damaged()
