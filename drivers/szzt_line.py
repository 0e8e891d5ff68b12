"""The serial line of an SZZT PIN pad: frames out, answers and key presses in."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import termios
import time
import tomllib
from collections import deque
from dataclasses import dataclass
from importlib import resources
from typing import Any, NoReturn, assert_never

import serial

from drivers.pin_block import wipe
from drivers.pin_pad import PadFault, PadGone
from drivers.szzt_frames import BareKey, Damaged, Frame, FrameReader, encode

log = logging.getLogger(__name__)

_FIRST_ERROR, _LAST_ERROR = 0xE0, 0xEF


@dataclass(frozen=True)
class SzztTimes:
    """Delays in seconds.

    Attributes:
        answer: silence after which a command is repeated, and after the second time given up.
        damaged: how long a readable answer may still follow after a damaged one.
        look: longest wait for a key before deadline and cancel are looked at again.
        write: limit for the line to take a frame.
    """

    answer: float = 1.0
    damaged: float = 0.2
    look: float = 0.05
    write: float = 1.0


def szzt_facts() -> dict[str, Any]:
    """The facts of `szzt.toml`, for a terminal that must change one of them."""
    return tomllib.loads(resources.files("drivers").joinpath("szzt.toml").read_text("utf-8"))


class SzztLine:
    """The port, opened by the first command and again after it was lost.

    Attributes:
        keys: bare bytes in the order in which they came.
    """

    def __init__(self, path: str, baud: int, times: SzztTimes, facts: dict[str, Any]) -> None:
        self._path = path
        self._baud = baud
        self._times = times
        self._facts = facts
        self._port: serial.Serial | None = None
        self._reader = FrameReader()
        self._frames: deque[Frame | Damaged] = deque()
        self.keys: deque[int] = deque()

    @property
    def open(self) -> bool:
        """The port is open, as far as we know."""
        return self._port is not None

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""
        port, self._port = self._port, None
        self._frames.clear()
        self.keys.clear()
        self._reader.give_up()
        if port is not None:
            # What a pad behind flow control has not taken would hold up close() for 30 s.
            with contextlib.suppress(OSError, termios.error, serial.SerialException):
                port.reset_output_buffer()
            with contextlib.suppress(OSError, termios.error):
                port.close()

    def wait_for_keys(self, end: float) -> None:
        """Wait until a key comes, the monotonic time `end` is there, or a look is due."""
        self._receive(min(end, time.monotonic() + self._times.look))
        # Nothing was asked, so that a frame now answers nobody.
        self._frames.clear()

    def command(self, text: bytes | bytearray) -> bytes:
        """Send a command and return its answer's text.

        A pad stays silent about a frame that it could not read, and an answer may be damaged on
        the way: the command is sent twice at most.

        Raises:
            PadFault: the pad answered with an error.
            PadGone: no port, no answer, or no readable one.
        """
        if self._port is None:
            self._open()
            self._exchange(b"5637")  # plain hex digits, not the pad's older 0x3A..0x3F
        return self._exchange(text)

    def _exchange(self, text: bytes | bytearray) -> bytes:
        reason = ""
        for _attempt in range(2):
            self._forget_answers()
            frame = encode(text)
            try:
                self._write(frame)
            finally:
                wipe(frame)
            match self._answer():
                case Frame(answer) if answer:
                    if _FIRST_ERROR <= answer[0] <= _LAST_ERROR:
                        meaning = self._facts["errors"][f"{answer[0]:02X}"]
                        raise PadFault(answer[0], meaning)
                    return answer
                case Frame() | Damaged():
                    reason = "damaged answers"
                case None:
                    reason = "no answer"
        self.close()
        raise PadGone(f"{reason} from the pad")

    def _answer(self) -> Frame | Damaged | None:
        end = time.monotonic() + self._times.answer
        damaged: Damaged | None = None
        while time.monotonic() < end:
            self._receive(end)
            while self._frames:
                received = self._frames.popleft()
                if isinstance(received, Frame):
                    return received
                # Noise before the answer looks like this too: the answer may still come.
                damaged = received
                end = min(end, time.monotonic() + self._times.damaged)
        return damaged

    def _forget_answers(self) -> None:
        """Drop what came late for an earlier command; key presses stay."""
        while self._receive(time.monotonic()):
            pass
        self._reader.give_up()
        self._frames.clear()

    def _receive(self, end: float) -> bool:
        """Wait for bytes until `end`, then sort them; true when some came."""
        port = self._port
        if port is None:
            raise PadGone("the port is closed")
        wait = max(0.0, min(end - time.monotonic(), self._times.answer))
        try:
            ready, _, _ = select.select([port.fileno()], [], [], wait)
            if not ready:
                return False
            # An unplugged port is readable for ever and gives nothing.
            data = os.read(port.fileno(), 4096)
        except (OSError, ValueError, termios.error) as error:
            self._lose(error)
        if not data:
            self._lose(None)
        for received in self._reader.feed(data):
            match received:
                case BareKey(octet):
                    self.keys.append(octet)
                case Frame() | Damaged():
                    self._frames.append(received)
                case _:
                    assert_never(received)
        return True

    def _write(self, frame: bytearray) -> None:
        """Write on the descriptor itself: pyserial would copy the frame to immutable bytes."""
        port = self._port
        if port is None:
            raise PadGone("the port is closed")
        end = time.monotonic() + self._times.write
        rest = memoryview(frame)
        try:
            while rest:
                wait = max(0.0, end - time.monotonic())
                _, ready, _ = select.select([], [port.fileno()], [], wait)
                if not ready:
                    raise TimeoutError("the line takes no bytes")
                rest = rest[os.write(port.fileno(), rest) :]
        except (OSError, ValueError, termios.error) as error:
            self._lose(error)
        finally:
            rest.release()

    def _open(self) -> None:
        frame = self._facts["frame"]
        try:
            port = serial.Serial(
                self._path,
                self._baud,
                timeout=0,
                rtscts=frame["hardware_flow"],
                exclusive=True,
            )
        except (OSError, ValueError, termios.error) as error:
            raise PadGone("the pad's port cannot be opened") from error
        self._port = port
        self._reader.give_up()
        try:
            present = port.dsr
        except (OSError, termios.error):
            # A line without modem signals (USB bridges, pseudo-terminals) cannot tell.
            present = True
        if frame["dsr_means_present"] and not present:
            self.close()
            raise PadGone("the pad is switched off (DSR is low)")

    def _lose(self, error: BaseException | None) -> NoReturn:
        log.info("pin pad lost: %s", type(error).__name__ if error else "end of file")
        self.close()
        raise PadGone("the pad is unplugged") from error
