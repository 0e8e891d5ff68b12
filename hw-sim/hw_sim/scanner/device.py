"""The code scanner (扫码模块) on its serial line: its window, its speed, and what strikes codes.

What it answers is in `hw_sim.scanner.module`, the faults of its answers are those of the wire.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hw_sim.faults import Fault, FaultSyntaxError, Schedule
from hw_sim.scanner.frames import CODE_FAULTS, Command, answer_with_wrong_crc, spoiled_code, unframe
from hw_sim.scanner.module import ScanModule
from hw_sim.serial_device import WIRE_FAULTS, Illegal, SerialDevice
from hw_sim.serial_line import SerialLine

SHOW_SECONDS = 8.0
"""How long a person holds a code in front of the window."""

ANSWER_FAULTS = WIRE_FAULTS
"""What strikes an answer; the module has no word for NAK or busy, it does nothing and is silent."""

_PAUSE = 0.05


class _ModuleEnd:
    """The module at the end of the line."""

    def __init__(self, module: ScanModule, clock: Callable[[], float]) -> None:
        self._module = module
        self._clock = clock

    def take(self, buffer: bytearray) -> Iterator[Command | Illegal]:
        return unframe(buffer)

    def obey(self, command: Command) -> bytes | Illegal:
        return self._module.command(command, self._clock())

    def nak(self, command: Command) -> bytes:
        return b""

    def busy(self, command: Command) -> bytes:
        return b""

    def bad_check(self, answer: bytes) -> bytes:
        return answer_with_wrong_crc(answer)

    def tick(self) -> bytes:
        return b""

    def power_up(self) -> None:
        self._module.power_cycle()


class ScannerDevice(SerialDevice[Command]):
    """A scanner that can be plugged in and out.

    Args:
        link: a path that points at the scanner's terminal while it is plugged in.
        decode_seconds: that it takes to read a code.
        boxed: its settings are those of the box, not an installer's.
        clock: seconds of a monotonic clock.

    Attributes:
        codes_read: codes that it has read since it was made.
    """

    def __init__(
        self,
        link: Path,
        *,
        decode_seconds: float = 0.1,
        boxed: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.module = ScanModule(decode_seconds, boxed=boxed)
        super().__init__(
            link, "scanner", _ModuleEnd(self.module, clock), clock=clock, line=self._cable
        )
        self._code_faults = Schedule(CODE_FAULTS)
        self._baud = self.module.baud
        self.codes_read = 0

    # --- people --------------------------------------------------------------------------------

    def show(self, payload: bytes, seconds: float = SHOW_SECONDS, *, hold: bool = False) -> None:
        """Hold a code in front of the window, in place of another, until it was read.

        Args:
            seconds: at most so long.
            hold: stay for that time, however often it is read.

        Raises:
            ValueError: no QR code holds this; the text does not repeat it.
        """
        with self.lock:
            self.module.show(payload, self._clock(), seconds, hold=hold)

    @property
    def shows(self) -> bool:
        """True while a code is in front of the window."""
        with self.lock:
            return self.module.shows(self._clock())

    @property
    def triggered(self) -> bool:
        """True while it looks for a code."""
        return self.module.looking

    def set_fault(self, text: str) -> None:
        """Schedule faults (`ANSWER_FAULTS`, `CODE_FAULTS`); ``none`` forgets all.

        Raises:
            FaultSyntaxError: the schedule can't be read; nothing was added.
        """
        parts = [] if text == "none" else text.split(",")
        of_codes = [part for part in parts if _name(part) in CODE_FAULTS]
        others = [part for part in parts if part not in of_codes]
        probe = Schedule(CODE_FAULTS | ANSWER_FAULTS)
        probe.set(text)
        for fault in probe.waiting:
            if fault.name == "code-delay" and not fault.value.isdecimal():
                raise FaultSyntaxError(f"{fault.name} takes a whole number")
        if others or not parts:
            super().set_fault(",".join(others) or text)
        with self.lock:
            if of_codes or not parts:
                self._code_faults.set(",".join(of_codes) or text)

    @property
    def faults_pending(self) -> int:
        """How many scheduled faults have not happened yet."""
        return super().faults_pending + self._code_faults.pending

    # --- the wire ------------------------------------------------------------------------------

    def send(self, unasked: bytes) -> None:
        """Send bytes at the module's speed; a host of another speed hears noise."""
        if self._serial.baud != self._baud:
            unasked = bytes(octet ^ 0xA5 for octet in unasked[::2])
        super().send(unasked)

    def _cable(self, link: Path, name: str, hear: Callable[[bytes], None]) -> SerialLine:
        self._serial = SerialLine(link, name, hear)
        return self._serial

    def _power_up(self) -> None:
        super()._power_up()
        self._baud = self._serial.found_baud = self.module.baud

    def _hear(self, received: bytes) -> None:
        super()._hear(received if self._serial.baud == self._baud else b"")
        # A new speed counts once the answer is out.
        self._baud = self.module.baud
        with self.lock:
            payload = None if self._stuck else self.module.look(self._clock())
            if payload is None:
                return
            self.codes_read += 1
            fault = self._code_faults.next() or Fault("")
            pieces = spoiled_code(payload, self.module.tail, fault)
        if not self.module.on_serial:
            return
        if fault.name == "code-delay":
            time.sleep(int(fault.value) / 1000)
        for place, piece in enumerate(pieces):
            if place:
                time.sleep(_PAUSE)
            self.send(piece)


def _name(part: str) -> str:
    return part.partition(":")[2].partition("=")[0]
