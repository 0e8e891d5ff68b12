"""The code module of the GM65 family on a serial line.

What is sent follows `gm65.toml`, where each assumption has its mark.
"""

from __future__ import annotations

import contextlib
import threading
import time
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from drivers.code_scanner import (
    LONGEST_CODE,
    ScanCancelled,
    ScannerGone,
    ScannerReason,
    ScannerStatus,
)
from drivers.gm65_frames import Answer, Damaged, Kind, PayloadReader, encode, take_answer
from drivers.serial_port import PortLost, SerialPort


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


def gm65_facts() -> dict[str, Any]:
    """The facts of `gm65.toml`, for a terminal that must change one of them."""
    return tomllib.loads(resources.files("drivers").joinpath("gm65.toml").read_text("utf-8"))


class Gm65Scanner:
    """`CodeScanner` on a serial port. The port is opened by the first command, and again after it
    was lost."""

    def __init__(
        self,
        port: str,
        baud: int | None = None,
        times: Gm65Times | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        self._facts = facts or gm65_facts()
        self._times = times or Gm65Times()
        self._port = SerialPort(port, baud or self._facts["frame"]["baud"], "code scanner")
        self._held = bytearray()
        self._cancelled: threading.Event | None = None

    def read_code(self, cancelled: threading.Event) -> bytes:
        self._cancelled = cancelled
        facts = self._facts["trigger"]
        # The makers' manuals trigger without CRC.
        trigger = encode(Kind.WRITE, facts["address"], bytes([facts["on"]]), checked=False)
        try:
            while True:
                self._raise_if_cancelled()
                self._command(trigger)
                code = self._payload()
                if code is not None:
                    return code
        except PortLost as lost:
            raise ScannerGone(str(lost)) from lost
        except ScanCancelled:
            self._cancelled = None
            self._stop()
            raise
        finally:
            self._cancelled = None

    def status(self) -> ScannerStatus:
        try:
            self._command(encode(Kind.READ, self._facts["check"]["address"], b"\x01"))
        except (PortLost, ScannerGone):
            return ScannerStatus(ScannerReason.GONE)
        return ScannerStatus(None)

    def close(self) -> None:
        self._held.clear()
        self._port.close()

    def _command(self, frame: bytes) -> None:
        """Send a command until it is answered, twice at most; what follows the answer is held.

        A module stays silent about a command that it could not read, and an answer may be
        damaged on the way.

        Raises:
            ScannerGone: no answer, or no readable one.
        """
        self._port.open()
        reason = ""
        for _attempt in range(2):
            self._drop_late_bytes()
            self._port.write(frame, self._times.write)
            match self._answer(self._times.answer):
                case Answer():
                    return
                case Damaged():
                    reason = "damaged answers"
                case None:
                    reason = "no answer"
        self.close()
        raise ScannerGone(f"{reason} from the code scanner")

    def _drop_late_bytes(self) -> None:
        """What an earlier reading left; a line that is never silent must not hold us up."""
        end = time.monotonic() + self._times.answer
        while self._port.receive(0) and time.monotonic() < end:
            self._raise_if_cancelled()
        self._held.clear()

    def _answer(self, seconds: float) -> Answer | Damaged | None:
        end = time.monotonic() + seconds
        damaged: Damaged | None = None
        while (left := end - time.monotonic()) > 0:
            self._held += self._port.receive(min(left, self._times.look))
            match take_answer(self._held, 1):
                case Answer() as answer:
                    return answer
                case Damaged() as damaged:
                    # Noise before the answer looks like this too: the answer may still come.
                    end = min(end, time.monotonic() + self._times.damaged)
            self._raise_if_cancelled()
        return damaged

    def _payload(self) -> bytes | None:
        """Wait for a code; None when the module has stopped reading without one."""
        mark = bytes.fromhex(self._facts["frame"]["end_mark"])
        reader = PayloadReader(mark, LONGEST_CODE)
        pause = self._times.piece if mark else self._times.quiet
        end = time.monotonic() + self._facts["trigger"]["read_seconds"] + self._times.margin
        data = bytes(self._held)
        while True:
            if data:
                code = reader.feed(data)
                if code is not None:
                    return code
                if reader.dropped and not reader.begun:
                    return None
                if reader.begun:
                    end = time.monotonic() + pause
            self._raise_if_cancelled()
            left = end - time.monotonic()
            if left <= 0:
                return reader.silence()
            data = self._port.receive(min(left, self._times.look))

    def _raise_if_cancelled(self) -> None:
        if self._cancelled is not None and self._cancelled.is_set():
            raise ScanCancelled

    def _stop(self) -> None:
        """Put the module's light out."""
        facts = self._facts["trigger"]
        with contextlib.suppress(PortLost):
            self._port.write(
                encode(Kind.WRITE, facts["address"], bytes([facts["off"]])), self._times.write
            )
            self._answer(self._times.stop)
