"""The seam between the terminal and its receipt printer (凭条打印机).

A slip is lines with a meaning; how they become dots is the driver's. As with sheets, paper that
was touched can't be taken back: a slip that is not known to be whole ends as unknown and is never
printed again by itself (DESIGN §4.4).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from drivers.document_printer import PrintEnd

LONGEST_CODE = 300
"""Bytes in a slip's code: more would be wider than the paper in dots that a phone can read."""


class ReceiptReason(Enum):
    """Why a printer can't print, in order of urgency."""

    GONE = "gone"
    """No answer at all, or none that can be read."""
    COVER_OPEN = "cover-open"
    PAPER_OUT = "paper-out"
    CUTTER_ERROR = "cutter-error"
    UNRECOVERABLE = "unrecoverable"
    """A fault that only power off and on may cure."""
    RECOVERING = "recovering"
    """A fault that passes by itself, such as a hot head."""
    ERROR = "error"
    """It says that something is wrong and not what; beside a cause with a name it says nothing."""
    OFFLINE = "offline"
    """It takes no data and gives no cause, as while its feed button is held."""


class ReceiptNote(Enum):
    """What staff should see to, though it still prints."""

    PAPER_LOW = "paper-low"


@dataclass(frozen=True)
class ReceiptStatus:
    """How the printer stands.

    Attributes:
        reason: the most urgent obstacle, None when it can print.
        notes: what still lets it print.
    """

    reason: ReceiptReason | None
    notes: frozenset[ReceiptNote] = frozenset()


@dataclass(frozen=True)
class SlipOutcome:
    """How a slip ended, with the obstacle that ended it where there was one."""

    end: PrintEnd
    reason: ReceiptReason | None = None


class Unprintable(Exception):
    """The printer has no sign for some characters; nothing was sent to it.

    Attributes:
        characters: those; they may be of a person's name, so that the text says only how many.
    """

    def __init__(self, characters: frozenset[str]) -> None:
        super().__init__(f"the receipt printer lacks {len(characters)} characters")
        self.characters = characters


class Align(Enum):
    """Where a line stands on the paper."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


class Size(Enum):
    """Width and height of signs, in multiples of the printer's own."""

    NORMAL = (1, 1)
    TALL = (1, 2)
    LARGE = (2, 2)
    HUGE = (3, 3)


def is_plain(text: str) -> bool:
    """No control, format, surrogate or separator character but the space: what a printer shows as
    a sign and never obeys as a command."""
    return all(sign == " " or unicodedata.category(sign)[0] not in "CZ" for sign in text)


def _require_plain(text: str) -> None:
    if not is_plain(text):
        # The text may be personal.
        raise ValueError("a slip's text has no control or format characters")


@dataclass(frozen=True)
class Text:
    """A paragraph; the driver breaks it where the paper ends.

    Raises:
        ValueError: the text is not plain (`is_plain`).
    """

    text: str = field(repr=False)
    size: Size = Size.NORMAL
    bold: bool = False
    align: Align = Align.LEFT

    def __post_init__(self) -> None:
        _require_plain(self.text)


@dataclass(frozen=True)
class Row:
    """What something is called on the left, and what it is on the right.

    Raises:
        ValueError: a text is not plain (`is_plain`).
    """

    label: str
    value: str = field(repr=False)
    bold: bool = False

    def __post_init__(self) -> None:
        _require_plain(self.label)
        _require_plain(self.value)


@dataclass(frozen=True)
class Code:
    """A QR code in the middle, 1 to 300 bytes of UTF-8.

    Raises:
        ValueError: it is empty, too long or not plain (`is_plain`).
    """

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        _require_plain(self.text)
        if not 1 <= len(self.text.encode()) <= LONGEST_CODE:
            raise ValueError(f"a slip's code has 1 to {LONGEST_CODE} bytes")


@dataclass(frozen=True)
class Rule:
    """A line across the paper."""


@dataclass(frozen=True)
class Feed:
    """So many empty lines, 1 to 20."""

    lines: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.lines <= 20:
            raise ValueError("1 to 20 lines are fed")


@dataclass(frozen=True)
class Cut:
    """The paper is moved to the cutter and cut."""


SlipLine = Text | Row | Code | Rule | Feed | Cut


@dataclass(frozen=True)
class Slip:
    """What is printed on one piece of paper; its last line, and no other, is a cut.

    Raises:
        ValueError: it would stay in the printer, or be in pieces.
    """

    lines: tuple[SlipLine, ...]

    def __post_init__(self) -> None:
        cuts = [place for place, line in enumerate(self.lines) if isinstance(line, Cut)]
        if cuts != [len(self.lines) - 1]:
            raise ValueError("a slip ends with its only cut")


class ReceiptPrinter(Protocol):
    """One printer, owned by one worker."""

    def status(self) -> ReceiptStatus:
        """Ask how it stands. Never raises; a printer that does not answer is `GONE`."""

    def print_slip(self, slip: Slip) -> SlipOutcome:
        """Print one slip and cut it off.

        Returns:
            DONE only on the printer's word that all of it was worked off with nothing in the way.
            FAILED when nothing was sent to the paper, UNKNOWN in every other case: it came out,
            or half, or not. What it did not print it was told to forget.

        Raises:
            Unprintable: it has no sign for some characters; nothing was sent.
        """

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""
