"""What a receipt printer knows and does: paper, cover, cutter, and the commands of its stream.

With an obstacle in the way it is offline: what comes is kept and worked off later, and only
real-time commands are obeyed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import assert_never

from hw_sim.receipt.commands import FORGET, Command, Word, take_command
from hw_sim.receipt.paper import DOTS, SPACING, Paper, Printed, Style, raster, symbol
from hw_sim.serial_device import Illegal

LOW_LINES = 200
ROLL_LINES = 12_000
BUFFER = 4096
"""Bytes that it keeps while it is offline; more are lost."""
_FORGOTTEN = b"\x37\x25\x00"
_UNFINISHED = 1.0


@dataclass(frozen=True)
class Status:
    """DLE EOT n, answered at once."""

    n: int


class Other(Enum):
    """Other questions."""

    PAPER = "paper"
    """GS r 1 or ESC v, in its turn."""
    DRAWER = "drawer"
    """GS r 2, in its turn."""
    FORGET = "forget"
    """DLE DC4 8."""


Query = Status | Other
"""What is answered."""


class ReceiptMachine:
    """The `FarEnd` of a receipt printer.

    Args:
        cut: called with each piece that was cut off.
        font: as `hw_sim.receipt.paper.Paper`.
        four_bytes: its sign list has the four-byte signs of GB 18030.
        boot_seconds: that it is deaf for after power on.
    """

    def __init__(
        self,
        cut: Callable[[Printed], None],
        *,
        font: Path | None = None,
        four_bytes: bool = False,
        boot_seconds: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cut = cut
        self._four_bytes = four_bytes
        self._boot_seconds = boot_seconds
        self._clock = clock
        self._lock = threading.RLock()
        self._paper = Paper(font)
        self._deaf_until = 0.0
        self._tail = b""
        self._queue = bytearray()
        self._changed_at = 0.0
        self._illegal: list[Illegal] = []
        self._style = Style()
        self._chinese = False
        self._symbol, self._module, self._correction = b"", 3, "L"
        self._lines = ROLL_LINES
        self._cover_after: int | None = None
        self._cover_open = False
        self._jammed = False
        self._stuck_cutter = False
        self._broken = False
        self._hot = False
        self.power_up()

    # --- what people do ---------------------------------------------------------------------------

    @property
    def lines(self) -> int:
        """Lines that the roll still has."""
        return self._lines

    @property
    def cover_open(self) -> bool:
        return self._cover_open

    @property
    def jammed(self) -> bool:
        """The cutter is blocked, or has not been told to try again since it was."""
        return self._jammed or self._stuck_cutter

    @property
    def broken(self) -> bool:
        return self._broken

    @property
    def hot(self) -> bool:
        return self._hot

    @property
    def hanging(self) -> bool:
        """Something is printed and not cut off, or waits to be printed."""
        return not self._paper.blank or bool(self._queue)

    def load(self, lines: int) -> None:
        """Put a roll in that has so many lines."""
        with self._lock:
            self._lines = lines

    def set_cover(self, *, is_open: bool) -> None:
        with self._lock:
            self._cover_open = is_open

    def open_cover_after(self, lines: int) -> None:
        """The cover comes open when so many more lines are printed."""
        with self._lock:
            self._cover_after = lines

    def set_jam(self, *, jammed: bool) -> None:
        """Block or free the cutter. It stops at its next cut, and does not try again by itself."""
        with self._lock:
            self._jammed = jammed

    def set_broken(self, *, broken: bool) -> None:
        """An unrecoverable error."""
        with self._lock:
            self._broken = broken

    def set_hot(self, *, hot: bool) -> None:
        """The head is too hot; it recovers by itself."""
        with self._lock:
            self._hot = hot

    @property
    def offline(self) -> bool:
        """It prints nothing now."""
        return (
            self._lines <= 0 or self._cover_open or self._stuck_cutter or self._broken or self._hot
        )

    # --- the wire --------------------------------------------------------------------------------

    def take(self, buffer: bytearray) -> Iterator[Query | Illegal]:
        received = bytes(buffer)
        buffer.clear()
        with self._lock:
            if self._clock() < self._deaf_until:
                return
            answered = self._hear(received)
            # First: whoever has the answer may ask at once what was illegal before it.
            heard = [*self._illegal, *answered]
            self._illegal.clear()
        yield from heard

    def obey(self, command: Query) -> bytes | Illegal:
        with self._lock:
            match command:
                case Status(n):
                    return bytes([0x12 | self._bits(n)])
                case Other.PAPER:
                    return bytes([0x03 if self._lines <= LOW_LINES else 0])
                case Other.DRAWER:
                    return b"\x00"
                case Other.FORGET:
                    return _FORGOTTEN
                case _:
                    assert_never(command)

    def nak(self, command: Query) -> bytes:
        return b""

    def busy(self, command: Query) -> bytes:
        return b""

    def bad_check(self, answer: bytes) -> bytes:
        # There is no check sum; the bits that are always the same stand in for it.
        return bytes(octet ^ 0x92 for octet in answer)

    def tick(self) -> bytes:
        with self._lock:
            if self._queue and not self.offline and self._clock() - self._changed_at > _UNFINISHED:
                self._illegal.append(Illegal("unfinished", bytes(self._queue)))
                self._queue.clear()
        return b""

    def power_up(self) -> None:
        with self._lock:
            self._deaf_until = self._clock() + self._boot_seconds
            self._queue.clear()
            self._tail = b""
            self._stuck_cutter = self._jammed
            self._reset()

    # --- the stream -----------------------------------------------------------------------------

    def _hear(self, received: bytes) -> list[Query]:
        """Keep what came and work it off, obeying real-time commands where they stand, even among
        the dots of a picture."""
        answered: list[Query] = []
        if received:
            self._changed_at = self._clock()
        for octet in received:
            self._tail = (self._tail + bytes([octet]))[-len(FORGET) :]
            if not self.offline or len(self._queue) < BUFFER:
                self._queue.append(octet)
            if self._tail[-3:-1] == b"\x10\x04" and 1 <= octet <= 4:
                if self._queue == self._tail[-3:]:
                    self._queue.clear()
                answered += self._work()
                answered.append(Status(octet))
            elif self._tail.endswith((b"\x10\x05\x01", b"\x10\x05\x02")):
                self._recover(clear=octet == 2)
            elif self._tail == FORGET:
                self._forget()
                answered.append(Other.FORGET)
        return answered + self._work()

    def _recover(self, *, clear: bool) -> None:
        if self._stuck_cutter and not self._jammed:
            self._stuck_cutter = False
            if clear:
                self._forget()

    def _forget(self) -> None:
        self._queue.clear()
        self._paper.forget_line()

    def _work(self) -> list[Query]:
        """Work the queue off, as far as it goes; returns what is to be answered."""
        answered: list[Query] = []
        while not self.offline:
            before = bytes(self._queue[:16])
            command = take_command(self._queue, chinese=self._chinese)
            if command is None:
                break
            if command.word is Word.REACHED:
                drawer = command.data in (b"\x02", b"2")
                answered.append(Other.DRAWER if drawer else Other.PAPER)
            elif (wrong := self._run(command)) is not None:
                self._illegal.append(Illegal(wrong, before))
        return answered

    def _run(self, command: Command) -> str | None:
        """Do it; returns what is wrong with it."""
        data, paper = command.data, self._paper
        match command.word:
            case Word.TEXT:
                return self._put(data)
            case Word.LINE:
                self._print_line()
            case Word.INIT:
                self._reset()
            case Word.ALIGN | Word.PICTURE | Word.SYMBOL | Word.CUT if paper.begun:
                return f"{command.word.value} in the middle of a line"
            case Word.ALIGN:
                self._style = replace(self._style, align=data[0] & 3)
            case Word.BOLD:
                self._style = replace(self._style, bold=bool(data[0] & 1))
            case Word.UNDERLINE:
                self._style = replace(self._style, underline=bool(data[0] & 3))
            case Word.MODE:
                self._style = replace(
                    self._style,
                    bold=bool(data[0] & 0x08),
                    high=2 if data[0] & 0x10 else 1,
                    across=2 if data[0] & 0x20 else 1,
                    underline=bool(data[0] & 0x80),
                )
            case Word.CHINESE_MODE:
                self._style = replace(
                    self._style,
                    across=2 if data[0] & 0x04 else 1,
                    high=2 if data[0] & 0x08 else 1,
                    underline=bool(data[0] & 0x80),
                )
            case Word.SIZE:
                across, high = (data[0] >> 4 & 7) + 1, (data[0] & 7) + 1
                self._style = replace(self._style, across=across, high=high)
            case Word.SPACING:
                paper.spacing = data[0] if data else SPACING
            case Word.FEED_LINES | Word.FEED_DOTS:
                if paper.begun:
                    self._print_line()
                dots = data[0] * (paper.spacing if command.word is Word.FEED_LINES else 1)
                self._feed(dots)
            case Word.CHINESE:
                self._chinese = data == b"&"
            case Word.CODE_PAGE | Word.REAL_TIME:
                pass
            case Word.PICTURE:
                picture = raster(data)
                if picture.width > DOTS:
                    return "a picture wider than the paper"
                paper.picture(picture, self._style.align)
                self._used(picture.height)
            case Word.SYMBOL:
                return self._symbol_command(data)
            case Word.CUT:
                self._cut_off(data[3:])
            case Word.REACHED:
                raise AssertionError("questions are not run")
            case Word.ILLEGAL:
                return "no command"
            case _:
                assert_never(command.word)
        return None

    def _put(self, octets: bytes) -> str | None:
        if len(octets) == 4 and not self._four_bytes:
            return "a sign of four bytes"
        try:
            sign = octets.decode("gb18030" if self._chinese else "cp437")
        except UnicodeDecodeError:
            return "no sign"
        if self._paper.put(sign, self._style):
            self._used(self._paper.spacing)
        return None

    def _print_line(self) -> None:
        self._paper.print_line()
        self._used(self._paper.spacing)

    def _feed(self, dots: int) -> None:
        self._paper.feed(dots)
        self._used(dots)

    def _used(self, dots: int) -> None:
        lines = max(1, dots // SPACING) if dots else 0
        self._lines = max(0, self._lines - lines)
        if self._cover_after is not None:
            self._cover_after -= lines
            if self._cover_after <= 0:
                self._cover_open, self._cover_after = True, None

    def _symbol_command(self, data: bytes) -> str | None:
        match data[:2], len(data):
            case b"1A", 4 if data[2:] == b"2\x00":
                pass
            case b"1C", 3 if 1 <= data[2] <= 16:
                self._module = data[2]
            case b"1E", 3 if data[2] in b"0123":
                self._correction = "LMQH"[data[2] - 0x30]
            case b"1P", size if size > 3 and data[2] == 0x30:
                self._symbol = data[3:]
            case b"1Q", 3 if data[2] == 0x30 and self._symbol:
                try:
                    picture = symbol(self._symbol, self._module, self._correction)
                except ValueError as error:
                    return str(error)
                self._paper.picture(picture, self._style.align)
                self._used(picture.height)
            case _:
                return "a symbol that this printer has not"
        return None

    def _cut_off(self, further: bytes) -> None:
        if self._jammed:
            self._stuck_cutter = True
            return
        self._feed(further[0] if further else 0)
        self._cut(self._paper.cut())

    def _reset(self) -> None:
        self._paper.reset()
        self._style = Style()
        self._chinese = False
        self._symbol, self._module, self._correction = b"", 3, "L"

    def _bits(self, n: int) -> int:
        error = self._stuck_cutter or self._broken or self._hot
        match n:
            case 1:
                return 0x08 if self.offline else 0
            case 2:
                open_, out = self._cover_open, self._lines <= 0
                return (0x04 if open_ else 0) | (0x20 if out else 0) | (0x40 if error else 0)
            case 3:
                cutter, broken = self._stuck_cutter, self._broken
                return (
                    (0x08 if cutter else 0) | (0x20 if broken else 0) | (0x40 if self._hot else 0)
                )
            case _:
                return (0x0C if self._lines <= LOW_LINES else 0) | (0x60 if self._lines <= 0 else 0)
