"""The seam between the terminal and its encrypting PIN pad (密码键盘).

The pad never gives clear digits: while a PIN is typed it tells how many keys were pressed, at
the end it gives an encrypted block (`drivers.pin_block` opens it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class PadStatus:
    """What the pad says about itself.

    Attributes:
        model, hardware, software, serial: the maker's texts, stripped.
        has_master_key: a master key is loaded.
        entry_open: keys are accepted now.
    """

    model: str
    hardware: str
    software: str
    serial: str
    has_master_key: bool
    entry_open: bool


class PinPad(Protocol):
    """One PIN pad, owned by one worker; only `cancel` may come from other threads.

    Every method raises PadGone when the pad is away and PadFault when it refuses; the next call
    tries to open the port again.
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
        """Ask the pad who it is and how it stands."""

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""
