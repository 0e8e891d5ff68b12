"""A device at the far end of a serial line: its plug, its buffer, and the faults of the wire.

What the device knows and does is its `FarEnd`; this is the cable. Faults strike answers and are
counted from the moment a schedule is given (`hw_sim.faults`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from hw_sim.faults import Fault, FaultSyntaxError, Schedule
from hw_sim.serial_line import SerialLine

WIRE_FAULTS = {
    "delay": True,  # so many milliseconds late
    "drop": False,  # the command is done, its answer never comes
    "truncate": True,  # only so many bytes of the answer come
    "corrupt": True,  # byte N of the answer, counted from 0, is another
    "bad-check": False,  # the answer's check sum is wrong
    "split": False,  # the answer comes in two pieces
    "noise": False,  # line noise right before the answer
    "nak": False,  # the command isn't done, the device says that it could not read it
    "busy": False,  # the command isn't done, the device says that it is busy
    "stuck": False,  # the command is done, and nothing comes any more until it is powered anew
    "unplug": False,  # the plug is pulled instead of an answer
    "power-cycle": False,  # the power fails instead of an answer, and comes back
}
"""What strikes an answer; N counts the answers."""

_NOISE = b"\xff\x00\x55"
_SILENCE = 0.3
"""Seconds after which an unfinished command is forgotten."""
_PAUSE = 0.05
_OFF = 0.2
"""Seconds that a power failure lasts."""
_KEPT = 50


@dataclass(frozen=True)
class Illegal:
    """Bytes that are no command, or a command that makes no sense now, and why."""

    reason: str
    received: bytes

    def __str__(self) -> str:
        shown = self.received[:16].hex(" ").upper()
        return f"{self.reason}: {shown}{' …' if len(self.received) > 16 else ''}"


C = TypeVar("C")


class FarEnd(Protocol[C]):
    """What a device knows and does. Its methods are called one at a time."""

    def take(self, buffer: bytearray) -> Iterator[C | Illegal]:
        """Cut whole commands off the front of what came; an unfinished one stays."""

    def obey(self, command: C) -> bytes | Illegal:
        """Do it; returns what goes back on the wire, empty for nothing."""

    def nak(self, command: C) -> bytes:
        """What says that the command could not be read; empty where the protocol has no word."""

    def busy(self, command: C) -> bytes:
        """What says that the device is busy; empty where the protocol has no word."""

    def bad_check(self, answer: bytes) -> bytes:
        """The answer with a wrong check sum."""

    def tick(self) -> bytes:
        """About every 20 ms: what it sends unasked."""

    def power_up(self) -> None:
        """Begin as after power on."""


class Line(Protocol):
    """The cable to the host: `hw_sim.serial_line.SerialLine`, or another that behaves like it."""

    link: Path

    @property
    def plugged(self) -> bool: ...

    def plug(self) -> None: ...

    def unplug(self) -> None: ...

    def send(self, data: bytes) -> None: ...


class SerialDevice(Generic[C]):
    """A device that can be plugged in and out.

    Args:
        link: a path that points at its terminal while it is plugged in, like a udev rule's.
        name: of the line's thread.
        faults: of this device beside those of the wire, name -> True when it takes a value; its
            far end is told them by `strike`, see there.
        line: makes its cable.
    """

    def __init__(
        self,
        link: Path,
        name: str,
        far_end: FarEnd[C],
        *,
        faults: dict[str, bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
        line: Callable[[Path, str, Callable[[bytes], None]], Line] = SerialLine,
    ) -> None:
        self.far_end = far_end
        self._line = line(link, name, self._hear)
        self._clock = clock
        self._names = WIRE_FAULTS | (faults or {})
        self._schedule = Schedule(self._names)
        self._buffer = bytearray()
        self._heard_at = 0.0
        self._stuck = False
        self._illegal: list[str] = []
        self.lock = threading.RLock()
        """Held while the far end is called; hold it to change the far end from outside."""

    # --- the plug ------------------------------------------------------------------------------

    @property
    def link(self) -> Path:
        """Where a host opens it."""
        return self._line.link

    @property
    def plugged(self) -> bool:
        """True while a host could open it."""
        return self._line.plugged

    def plug(self) -> None:
        """Power it up on a new terminal; nothing happens when it is plugged in."""
        with self.lock:
            if not self._line.plugged:
                self._power_up()
        self._line.plug()

    def unplug(self) -> None:
        """Pull the plug: the terminal dies under the host."""
        self._line.unplug()

    def send(self, unasked: bytes) -> None:
        """Send bytes that answer nothing, unless the device is stuck."""
        if not self._stuck:
            self._line.send(unasked)

    # --- faults --------------------------------------------------------------------------------

    @property
    def illegal(self) -> tuple[str, ...]:
        """What came that was no command, at most the last 50; a correct host sends none."""
        return tuple(self._illegal)

    def set_fault(self, text: str) -> None:
        """Schedule faults for coming answers; ``none`` forgets all.

        Raises:
            FaultSyntaxError: the schedule can't be read; nothing was added.
        """
        probe = Schedule(self._names)
        probe.set(text)
        for fault in probe.waiting:
            if fault.name in ("delay", "truncate", "corrupt") and not fault.value.isdecimal():
                raise FaultSyntaxError(f"{fault.name} takes a whole number")
        with self.lock:
            self._schedule.set(text)

    @property
    def faults_pending(self) -> int:
        """How many scheduled faults have not happened yet."""
        return self._schedule.pending

    def strike(self, fault: Fault, command: C) -> bytes | None:
        """What goes on the wire for a fault of the device's own, None where it is none of those.
        A device with such faults overrides this."""
        return None

    # --- the wire ------------------------------------------------------------------------------

    def _power_up(self) -> None:
        self._stuck = False
        self._buffer.clear()
        self.far_end.power_up()

    def _hear(self, received: bytes) -> None:
        now = self._clock()
        if received:
            self._heard_at = now
            self._buffer += received
        elif self._buffer and now - self._heard_at > _SILENCE:
            self._record(Illegal("unfinished", bytes(self._buffer)))
            self._buffer.clear()
        for heard in self.far_end.take(self._buffer):
            if isinstance(heard, Illegal):
                self._record(heard)
            else:
                self._answer(heard)
        with self.lock:
            unasked = self.far_end.tick()
        self.send(unasked)

    def _answer(self, command: C) -> None:
        with self.lock:
            fault = self._schedule.next() or Fault("")
            if fault.name in ("unplug", "power-cycle"):
                answer: bytes | Illegal = b""
            elif fault.name == "nak":
                answer = self.far_end.nak(command)
            elif fault.name == "busy":
                answer = self.far_end.busy(command)
            else:
                struck = self.strike(fault, command)
                answer = self.far_end.obey(command) if struck is None else struck
            self._stuck = self._stuck or fault.name == "stuck"
        if isinstance(answer, Illegal):
            self._record(answer)
            return
        match fault.name:
            case "unplug":
                self._line.unplug()
                return
            case "power-cycle":
                # The line itself stays: a converter between keeps its own power.
                time.sleep(_OFF)
                with self.lock:
                    self._power_up()
                return
            case "delay":
                time.sleep(int(fault.value) / 1000)
        for place, piece in enumerate(self._spoiled(answer, fault)):
            if place:
                time.sleep(_PAUSE)
            self.send(piece)

    def _spoiled(self, answer: bytes, fault: Fault) -> list[bytes]:
        """The pieces in which an answer goes out; none when it is lost."""
        match fault.name:
            case "drop":
                return []
            case "truncate":
                return [answer[: int(fault.value)]]
            case "corrupt":
                at = int(fault.value)
                return [
                    answer[:at] + bytes(o ^ 0x55 for o in answer[at : at + 1]) + answer[at + 1 :]
                ]
            case "bad-check":
                return [self.far_end.bad_check(answer)]
            case "split":
                return [answer[: len(answer) // 2], answer[len(answer) // 2 :]]
            case "noise":
                return [_NOISE + answer]
            case _:
                return [answer]

    def _record(self, illegal: Illegal) -> None:
        self._illegal = [*self._illegal, str(illegal)][-_KEPT:]
