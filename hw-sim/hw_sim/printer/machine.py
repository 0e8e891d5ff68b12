"""The document printer's machine: tray, paper path, supplies, door, and the jobs that go through.

It knows no wire. One `turn` prints one side and takes one more sheet where one is needed; who
calls it decides how fast it prints. Vocabulary of RFC 8011 §5.3.7 and §5.4.11..12.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from enum import Enum, IntEnum
from pathlib import Path

from hw_sim.printer.facts import facts
from hw_sim.printer.jobs import Job, JobState

TRAY_SHEETS = 250
LOW_SHEETS = 20
"""At most so many: the paper is low."""
A4 = "iso_a4_210x297mm"
WASTE = "waste"
_FULL = 100


class PrinterState(IntEnum):
    """``printer-state``."""

    IDLE = 3
    PROCESSING = 4
    STOPPED = 5


class Toner(Enum):
    """How much toner is left."""

    FULL = "full"
    LOW = "low"
    EMPTY = "empty"


_LEVELS = {Toner.FULL: 80, Toner.LOW: 5, Toner.EMPTY: 0}


class NotNow(Exception):
    """The printer takes no jobs."""


class PrintingMachine:
    """A printer of sheets.

    Args:
        clock: seconds of a monotonic clock.

    Every method may come from any thread; `changed` is notified after whatever could let a
    standing machine go on.

    Attributes:
        sheets, media: in the tray, and of which size (PWG 5101.1).
        supplies: level of each supply by its name in ``printer.toml``, 0..100, or one of the
            values below zero that say less (RFC 3805 prtMarkerSuppliesLevel).
        complaints: words of ``printer.toml`` that it was told to complain with.
        impressions: sides printed in its life.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._powered_at = clock()
        self.changed = threading.Condition(threading.RLock())
        self.sheets = TRAY_SHEETS
        self.media = A4
        self.jammed = False
        self.door_open = False
        self.supplies = {name: int(fact["level"]) for name, fact in facts()["supply"].items()}
        self.complaints: set[str] = set()
        self.accepting = True
        self.impressions = 0
        self._jobs: dict[int, Job] = {}
        self._records: list[Job] = []
        self._current: Job | None = None
        self._sides_in_path = 0
        self._sides_done = 0
        self._state_then = (PrinterState.IDLE, self.up_time)

    # --- people --------------------------------------------------------------------------------

    def load(self, sheets: int, media: str = A4) -> None:
        """Leave so many sheets in the tray, 0 for none."""
        with self.changed:
            self.sheets, self.media = sheets, media
            self._settle()

    def jam(self) -> None:
        """A sheet jams; one that is in the path is spoilt."""
        with self.changed:
            self.jammed = True
            self._spoil()
            self._settle()

    def clear_jam(self) -> None:
        """The jammed sheet is taken out; what it should have carried is printed again."""
        with self.changed:
            self.jammed = False
            self._settle()

    def open_door(self) -> None:
        """Open it; a sheet in the path is spoilt."""
        with self.changed:
            self.door_open = True
            self._spoil()
            self._settle()

    def close_door(self) -> None:
        """Close it."""
        with self.changed:
            self.door_open = False
            self._settle()

    def set_toner(self, toner: Toner) -> None:
        """Put another black cartridge in."""
        self.set_supply("black", _LEVELS[toner])

    def set_supply(self, name: str, level: int) -> None:
        """Let a supply be used up, or a box filled, to this level."""
        with self.changed:
            self.supplies[name] = level
            self._settle()

    def complain(self, word: str, on: bool = True) -> None:
        """Complain with a word of ``printer.toml``, or no more."""
        with self.changed:
            (self.complaints.add if on else self.complaints.discard)(word)
            self._settle()

    @property
    def toner(self) -> Toner:
        """How much black toner is left."""
        with self.changed:
            if self._empty("black"):
                return Toner.EMPTY
            return Toner.LOW if self._low("black") else Toner.FULL

    def power_cycle(self) -> None:
        """Forget all jobs; what was not printed to its end never will be."""
        with self.changed:
            for job in self._jobs.values():
                if not job.over:
                    self._end(job, JobState.ABORTED, "aborted-by-system")
            self._jobs.clear()
            self._powered_at = self._clock()
            self._settle()
            self._state_then = (self.state, self.up_time)

    @property
    def up_time(self) -> int:
        """``printer-up-time``: seconds since power-up, counted from 1."""
        return int(self._clock() - self._powered_at) + 1

    @property
    def records(self) -> Sequence[Job]:
        """Every job since this machine was made, forgotten ones too."""
        with self.changed:
            return tuple(self._records)

    # --- jobs ----------------------------------------------------------------------------------

    def create(
        self, number: int, name: str, user: str, *, copies: int = 1, two_sided: bool = False
    ) -> Job:
        """Take a job; its document follows by `begin`.

        Raises:
            NotNow: it takes none.
        """
        with self.changed:
            if not self.accepting:
                raise NotNow
            identity = max(self._jobs, default=0) + 1
            job = Job(number, identity, name, user, copies, two_sided, self.up_time)
            self._jobs[identity] = job
            self._records.append(job)
            return job

    def begin(self, job: Job, file: Path, size: int, pages: int) -> None:
        """Its document is there: a PDF of so many bytes and pages."""
        with self.changed:
            job.file, job.size, job.pages = file, size, pages
            job.state, job.reason = JobState.PENDING, "none"
            self._settle()

    def cancel(self, job: Job) -> bool:
        """Cancel it; a sheet that is in the path still comes out. False when it was over."""
        with self.changed:
            if job.over:
                return False
            if job is self._current and self._sides_in_path:
                job.reason = "processing-to-stop-point"
            else:
                self._end(job, JobState.CANCELED, "job-canceled-by-user")
            self._settle()
            return True

    def abort(self, job: Job, reason: str) -> None:
        """It can't be printed."""
        with self.changed:
            self._end(job, JobState.ABORTED, reason)
            self._settle()

    def job(self, identity: int) -> Job | None:
        """The job with this ``job-id``."""
        with self.changed:
            return self._jobs.get(identity)

    @property
    def jobs(self) -> Sequence[Job]:
        """The jobs that it remembers, oldest first."""
        with self.changed:
            return tuple(self._jobs.values())

    # --- how it stands -------------------------------------------------------------------------

    @property
    def state(self) -> PrinterState:
        """``printer-state``."""
        with self.changed:
            if self._broken or (self._current is not None and self._waits_for_paper):
                return PrinterState.STOPPED
            return PrinterState.IDLE if self._current is None else PrinterState.PROCESSING

    @property
    def state_since(self) -> int:
        """``printer-state-change-time``: the up-time at which its state changed last."""
        with self.changed:
            return self._state_then[1]

    @property
    def reasons(self) -> Sequence[str]:
        """``printer-state-reasons``, worst first; empty where there are none."""
        with self.changed:
            stopped = self.state is PrinterState.STOPPED
            found = []
            if self.jammed:
                found.append("media-jam-error")
            if self.door_open:
                found.append("door-open-error")
            if self.sheets == 0:
                found.append("media-empty-error" if stopped else "media-empty-warning")
            elif self.media != A4 and self._current is not None:
                found.append("media-needed-error")
            toners = [name for name in self.supplies if name != WASTE]
            if any(self._empty(name) for name in toners):
                found.append("toner-empty-error")
            if self._empty(WASTE):
                found.append("marker-waste-full-error")
            for word in sorted(self.complaints, key=lambda word: not _stops(word)):
                severity = facts()["complaint"][word].get("severity")
                found.append(f"{word}-{severity}" if severity else word)
            if 0 < self.sheets <= LOW_SHEETS:
                found.append("media-low-warning")
            if any(self._low(name) for name in toners):
                found.append("toner-low-warning")
            if self._low(WASTE):
                found.append("marker-waste-almost-full-warning")
            return tuple(found)

    @property
    def _broken(self) -> bool:
        spent = any(self._empty(name) for name in self.supplies)
        return self.jammed or self.door_open or spent or any(map(_stops, self.complaints))

    @property
    def _waits_for_paper(self) -> bool:
        return self._sides_in_path == 0 and (self.sheets == 0 or self.media != A4)

    def _empty(self, name: str) -> bool:
        return self.supplies[name] == (_FULL if name == WASTE else 0)

    def _low(self, name: str) -> bool:
        level, warns = self.supplies[name], facts()["supply"][name]["warns"]
        return bool(warns <= level < _FULL if name == WASTE else 0 < level <= warns)

    # --- printing ------------------------------------------------------------------------------

    def turn(self) -> None:
        """Print one side: of the sheet in the path, then draw the next sheet."""
        with self.changed:
            self._settle()
            job = self._current
            if job is None or not self.can_turn:
                return
            if self._sides_in_path:
                self._sides_done += 1
                if self._sides_done == self._sides_in_path:
                    self._put_out(job)
            if self._current is not None and not self._sides_in_path and not self._waits_for_paper:
                job.begun = self.up_time if job.begun is None else job.begun
                self.sheets -= 1
                self._sides_in_path, self._sides_done = job.sides_of_next_sheet(), 0
            self._settle()

    @property
    def can_turn(self) -> bool:
        """False while a turn would change nothing."""
        with self.changed:
            return self._current is not None and self.state is not PrinterState.STOPPED

    def _put_out(self, job: Job) -> None:
        job.printed += self._sides_in_path
        self.impressions += self._sides_in_path
        job.sheets_out += 1
        self._sides_in_path = 0
        if job.printed == job.sides:
            self._end(job, JobState.COMPLETED, "job-completed-successfully")
        elif job.reason == "processing-to-stop-point":
            self._end(job, JobState.CANCELED, "job-canceled-by-user")

    def _spoil(self) -> None:
        if self._current is not None and self._sides_in_path:
            self._current.spoilt += 1
            self._sides_in_path = 0

    def _end(self, job: Job, state: JobState, reason: str) -> None:
        if job is self._current:
            self._spoil()
            self._current = None
        job.state, job.reason, job.ended = state, reason, self.up_time

    def _settle(self) -> None:
        """Let the states of the jobs follow from the machine's."""
        waiting = [job for job in self._jobs.values() if job.state is JobState.PENDING]
        if self._current is None and waiting and not self._broken:
            self._current = waiting.pop(0)
        for job in waiting:
            job.reason = "printer-stopped" if self.state is PrinterState.STOPPED else "none"
        current = self._current
        if current is not None and self.state is PrinterState.STOPPED:
            if current.reason == "processing-to-stop-point":
                # The sheet at which it should have stopped is spoilt.
                self._end(current, JobState.CANCELED, "job-canceled-by-user")
                self._settle()
            else:
                current.state, current.reason = JobState.STOPPED, "printer-stopped"
        elif current is not None and current.reason != "processing-to-stop-point":
            current.state, current.reason = JobState.PROCESSING, "job-printing"
        if self._state_then[0] is not self.state:
            self._state_then = (self.state, self.up_time)
        self.changed.notify_all()


def _stops(word: str) -> bool:
    return bool(facts()["complaint"][word].get("stops", False))
