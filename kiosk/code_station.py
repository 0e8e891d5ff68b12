"""The code scanner as the terminal uses it: a stream that ends with the first code."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable

from drivers.code_scanner import CodeScanner, ScannerStatus
from kiosk.steps import Reporter

SAME_CODE_SECONDS = 2.5
"""A resident who holds a refused code on has not shown it a second time."""


class CodeStream:
    """Waits for one code, then ends with its payload."""

    lane = "scanner"

    def __init__(self, station: CodeStation) -> None:
        self._station = station
        self._cancelled = threading.Event()

    def run(self, _report: Reporter) -> bytes:
        """See `drivers.code_scanner.CodeScanner.read_code` for what it raises."""
        return self._station.read(self._cancelled)

    def cancel(self) -> None:
        self._cancelled.set()


class CodeStation:
    """One scanner, opened at its first use and again after it was gone.

    Attributes:
        failed: the last try ended with a fault; the next one shows whether it is back.
    """

    lane = "scanner"

    def __init__(
        self,
        open_scanner: Callable[[], CodeScanner],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_scanner = open_scanner
        self._monotonic = monotonic
        self._scanner: CodeScanner | None = None
        self._last = b""
        self._last_at = 0.0
        self.failed = False

    def somebody_new(self) -> None:
        """Whoever is there now has shown nothing yet."""
        self._last = b""

    def codes(self) -> CodeStream:
        """A new wait for a code."""
        return CodeStream(self)

    def read(self, cancelled: threading.Event) -> bytes:
        """Wait for a code; blocking, on the scanner's worker.

        A code that is still held there after it was read is not read again: it must be away for
        `SAME_CODE_SECONDS` first.
        """
        while True:
            payload = self._opened().read_code(cancelled)
            seen = hashlib.sha256(payload).digest()
            now = self._monotonic()
            held = seen == self._last and now - self._last_at < SAME_CODE_SECONDS
            self._last, self._last_at = seen, now
            if not held:
                return payload

    def look(self) -> ScannerStatus:
        """Ask the scanner how it stands; on its worker."""
        return self._opened().status()

    def close(self) -> None:
        """Close the device."""
        if self._scanner is not None:
            self._scanner.close()
            self._scanner = None

    def _opened(self) -> CodeScanner:
        if self._scanner is None:
            self._scanner = self._open_scanner()
        return self._scanner
