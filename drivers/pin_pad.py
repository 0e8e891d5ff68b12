"""The seam between the terminal and its encrypting PIN pad (密码键盘).

The pad never gives clear digits: while a PIN is typed it tells how many keys were pressed, at
the end it gives an encrypted block (`drivers.pin_block` opens it).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from drivers.pin_block import PinFormat


class PadError(Exception):
    """Base of everything that a PIN pad or its user can do wrong."""


class PinCancelled(PadError):
    """No PIN: the entry was cancelled.

    Attributes:
        by_resident: at the pad's cancel key; False when the terminal did it.
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


class PadReset(PadError):
    """The pad lost its power or was reset in the middle of an entry: what was typed is gone."""


class PadTrouble(Enum):
    """What a pad's refusal amounts to."""

    BATTERY_LOW = "battery-low"
    """Of the memory that holds its keys."""
    KEYS_LOST = "keys-lost"
    """It holds no such key: destroyed when it was opened, or never loaded."""
    LOCKED = "locked"
    """It wants to be authorised, or was, too often, in vain."""
    KEY_REFUSED = "key-refused"
    MISUSED = "misused"
    """Our command was wrong, or came at the wrong time."""
    TIMED_OUT = "timed-out"
    DEFECT = "defect"


class PadFault(PadError):
    """The pad refused a command.

    Attributes:
        code: the pad's error code.
        meaning: what its maker says about it.
        trouble: what it amounts to.
    """

    def __init__(self, code: int, meaning: str, trouble: PadTrouble = PadTrouble.DEFECT) -> None:
        super().__init__(f"pad error {code:02X}: {meaning}")
        self.code = code
        self.meaning = meaning
        self.trouble = trouble


class PadTampered(PadFault):
    """The pad has not the keys that it had: somebody opened it, or nobody ever loaded any, which
    it cannot tell apart. No PIN may be typed until staff have looked at it."""


class KeyMismatch(PadError):
    """The pad's check value is not that of the key that it was given: it holds another master key.
    What was in the slot before is overwritten; no PIN can be typed until a key was loaded."""


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
    """One PIN pad, owned by one worker.

    Every method but `status` and `close` raises PadGone when the pad is away and PadFault when it
    refuses, PadTampered where it has lost its keys; the next call tries to open the port again.

    Attributes:
        block_format: of the blocks that `read_pin` gives.
        ignored_keys: presses outside of an entry since it was made; which keys is not kept.
    """

    @property
    def block_format(self) -> PinFormat: ...

    @property
    def ignored_keys(self) -> int: ...

    def load_master_key(self, key: bytearray) -> None:
        """Load the master key (主密钥) in the clear: only at a key ceremony, or for a pad without
        one that stands in a locked room.

        Args:
            key: 16 or 24 bytes, odd parity; the caller wipes it.

        Raises:
            KeyMismatch: the pad's check value is not that of the key.
            ValueError: another length, or a key whose halves are equal: that is single DES.
        """

    def load_pin_key(self, key_under_master: bytes, check_value: bytes) -> None:
        """Load the PIN key (PIN工作密钥) in place of an earlier one.

        Args:
            key_under_master: 16 or 24 bytes, 3DES-ECB under the master key.
            check_value: of the clear key, see `drivers.pin_block.key_check_value`.

        Raises:
            KeyMismatch: the pad's check value is another; the earlier key is lost too.
            ValueError: another length.
        """

    def read_pin(
        self,
        pan12: bytes,
        minimum: int,
        maximum: int,
        timeout: float,
        count: Callable[[int], None],
        cancelled: threading.Event,
    ) -> bytes:
        """Let the resident type a PIN.

        Args:
            pan12: 12 account digits, see `drivers.pin_block.pan_for_card_number`.
            minimum, maximum: digits, 4 to 12.
            timeout: seconds for the whole entry.
            count: is told how many digits are typed now, after each key, on this thread.
            cancelled: ends the entry when it is set, by any thread, however late.

        Returns:
            The encrypted PIN block, 8 bytes.

        Raises:
            PinCancelled, PinTimeout: no PIN.
            PadReset: no PIN; the next entry may well succeed.
            KeyMismatch: no PIN key since `load_pin_key` failed.
            ValueError: an argument is out of range.
        """

    def status(self) -> PadStatus:
        """Ask the pad who it is and how it stands; a pad that does not answer is
        `PadReason.GONE`. Never raises."""

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""
