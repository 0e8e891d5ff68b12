"""The language of ESC/POS receipt printers, as the printer reads it: a stream cut into commands.

Written from the makers' public command lists (domain card.md §7). What is not here, a host must
not send.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

FORGET = bytes.fromhex("10140801031401060208")
"""DLE DC4 8: forget what was received."""


class Word(Enum):
    """What a command does."""

    TEXT = "text"
    """One sign; `data` is its bytes."""
    LINE = "line feed"
    INIT = "initialise"
    ALIGN = "align"
    BOLD = "bold"
    MODE = "print mode"
    SIZE = "size"
    UNDERLINE = "underline"
    SPACING = "line spacing"
    FEED_LINES = "feed lines"
    FEED_DOTS = "feed dots"
    CHINESE = "chinese"
    CHINESE_MODE = "chinese print mode"
    CODE_PAGE = "code page"
    SYMBOL = "symbol"
    """GS ( k; `data` is what follows its length."""
    PICTURE = "picture"
    """GS v 0; `data` is m, xL, xH, yL, yH and the dots."""
    CUT = "cut"
    REACHED = "in its turn"
    """GS r or ESC v: asks for an answer in its turn."""
    REAL_TIME = "real time"
    """Was obeyed when it came."""
    ILLEGAL = "illegal"


@dataclass(frozen=True)
class Command:
    """One command and its parameters."""

    word: Word
    data: bytes = b""


_FIXED = {
    b"\x1b@": (Word.INIT, 0),
    b"\x1ba": (Word.ALIGN, 1),
    b"\x1bE": (Word.BOLD, 1),
    b"\x1b!": (Word.MODE, 1),
    b"\x1b-": (Word.UNDERLINE, 1),
    b"\x1b2": (Word.SPACING, 0),
    b"\x1b3": (Word.SPACING, 1),
    b"\x1bd": (Word.FEED_LINES, 1),
    b"\x1bJ": (Word.FEED_DOTS, 1),
    b"\x1bt": (Word.CODE_PAGE, 1),
    b"\x1bR": (Word.CODE_PAGE, 1),
    b"\x1bv": (Word.REACHED, 0),
    b"\x1d!": (Word.SIZE, 1),
    b"\x1dr": (Word.REACHED, 1),
    b"\x1c&": (Word.CHINESE, 0),
    b"\x1c.": (Word.CHINESE, 0),
    b"\x1c!": (Word.CHINESE_MODE, 1),
}
"""Commands with so many bytes of parameters."""
_MODES = {Word.ALIGN: b"\x00\x01\x02" + b"012", Word.UNDERLINE: b"\x00\x01\x02" + b"012",
          Word.REACHED: b"\x01\x02" + b"12"}  # fmt: skip
"""What a parameter may be, where that is limited."""
_LONGEST_PICTURE = 72, 2304
"""Bytes across the paper and lines of dots."""


def take_command(queue: bytearray, *, chinese: bool) -> Command | None:
    """Cut the first command off; None while it is not whole.

    Args:
        chinese: the printer reads two-byte signs (FS &).
    """
    if not queue:
        return None
    first = queue[0]
    if first == 0x10:
        size = _real_time(queue)
        return None if size is None else _cut(queue, size or 1, Word.REAL_TIME if size else None)
    if first in (0x1B, 0x1C, 0x1D):
        return None if len(queue) < 2 else _escape(queue)
    if first == 0x0A:
        return _cut(queue, 1, Word.LINE)
    if first < 0x20 or first == 0x7F:
        return _cut(queue, 1, None)
    return _sign(queue, chinese)


def _real_time(queue: bytearray) -> int | None:
    """Bytes of a real-time command; 0 when it is none, None while it is not whole."""
    for known in (*(bytes([0x10, 4, n]) for n in range(1, 5)), b"\x10\x05\x01", b"\x10\x05\x02",
                  FORGET):  # fmt: skip
        if queue.startswith(known):
            return len(known)
        if known.startswith(bytes(queue)):
            return None
    return 0


def _escape(queue: bytearray) -> Command | None:
    head = bytes(queue[:2])
    if head == b"\x1dV":
        return _cutter(queue)
    if head in (b"\x1d(", b"\x1dv"):
        return _long(queue)
    if head not in _FIXED:
        return _cut(queue, 2, None)
    word, size = _FIXED[head]
    if len(queue) < 2 + size:
        return None
    data = bytes(queue[2 : 2 + size])
    if word in _MODES and data and data not in [bytes([mode]) for mode in _MODES[word]]:
        return _cut(queue, 2 + size, None)
    if word is Word.CHINESE:
        data = head[1:]
    del queue[: 2 + size]
    return Command(word, data)


def _cutter(queue: bytearray) -> Command | None:
    if len(queue) < 3:
        return None
    if queue[2] in b"\x00\x01" + b"01":
        return _cut(queue, 3, Word.CUT)
    if queue[2] in b"AB":
        return None if len(queue) < 4 else _cut(queue, 4, Word.CUT)
    return _cut(queue, 3, None)


def _long(queue: bytearray) -> Command | None:
    if len(queue) < 3:
        return None
    if queue[:3] == b"\x1d(k":
        if len(queue) < 5:
            return None
        size = queue[3] + 256 * queue[4]
        if len(queue) < 5 + size:
            return None
        data = bytes(queue[5 : 5 + size])
        del queue[: 5 + size]
        return Command(Word.SYMBOL, data)
    if queue[:3] == b"\x1dv0":
        if len(queue) < 8:
            return None
        across, lines = queue[4] + 256 * queue[5], queue[6] + 256 * queue[7]
        if queue[3] not in b"\x00\x01\x02\x03" + b"0123" or not (
            0 < across <= _LONGEST_PICTURE[0] and 0 < lines <= _LONGEST_PICTURE[1]
        ):
            return _cut(queue, 8, None)
        total = 8 + across * lines
        if len(queue) < total:
            return None
        data = bytes(queue[3:total])
        del queue[:total]
        return Command(Word.PICTURE, data)
    return _cut(queue, 3, None)


def _sign(queue: bytearray, chinese: bool) -> Command | None:
    first = queue[0]
    if first < 0x80 or not chinese:
        return _cut(queue, 1, Word.TEXT)
    if len(queue) < 2:
        return None
    if 0x30 <= queue[1] <= 0x39:
        return None if len(queue) < 4 else _cut(queue, 4, Word.TEXT)
    if first in (0x80, 0xFF) or not (0x40 <= queue[1] <= 0xFE and queue[1] != 0x7F):
        return _cut(queue, 1, None)
    return _cut(queue, 2, Word.TEXT)


def _cut(queue: bytearray, size: int, word: Word | None) -> Command:
    """The first bytes as a command; None for one that is illegal."""
    data = bytes(queue[:size])
    del queue[:size]
    return Command(word or Word.ILLEGAL, data)
