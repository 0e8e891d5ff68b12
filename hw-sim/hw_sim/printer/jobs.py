"""A job of the document printer: what it is, and how far it is (RFC 8011 §5.3)."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

_LONGEST_NAME = 60


class JobState(IntEnum):
    """``job-state``."""

    PENDING = 3
    HELD = 4
    PROCESSING = 5
    STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9

    @property
    def word(self) -> str:
        """Its name in RFC 8011."""
        names = {JobState.HELD: "pending-held", JobState.STOPPED: "processing-stopped"}
        return names.get(self, self.name.lower())


@dataclass
class Job:
    """One job.

    Attributes:
        number: of this job among all that the printer ever took; its PDF's name begins with it.
        identity: ``job-id``; begins anew when the power was off.
        pages: sides of one copy; 0 until its document is there.
        printed: sides that lie in the output tray.
        sheets_out: sheets that lie in the output tray.
        spoilt: sheets that were drawn for it and thrown away.
        created, begun, ended: seconds since power-up (``time-at-…``), None for not yet.
        reason: ``job-state-reasons``.
    """

    number: int
    identity: int
    name: str
    user: str
    copies: int
    two_sided: bool
    created: int
    file: Path | None = None
    size: int = 0
    pages: int = 0
    state: JobState = JobState.HELD
    reason: str = "job-incoming"
    printed: int = 0
    sheets_out: int = 0
    spoilt: int = 0
    begun: int | None = None
    ended: int | None = None
    urn: str = field(default_factory=lambda: uuid.uuid4().urn)

    @property
    def sides(self) -> int:
        """Sides of all copies."""
        return self.pages * self.copies

    @property
    def sheets(self) -> int:
        """Sheets of all copies."""
        return (self.pages + 1) // 2 * self.copies if self.two_sided else self.sides

    @property
    def over(self) -> bool:
        """True when nothing will change any more."""
        return self.state >= JobState.CANCELED

    def sides_of_next_sheet(self) -> int:
        """How many sides the next sheet gets."""
        left_of_copy = self.pages - self.printed % self.pages
        return min(2, left_of_copy) if self.two_sided else 1


class PrintFolder:
    """Keeps every PDF that the printer received: ``NNNN-<name>.pdf``.

    Args:
        folder: made when missing; only this user may look into it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        taken = (file.name.partition("-")[0] for file in folder.glob("*.pdf"))
        self._last = max((int(digits) for digits in taken if digits.isdecimal()), default=0)

    def next_number(self) -> int:
        """The number of the next job."""
        self._last += 1
        return self._last

    def keep(self, number: int, name: str, document: bytes) -> Path:
        """Write the document of a job; returns its file."""
        kept = "".join(letter if letter.isalnum() else "-" for letter in name)[:_LONGEST_NAME]
        file = self._folder / f"{number:04}-{kept.strip('-') or 'job'}.pdf"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            target.write(document)
        return file
