"""Files on a stick: there whole under their name, or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from pathlib import Path

from kiosk.transfer.errors import (
    ReceiptsFault,
    ReceiptsRefused,
    StickFailed,
    StickTrouble,
    blaming_the_stick,
)
from offline_queue.durable import sync_folder

_HALF = ".part"
_PIECE = 1024 * 1024


class NewFile:
    """A file that gets its name when it is whole, on the stick, and reads back as it was written.

    Every method raises `StickFailed`.

    Args:
        folder: on the stick; must be there.
        name: of the file when it is whole.
        family: what the names of halves begin with that an earlier try may have left; they go.
    """

    def __init__(self, folder: Path, name: str, family: str) -> None:
        self._path = folder / name
        self._half = folder / (name + _HALF)
        self._hash = hashlib.new("sm3")
        with blaming_the_stick():
            for left in folder.iterdir():
                if left.name.startswith(family) and left.name.endswith(_HALF):
                    left.unlink()
            if self._path.exists():
                raise FileExistsError(errno.EEXIST, "taken")
            self._descriptor = os.open(
                self._half,
                os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
                0o600,
            )

    def write(self, part: bytes) -> None:
        """Append."""
        self._hash.update(part)
        view = memoryview(part)
        with blaming_the_stick():
            while view:
                view = view[os.write(self._descriptor, view) :]

    def finish(self) -> Path:
        """Make it durable, prove it, and give it its name; where it is."""
        with blaming_the_stick():
            os.fsync(self._descriptor)
            # Sticks that claim more room than they have answer every write with success.
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            if _digest(self._half) != self._hash.digest():
                raise StickFailed(StickTrouble.GARBLED)
            self._half.rename(self._path)
            sync_folder(self._path.parent)
        return self._path

    def close(self) -> None:
        """End it; what did not get its name is removed as far as the stick still lets us."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        with contextlib.suppress(OSError):
            self._half.unlink()

    def __enter__(self) -> NewFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_whole(file: Path, most: int) -> bytes:
    """What a file holds.

    In one piece: a device that answers otherwise when it is read again can lie to nobody.

    Raises:
        StickFailed: see there.
        ReceiptsRefused: no ordinary file, or longer than ``most`` bytes.
    """
    with blaming_the_stick():
        # Not to wait for whoever opens the other end of a pipe.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            ordinary = stat.S_ISREG(os.fstat(descriptor).st_mode)
            content = stream.read(most + 1) if ordinary else b""
    if not ordinary or len(content) > most:
        raise ReceiptsRefused(ReceiptsFault.NOT_RECEIPTS)
    return content


def _digest(file: Path) -> bytes:
    found = hashlib.new("sm3")
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            found.update(piece)
    return found.digest()
