"""The seam between the terminal and its resident ID reader (身份证阅读器).

The security module (SAM) in the reader proves each card before it hands out a byte: what was read
is a genuine document's. Whose it is, is told by `drivers.id_card`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

TEXT_LENGTH = 256
PHOTO_LENGTH = 1_024


class IdReaderReason(Enum):
    """Why the reader reads no card, the most urgent first."""

    GONE = "gone"
    """No answer at all, or no readable one."""
    UNLICENSED = "unlicensed"
    """Its security module was not released for use; only its maker can help."""
    SELF_TEST = "self-test"
    """Its security module is broken."""
    FAULT = "fault"
    """It answers, but not that it is well."""


class IdReaderNote(Enum):
    """What staff should see to, though cards are read."""

    OTHER_SPEED = "other-speed"
    """It talks at another speed than the configured one, which costs time after each start."""


@dataclass(frozen=True)
class IdReaderStatus:
    """How the reader stands."""

    reason: IdReaderReason | None
    notes: frozenset[IdReaderNote] = frozenset()


class IdReaderError(Exception):
    """Base of everything that goes wrong at the reader; no text holds anything of a card."""


class IdReaderGone(IdReaderError):
    """The reader is unplugged, switched off, or gives no readable answer."""


class LicenceMissing(IdReaderError):
    """The reader's security module is not released for use."""


class IdReaderBroken(IdReaderError):
    """The reader's security module failed its own test."""


class ReadCancelled(IdReaderError):
    """Nobody waits for a card any more."""


class NoCard(IdReaderError):
    """No card was put on within the time."""


class CardLeft(IdReaderError):
    """The card was taken away before it was read."""


class ReadFailed(IdReaderError):
    """A card lies there and can't be read: another kind of card, a broken or a forged one."""


@dataclass(frozen=True)
class RawIdCard:
    """What a card holds.

    Attributes:
        text: `TEXT_LENGTH` bytes, see `drivers.id_card`.
        photo: `PHOTO_LENGTH` bytes in the WLT compression, which only licensed libraries read.
    """

    text: bytes = field(repr=False)
    photo: bytes = field(repr=False)


class IdReader(Protocol):
    """One reader, owned by one worker.

    Every method but `status` and `close` raises IdReaderGone, LicenceMissing or IdReaderBroken
    when the reader can't work; the next call tries to open the port again.
    """

    def read_card(self, cancelled: threading.Event, seconds: float | None = None) -> RawIdCard:
        """Wait until a card is put on, and read it.

        A card that lies there since it was read is not read again before it was taken away.

        Args:
            cancelled: set from any thread when nobody waits any more; looked at every few
                hundredths of a second.
            seconds: how long to wait for a card, None for as long as it takes.

        Raises:
            ReadCancelled: `cancelled` was set, before or meanwhile.
            NoCard: none was put on in time.
            CardLeft: it was taken away too soon.
            ReadFailed: it can't be read.
        """

    def wait_until_taken(self, cancelled: threading.Event) -> None:
        """Wait until the card that was read is no longer there. Raises ReadCancelled."""

    def newest_address(self) -> str | None:
        """The address that was added to the card last (追加住址), None where there is none. Right
        after `read_card`, while the card lies there.

        Raises:
            CardLeft, ReadFailed.
        """

    def sam_id(self) -> str:
        """The number of its security module, as its records show it."""

    def reset(self) -> None:
        """Begin anew; a card that lies there counts as put on."""

    def status(self) -> IdReaderStatus:
        """Ask how it stands, within a deadline of its own. Never raises for anything that the
        reader or its wire can do."""

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""
