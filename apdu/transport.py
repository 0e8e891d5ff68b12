"""The seam between the card's bytes and whatever carries them.

A transport moves one command APDU to one powered card and brings back its answer. A PC/SC
reader, a direct socket, a recorder and a test double all implement it; everything that the
`apdu` package adds (trace, 61/6C handling) is a wrapper around one.
"""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """One card, powered and reset. Not thread-safe: one worker owns it."""

    @property
    def atr(self) -> bytes:
        """Answer to reset (ISO 7816-3), 2 to 33 bytes."""

    def transmit(self, command: bytes | bytearray) -> bytes:
        """Send one command APDU, return response data and the two status bytes.

        Raises:
            CardRemoved, CardMute, CardReset, ReaderGone: see `apdu.errors`.
        """

    def reset(self) -> bytes:
        """Warm-reset the card and return the new ATR. All security status is lost."""

    def close(self) -> None:
        """Give the card back (powered off). Never raises; a second call does nothing."""
