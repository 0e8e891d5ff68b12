"""What can go wrong with bundles and receipts on a stick, each named for what happened.

No text here carries a name of a file, a key or anything that a file held.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum


class StickTrouble(Enum):
    """What is wrong with the stick."""

    FULL = "full"
    TOO_LARGE = "too-large"
    """Its file system takes no file of this length (FAT32: 4 GiB)."""
    READ_ONLY = "read-only"
    GONE = "gone"
    """There is none, or it was pulled out in the middle."""
    GARBLED = "garbled"
    """It gives back other bytes than it was given."""
    FAILED = "failed"
    """Anything else that the system reports."""


class ReceiptsFault(Enum):
    """Why a file of receipts is not believed."""

    NOT_RECEIPTS = "not-receipts"
    """Another kind of file, another version, too long, or cut short."""
    SIGNATURE = "signature"
    """Not signed by the platform that this terminal is enrolled at, or changed since."""
    FOREIGN = "foreign"
    """They are another terminal's."""
    MALFORMED = "malformed"
    """The platform's own, signed file is not what the format says."""


class TransferError(Exception):
    """Base of what is raised here. Nothing in the queue was lost, nothing of it was settled that
    the platform has not."""


class NothingToExport(TransferError):
    """No message waits."""


class EncryptionKeyMissing(TransferError):
    """The terminal was enrolled before platforms gave a key to encrypt to: enrol it again."""


class TransferCancelled(TransferError):
    """Whoever watched the progress ended it; receipts settled until then stay settled."""


class StickFailed(TransferError):
    """The stick could not be written or read.

    Attributes:
        trouble: what is wrong with it.
        errorname: the system's name of it, for example ``EIO``; empty where it has none.
    """

    def __init__(self, trouble: StickTrouble, errorname: str = "") -> None:
        super().__init__(f"the stick is {trouble.value} {errorname}".rstrip())
        self.trouble = trouble
        self.errorname = errorname


class ReceiptsRefused(TransferError):
    """A file of receipts is not believed; none of it was used.

    Attributes:
        fault: why.
    """

    def __init__(self, fault: ReceiptsFault) -> None:
        super().__init__(f"the receipts are refused: {fault.value}")
        self.fault = fault


_TROUBLES = {
    errno.ENOSPC: StickTrouble.FULL,
    errno.EDQUOT: StickTrouble.FULL,
    errno.EFBIG: StickTrouble.TOO_LARGE,
    errno.EROFS: StickTrouble.READ_ONLY,
    errno.EACCES: StickTrouble.READ_ONLY,
    errno.EPERM: StickTrouble.READ_ONLY,
    # A stick that was pulled out answers EIO as long as its file system stays mounted.
    errno.EIO: StickTrouble.GONE,
    errno.ENODEV: StickTrouble.GONE,
    errno.ENXIO: StickTrouble.GONE,
    errno.ENOENT: StickTrouble.GONE,
    errno.ENOTDIR: StickTrouble.GONE,
    errno.ESTALE: StickTrouble.GONE,
}


@contextmanager
def blaming_the_stick() -> Iterator[None]:
    """What the system says against a file becomes `StickFailed`, without the file's name."""
    failed = None
    try:
        yield
    except OSError as error:
        code = error.errno or 0
        failed = StickFailed(
            _TROUBLES.get(code, StickTrouble.FAILED), errno.errorcode.get(code, "")
        )
    if failed is not None:
        raise failed
