"""How much room there is, and whose rows are still stored when it is short."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import assert_never

from offline_queue.errors import QueueFull

_MIB = 1024 * 1024


class Admission(Enum):
    """How much a row matters when room is short."""

    ORDINARY = "ordinary"
    """Can be refused to whoever offers it."""
    CRITICAL = "critical"
    """Alarms and the like: goes on when ordinary rows are refused."""
    RESERVED = "reserved"
    """A lane that nobody else may starve: has the last part of the room for itself."""


class Level(IntEnum):
    """What is admitted; the greater, the less."""

    FREE = 0
    WARN = 1
    """Still everything, but staff should look."""
    CRITICAL_ONLY = 2
    RESERVED_ONLY = 3
    FULL = 4
    """Nothing; what is stored can still be delivered, settled and purged."""

    def admits(self, admission: Admission) -> bool:
        """Whether a row of this kind may be stored."""
        match admission:
            case Admission.ORDINARY:
                return self <= Level.WARN
            case Admission.CRITICAL:
                return self <= Level.CRITICAL_ONLY
            case Admission.RESERVED:
                return self <= Level.RESERVED_ONLY
            case _:
                assert_never(admission)


@dataclass(frozen=True)
class Mark:
    """Where a level begins: either of the two is enough.

    Attributes:
        share: of the queue's own limit, 0..1, from which on.
        free: bytes left on the file system, below which.
    """

    share: float
    free: int


@dataclass(frozen=True)
class SpaceLimits:
    """The queue's room, in bytes.

    Attributes:
        max_bytes: the database and its WAL. What is above the mark ``full`` is for settling, and
            so is as much again as the ballast; there SQLite itself stops (``max_page_count``).
        warn, critical_only, reserved_only, full: where these levels begin.
        ballast_bytes: set aside on the disk for settling.
        wal_bytes: from this on the WAL is written back into the database.
        rows_unmeasured: so many rows are stored between two full measurements while the level is
            FREE; what is left on the file system is looked at more often.

    Raises:
        ValueError: the marks do not stand in order, or the ballast is no help.
    """

    max_bytes: int = 1024 * _MIB
    warn: Mark = Mark(0.70, 512 * _MIB)
    critical_only: Mark = Mark(0.80, 256 * _MIB)
    reserved_only: Mark = Mark(0.90, 128 * _MIB)
    full: Mark = Mark(0.97, 64 * _MIB)
    ballast_bytes: int = 16 * _MIB
    wal_bytes: int = 4 * _MIB
    rows_unmeasured: int = 15

    def __post_init__(self) -> None:
        marks = [mark for _, mark in self.marks()]
        shares = [0.0, *(mark.share for mark in marks), 1.0]
        free = [*(mark.free for mark in marks), 0]
        if shares != sorted(set(shares)) or free != sorted(free, reverse=True):
            raise ValueError("a later mark has the greater share and no more bytes free")
        if self.ballast_bytes < 2 * self.wal_bytes:
            # One WAL may have to be written back into the database while the next one begins.
            raise ValueError("the ballast holds less than two WALs")

    def marks(self) -> tuple[tuple[Level, Mark], ...]:
        """Each level above FREE with its mark, in order."""
        return (
            (Level.WARN, self.warn),
            (Level.CRITICAL_ONLY, self.critical_only),
            (Level.RESERVED_ONLY, self.reserved_only),
            (Level.FULL, self.full),
        )


@dataclass(frozen=True)
class Room:
    """What was measured; bytes.

    Attributes:
        used: what the queue's rows and its WAL take up.
        limit: what they may.
        free: left on the file system after what the queue still owes it: pages that so far stand
            in the WAL only, and what the ballast lacks. May be negative.
        wal: what part of ``used`` is the WAL.
        ballast: whether it is there in full.
    """

    level: Level
    used: int
    limit: int
    free: int
    wal: int
    ballast: bool

    def as_json(self) -> dict[str, object]:
        """The same in plain values."""
        return {
            "level": self.level.name.lower(),
            "used_bytes": self.used,
            "limit_bytes": self.limit,
            "free_bytes": self.free,
            "wal_bytes": self.wal,
            "ballast": self.ballast,
        }


class SpaceExhausted(QueueFull):
    """The row is not stored: what room is left is kept for what matters more.

    Help is to bring the line back, so that rows are delivered and purged, or, where little is
    free on the file system, to delete other files there.
    """

    def __init__(self, room: Room, admission: Admission) -> None:
        super().__init__(
            f"{room.level.name}: nothing {admission.value} is stored; {room.used} of {room.limit}"
            f" bytes are used and {room.free} free on the disk: deliver and purge, or free some"
        )
        self.room = room
        self.admission = admission
