"""The code module of the GM65 family on a serial line.

What is sent follows `gm65.toml`, where each assumption has its mark. A module that reads unasked
is believed only behind the answer to a trigger: what came before nobody waited for.
"""

from __future__ import annotations

import contextlib
import threading
import time
import tomllib
from importlib import resources
from typing import Any

from drivers.code_scanner import (
    LONGEST_CODE,
    ScanCancelled,
    ScannerGone,
    ScannerReason,
    ScannerStatus,
)
from drivers.gm65.frames import Kind, PayloadReader, encode
from drivers.gm65.line import Gm65Line
from drivers.gm65.line import Gm65Times as Gm65Times
from drivers.gm65.settings import Configured, configure
from drivers.serial_port import PortLost


def gm65_facts() -> dict[str, Any]:
    """The facts of `gm65.toml`, for a terminal that must change one of them."""
    return tomllib.loads(resources.files("drivers.gm65").joinpath("gm65.toml").read_text("utf-8"))


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
        self._baud = baud or self._facts["frame"]["baud"]
        self._line = Gm65Line(port, self._baud, self._times)

    def read_code(self, cancelled: threading.Event) -> bytes:
        self._line.cancelled = cancelled
        facts = self._facts["trigger"]
        # The makers' manuals trigger without CRC.
        trigger = encode(Kind.WRITE, facts["address"], bytes([facts["on"]]), checked=False)
        try:
            while True:
                self._line.raise_if_cancelled()
                self._line.command(trigger)
                code = self._payload()
                if code is not None:
                    return code
        except PortLost as lost:
            raise ScannerGone(str(lost)) from lost
        except ScanCancelled:
            self._line.cancelled = None
            self._stop()
            raise
        finally:
            self._line.cancelled = None

    def status(self) -> ScannerStatus:
        try:
            self._line.read(self._facts["check"]["address"])
        except (PortLost, ScannerGone):
            return ScannerStatus(ScannerReason.GONE)
        return ScannerStatus(None)

    def configure(self) -> Configured:
        """Bring a module from the box, or one that somebody set up otherwise, into the state of
        `gm65.toml`: found at whatever speed it talks, set to ours, and saved once, if at all.

        Takes up to a quarter of a minute where no module answers.

        Raises:
            ScannerGone: the port is not there, or no module answers.
            ScannerNotSet: it does not keep a setting.
        """
        try:
            return configure(self._line, self._facts, self._baud)
        except PortLost as lost:
            raise ScannerGone(str(lost)) from lost
        finally:
            self._line.baud = self._baud

    def close(self) -> None:
        self._line.close()

    def _payload(self) -> bytes | None:
        """Wait for a code; None when the module has stopped reading without one."""
        mark = bytes.fromhex(self._facts["frame"]["end_mark"])
        reader = PayloadReader(mark, LONGEST_CODE)
        pause = self._times.piece if mark else self._times.quiet
        end = time.monotonic() + self._facts["trigger"]["read_seconds"] + self._times.margin
        data = bytes(self._line.held)
        while True:
            if data:
                code = reader.feed(data)
                if code is not None:
                    return code
                if reader.dropped and not reader.begun:
                    return None
                if reader.begun:
                    end = time.monotonic() + pause
            self._line.raise_if_cancelled()
            left = end - time.monotonic()
            if left <= 0:
                return reader.silence()
            data = self._line.receive(left)

    def _stop(self) -> None:
        """Put the module's light out."""
        facts = self._facts["trigger"]
        stop = encode(Kind.WRITE, facts["address"], bytes([facts["off"]]))
        with contextlib.suppress(PortLost):
            self._line.send(stop)
            self._line.answer(self._times.stop)
