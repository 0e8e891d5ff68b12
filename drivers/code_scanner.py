"""The seam between the terminal and its code scanner (扫码模块).

A scanner hands on what stands in a code, byte for byte; what it means is decided elsewhere.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

LONGEST_CODE = 4_296
"""Bytes; a QR code of version 40 holds no more (ISO/IEC 18004, alphanumeric mode)."""


class ScannerError(Exception):
    """Base of everything that goes wrong at the scanner."""


class ScannerGone(ScannerError):
    """The scanner is unplugged, switched off, or gives no readable answer."""


class ScanCancelled(ScannerError):
    """Nobody waits for a code any more."""


class ScannerReason(Enum):
    """Why no code can be read, in order of urgency."""

    GONE = "gone"
    """No answer at all, or no readable one."""
    BLIND = "blind"
    """A camera that reads codes sees nothing: no pictures, no light, or something before it."""


class ScannerNote(Enum):
    """What staff should see to, though codes are still read."""

    SLOW = "slow"
    """A camera that gives fewer pictures than a hand that moves needs."""


@dataclass(frozen=True)
class ScannerStatus:
    """How the scanner stands.

    Attributes:
        reason: the most urgent obstacle, None when it reads codes.
        notes: what still lets it read.
    """

    reason: ScannerReason | None
    notes: frozenset[ScannerNote] = frozenset()


class CodeScanner(Protocol):
    """One scanner, owned by one worker. What needs the device tries to open it again after it was
    away."""

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
            ScannerGone: the scanner is away.
        """

    def status(self) -> ScannerStatus:
        """Ask whether it is there and obeys; one that does not answer is `ScannerReason.GONE`.
        Never raises."""

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""
