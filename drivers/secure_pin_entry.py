"""The seam to a card reader with keys of its own: the digits go from there to the card and never
come to the host.

Nothing here was tried on a reader: drivers of this kind are marked "unverified on hardware".
"""

from __future__ import annotations

from typing import Protocol


class SecurePinEntry(Protocol):
    """The keys of one reader that holds a powered card, for the social security card's own PIN.

    The reader is busy from the first key to the last, and nothing can cancel it but its own
    cancel key, its time limit, or the card's removal. Whoever calls holds a transaction, so that
    the application selected before is the one that is asked.
    """

    @property
    def can_change(self) -> bool:
        """The reader takes a new PIN too."""

    def serves(self, shortest: int, longest: int) -> bool:
        """Whether the reader can write PINs of so many digits as the card wants them."""

    def verify(self, digits: int, seconds: float) -> None:
        """Let the holder type the PIN and show it to the card.

        Args:
            digits: that the PIN has; see `serves`.
            seconds: for the whole entry, at most 255.

        Raises:
            PinCancelled, PinTimeout, PinLengthRefused: no PIN reached the card.
            PadFault: the reader refused.
            PinRejected, PinBlocked, CardError: see `apdu.pin.verify_pin`.
            ValueError: the reader does not serve this number of digits.
        """

    def change(self, digits: int, seconds: float) -> None:
        """Let the holder type the old PIN once and the new one twice, and change it.

        Raises:
            NewPinsDiffer: the two new ones differ; nothing reached the card.
            All that `verify` raises.
        """
