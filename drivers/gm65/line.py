"""Commands and answers of the GM65 family on a serial port: sent until answered, twice at most."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from drivers.code_scanner import ScanCancelled, ScannerGone
from drivers.gm65.frames import Answer, Damaged, Kind, encode, take_answer
from drivers.serial_port import SerialPort


@dataclass(frozen=True)
class Gm65Times:
    """Delays in seconds.

    Attributes:
        answer: silence after which a command is repeated, and after the second time given up.
        damaged: how long a readable answer may still follow after a damaged one.
        look: longest wait before a cancellation is looked for again.
        margin: added to the module's own time for a reading.
        piece: how long the next piece of a payload that has an end mark may take.
        quiet: silence that ends a payload without end mark.
        stop: how long a cancelled reading waits for the module's answer to the stop.
        write: limit for the line to take a command.
    """

    answer: float = 0.5
    damaged: float = 0.1
    look: float = 0.03
    margin: float = 0.5
    piece: float = 0.5
    quiet: float = 0.1
    stop: float = 0.1
    write: float = 1.0


class Gm65Line:
    """One module's line. Every method may raise `drivers.serial_port.PortLost`.

    Attributes:
        held: what followed the last answer.
        cancelled: while it is set, waiting ends with ScanCancelled.
    """

    def __init__(self, path: str, baud: int, times: Gm65Times) -> None:
        self._path = path
        self._baud = baud
        self._times = times
        self._port = SerialPort(path, baud, "code scanner")
        self._repeated = False
        self.held = bytearray()
        self.cancelled: threading.Event | None = None

    @property
    def baud(self) -> int:
        """Bits per second on our side; setting another closes the port."""
        return self._baud

    @baud.setter
    def baud(self, value: int) -> None:
        if value != self._baud:
            self.close()
            self._baud = value
            self._port = SerialPort(self._path, value, "code scanner")

    @property
    def patience(self) -> float:
        """Seconds that an answer may take."""
        return self._times.answer

    def command(self, frame: bytes, length: int = 1) -> bytes:
        """Send a command until it is answered.

        A module stays silent about a command that it could not read, and an answer may be
        damaged on the way.

        Args:
            length: bytes of data in its answer.

        Returns:
            The answer's data.

        Raises:
            ScannerGone: no answer, or no readable one.
        """
        self._port.open()
        reason = ""
        for attempt in range(2):
            self._drop_late_bytes()
            self._port.write(frame, self._times.write)
            match self.answer(self._times.answer, length):
                case Answer(data=data):
                    self._repeated = attempt > 0
                    return data
                case Damaged():
                    reason = "damaged answers"
                case None:
                    reason = "no answer"
        self.close()
        raise ScannerGone(f"{reason} from the code scanner")

    def read(self, address: int, count: int = 1) -> bytes:
        """The content of so many registers. Raises ScannerGone."""
        return self._alone(encode(Kind.READ, address, bytes([count])), count)

    def write(self, address: int, data: bytes) -> None:
        """Change registers until the module is powered down. Raises ScannerGone."""
        self._alone(encode(Kind.WRITE, address, data))

    def save(self) -> None:
        """Keep all registers in flash, which wears out. Raises ScannerGone."""
        self._alone(encode(Kind.SAVE, 0, b"\x00"))

    def send(self, frame: bytes) -> None:
        """Send a command whose answer may not come."""
        self._port.open()
        self._port.write(frame, self._times.write)

    def answer(self, seconds: float, length: int = 1) -> Answer | Damaged | None:
        """Wait for an answer; what follows it is held."""
        end = time.monotonic() + seconds
        damaged: Damaged | None = None
        while (left := end - time.monotonic()) > 0:
            self.held += self.receive(left)
            match take_answer(self.held, length):
                case Answer() as answer:
                    return answer
                case Damaged() as damaged:
                    # Noise before the answer looks like this too: the answer may still come.
                    end = min(end, time.monotonic() + self._times.damaged)
            self.raise_if_cancelled()
        return damaged

    def receive(self, seconds: float) -> bytes:
        """What is there, or comes within so many seconds and before the next look for a
        cancellation."""
        return self._port.receive(min(seconds, self._times.look))

    def raise_if_cancelled(self) -> None:
        """Raises ScanCancelled."""
        if self.cancelled is not None and self.cancelled.is_set():
            raise ScanCancelled

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""
        self.held.clear()
        self._port.close()

    def _alone(self, frame: bytes, length: int = 1) -> bytes:
        """A command whose answer nothing follows. No answer says to what it is one, so that to
        the first try, if it still comes, must not pass for the next command's."""
        data = self.command(frame, length)
        if self._repeated:
            end = time.monotonic() + self._times.answer
            while (left := end - time.monotonic()) > 0:
                self.receive(left)
        return data

    def _drop_late_bytes(self) -> None:
        """What an earlier reading left; a line that is never silent must not hold us up."""
        end = time.monotonic() + self._times.answer
        while self._port.receive(0) and time.monotonic() < end:
            self.raise_if_cancelled()
        self.held.clear()
