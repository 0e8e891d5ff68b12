"""The seam between the terminal and its encrypting PIN pad (密码键盘).

The pad never gives clear digits: while a PIN is typed it tells how many keys were pressed, at
the end it gives an encrypted block (`drivers.pin_block` opens it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class PadError(Exception):
    """Base of everything that a PIN pad or its user can do wrong."""


class PinCancelled(PadError):
    """No PIN: the entry was cancelled.

    Attributes:
        by_resident: at the pad's cancel key; False when `PinPad.cancel` did it.
    """

    def __init__(self, *, by_resident: bool) -> None:
        super().__init__("cancelled at the pad" if by_resident else "cancelled by the terminal")
        self.by_resident = by_resident


class PinTimeout(PadError):
    """No PIN within the time allowed."""


class NewPinsDiffer(PadError):
    """No PIN: the new one was typed twice, differently."""


class PinLengthRefused(PadError):
    """No PIN: too few or too many digits were typed."""


class PadGone(PadError):
    """The pad is unplugged, switched off, or gives no readable answer."""


class PadFault(PadError):
    """The pad refused a command.

    Attributes:
        code: the pad's error code.
        meaning: what its maker says about it.
    """

    def __init__(self, code: int, meaning: str) -> None:
        super().__init__(f"pad error {code:02X}: {meaning}")
        self.code = code
        self.meaning = meaning


class PadReason(Enum):
    """Why no PIN can be typed at a pad, in order of urgency."""

    GONE = "gone"
    """No answer at all, or no readable one."""
    TAMPERED = "tampered"
    """It was opened and has destroyed its keys."""
    FAULT = "fault"
    """It answers, and refuses to say how it stands."""
    NO_KEY = "no-key"
    """No master key is loaded."""
    BUSY = "busy"
    """It accepts keys of an entry that is not ours, or no longer."""


class PadNote(Enum):
    """What staff should see to, though a PIN can still be typed."""

    BATTERY_LOW = "battery-low"


@dataclass(frozen=True)
class PadIdentity:
    """What the pad says about itself: the maker's texts, stripped."""

    model: str
    hardware: str
    software: str
    serial: str


@dataclass(frozen=True)
class PadStatus:
    """How the pad stands.

    Attributes:
        reason: the most urgent obstacle, None when a PIN can be typed.
        notes: what still lets it work.
        identity: None where it did not say.
    """

    reason: PadReason | None
    notes: frozenset[PadNote] = frozenset()
    identity: PadIdentity | None = None


class PinPad(Protocol):
    """One PIN pad, owned by one worker; only `cancel` may come from other threads.

    Every method but `status` and `close` raises PadGone when the pad is away and PadFault when it
    refuses; the next call tries to open the port again.
    """

    def load_master_key(self, key: bytearray) -> None:
        """Load the master key (主密钥) in the clear: only at a key ceremony, or for a pad without
        one that stands in a locked room.

        Args:
            key: 16 or 24 bytes, odd parity; the caller wipes it.

        Raises:
            PadFault: also when the pad's check value is not that of the key.
        """

    def load_pin_key(self, key_under_master: bytes) -> bytes:
        """Load the PIN key (PIN工作密钥), 3DES-ECB under the master key.

        Returns:
            The pad's check value of the clear key, at least 3 bytes; compare it with
            `drivers.pin_block.key_check_value`.
        """

    def read_pin(
        self,
        pan12: bytes,
        minimum: int,
        maximum: int,
        timeout: float,
        count: Callable[[int], None],
    ) -> bytes:
        """Let the resident type a PIN.

        Args:
            pan12: 12 account digits, see `drivers.pin_block.pan_for_card_number`.
            minimum, maximum: digits, 4 to 12.
            timeout: seconds for the whole entry.
            count: is told how many digits are typed now, after each key, on this thread.

        Returns:
            The encrypted PIN block, 8 bytes.

        Raises:
            PinCancelled, PinTimeout: no PIN.
            ValueError: an argument is out of range.
        """

    def cancel(self) -> None:
        """End the running entry with PinCancelled; nothing when none runs. From any thread."""

    def status(self) -> PadStatus:
        """Ask the pad who it is and how it stands; a pad that does not answer is
        `PadReason.GONE`. Never raises."""

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""
