"""The code scanner (扫码模块) on its serial line: frames, faults, its plug and its window.

What it answers is in `hw_sim.scanner_module`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from hw_sim.faults import Fault, Schedule
from hw_sim.scanner_frames import (
    ANSWER_FAULTS,
    CODE_FAULTS,
    Command,
    Illegal,
    check_value,
    spoiled_answer,
    spoiled_code,
    unframe,
)
from hw_sim.scanner_module import ScanModule
from hw_sim.serial_line import SerialLine

SHOW_SECONDS = 8.0
"""How long a person holds a code in front of the window."""

_SILENCE = 0.3
"""Seconds after which an unfinished command is forgotten."""
_PAUSE = 0.05
_KEPT = 50


class ScannerDevice:
    """A scanner that can be plugged in and out.

    Args:
        link: a path that points at the scanner's terminal while it is plugged in.
        decode_seconds: that it takes to read a code.
        clock: seconds of a monotonic clock.

    Attributes:
        codes_read: codes that it has read since it was made.
    """

    def __init__(
        self,
        link: Path,
        *,
        decode_seconds: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._line = SerialLine(link, "scanner", self._hear)
        self._module = ScanModule(decode_seconds)
        self._clock = clock
        self._lock = threading.RLock()
        self._answer_faults = Schedule(ANSWER_FAULTS)
        self._code_faults = Schedule(CODE_FAULTS)
        self._silent = False
        self._buffer = bytearray()
        self._heard_at = 0.0
        self._illegal: list[str] = []
        self.codes_read = 0

    @property
    def link(self) -> Path:
        """Where a host opens it."""
        return self._line.link

    # --- people --------------------------------------------------------------------------------

    @property
    def plugged(self) -> bool:
        """True while a host could open it."""
        return self._line.plugged

    def plug(self) -> None:
        """Power it up on a new terminal; nothing happens when it is plugged in."""
        with self._lock:
            if not self._line.plugged:
                self._module.power_cycle()
                self._silent = False
                self._buffer.clear()
        self._line.plug()

    def unplug(self) -> None:
        """Pull the plug: the terminal dies under the host."""
        self._line.unplug()

    def show(self, payload: bytes, seconds: float = SHOW_SECONDS, *, hold: bool = False) -> None:
        """Hold a code in front of the window, in place of another, until it was read.

        Args:
            seconds: at most so long.
            hold: stay for that time, however often it is read.

        Raises:
            ValueError: no QR code holds this; the text does not repeat it.
        """
        with self._lock:
            self._module.show(payload, self._clock(), seconds, hold=hold)

    @property
    def shows(self) -> bool:
        """True while a code is in front of the window."""
        with self._lock:
            return self._module.shows(self._clock())

    @property
    def triggered(self) -> bool:
        """True while it looks for a code."""
        return self._module.triggered

    @property
    def illegal(self) -> tuple[str, ...]:
        """What came that was no command, at most the last 50; a correct host sends none."""
        return tuple(self._illegal)

    def set_fault(self, text: str) -> None:
        """Schedule faults (`ANSWER_FAULTS`, `CODE_FAULTS`); ``none`` forgets all.

        Raises:
            FaultSyntaxError: the schedule can't be read; nothing was added.
        """
        Schedule(ANSWER_FAULTS | CODE_FAULTS).set(text)
        faults = {part: _fault(part) for part in text.split(",")}
        for fault in faults.values():
            check_value(fault)
        for schedule, names in (
            (self._answer_faults, ANSWER_FAULTS),
            (self._code_faults, CODE_FAULTS),
        ):
            own = [part for part, fault in faults.items() if fault.name in names]
            with self._lock:
                if text == "none" or own:
                    schedule.set(",".join(own) or text)

    @property
    def faults_pending(self) -> int:
        """How many scheduled faults have not happened yet."""
        return self._answer_faults.pending + self._code_faults.pending

    # --- the wire ------------------------------------------------------------------------------

    def _hear(self, received: bytes) -> None:
        now = self._clock()
        if received:
            self._heard_at = now
            self._buffer += received
        elif self._buffer and now - self._heard_at > _SILENCE:
            self._record(Illegal("unfinished", bytes(self._buffer)))
            self._buffer.clear()
        for heard in unframe(self._buffer):
            if isinstance(heard, Illegal):
                self._record(heard)
            else:
                self._answer(heard)
        self._look()

    def _answer(self, command: Command) -> None:
        with self._lock:
            answer = self._module.command(command, self._clock())
            if isinstance(answer, Illegal):
                self._record(answer)
                return
            fault = self._answer_faults.next() or Fault("")
            self._silent = self._silent or fault.name == "silent"
            if self._silent:
                return
        if fault.name == "unplug":
            self._line.unplug()
            return
        if fault.name == "delay":
            time.sleep(int(fault.value) / 1000)
        self._send(spoiled_answer(answer, fault))

    def _look(self) -> None:
        with self._lock:
            payload = None if self._silent else self._module.look(self._clock())
            if payload is None:
                return
            self.codes_read += 1
            fault = self._code_faults.next() or Fault("")
            pieces = spoiled_code(payload, self._module.tail, fault)
        if fault.name == "code-delay":
            time.sleep(int(fault.value) / 1000)
        self._send(pieces)

    def _send(self, pieces: list[bytes]) -> None:
        for place, piece in enumerate(pieces):
            if place:
                time.sleep(_PAUSE)
            self._line.send(piece)

    def _record(self, illegal: Illegal) -> None:
        self._illegal = [*self._illegal, str(illegal)][-_KEPT:]


def _fault(part: str) -> Fault:
    name, _, value = part.partition(":")[2].partition("=")
    return Fault(name, value)
