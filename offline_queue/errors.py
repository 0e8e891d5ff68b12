"""What can be wrong with the queue, each named for what happened."""

from __future__ import annotations

_UNAVAILABLE = (
    "SQLITE_BUSY",
    "SQLITE_CANTOPEN",
    "SQLITE_CORRUPT",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_LOCKED",
    "SQLITE_NOMEM",
    "SQLITE_NOTADB",
    "SQLITE_PROTOCOL",
    "SQLITE_READONLY",
)


class QueueError(Exception):
    """Base of what the queue raises, besides `ValueError` for arguments that are a bug."""


class KeyConflict(QueueError):
    """The key already stands for another kind or body."""


class LeaseLost(QueueError):
    """The lease ran out and the row went to another, or this claim was ended before."""


class QueueFull(QueueError):
    """As many rows as the limit allows wait already; nothing was stored."""


class QueueUnavailable(QueueError):
    """The disk is full, the file is locked, damaged or unreadable; nothing was changed.

    Attributes:
        errorname: SQLite's name of it, for example ``SQLITE_FULL``.
    """

    def __init__(self, errorname: str) -> None:
        super().__init__(errorname)
        self.errorname = errorname


class NotDead(QueueError):
    """There is no such row, it is not dead, or what follows it was decided before."""


class KeysWrong(QueueError):
    """The device key handed in is not the one that the file's keys were wrapped by."""


class RowForged(QueueError):
    """A row's seal does not hold: somebody or something changed it.

    Attributes:
        reason: ``seal-broken`` or ``key-unknown``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def blame_storage(error: BaseException) -> None:
    """Return, unless the error is what the disk or another process did to SQLite.

    Raises:
        QueueUnavailable: it is. A wrong statement stays a bug.
    """
    errorname = getattr(error, "sqlite_errorname", "")
    if errorname.startswith(_UNAVAILABLE):
        raise QueueUnavailable(errorname) from error
