"""Frames of the SZZT EPP: ``02 | 3-digit decimal length | text | 03 | XOR as 2 hex digits``.

The XOR runs over length, text and 03. Between frames the pad sends single bare bytes, one for a
key press. Source: domain card.md §7, mark C.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STX = 0x02
ETX = 0x03
LONGEST_TEXT = 999
_HEAD = 4
_TAIL = 3
_HEX = b"0123456789ABCDEFabcdef"


@dataclass(frozen=True)
class Frame:
    """A frame whose XOR is right. Its text may hold keys or a PIN block: not in the repr."""

    text: bytes = field(repr=False)


@dataclass(frozen=True)
class BareKey:
    """One byte outside of any frame: a key press, or noise."""

    octet: int


@dataclass(frozen=True)
class Damaged:
    """Something began like a frame and was none; its bytes are dropped."""


Received = Frame | BareKey | Damaged


def encode(text: bytes | bytearray) -> bytearray:
    """A frame around a text of at most 999 bytes, in a buffer that the caller may wipe.

    Raises:
        ValueError: the text is longer.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"a frame holds {LONGEST_TEXT} bytes, not {len(text)}")
    size = len(text)
    frame = bytearray(_HEAD + size + _TAIL)
    frame[0] = STX
    frame[1:_HEAD] = b"%03d" % size
    frame[_HEAD : _HEAD + size] = text
    frame[_HEAD + size] = ETX
    frame[-2:] = b"%02X" % _xor(memoryview(frame)[1:-2])
    return frame


class FrameReader:
    """Cuts the pad's bytes into frames and key presses, however they arrive."""

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def partial(self) -> bool:
        """The beginning of a frame is held and its end has not come."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[Received]:
        """What these bytes complete, in their order."""
        self._held += data
        found: list[Received] = []
        while self._held:
            if self._held[0] != STX:
                found.append(BareKey(self._held.pop(0)))
                continue
            length = self._held[1:_HEAD]
            if not (length.isdigit() or not length):
                # No frame begins here; what follows may well be key presses.
                del self._held[0]
                found.append(Damaged())
                continue
            if len(length) < 3:
                break
            total = _HEAD + int(length) + _TAIL
            if len(self._held) < total:
                break
            text = self._text(total)
            if text is None:
                self._drop(total)
                found.append(Damaged())
            else:
                del self._held[:total]
                found.append(Frame(text))
        return found

    def give_up(self) -> bool:
        """Drop a frame that never ended; true when there was one."""
        partial = self.partial
        self._held.clear()
        return partial

    def _text(self, total: int) -> bytes | None:
        """The text of the complete frame held, None when ETX or XOR is wrong."""
        frame = memoryview(self._held)[:total]
        try:
            if frame[-3] != ETX or frame[-2] not in _HEX or frame[-1] not in _HEX:
                return None
            if int(bytes(frame[-2:]), 16) != _xor(frame[1:-2]):
                return None
            return bytes(frame[_HEAD:-_TAIL])
        finally:
            frame.release()

    def _drop(self, total: int) -> None:
        """Go on at the next STX within: a lost byte makes a frame swallow the head of the next.
        What stands behind the frame may well be key presses."""
        following = self._held.find(STX, 1, total)
        del self._held[: following if following > 0 else total]


def _xor(octets: memoryview) -> int:
    value = 0
    for octet in octets:
        value ^= octet
    return value
