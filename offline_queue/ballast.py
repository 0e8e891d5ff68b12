"""A file of real blocks that is deleted when the disk is full, so that something can be written.

In WAL mode a full disk takes neither UPDATE nor DELETE nor checkpoint: a queue there could not
even note what was delivered. What is set aside in good times is spent on that.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from offline_queue.durable import sync_folder

_PARTS = 8

_BLOCK = 512
"""``st_blocks`` counts these, whatever the file system's blocks are."""


class Ballast:
    """``NAME.ballast`` beside a database; several processes may share it."""

    def __init__(self, database: Path, size: int) -> None:
        self._path = database.with_name(database.name + ".ballast")
        self.size = size

    def held(self) -> int:
        """Bytes that it holds in blocks, not only in length."""
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            return 0
        return min(found.st_blocks * _BLOCK, self.size)

    def make(self) -> None:
        """Set the blocks aside, for good when it returns. Two makers at once do no harm.

        Raises:
            OSError: the disk has no such room, or something else has the name.
        """
        before = self.held()
        with self._opened(os.O_CREAT) as descriptor:
            try:
                os.posix_fallocate(descriptor, 0, self.size)
            except OSError:
                os.ftruncate(descriptor, before)
                raise
            os.fsync(descriptor)
        sync_folder(self._path.parent)

    def release(self) -> bool:
        """Give a part of the blocks back to the disk; False when there is nothing to give."""
        left = self.held() - self.size // _PARTS
        try:
            if left > 0:
                with self._opened() as descriptor:
                    os.ftruncate(descriptor, left)
            else:
                self._path.unlink()
        except OSError:
            return False
        # ext4 hands freed blocks out again only when its journal has committed their end.
        with contextlib.suppress(OSError):
            sync_folder(self._path.parent)
        return True

    @contextlib.contextmanager
    def _opened(self, flags: int = 0) -> Iterator[int]:
        descriptor = os.open(
            self._path, flags | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, mode=0o600
        )
        try:
            yield descriptor
        finally:
            os.close(descriptor)
