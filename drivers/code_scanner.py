"""The seam between the terminal and its code scanner (扫码模块).

A scanner hands on what stands in a code, byte for byte; what it means is decided elsewhere.
"""

from __future__ import annotations

import threading
from typing import Protocol

LONGEST_CODE = 4_296
"""Bytes; a QR code of version 40 holds no more (ISO/IEC 18004, alphanumeric mode)."""


class ScannerError(Exception):
    """Base of everything that goes wrong at the scanner."""


class ScannerGone(ScannerError):
    """The scanner is unplugged, switched off, or gives no readable answer."""


class ScanCancelled(ScannerError):
    """Nobody waits for a code any more."""


class CodeScanner(Protocol):
    """One scanner, owned by one worker.

    Every method raises ScannerGone when the scanner is away; the next call tries to open the
    port again.
    """

    def read_code(self, cancelled: threading.Event) -> bytes:
        """Wait for a code, triggering the scanner again and again.

        Args:
            cancelled: set from any thread when nobody waits any more; looked at every few
                hundredths of a second.

        Returns:
            The code's payload, 1..`LONGEST_CODE` bytes, without the scanner's end mark. Longer
            ones and empty ones are dropped, not handed on.

        Raises:
            ScanCancelled: `cancelled` was set, before or meanwhile.
        """

    def check(self) -> None:
        """Ask the scanner whether it is there and obeys."""

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""
