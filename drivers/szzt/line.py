"""The serial line of an SZZT PIN pad: frames out, answers and key presses in."""

from __future__ import annotations

import time
import tomllib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, assert_never

from drivers.pin_block import wipe
from drivers.pin_pad import PadGone
from drivers.serial_port import PortLost, SerialPort
from drivers.szzt import errors as szzt_errors
from drivers.szzt.frames import BareKey, Damaged, Frame, FrameReader, encode

_TRIES = 2


@dataclass(frozen=True)
class SzztTimes:
    """Delays in seconds.

    Attributes:
        answer: silence after which a command is repeated, and after the second time given up.
        probe: the same, once, for each speed that is tried.
        damaged: how long a readable answer may still follow after a damaged one.
        look: longest wait for a key before deadline and cancel are looked at again.
        watch: silence of the keys after which an open entry is asked for.
        write: limit for the line to take a frame.
    """

    answer: float = 1.0
    probe: float = 0.4
    damaged: float = 0.2
    look: float = 0.05
    watch: float = 3.0
    write: float = 1.0


def szzt_facts() -> dict[str, Any]:
    """The facts of `szzt.toml`, for a terminal that must change one of them."""
    return tomllib.loads(resources.files("drivers.szzt").joinpath("szzt.toml").read_text("utf-8"))


class SzztLine:
    """The port, opened by the first command and again after it was lost.

    Args:
        bauds: speeds at which the pad may stand; of several, the one at which it answers.

    Attributes:
        keys: bare bytes in the order in which they came while `listening`.
        listening: an entry is open; bare bytes at other times are counted and dropped.
        ignored: how many were.
    """

    def __init__(
        self, path: str, bauds: Sequence[int], times: SzztTimes, facts: dict[str, Any]
    ) -> None:
        self._path = path
        self._bauds = list(bauds)
        self._times = times
        self._facts = facts
        self._port: SerialPort | None = None
        self._reader = FrameReader()
        self._frames: deque[Frame | Damaged] = deque()
        self.keys: deque[int] = deque()
        self.listening = False
        self.ignored = 0

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
            port.close()

    def wait_for_keys(self, end: float) -> None:
        """Wait until a key comes, the monotonic time `end` is there, or a look is due."""
        self._receive(min(end, time.monotonic() + self._times.look))
        # Nothing was asked, so that a frame now answers nobody.
        self._frames.clear()

    def command(self, text: bytes | bytearray) -> bytes:
        """Send a command and return its answer's text.

        A pad stays silent about a frame that it could not read, and an answer may be damaged on
        the way, by a key pressed in the middle of it too: the command is sent twice at most.

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
        for _attempt in range(_TRIES):
            match self._ask(text, self._times.answer):
                case Frame(answer) if answer:
                    if szzt_errors.FIRST <= answer[0] <= szzt_errors.LAST:
                        raise szzt_errors.error_of(answer[0], self._facts)
                    return answer
                case Frame() | Damaged():
                    reason = "damaged answers"
                case None:
                    reason = "no answer"
        self.close()
        raise PadGone(f"{reason} from the pad")

    def _ask(self, text: bytes | bytearray, seconds: float) -> Frame | Damaged | None:
        """Send a command once; its answer, or what came in place of one."""
        self._forget_answers()
        frame = encode(text)
        try:
            self._opened().write(frame, self._times.write)
        except PortLost as lost:
            self.close()
            raise PadGone("the pad is unplugged") from lost
        finally:
            wipe(frame)
        end = time.monotonic() + seconds
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
        wait = max(0.0, min(end - time.monotonic(), self._times.answer))
        try:
            data = self._opened().receive(wait)
        except PortLost as lost:
            self.close()
            raise PadGone("the pad is unplugged") from lost
        for received in self._reader.feed(data):
            match received:
                case BareKey(octet) if self.listening:
                    self.keys.append(octet)
                case BareKey():
                    self.ignored += 1
                case Frame() | Damaged():
                    self._frames.append(received)
                case _:
                    assert_never(received)
        return bool(data)

    def _opened(self) -> SerialPort:
        if self._port is None:
            raise PadGone("the port is closed")
        return self._port

    def _open(self) -> None:
        """Open the port at the speed at which the pad answers; the one it had last comes first."""
        for baud in tuple(self._bauds):
            self._open_at(baud)
            if len(self._bauds) == 1:
                return
            # Its answer is not looked at: a pad that cannot say who it is speaks at this speed.
            if isinstance(self._ask(b"3", self._times.probe), Frame):
                self._bauds.remove(baud)
                self._bauds.insert(0, baud)
                return
            self.close()
        raise PadGone("no answer from the pad at any speed")

    def _open_at(self, baud: int) -> None:
        frame = self._facts["frame"]
        port = SerialPort(self._path, baud, "PIN pad", hardware_flow=frame["hardware_flow"])
        try:
            port.open()
            present = port.hears_dsr()
        except PortLost as lost:
            raise PadGone("the pad's port cannot be opened") from lost
        if frame["dsr_means_present"] and not present:
            port.close()
            raise PadGone("the pad is switched off (DSR is low)")
        self._port = port
