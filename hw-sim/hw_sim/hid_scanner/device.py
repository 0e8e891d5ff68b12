"""A code scanner that types (扫码枪): a USB keyboard's events, written into a FIFO.

A FIFO stands for the node under ``/dev/input``: it carries the same bytes, and ends when the plug
is pulled. It has no ioctls, so the grab can't be seen here.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from hw_sim.faults import Fault, FaultSyntaxError, Schedule
from hw_sim.hid_scanner.events import DOWN, REPEAT, Strokes, facts, overrun, report, stroke, strokes

HID_FAULTS = {
    "drop": True,  # key N of the code, counted from 0, is lost
    "corrupt": True,  # key N is one that no code has
    "no-enter": False,  # the code comes without its Enter
    "slow": False,  # it comes as slowly as a person types
    "stall": True,  # it comes to a stop for so many milliseconds in its middle
    "syn-dropped": False,  # the kernel had no room for some events in its middle
    "split": False,  # every event comes in two pieces
    "repeat": False,  # every key repeats itself before it is let go
    "lost": False,  # nothing comes
    "unplug": False,  # the plug is pulled in its middle
}
"""What strikes a code; N before the colon counts the codes."""

LONGEST_PAYLOAD = 4296
"""Characters; the largest QR code holds so many."""
_CUT = 0.001
"""Seconds between the pieces of an event."""
_ROOM = 1.0
"""Seconds that an event waits for room, then it is lost."""


class HidScannerDevice:
    """A keyboard scanner that can be plugged in and out. It reads whatever is held to it.

    Args:
        node: where a host opens it while it is plugged in.

    Attributes:
        codes_read: codes that it has typed, or tried to, since it was made.
    """

    def __init__(self, node: Path) -> None:
        self.node = node
        self._faults = Schedule(HID_FAULTS)
        self._lock = threading.Lock()
        self._fifo: int | None = None
        self._lost = False
        self._typing: threading.Thread | None = None
        self.codes_read = 0

    # --- the plug ------------------------------------------------------------------------------

    @property
    def plugged(self) -> bool:
        """True while a host could open it."""
        return self._fifo is not None

    def plug(self) -> None:
        """Make the node; nothing happens when it is plugged in."""
        with self._lock:
            if self._fifo is not None:
                return
            fresh = self.node.with_name(self.node.name + ".new")
            fresh.unlink(missing_ok=True)
            os.mkfifo(fresh, 0o600)
            # Open for reading too: a keyboard does not wait for somebody who listens.
            self._fifo = os.open(fresh, os.O_RDWR | os.O_NONBLOCK)
            fresh.replace(self.node)
            self._lost = False

    def unplug(self) -> None:
        """The node goes away, and who reads it finds its end; safe to call twice."""
        with self._lock:
            fifo, self._fifo = self._fifo, None
            if fifo is not None:
                self.node.unlink(missing_ok=True)
                os.close(fifo)

    # --- people --------------------------------------------------------------------------------

    def show(self, text: str) -> None:
        """Hold a code to it: it types the text, in the background and after those before it.

        Raises:
            ValueError: no QR code holds this; the text does not repeat it.
        """
        if not 1 <= len(text) <= LONGEST_PAYLOAD:
            raise ValueError(f"a code holds 1 to {LONGEST_PAYLOAD} characters, not {len(text)}")
        with self._lock:
            fault = self._faults.next() or Fault("")
            self.codes_read += 1
            before, self._typing = self._typing, None
            self._typing = threading.Thread(
                target=self._type, args=(text, fault, before), name="hid-scanner", daemon=True
            )
            self._typing.start()

    def settle(self) -> None:
        """Wait until everything that was shown is typed."""
        if self._typing is not None:
            self._typing.join()

    def set_fault(self, text: str) -> None:
        """Schedule faults (`HID_FAULTS`) for coming codes; ``none`` forgets all.

        Raises:
            FaultSyntaxError: the schedule can't be read; nothing was added.
        """
        probe = Schedule(HID_FAULTS)
        probe.set(text)
        for fault in probe.waiting:
            if HID_FAULTS[fault.name] and not fault.value.isdecimal():
                raise FaultSyntaxError(f"{fault.name} takes a whole number")
        with self._lock:
            self._faults.set(text)

    @property
    def faults_pending(self) -> int:
        """How many scheduled faults have not happened yet."""
        return self._faults.pending

    # --- the keys ------------------------------------------------------------------------------

    def _type(self, text: str, fault: Fault, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        if fault.name == "lost":
            return
        pace: float = facts()["pace"]["person" if fault.name == "slow" else "scanner"]
        for place, reports in enumerate(_keys(text, fault)):
            if place == (len(text) + 1) // 2:
                match fault.name:
                    case "unplug":
                        self.unplug()
                        return
                    case "stall":
                        time.sleep(int(fault.value) / 1000)
                    case "syn-dropped":
                        self._send(overrun(time.monotonic()))
            for changes in reports:
                time.sleep(pace / len(reports))
                events = report(changes, time.monotonic())
                self._send(events, cut=11 if fault.name == "split" else 0)

    def _send(self, events: bytes, cut: int = 0) -> None:
        if self._lost:
            self._lost = False
            self._send(overrun(time.monotonic()))
        with self._lock:
            fifo = self._fifo
            if fifo is None:
                return
            _, ready, _ = select.select([], [fifo], [], _ROOM)
            # A pipe that is ready takes PIPE_BUF bytes at once; a report is shorter.
            if not ready:
                self._lost = True
                return
            for piece in filter(None, (events[:cut], events[cut:])):
                os.write(fifo, piece)
                time.sleep(_CUT if cut else 0)


def _keys(text: str, fault: Fault) -> Iterator[list[Strokes]]:
    """The reports of each key of a code, and of its Enter."""
    at = int(fault.value or 0)
    for place, character in enumerate(text):
        reports = strokes(character)
        if fault.name == "repeat":
            held = [(key, REPEAT) for key, change in reports[0] if change == DOWN]
            reports = [reports[0], held, held, *reports[1:]]
        if place == at and fault.name == "corrupt":
            reports = stroke(facts()["keys"]["f1"])
        if place != at or fault.name != "drop":
            yield reports
    if fault.name != "no-enter":
        yield stroke(facts()["keys"]["enter"])
