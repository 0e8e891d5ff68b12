"""Cards that the dispenser kept because nobody took them: given back at the counter (DESIGN §3.1).

Counted durably, so that clerks can compare with what is in the bin; a card's time is all that tells
whose it may be, nothing else of a card or its holder is kept.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drivers.dispenser import Dispenser, DispenserReason
from drivers.dispenser_release import Release, ReleaseEnd, ReleaseTimes, give_back
from kiosk.audit.recorder import Recorder
from kiosk.clock import Clock
from offline_queue.durable import sync_folder

log = logging.getLogger(__name__)

FILE = "captured.json"
"""In the state directory."""
_TIMES_KEPT = 200


@dataclass(frozen=True)
class Captured:
    """What the bin should hold.

    Attributes:
        count: cards captured since it was emptied.
        times: Unix seconds of the last of them, oldest first; at most 200.
        emptied: Unix seconds of when staff emptied it last, None where they never did.
    """

    count: int = 0
    times: tuple[int, ...] = ()
    emptied: int | None = None


class CaptureRecord:
    """The count in the state directory; any thread may use it.

    A file that can't be read is set aside, and the count begins anew: what is in the bin is counted
    by hand then.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file = folder / FILE
        self._clock = clock
        self._lock = threading.Lock()
        self._captured = self._read()

    @property
    def captured(self) -> Captured:
        """As it is on the disk."""
        return self._captured

    def note(self) -> int:
        """A card was captured; returns the new count, which is on the disk then.

        Raises:
            OSError: the disk; the count is kept until the process ends.
        """
        with self._lock:
            before = self._captured
            times = (*before.times, int(self._clock.time()))[-_TIMES_KEPT:]
            self._captured = Captured(before.count + 1, times, before.emptied)
            self._write()
            return self._captured.count

    def emptied(self) -> int:
        """Staff emptied the bin; returns how many cards should have been in it.

        Raises:
            OSError: the disk.
        """
        with self._lock:
            count = self._captured.count
            self._captured = Captured(emptied=int(self._clock.time()))
            self._write()
            return count

    def _read(self) -> Captured:
        try:
            kept = json.loads(self._file.read_text(encoding="ascii"))
            emptied = kept["emptied"]
            return Captured(
                int(kept["count"]),
                tuple(int(each) for each in kept["times"]),
                None if emptied is None else int(emptied),
            )
        except FileNotFoundError:
            return Captured()
        except (OSError, ValueError, KeyError, TypeError):
            log.exception("the count of captured cards can't be read")
            with contextlib.suppress(OSError):
                self._file.replace(self._file.with_name(FILE + ".damaged"))
            return Captured()

    def _write(self) -> None:
        """Whole or not at all, also through a power cut."""
        found = self._captured
        kept = {"count": found.count, "times": found.times, "emptied": found.emptied}
        fresh = self._file.with_name(FILE + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            json.dump(kept, stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self._file)
        sync_folder(self._file.parent)


@dataclass(frozen=True)
class CardCaptured:
    """A forgotten card went into the bin.

    Attributes:
        count: cards in it by now.
    """

    count: int


@dataclass(frozen=True)
class CardNotReturned:
    """A card is in the dispenser that could neither be given back nor captured."""

    reason: DispenserReason | None

    @property
    def out_of_reach(self) -> bool:
        """No hand can take it; a card that only the bin has no room for stands at the gate."""
        return self.reason is not DispenserReason.ERROR_BIN_FULL


CaptureNews = CardCaptured | CardNotReturned


class CardReturn:
    """How a terminal with a dispenser gives cards back; a call waits for the resident, and belongs
    on the card's lane.

    Args:
        post: is told of every card that was not taken, on the calling thread.
        stop: set when the process ends; the card then stays at the gate.

    Attributes:
        post: as given; whoever makes it before there is anybody to tell sets it later.
    """

    def __init__(
        self,
        dispenser: Dispenser,
        record: CaptureRecord,
        post: Callable[[CaptureNews], None],
        times: ReleaseTimes,
        stop: threading.Event | None = None,
    ) -> None:
        self._dispenser = dispenser
        self._record = record
        self.post = post
        self._times = times
        self._stop = stop or threading.Event()
        self._gone_with_card = False

    def __call__(self) -> Release:
        release = give_back(self._dispenser, self._times, stop=self._stop)
        if release.end is ReleaseEnd.CAPTURED:
            try:
                count = self._record.note()
            except OSError:
                # The card is in the bin all the same, and staff must hear of it.
                log.exception("a captured card can't be written down")
                count = self._record.captured.count
            self.post(CardCaptured(count))
        elif release.end is ReleaseEnd.STILL_PRESENT and not self._stop.is_set():
            self._not_returned(release.reason)
        self._gone_with_card = release.reason is DispenserReason.GONE
        return release

    def _not_returned(self, reason: DispenserReason | None) -> None:
        """Of a card in a dispenser that is away staff were told once, not after each visit."""
        if not (self._gone_with_card and reason is DispenserReason.GONE):
            self.post(CardNotReturned(reason))


def record_capture(news: CaptureNews, record: Recorder, alarm: Callable[[str], None]) -> None:
    """Leave the audit line, and tell staff.

    Args:
        alarm: is given the word for what happened.
    """
    if isinstance(news, CardCaptured):
        record("card.captured", outcome="ok", visit=None, detail={"count": news.count})
        alarm("card.captured")
    else:
        reason = "unknown" if news.reason is None else news.reason.value
        record("card.not-returned", outcome="fault", visit=None, detail={"reason": reason})
        alarm("card.not-returned")
